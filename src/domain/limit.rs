//! How much may be asked for in a time: the arithmetic of GCRA (ITU-T I.371, annex A).
//!
//! Of each bucket only one number is kept: its debt, the time after which all that was taken out of it is forgiven. Both
//! places where buckets are kept, in this process and in Redis, decide by the same few lines. The crate `governor`
//! computes the same, but can neither look without charging, nor charge several buckets at once or none, nor run in Redis.

use super::time::SECOND_MICROS;

/// What a bucket gives: so much at once, and then one more each so many microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    at_once: i64,
    each_micros: i64,
}

impl Quota {
    /// A quota; both numbers are at least 1.
    pub const fn new(at_once: i64, each_micros: i64) -> Self {
        Self { at_once: at_least_one(at_once), each_micros: at_least_one(each_micros) }
    }

    /// What a full bucket gives at once.
    pub const fn at_once(self) -> i64 {
        self.at_once
    }

    /// The debt of an empty bucket, in microseconds.
    pub const fn most_micros(self) -> i64 {
        self.at_once.saturating_mul(self.each_micros)
    }

    /// The debt that an amount makes, in microseconds.
    pub fn price_micros(self, amount: u64) -> i64 {
        i64::try_from(amount).unwrap_or(i64::MAX).saturating_mul(self.each_micros)
    }

    /// How long until an amount can be taken out of a bucket with this debt, in microseconds; zero when it can be now.
    ///
    /// More than a full bucket gives is waited for no longer than for all of it. It is charged whole all the same, so
    /// whatever comes next waits longer.
    pub fn wait_micros(self, debt_micros: i64, amount: u64) -> i64 {
        if amount == 0 {
            return 0;
        }
        let needed = self.price_micros(amount).min(self.most_micros());
        debt_micros.saturating_add(needed).saturating_sub(self.most_micros()).max(0)
    }

    /// How much can be taken out of a bucket with this debt.
    pub fn left(self, debt_micros: i64) -> i64 {
        (self.most_micros().saturating_sub(debt_micros) / self.each_micros).clamp(0, self.at_once)
    }

    /// How long an empty bucket takes to be full again, in seconds, rounded up.
    pub const fn window_seconds(self) -> i64 {
        seconds_up(self.most_micros())
    }

    /// How long one more takes, in seconds, rounded up.
    pub const fn step_seconds(self) -> i64 {
        seconds_up(self.each_micros)
    }
}

const fn at_least_one(number: i64) -> i64 {
    if number < 1 { 1 } else { number }
}

/// Microseconds as seconds, rounded up.
pub const fn seconds_up(micros: i64) -> i64 {
    micros.saturating_add(SECOND_MICROS - 1) / SECOND_MICROS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A bucket as it is kept, and a clock.
    struct Kept {
        quota: Quota,
        forgiven_at: i64,
    }

    impl Kept {
        fn debt(&self, now: i64) -> i64 {
            (self.forgiven_at - now).max(0)
        }

        /// Takes an amount if it is there, or says how long to wait.
        fn take(&mut self, amount: u64, now: i64) -> i64 {
            let wait = self.quota.wait_micros(self.debt(now), amount);
            if wait == 0 {
                self.forgiven_at = now + self.debt(now) + self.quota.price_micros(amount);
            }
            wait
        }
    }

    #[test]
    fn a_full_bucket_gives_a_burst_and_then_one_at_a_time() {
        let mut bucket = Kept { quota: Quota::new(60, SECOND_MICROS), forgiven_at: 0 };
        assert!((0..60).all(|_| bucket.take(1, 0) == 0));
        assert_eq!(bucket.take(1, 0), SECOND_MICROS);
        assert_eq!(bucket.take(1, SECOND_MICROS / 4), SECOND_MICROS * 3 / 4);
        assert_eq!((bucket.take(1, SECOND_MICROS), bucket.take(1, SECOND_MICROS)), (0, SECOND_MICROS));
        assert_eq!(bucket.quota.left(bucket.debt(31 * SECOND_MICROS)), 30);
        assert_eq!(bucket.quota.left(bucket.debt(1_000 * SECOND_MICROS)), 60, "no more than a full one");
    }

    #[test]
    fn what_is_larger_than_the_bucket_is_waited_for_once_and_charged_whole() {
        let mut bucket = Kept { quota: Quota::new(10, SECOND_MICROS), forgiven_at: 0 };
        assert_eq!(bucket.take(1, 0), 0);
        assert_eq!(bucket.take(50, 0), SECOND_MICROS, "until it is full");
        assert_eq!(bucket.take(50, SECOND_MICROS), 0);
        assert_eq!(bucket.quota.left(bucket.debt(SECOND_MICROS)), 0);
        assert_eq!(bucket.take(1, SECOND_MICROS), 41 * SECOND_MICROS);
        assert_eq!(bucket.take(0, SECOND_MICROS), 0, "to ask for nothing is free");
    }

    #[test]
    fn windows_are_told_in_whole_seconds() {
        assert_eq!((Quota::new(5_000, 1_000).window_seconds(), Quota::new(5_000, 1_000).step_seconds()), (5, 1));
        assert_eq!((Quota::new(30, 2_000_000).window_seconds(), Quota::new(30, 2_000_000).step_seconds()), (60, 2));
        assert_eq!(Quota::new(0, 0), Quota::new(1, 1));
    }

    proptest! {
        /// In no stretch of time does a bucket give more than it holds and what comes in meanwhile.
        #[test]
        fn never_more_than_promised(
            at_once in 1_i64..50, each in 1_i64..1_000, steps in prop::collection::vec((0_i64..3_000, 1_u64..60), 1..200),
        ) {
            let mut bucket = Kept { quota: Quota::new(at_once, each), forgiven_at: 0 };
            let (mut now, mut taken, mut largest) = (0, 0, 0);
            for (pause, amount) in steps {
                now += pause;
                if bucket.take(amount, now) == 0 {
                    taken += amount;
                    largest = largest.max(amount);
                }
                let over = largest.saturating_sub(at_once.unsigned_abs());
                prop_assert!(taken <= (at_once + now / each).unsigned_abs() + over, "{taken} by {now}");
            }
        }

        /// Who waits as long as was said gets it.
        #[test]
        fn waiting_helps(at_once in 1_i64..50, each in 1_i64..1_000, debt in 0_i64..100_000, amount in 0_u64..80) {
            let quota = Quota::new(at_once, each);
            let wait = quota.wait_micros(debt, amount);
            prop_assert_eq!(quota.wait_micros((debt - wait).max(0), amount), 0);
            prop_assert!(wait == 0 || quota.wait_micros(debt - wait + 1, amount) == 1);
        }
    }
}
