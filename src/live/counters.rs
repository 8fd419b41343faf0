//! Numbers the live room counts while it runs.

use std::sync::atomic::{AtomicU64, Ordering};

/// One number that only rises.
#[derive(Default)]
pub(super) struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub(super) fn add(&self, n: usize) {
        self.0.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the hub counts; the meaning of each is told in [`LiveStatus`](super::LiveStatus).
#[derive(Default)]
pub(super) struct Counters {
    pub(super) reads: Counter,
    pub(super) failed_reads: Counter,
    pub(super) emissions: Counter,
    pub(super) local_hints: Counter,
    pub(super) remote_hints: Counter,
}
