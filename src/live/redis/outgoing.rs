//! The hints that wait to be sent.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::live::counters::Counter;
use crate::live::{Hint, Topic};

/// Topics that may wait. A Redis this far behind is no help, and more hints would not make it faster: those that find
/// no room are left to the resync of the other servers.
const TOPICS_WAITING: usize = 10_000;

/// A queue that keeps the newest version of each topic; putting in never waits.
#[derive(Default)]
pub(super) struct Outgoing {
    waiting: Mutex<HashMap<Topic, i64>>,
    filled: Notify,
    pub(super) dropped: Counter,
}

impl Outgoing {
    /// Adds hints, as far as there is room.
    pub(super) fn add(&self, hints: &[Hint]) {
        let mut waiting = self.waiting();
        let dropped = hints.iter().filter(|hint| !put(&mut waiting, **hint)).count();
        self.dropped.add(dropped);
        drop(waiting);
        self.filled.notify_one();
    }

    /// Takes everything, as soon as there is something.
    pub(super) async fn take(&self) -> Vec<Hint> {
        loop {
            let taken = std::mem::take(&mut *self.waiting());
            if !taken.is_empty() {
                return taken.into_iter().map(|(topic, version)| Hint { topic, version }).collect();
            }
            self.filled.notified().await;
        }
    }

    /// How many topics wait.
    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<Topic, i64>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts a hint in and says whether there was room.
fn put(waiting: &mut HashMap<Topic, i64>, hint: Hint) -> bool {
    let full = waiting.len() >= TOPICS_WAITING;
    match waiting.entry(hint.topic) {
        Entry::Occupied(mut entry) => {
            let merged = newest(*entry.get(), hint.version);
            entry.insert(merged);
            true
        }
        Entry::Vacant(_) if full => false,
        Entry::Vacant(entry) => {
            entry.insert(hint.version);
            true
        }
    }
}

/// The newer of two versions; one that is not known may be newer than any.
fn newest(one: i64, other: i64) -> i64 {
    if one == Hint::UNKNOWN || other == Hint::UNKNOWN { Hint::UNKNOWN } else { one.max(other) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;
    use uuid::Uuid;

    fn user(n: usize) -> Topic {
        Topic::User(Uuid::from_u128(n as u128))
    }

    #[test]
    fn a_topic_waits_once_with_its_newest_version() {
        let outgoing = Outgoing::default();
        outgoing.add(&[3, 5, 4].map(|version| Hint::new(user(1), version)));
        assert_eq!(outgoing.take().now_or_never(), Some(vec![Hint::new(user(1), 5)]));
        outgoing.add(&[Hint::UNKNOWN, 9].map(|version| Hint::new(user(1), version)));
        assert_eq!(outgoing.take().now_or_never(), Some(vec![Hint::new(user(1), Hint::UNKNOWN)]));
        assert_eq!(outgoing.take().now_or_never(), None, "empty: it waits");
    }

    #[test]
    fn the_queue_is_bounded_and_still_takes_newer_versions() {
        let outgoing = Outgoing::default();
        let hints: Vec<_> = (0..TOPICS_WAITING + 3).map(|n| Hint::new(user(n), 1)).collect();
        outgoing.add(&hints);
        outgoing.add(&[Hint::new(user(0), 2)]);
        assert_eq!((outgoing.len(), outgoing.dropped.get()), (TOPICS_WAITING, 3));
        let taken = outgoing.take().now_or_never().unwrap();
        assert!(taken.contains(&Hint::new(user(0), 2)));
    }
}
