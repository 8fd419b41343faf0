//! What the subscribers of one key hold on to.

use std::sync::Arc;

use tokio::sync::watch;

use super::pulse::Pulse;

/// One live key: the demands on it and the channel to its subscribers.
pub(super) struct Source<V, E> {
    pub(super) pulse: Pulse,
    pub(super) sender: watch::Sender<State<V, E>>,
}

/// The newest there is to know of a key; a `watch` channel keeps one, so whoever is slow skips to it.
pub(super) enum State<V, E> {
    /// Nothing was read yet.
    Waiting,
    /// Nothing was read yet, and the first attempt failed.
    Failed(Arc<E>),
    /// What was read last.
    Value(Arc<V>),
}

/// What one read brought.
pub(super) struct Reading<V> {
    pub(super) version: i64,
    pub(super) value: V,
    pub(super) rest: Rest,
}

/// Whether a read reached the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Rest {
    /// There is nothing newer.
    #[default]
    Nothing,
    /// There may be more: read again.
    More,
}

impl<V, E> Source<V, E> {
    /// A source nobody has read yet, and its first subscriber.
    pub(super) fn new() -> (Source<V, E>, watch::Receiver<State<V, E>>) {
        let (sender, receiver) = watch::channel(State::Waiting);
        (Source { pulse: Pulse::new(), sender }, receiver)
    }
}

impl<V, E> State<V, E> {
    /// What a subscriber is to see of this state, if anything.
    pub(super) fn to_item(&self) -> Option<Result<Arc<V>, Arc<E>>> {
        match self {
            State::Waiting => None,
            State::Failed(error) => Some(Err(error.clone())),
            State::Value(value) => Some(Ok(value.clone())),
        }
    }
}

/// Waits for the next thing a subscriber is to see; `None` when the key's task is gone.
pub(super) async fn next_item<V, E>(receiver: &mut watch::Receiver<State<V, E>>) -> Option<Result<Arc<V>, Arc<E>>> {
    loop {
        receiver.changed().await.ok()?;
        let item = receiver.borrow_and_update().to_item();
        if item.is_some() {
            return item;
        }
    }
}
