//! Scalars of our own: exact where the executor's are not.

use async_graphql::{ID, InputValueError, InputValueResult, Number, Scalar, ScalarType, Value};

use super::errors::ApiError;
use crate::domain::{
    decimal,
    id::{self, Id, Noun},
    time::Timestamp,
};

/// An instant in UTC, written as RFC 3339: `2026-11-22T09:30:00Z`. Offsets are taken and converted; fractions of a
/// second are kept to the microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DateTime(pub Timestamp);

impl From<Timestamp> for DateTime {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

/// An instant in UTC, written as RFC 3339: `2026-11-22T09:30:00Z`. Any offset is understood; answers are always in UTC,
/// exact to the microsecond.
#[Scalar(specified_by_url = "https://scalars.graphql.org/andimarek/date-time")]
impl ScalarType for DateTime {
    fn parse(value: Value) -> InputValueResult<Self> {
        let at = match &value {
            // A bare date is a time elsewhere in the product, never here.
            Value::String(text) if text.len() > "2026-11-22".len() => Timestamp::parse(text),
            _ => None,
        };
        at.map(Self).ok_or_else(|| InputValueError::custom("a DateTime looks like \"2026-11-22T09:30:00Z\""))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// An exact decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal(pub decimal::Decimal);

/// An exact decimal number, written as a string: `"12.50"`. Strings and whole JSON numbers are understood; JSON numbers
/// with a fraction are refused, since programs read them as floating point.
#[Scalar]
impl ScalarType for Decimal {
    fn parse(value: Value) -> InputValueResult<Self> {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => return Err(InputValueError::custom("send a Decimal as a string, like \"12.50\", or a whole number")),
        };
        text.parse().map(Self).map_err(InputValueError::custom)
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.to_string())
    }
}

/// A whole number of 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BigInt(pub i64);

/// A whole number beyond 32 bits, written as a JSON number; exact in JavaScript up to 2^53.
#[Scalar]
impl ScalarType for BigInt {
    fn parse(value: Value) -> InputValueResult<Self> {
        match &value {
            Value::Number(number) => number.as_i64().map(Self),
            _ => None,
        }
        .ok_or_else(|| InputValueError::custom("a BigInt is a whole number"))
    }

    fn to_value(&self) -> Value {
        Value::Number(Number::from(self.0))
    }
}

/// Any JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub Value);

/// Any JSON: an object, a list, a string, a number, a boolean or null.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value))
    }

    fn to_value(&self) -> Value {
        self.0.clone()
    }
}

/// The id of one noun as an argument; of anything else `BAD_USER_INPUT`.
pub fn id_argument(noun: Noun, id: &ID) -> Result<Id, ApiError> {
    id::parse_as(noun, id).map_err(|error| ApiError::bad_input(error.to_string()))
}

/// An id as it is written.
pub fn written(noun: Noun, id: Id) -> ID {
    ID(id.typed(noun))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_exact_or_refused() {
        let decimal = |json: &str| {
            let value = Value::from_json(serde_json::from_str(json).unwrap()).unwrap();
            <Decimal as ScalarType>::parse(value).ok().map(|decimal| decimal.to_value().to_string())
        };
        assert_eq!(decimal("\"0.10\"").as_deref(), Some("\"0.10\""));
        assert_eq!(decimal("25").as_deref(), Some("\"25\""));
        assert_eq!(decimal("-3").as_deref(), Some("\"-3\""));
        for refused in ["0.1", "1e3", "true", "null", "\"1e3\"", "\"\"", "[1]"] {
            assert_eq!(decimal(refused), None, "{refused}");
        }
    }

    #[test]
    fn a_date_is_no_instant() {
        let read = |text: &str| <DateTime as ScalarType>::parse(Value::from(text)).ok().map(|at| at.to_value());
        assert_eq!(read("2026-11-22T10:30:00+01:00"), Some(Value::from("2026-11-22T09:30:00Z")));
        for refused in ["2026-11-22", "now", "2026-11-22T09:30:00", ""] {
            assert_eq!(read(refused), None, "{refused}");
        }
    }
}
