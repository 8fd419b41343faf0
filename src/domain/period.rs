//! Periods of leaderboards and caps: half-open, in the program's time zone (rules 14 and 24).

use jiff::{ToSpan, civil, tz::TimeZone};

use super::{time::Timestamp, words::Period};

/// A calendar: the time zone of a program.
#[derive(Clone, Debug)]
pub struct Calendar(TimeZone);

impl Calendar {
    /// Looks an IANA name up, such as `Europe/Berlin`.
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().map(Self)
    }

    /// Coordinated universal time.
    pub const fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// First instant of the period that holds `at`; the epoch for all time.
    pub fn start(&self, period: Period, at: Timestamp) -> Timestamp {
        match self.first_day(period, at) {
            Some(day) => self.midnight(day),
            None => Timestamp::EPOCH,
        }
    }

    /// First instant of the period before the one that holds `at`; the epoch for all time.
    pub fn previous_start(&self, period: Period, at: Timestamp) -> Timestamp {
        let span = match period {
            Period::Day => 1.day(),
            Period::Week => 1.week(),
            Period::Month => 1.month(),
            Period::AllTime => return Timestamp::EPOCH,
        };
        match self.first_day(period, at) {
            Some(day) => self.midnight(day.saturating_sub(span)),
            None => Timestamp::EPOCH,
        }
    }

    /// First instant after the period that holds `at`; nothing for all time.
    pub fn end(&self, period: Period, at: Timestamp) -> Option<Timestamp> {
        let span = match period {
            Period::Day => 1.day(),
            Period::Week => 1.week(),
            Period::Month => 1.month(),
            Period::AllTime => return None,
        };
        self.first_day(period, at).map(|day| self.midnight(day.saturating_add(span)))
    }

    fn first_day(&self, period: Period, at: Timestamp) -> Option<civil::Date> {
        let day = at.to_jiff().to_zoned(self.0.clone()).date();
        match period {
            Period::Day => Some(day),
            Period::Week => Some(day.saturating_sub(i32::from(day.weekday().to_monday_zero_offset()).days())),
            Period::Month => Some(day.first_of_month()),
            Period::AllTime => None,
        }
    }

    /// The first instant of a local day; where the clocks skip midnight, the first one that exists.
    fn midnight(&self, day: civil::Date) -> Timestamp {
        let zoned = day.to_zoned(self.0.clone());
        zoned.map_or(Timestamp::EPOCH, |zoned| Timestamp::from_jiff(zoned.timestamp()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn periods_begin_at_local_midnight() {
        let berlin = Calendar::named("Europe/Berlin").unwrap();
        let sunday = at("2026-03-29T23:30:00Z");
        assert_eq!(berlin.start(Period::Day, sunday), at("2026-03-29T22:00:00Z"));
        assert_eq!(berlin.start(Period::Week, sunday), at("2026-03-29T22:00:00Z"), "it is Monday in Berlin already");
        assert_eq!(berlin.start(Period::Month, sunday), at("2026-02-28T23:00:00Z"), "the month began in winter time");
        assert_eq!(berlin.start(Period::AllTime, sunday), Timestamp::EPOCH);
    }

    #[test]
    fn periods_follow_each_other_without_a_gap() {
        let utc = Calendar::utc();
        let now = at("2026-11-22T07:00:00Z");
        for period in [Period::Day, Period::Week, Period::Month] {
            let start = utc.start(period, now);
            assert_eq!(utc.end(period, utc.previous_start(period, now)), Some(start));
            assert_eq!(utc.start(period, start), start);
        }
        assert_eq!(utc.previous_start(Period::Week, now), at("2026-11-09"));
        assert_eq!(utc.end(Period::AllTime, now), None);
    }

    #[test]
    fn knows_no_made_up_zone() {
        assert!(Calendar::named("Mars/Olympus").is_none());
    }
}
