//! Exact decimal numbers for amounts and percentages; never a float.

use std::fmt;

/// Most digits after the point that are read.
pub const MAX_SCALE: u32 = 18;
/// Most characters of a number that are looked at.
const MAX_LEN: usize = 40;

/// `units / 10^scale`, as written: `1.50` keeps its scale of 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    units: i128,
    scale: u32,
}

/// Why a text is not a number we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// Not digits with at most one point and a sign.
    #[error("a decimal number looks like \"12.50\"")]
    Malformed,
    /// More digits than can be held exactly.
    #[error("a decimal number has at most 18 digits before and 18 after the point")]
    TooLong,
}

impl Decimal {
    /// `units / 10^scale`.
    pub const fn new(units: i128, scale: u32) -> Self {
        Self { units, scale }
    }

    /// Whether the number is below zero.
    pub const fn is_negative(self) -> bool {
        self.units < 0
    }

    /// The number times `10^exponent` when that is a whole number: `12.5` with exponent 2 gives 1250.
    pub fn to_units(self, exponent: u32) -> Option<i128> {
        if self.scale <= exponent {
            return self.units.checked_mul(10_i128.checked_pow(exponent - self.scale)?);
        }
        let divisor = 10_i128.checked_pow(self.scale - exponent)?;
        (self.units % divisor == 0).then_some(self.units / divisor)
    }
}

impl std::str::FromStr for Decimal {
    type Err = DecimalError;

    fn from_str(text: &str) -> Result<Self, DecimalError> {
        if text.len() > MAX_LEN {
            return Err(DecimalError::TooLong);
        }
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(fraction) || digits.ends_with('.') {
            return Err(DecimalError::Malformed);
        }
        if whole.trim_start_matches('0').len() > 18 || fraction.len() > MAX_SCALE as usize {
            return Err(DecimalError::TooLong);
        }
        let units: i128 = format!("{whole}{fraction}").parse().map_err(|_| DecimalError::TooLong)?;
        Ok(Self { units: if negative { -units } else { units }, scale: fraction.len() as u32 })
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        let units = self.units.unsigned_abs();
        if self.scale == 0 {
            return write!(f, "{sign}{units}");
        }
        let divisor = 10_u128.pow(self.scale);
        write!(f, "{sign}{}.{:0width$}", units / divisor, units % divisor, width = self.scale as usize)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_is_no_number() {
        for text in ["", "-", ".", "1.", ".5", "1e3", "+1", "1 ", "0x1", "1.2.3", "٣", "NaN", "--1"] {
            assert_eq!(text.parse::<Decimal>(), Err(DecimalError::Malformed), "{text}");
        }
        assert_eq!("1234567890123456789".parse::<Decimal>(), Err(DecimalError::TooLong));
        assert_eq!("9".repeat(500).parse::<Decimal>(), Err(DecimalError::TooLong));
    }

    #[test]
    fn keeps_every_digit() {
        assert_eq!("12.50".parse::<Decimal>().unwrap().to_units(2), Some(1250));
        assert_eq!("12.501".parse::<Decimal>().unwrap().to_units(2), None);
        assert_eq!("12.500".parse::<Decimal>().unwrap().to_units(2), Some(1250));
        assert_eq!("-0.05".parse::<Decimal>().unwrap().to_string(), "-0.05");
    }

    proptest! {
        #[test]
        fn reads_what_it_writes(units in -999_999_999_999_999_999_i128..999_999_999_999_999_999, scale in 0_u32..=18) {
            let number = Decimal::new(units, scale);
            prop_assert_eq!(number.to_string().parse::<Decimal>(), Ok(number));
        }
    }
}
