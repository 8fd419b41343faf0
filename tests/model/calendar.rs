//! Days, weeks and months, counted from the seconds of the clock.

use crate::plan::{Period, Zone};

/// Seconds of a day.
pub const DAY: i64 = 24 * 60 * 60;

/// Which day, week or month of a zone an instant lies in; the same number means the same one.
pub fn which(period: Period, at: i64, zone: Zone) -> i64 {
    let day = (at + zone.ahead_minutes * 60).div_euclid(DAY);
    match period {
        Period::Day => day,
        // Day 0, 1970-01-01, was a Thursday: three days after a Monday.
        Period::Week => (day + 3).div_euclid(7),
        Period::Month => month(day),
        Period::Ever => 0,
    }
}

/// Days of 400 years, after which the calendar repeats.
const CYCLE: i64 = 146_097;

/// Months since January 1970, found by walking from the last time the calendar was as it was then.
fn month(day: i64) -> i64 {
    let (mut month, mut first) = (day.div_euclid(CYCLE) * 400 * 12, day.div_euclid(CYCLE) * CYCLE);
    while first + length(month) <= day {
        first += length(month);
        month += 1;
    }
    month
}

/// Days of a month.
fn length(month: i64) -> i64 {
    let year = 1970 + month / 12;
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month % 12 {
        1 if is_leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    }
}

#[test]
fn months_and_weeks_begin_where_they_should() {
    const UTC: Zone = Zone { name: "UTC", ahead_minutes: 0 };
    const TOKYO: Zone = Zone { name: "Asia/Tokyo", ahead_minutes: 540 };
    // 2026-03-01T00:00:00Z, a Sunday; 2400-03-01T00:00:00Z, after a leap day.
    for (first, months) in [(1_772_323_200, 56 * 12 + 2), (13_574_649_600, 430 * 12 + 2)] {
        assert_eq!(which(Period::Month, first, UTC), months);
        assert_eq!(which(Period::Month, first - 1, UTC), months - 1);
        assert_eq!(which(Period::Month, first - 9 * 3_600, TOKYO), months);
    }
    let monday = 1_772_409_600;
    assert_eq!(which(Period::Week, monday, UTC), which(Period::Week, monday - 1, UTC) + 1);
    assert_eq!(which(Period::Week, monday, UTC), which(Period::Week, monday + 7 * DAY - 1, UTC));
}
