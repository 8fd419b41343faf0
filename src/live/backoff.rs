//! How long to wait before the next attempt.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Waits that double from `first` to `limit`, each shortened by chance to between a half and the whole.
///
/// Without the chance every server would come back to a restarted Redis or database in the same instant.
pub(super) struct Backoff {
    first: Duration,
    limit: Duration,
    failures: u32,
}

impl Backoff {
    /// Starts at `first` and never waits longer than `limit`.
    pub(super) fn new(first: Duration, limit: Duration) -> Backoff {
        Backoff { first, limit, failures: 0 }
    }

    /// Something worked: the next failure starts at `first` again.
    pub(super) fn reset(&mut self) {
        self.failures = 0;
    }

    /// Whether the failure that comes now is the first of a row: the one that is worth a warning.
    pub(super) fn is_fresh(&self) -> bool {
        self.failures == 0
    }

    /// Counts a failure and says how long to wait.
    pub(super) fn failed(&mut self, jitter: &Jitter) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        jitter.shorten(doubled.min(self.limit))
    }
}

/// The chance in a wait; seeded, so that it is an argument and not a global.
pub(super) struct Jitter(Mutex<StdRng>);

impl Jitter {
    /// The same seed gives the same waits.
    pub(super) fn new(seed: u64) -> Jitter {
        Jitter(Mutex::new(StdRng::seed_from_u64(seed)))
    }

    /// Between a half of `wait` and all of it.
    fn shorten(&self, wait: Duration) -> Duration {
        let mut rng = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wait.mul_f64(rng.random_range(0.5..=1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_start_over() {
        let jitter = Jitter::new(7);
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        assert!(backoff.is_fresh());
        for whole in [100, 200, 400, 800, 1_000, 1_000] {
            let wait = backoff.failed(&jitter);
            assert!(wait >= Duration::from_millis(whole / 2) && wait <= Duration::from_millis(whole), "{wait:?}");
        }
        (0..100).for_each(|_| assert!(backoff.failed(&jitter) <= Duration::from_secs(1)));
        backoff.reset();
        assert!(backoff.failed(&jitter) <= Duration::from_millis(100));
    }
}
