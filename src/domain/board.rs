//! Buckets of a board's histogram (rule 24): what makes a rank cost the distinct scores above, not the users.
//!
//! For counts a bucket is one score. Amounts have too many distinct scores for that: theirs are log-linear, as in an
//! HDR histogram (<http://hdrhistogram.org>): exact below 1,024, then 64 buckets for each power of two.
//!
//! And the periods that boards keep rows for.

use super::{
    period::Calendar,
    time::Timestamp,
    words::{Metric, Period},
};

/// Scores below this are buckets of their own.
const EXACT_BELOW: i64 = 1 << EXACT_BITS;
const EXACT_BITS: u32 = 10;
/// Buckets of each power of two, as a power of two.
const FINE_BITS: u32 = 6;

/// The bucket of a score; a larger score is never in a smaller bucket.
pub const fn bucket(metric: Metric, score: i64) -> i64 {
    match metric {
        Metric::Rewards if score >= EXACT_BELOW => {
            let octave = score.ilog2();
            let fine = (score >> (octave - FINE_BITS)) & ((1 << FINE_BITS) - 1);
            EXACT_BELOW + (((octave - EXACT_BITS) as i64) << FINE_BITS) + fine
        }
        Metric::Signups | Metric::Referrals | Metric::Rewards | Metric::Network => score,
    }
}

/// The first score above a bucket.
pub const fn bucket_end(metric: Metric, bucket: i64) -> i64 {
    match metric {
        Metric::Rewards if bucket >= EXACT_BELOW => {
            let above = bucket + 1 - EXACT_BELOW;
            let octave = (above >> FINE_BITS) as u32 + EXACT_BITS;
            let fine = above & ((1 << FINE_BITS) - 1);
            ((1 << FINE_BITS) + fine) << (octave - FINE_BITS)
        }
        Metric::Signups | Metric::Referrals | Metric::Rewards | Metric::Network => bucket + 1,
    }
}

/// A stretch of scores within which `bucket = (score >> shift) + offset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Scores below this, and not below that of the piece before.
    pub below: i64,
    /// How many bits of the score do not matter.
    pub shift: u32,
    /// What is added.
    pub offset: i64,
}

/// [`bucket`] as a table, lowest scores first, for those who must say it in another language; none when every score
/// is a bucket of its own.
pub fn pieces(metric: Metric) -> Vec<Piece> {
    let octave_piece = |octave: u32| {
        let shift = octave - FINE_BITS;
        let first = 1_i64 << octave;
        let below = first.checked_mul(2).unwrap_or(i64::MAX);
        Piece { below, shift, offset: bucket(metric, first) - (first >> shift) }
    };
    match metric {
        Metric::Rewards => {
            let exact = Piece { below: EXACT_BELOW, shift: 0, offset: 0 };
            std::iter::once(exact).chain((EXACT_BITS..i64::BITS - 1).map(octave_piece)).collect()
        }
        Metric::Signups | Metric::Referrals | Metric::Network => Vec::new(),
    }
}

/// A period with its bounds, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What kind of period.
    pub period: Period,
    /// Its first instant.
    pub starts_at: Timestamp,
    /// The first instant after it.
    pub ends_at: Timestamp,
}

impl Span {
    /// The period that holds an instant.
    pub fn around(calendar: &Calendar, period: Period, at: Timestamp) -> Self {
        let ends_at = calendar.end(period, at).unwrap_or(Timestamp::LAST);
        Self { period, starts_at: calendar.start(period, at), ends_at }
    }

    /// Whether an instant lies in the period.
    pub fn holds(&self, at: Timestamp) -> bool {
        self.starts_at <= at && at < self.ends_at
    }
}

/// The periods that boards keep rows for: of each kind the previous, the current and the next one, and all time.
///
/// The next one is for servers whose clocks are ahead of that of the one who sums: what they record just after midnight
/// must not be lost to the day that it belongs to.
pub fn kept(calendar: &Calendar, now: Timestamp) -> Vec<Span> {
    let around = |period, at| Span::around(calendar, period, at);
    let near = |period: Period| {
        let current = around(period, now);
        [around(period, calendar.previous_start(period, now)), current, around(period, current.ends_at)]
    };
    let all_time = around(Period::AllTime, now);
    [Period::Day, Period::Week, Period::Month].into_iter().flat_map(near).chain([all_time]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn buckets_keep_the_order_and_end_where_the_next_begins(score in 1_i64..1_000_000_000_000_000, more in 0_i64..1_000_000) {
            for metric in [Metric::Rewards, Metric::Signups] {
                let of = bucket(metric, score);
                prop_assert!(bucket(metric, score + more) >= of);
                let end = bucket_end(metric, of);
                prop_assert!(score < end);
                prop_assert_eq!(bucket(metric, end), of + 1);
                prop_assert_eq!(bucket(metric, end - 1), of);
            }
        }
    }

    proptest! {
        #[test]
        fn the_table_of_buckets_agrees(score in 1_i64..i64::MAX) {
            let pieces = pieces(Metric::Rewards);
            for score in [score, score & 0xfff_ffff, score & 0x7ff] {
                let piece = pieces.iter().find(|piece| score < piece.below).unwrap();
                prop_assert_eq!((score >> piece.shift) + piece.offset, bucket(Metric::Rewards, score));
            }
        }
    }

    #[test]
    fn kept_periods_follow_each_other() {
        let berlin = Calendar::named("Europe/Berlin").unwrap();
        let now = Timestamp::parse("2026-11-22T10:00:00Z").unwrap();
        let kept = kept(&berlin, now);
        assert_eq!(kept.len(), 10);
        for three in kept[..9].chunks(3) {
            assert_eq!(three[0].ends_at, three[1].starts_at);
            assert_eq!(three[1].ends_at, three[2].starts_at);
            assert!(three[1].holds(now) && !three[0].holds(now) && !three[2].holds(now));
        }
        assert!(kept[9].holds(Timestamp::EPOCH) && kept[9].holds(now));
    }

    #[test]
    fn a_bucket_of_amounts_is_at_most_a_sixty_fourth_wide() {
        assert_eq!(bucket(Metric::Rewards, 1_000_000), bucket(Metric::Rewards, 1_007_000));
        assert_ne!(bucket(Metric::Rewards, 1_000_000), bucket(Metric::Rewards, 1_016_000));
        assert_eq!(bucket(Metric::Signups, 1_000_000), 1_000_000);
    }
}
