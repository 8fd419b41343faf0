//! Instants: microseconds since the Unix epoch, UTC.

use std::fmt;

/// One instant, in microseconds since 1970-01-01T00:00:00Z: what both databases store exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

/// Microseconds of one second.
pub const SECOND_MICROS: i64 = 1_000_000;
/// Microseconds of one day of 24 hours.
pub const DAY_MICROS: i64 = 86_400 * SECOND_MICROS;
/// 9999-12-30T00:00:00Z: the last day that every time zone of the calendar library can write down.
const LAST_MICROS: i64 = 253_402_128_000 * SECOND_MICROS;

impl Timestamp {
    /// The Unix epoch; also the start of "all time".
    pub const EPOCH: Self = Self(0);
    /// The end of "all time": the last instant that can be written down.
    pub const LAST: Self = Self(LAST_MICROS);

    /// Takes microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// This instant and `micros` microseconds, held within what can be written down.
    pub const fn plus_micros(self, micros: i64) -> Self {
        let sum = self.0.saturating_add(micros);
        Self(if sum > LAST_MICROS { LAST_MICROS } else { sum })
    }

    /// This instant and `days` times 24 hours.
    pub const fn plus_days(self, days: u32) -> Self {
        self.plus_micros((days as i64).saturating_mul(DAY_MICROS))
    }

    /// The same instant for the calendar library. Total: what lies outside its range becomes the epoch.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }

    /// An instant of the calendar library, its nanoseconds cut off.
    pub fn from_jiff(at: jiff::Timestamp) -> Self {
        Self(at.as_microsecond())
    }

    /// Reads RFC 3339 (`2026-01-31T12:00:00Z`, any offset), or a bare date as its midnight in UTC.
    pub fn parse(text: &str) -> Option<Self> {
        let at = match text.parse::<jiff::Timestamp>() {
            Ok(at) => at,
            Err(_) if text.len() > "2026-01-31".len() => return None,
            Err(_) => text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp(),
        };
        let at = Self::from_jiff(at);
        (Self::EPOCH <= at && at.0 <= LAST_MICROS).then_some(at)
    }
}

/// RFC 3339 in UTC.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_jiff().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_rfc_3339() {
        let at = Timestamp::parse("2026-01-31T13:00:00.000001+01:00").unwrap();
        assert_eq!(at.to_string(), "2026-01-31T12:00:00.000001Z");
        assert_eq!(Timestamp::parse("2026-01-31"), Timestamp::parse("2026-01-31T00:00:00Z"));
        for bad in ["", "yesterday", "2026-02-30T00:00:00Z", "1969-12-31T23:59:59Z", "2026-01-31T12:00:00"] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn never_leaves_the_calendar() {
        let last = Timestamp::from_micros(LAST_MICROS);
        assert_eq!(last.plus_days(u32::MAX), last);
        assert_eq!(last.to_string(), "9999-12-30T00:00:00Z");
    }
}
