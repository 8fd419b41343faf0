//! The live keys of this process, and who is told what.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, Semaphore, watch};

use super::backoff::Jitter;
use super::counters::Counters;
use super::pulse::Pulse;
use super::source::{Source, State};
use super::{Hint, LiveSettings, LiveStatus, Topic, WatchKey};

/// Reads that run at once: after a lost connection every key is read again, and the database must not notice.
const READS_AT_ONCE: usize = 32;

/// The live keys of this process.
///
/// Their number is bounded by the number of subscribers, which the doors limit.
pub(super) struct Hub {
    pub(super) settings: LiveSettings,
    pub(super) counters: Counters,
    pub(super) jitter: Jitter,
    reads: Semaphore,
    work: Notify,
    topics: Mutex<Topics>,
}

type Topics = HashMap<Topic, HashMap<Slot, Arc<dyn Seat>>>;

/// Which of a topic's sources: the type is part of it, so that two payloads of one name do not meet.
#[derive(PartialEq, Eq, Hash)]
struct Slot {
    detail: Box<str>,
    kind: TypeId,
}

/// A source whose payload's type is forgotten.
trait Seat: Any + Send + Sync {
    fn pulse(&self) -> &Pulse;
}

impl<V: Send + Sync + 'static, E: Send + Sync + 'static> Seat for Source<V, E> {
    fn pulse(&self) -> &Pulse {
        &self.pulse
    }
}

/// How a subscriber came in.
pub(super) enum Joined<V, E> {
    /// The key was live already.
    Shared(watch::Receiver<State<V, E>>),
    /// The subscriber is the first: it starts the key's task.
    First(watch::Receiver<State<V, E>>, Arc<Source<V, E>>),
}

impl Hub {
    /// A hub without keys.
    pub(super) fn new(settings: LiveSettings) -> Hub {
        Hub {
            jitter: Jitter::new(settings.node),
            settings,
            counters: Counters::default(),
            reads: Semaphore::new(READS_AT_ONCE),
            work: Notify::new(),
            topics: Mutex::default(),
        }
    }

    /// Subscribes to a key. Joining and leaving take the same lock, so nobody joins a source that is about to go.
    pub(super) fn join<V, E>(&self, key: &WatchKey) -> Joined<V, E>
    where
        V: Send + Sync + 'static,
        E: Send + Sync + 'static,
    {
        let mut topics = self.topics();
        let seats = topics.entry(key.topic).or_default();
        let slot = Slot::of::<V, E>(key);
        if let Some(source) = seats.get(&slot).and_then(seated::<V, E>) {
            return Joined::Shared(source.sender.subscribe());
        }
        let (source, receiver) = Source::new();
        let source = Arc::new(source);
        seats.insert(slot, source.clone());
        Joined::First(receiver, source)
    }

    /// Takes a source away, unless somebody subscribed in the meantime; says whether it is gone.
    pub(super) fn leave<V, E>(&self, key: &WatchKey, source: &Arc<Source<V, E>>) -> bool
    where
        V: Send + Sync + 'static,
        E: Send + Sync + 'static,
    {
        let mut topics = self.topics();
        let gone = source.sender.receiver_count() == 0;
        if gone {
            unseat(&mut topics, key, source);
        }
        gone
    }

    /// Takes a source away because its task is no more, whoever listens: their streams end.
    pub(super) fn abandon<V, E>(&self, key: &WatchKey, source: &Arc<Source<V, E>>)
    where
        V: Send + Sync + 'static,
        E: Send + Sync + 'static,
    {
        unseat(&mut self.topics(), key, source);
    }

    /// Delivers the hints this process published.
    pub(super) fn tell_local(&self, hints: &[Hint]) {
        self.counters.local_hints.add(hints.len());
        self.tell(hints);
    }

    /// Delivers hints of another server.
    pub(super) fn tell_remote(&self, hints: &[Hint]) {
        self.counters.remote_hints.add(hints.len());
        self.tell(hints);
    }

    fn tell(&self, hints: &[Hint]) {
        let topics = self.topics();
        for hint in hints {
            if hint.topic == Topic::Workers {
                self.work.notify_one();
            }
            let seats = topics.get(&hint.topic).into_iter().flat_map(HashMap::values);
            seats.for_each(|seat| seat.pulse().want(hint.version));
        }
    }

    /// Hints may have been lost: every key is read again, and the workers look for themselves.
    pub(super) fn read_everything_again(&self) {
        self.work.notify_one();
        let topics = self.topics();
        topics.values().flat_map(HashMap::values).for_each(|seat| seat.pulse().force());
    }

    /// Waits until the outbox has work.
    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// Runs one read, as soon as few enough others run.
    pub(super) async fn read<T, E>(&self, read: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let _turn = self.reads.acquire().await; // fails only when closed, which nobody does
        self.counters.reads.add(1);
        let outcome = read.await;
        self.counters.failed_reads.add(usize::from(outcome.is_err()));
        outcome
    }

    /// Completes what the link knows with what the hub counts.
    pub(super) fn status(&self, link: LiveStatus) -> LiveStatus {
        LiveStatus {
            keys: self.topics().values().map(HashMap::len).sum(),
            reads: self.counters.reads.get(),
            failed_reads: self.counters.failed_reads.get(),
            emissions: self.counters.emissions.get(),
            local_hints: self.counters.local_hints.get(),
            remote_hints: self.counters.remote_hints.get(),
            ..link
        }
    }

    /// The map is whole after every statement, so a panic elsewhere does not spoil it.
    fn topics(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    fn of<V: 'static, E: 'static>(key: &WatchKey) -> Slot {
        Slot { detail: key.detail.as_str().into(), kind: TypeId::of::<Source<V, E>>() }
    }
}

fn seated<V, E>(seat: &Arc<dyn Seat>) -> Option<Arc<Source<V, E>>>
where
    V: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    let any: Arc<dyn Any + Send + Sync> = seat.clone();
    any.downcast().ok()
}

fn unseat<V, E>(topics: &mut Topics, key: &WatchKey, source: &Arc<Source<V, E>>)
where
    V: Send + Sync + 'static,
    E: Send + Sync + 'static,
{
    let Some(seats) = topics.get_mut(&key.topic) else { return };
    let slot = Slot::of::<V, E>(key);
    let ours = seats.get(&slot).and_then(seated::<V, E>).is_some_and(|seated| Arc::ptr_eq(&seated, source));
    if ours {
        seats.remove(&slot);
    }
    if seats.is_empty() {
        topics.remove(&key.topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::story::{Broken, Truth, told_only};

    #[test]
    fn who_joins_before_the_last_one_is_gone_keeps_the_key() {
        let (hub, key) = (Hub::new(told_only()), Truth::new().key());
        let Joined::First(ann, source) = hub.join::<i64, Broken>(&key) else { panic!("nobody was there") };
        drop(ann);
        let Joined::Shared(ben) = hub.join::<i64, Broken>(&key) else { panic!("the key was there") };
        assert!(!hub.leave(&key, &source), "Ben listens");
        drop(ben);
        assert!(hub.leave(&key, &source));
        let Joined::First(_eve, second) = hub.join::<i64, Broken>(&key) else { panic!("the key was gone") };
        hub.abandon(&key, &source);
        assert_eq!(hub.status(LiveStatus::default()).keys, 1, "the first source does not take the second one along");
        hub.abandon(&key, &second);
        assert!(hub.topics().is_empty());
    }
}
