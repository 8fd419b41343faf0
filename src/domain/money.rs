//! Money: whole minor units of a currency.

use std::fmt;

use super::decimal::Decimal;

/// Most letters of a unit of one's own, such as `POINTS`.
const UNIT_MAX_LEN: usize = 16;
/// Largest amount of one event or reward, in minor units: sums of a million of them still fit 64 bits.
pub const MAX_MINOR: i64 = 1_000_000_000_000;

/// A currency of ISO 4217, or a unit of one's own of four letters or more (`POINTS`), which has no minor units.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(String);

/// Why an amount is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Neither an ISO 4217 code nor the name of a unit.
    #[error("`{0}` is neither a currency of ISO 4217 nor a unit such as POINTS (4 to 16 capital letters)")]
    UnknownCurrency(String),
    /// Below zero.
    #[error("an amount must not be negative")]
    Negative,
    /// Finer than the currency's minor unit.
    #[error("{currency} has {exponent} decimal places, {amount} has more")]
    TooPrecise {
        /// Code of the currency.
        currency: String,
        /// Its number of decimal places.
        exponent: u32,
        /// The amount as written.
        amount: String,
    },
    /// Above [`MAX_MINOR`].
    #[error("an amount is at most 1,000,000,000,000 minor units")]
    TooLarge,
}

impl Currency {
    /// Checks a code; upper case only.
    pub fn parse(code: &str) -> Result<Self, MoneyError> {
        let capital = code.bytes().all(|byte| byte.is_ascii_uppercase());
        let known = match code.len() {
            3 => iso_currency::Currency::from_code(code).is_some(),
            4..=UNIT_MAX_LEN => true,
            _ => false,
        };
        if capital && known {
            Ok(Self(code.to_owned()))
        } else {
            Err(MoneyError::UnknownCurrency(code.chars().take(UNIT_MAX_LEN).collect()))
        }
    }

    /// Takes a code that was checked when it was stored.
    pub fn stored(code: impl Into<String>) -> Self {
        Self(code.into())
    }

    /// The code: three letters of ISO 4217, or the unit's name.
    pub fn code(&self) -> &str {
        &self.0
    }

    /// Number of decimal places of the minor unit: 2 for USD, 0 for JPY, 3 for KWD, 0 for units of one's own.
    pub fn exponent(&self) -> u32 {
        let iso = iso_currency::Currency::from_code(&self.0);
        iso.and_then(iso_currency::Currency::exponent).map_or(0, u32::from)
    }

    /// Whole minor units of a number of major units.
    pub fn to_minor(&self, amount: Decimal) -> Result<i64, MoneyError> {
        if amount.is_negative() {
            return Err(MoneyError::Negative);
        }
        let exponent = self.exponent();
        let too_precise = || MoneyError::TooPrecise { currency: self.0.clone(), exponent, amount: amount.to_string() };
        let minor = amount.to_units(exponent).ok_or_else(too_precise)?;
        i64::try_from(minor).ok().filter(|minor| *minor <= MAX_MINOR).ok_or(MoneyError::TooLarge)
    }

    /// Minor units as a number of major units, with all places of the currency: 1250 of USD is `12.50`.
    pub fn to_major(&self, minor: i64) -> Decimal {
        Decimal::new(i128::from(minor), self.exponent())
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount of one currency.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    /// Whole minor units, never negative.
    pub minor: i64,
    /// What they are units of.
    pub currency: Currency,
}

impl Money {
    /// Checks an amount of major units and its currency's code.
    pub fn parse(amount: Decimal, code: &str) -> Result<Self, MoneyError> {
        let currency = Currency::parse(code)?;
        Ok(Self { minor: currency.to_minor(amount)?, currency })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.currency.to_major(self.minor), self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(amount: &str, code: &str) -> Result<i64, MoneyError> {
        Money::parse(amount.parse().unwrap(), code).map(|money| money.minor)
    }

    #[test]
    fn knows_the_places_of_a_currency() {
        assert_eq!(money("12.50", "USD"), Ok(1250));
        assert_eq!(money("12", "JPY"), Ok(12));
        assert_eq!(money("1.005", "KWD"), Ok(1005));
        assert_eq!(money("7", "POINTS"), Ok(7));
        assert_eq!(Currency::stored("USD").to_major(5).to_string(), "0.05");
    }

    #[test]
    fn refuses_what_cannot_be_paid() {
        assert_eq!(money("-1", "USD"), Err(MoneyError::Negative));
        assert!(matches!(money("0.001", "USD"), Err(MoneyError::TooPrecise { exponent: 2, .. })));
        assert!(matches!(money("1.5", "JPY"), Err(MoneyError::TooPrecise { exponent: 0, .. })));
        assert_eq!(money("10000000000.01", "USD"), Err(MoneyError::TooLarge));
        for code in ["", "usd", "ZZZ", "US", "DOLLARS!", "€"] {
            assert!(matches!(money("1", code), Err(MoneyError::UnknownCurrency(_))), "{code}");
        }
    }
}
