//! What the engine is given instead of the machine's clock and randomness.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicI64, Ordering},
};

use banyan::{
    domain::time::{DAY_MICROS, SECOND_MICROS, Timestamp},
    engine::{Clock, Randomness},
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// When stories begin: Wednesday, 2026-03-04T12:00:00Z, the middle of a day, a week and nearly a month.
pub const NOON: Timestamp = Timestamp::from_micros(1_772_625_600 * SECOND_MICROS);

/// What passes between two looks at the clock: one step of the times inside ids, so that ids sort as they were made.
const TICK_MICROS: i64 = 1_000;

/// A clock that goes on by a millisecond with each look, and as far as it is told.
#[derive(Debug)]
pub struct TestClock {
    now: AtomicI64,
    tick: AtomicI64,
}

impl Default for TestClock {
    fn default() -> Self {
        Self { now: AtomicI64::new(NOON.micros()), tick: AtomicI64::new(TICK_MICROS) }
    }
}

impl TestClock {
    /// Moves the clock, backwards too.
    pub fn set(&self, at: Timestamp) {
        self.now.store(at.micros(), Ordering::SeqCst);
    }

    /// From now on everything happens at the same instant, until [`go_on`](Self::go_on).
    pub fn stand_still(&self) {
        self.tick.store(0, Ordering::SeqCst);
    }

    /// Ticks again.
    pub fn go_on(&self) {
        self.tick.store(TICK_MICROS, Ordering::SeqCst);
    }

    /// Lets seconds pass.
    pub fn pass_seconds(&self, seconds: i64) {
        self.now.fetch_add(seconds * SECOND_MICROS, Ordering::SeqCst);
    }

    /// Lets days of 24 hours pass.
    pub fn pass_days(&self, days: i64) {
        self.now.fetch_add(days * DAY_MICROS, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.now.fetch_add(self.tick.load(Ordering::SeqCst), Ordering::SeqCst))
    }
}

/// The same numbers in every run.
#[derive(Debug)]
pub struct TestRandomness(Mutex<StdRng>);

impl TestRandomness {
    /// Begins a series.
    pub fn seeded(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Randomness for TestRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
    }
}
