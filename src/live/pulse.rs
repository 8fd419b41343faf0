//! What asks one key for a new read.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use tokio::sync::Notify;

use super::Hint;

/// Stands for "no hint since the last read".
const NOTHING: i64 = i64::MIN;

/// The demands on one key: the newest version a hint spoke of, and whether it has to be read whatever it has.
///
/// Any number of hints melt into these two fields, so a flood costs one read; one task waits on it.
pub(super) struct Pulse {
    wanted: AtomicI64,
    forced: AtomicBool,
    bell: Notify,
}

impl Pulse {
    /// Nothing is asked yet.
    pub(super) fn new() -> Pulse {
        Pulse { wanted: AtomicI64::new(NOTHING), forced: AtomicBool::new(false), bell: Notify::new() }
    }

    /// A hint spoke of this version.
    pub(super) fn want(&self, version: i64) {
        if version == Hint::UNKNOWN {
            return self.force();
        }
        self.wanted.fetch_max(version, Ordering::SeqCst);
        self.bell.notify_one();
    }

    /// Hints may have been lost, or there is more to read: read whatever there is.
    pub(super) fn force(&self) {
        self.forced.store(true, Ordering::SeqCst);
        self.bell.notify_one();
    }

    /// Takes all demands, just before the read that is to meet them; a hint that arrives later leads to another one.
    pub(super) fn take(&self) -> Option<i64> {
        self.forced.store(false, Ordering::SeqCst);
        let wanted = self.wanted.swap(NOTHING, Ordering::SeqCst);
        (wanted != NOTHING).then_some(wanted)
    }

    /// Waits until something newer than `known` is asked for; what is known already (our own echo) does not count.
    pub(super) async fn asked_beyond(&self, known: i64) {
        while !self.forced.load(Ordering::SeqCst) && self.wanted.load(Ordering::SeqCst) <= known {
            self.bell.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn demands_melt_and_are_never_lost() {
        let pulse = Pulse::new();
        assert_eq!(pulse.asked_beyond(3).now_or_never(), None);
        pulse.want(5);
        pulse.want(4);
        assert_eq!(pulse.asked_beyond(5).now_or_never(), None, "known already");
        assert_eq!(pulse.asked_beyond(4).now_or_never(), Some(()));
        assert_eq!(pulse.take(), Some(5));
        assert_eq!(pulse.take(), None);
        assert_eq!(pulse.asked_beyond(-9).now_or_never(), None);
        pulse.want(Hint::UNKNOWN);
        assert_eq!(pulse.asked_beyond(99).now_or_never(), Some(()), "an unknown version is always read");
    }
}
