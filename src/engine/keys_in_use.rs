//! Keys while they are used: when that was last, and whether one that holds a connection open still works.
//!
//! Keys are not cached: every request looks its key up, and so a revoked one ends with the next request on every server.
//! Only open connections have to be told. For each key that holds any open here its row is read once a second: a server
//! hears so of every revocation, whoever revoked it, Redis or not.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::sleep};

use super::Engine;
use crate::{
    domain::{
        id::Id,
        time::{SECOND_MICROS, Timestamp},
    },
    store::{StoreError, Tx, run},
};

/// How often the row of a key that holds connections open is read.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Shortest time between two notes of when a key was last used.
const NOTE_MICROS: i64 = 60 * SECOND_MICROS;
/// Most keys whose last note is remembered; when there are more, all are noted anew.
const NOTED_MAX: usize = 10_000;

/// What this process knows of the keys that are used here; clones share it.
#[derive(Clone, Default)]
pub struct KeysInUse {
    noted: Arc<Mutex<HashMap<Id, Timestamp>>>,
    /// Keys that hold connections open. Whoever waits hears of the end when the sender goes.
    watched: Arc<Mutex<HashMap<Id, watch::Sender<()>>>>,
}

impl KeysInUse {
    /// Whether it is time to note that a key is used; then it is taken as noted.
    fn is_due(&self, key: Id, now: Timestamp) -> bool {
        let mut noted = lock(&self.noted);
        let last = noted.get(&key).copied();
        let is_due = last.is_none_or(|last| last.plus_micros(NOTE_MICROS) <= now);
        if is_due {
            if noted.len() >= NOTED_MAX {
                noted.clear();
            }
            noted.insert(key, now);
        }
        is_due
    }

    /// Takes a key away if nobody waits for its end any more; says whether it is gone.
    fn leave(&self, key: Id) -> bool {
        let mut watched = lock(&self.watched);
        let deserted = watched.get(&key).is_none_or(|sender| sender.receiver_count() == 0);
        if deserted {
            watched.remove(&key);
        }
        deserted
    }
}

impl Engine {
    /// Notes that a key was used, at most once a minute over all servers, and without making anybody wait. When it cannot
    /// be written down nothing is lost but that.
    pub fn note_use(&self, key: Id) {
        let now = self.context.now();
        if !self.keys_in_use.is_due(key, now) {
            return;
        }
        let engine = self.clone();
        tokio::spawn(async move {
            if let Err(error) = engine.write_use(key, now).await {
                tracing::debug!(%error, "the use of a key could not be noted");
            }
        });
    }

    async fn write_use(&self, key: Id, now: Timestamp) -> Result<(), StoreError> {
        let earlier = now.plus_micros(-NOTE_MICROS);
        self.store.write(async |tx: &mut Tx| run!(tx, keys::note_use(key, now, earlier)).map(drop)).await
    }

    /// Waits until a key is revoked; needs a runtime, for the task that looks.
    pub async fn key_revoked(&self, key: Id) {
        let mut end = self.watch_key(key);
        while end.changed().await.is_ok() {}
    }

    /// Joins those who wait for the end of a key; the first one begins to look.
    fn watch_key(&self, key: Id) -> watch::Receiver<()> {
        let mut watched = lock(&self.keys_in_use.watched);
        if let Some(sender) = watched.get(&key) {
            return sender.subscribe();
        }
        let (sender, end) = watch::channel(());
        watched.insert(key, sender);
        tokio::spawn(self.clone().keep_looking(key));
        end
    }

    async fn keep_looking(self, key: Id) {
        while !self.keys_in_use.leave(key) {
            match self.is_revoked(key).await {
                Ok(true) => {
                    lock(&self.keys_in_use.watched).remove(&key);
                    return;
                }
                Ok(false) => sleep(LOOK_EVERY).await,
                Err(error) => {
                    tracing::debug!(%error, "whether a key still works cannot be told");
                    sleep(LOOK_EVERY).await;
                }
            }
        }
    }

    async fn is_revoked(&self, key: Id) -> Result<bool, StoreError> {
        self.store.look(async |tx: &mut Tx| run!(tx, keys::is_revoked(key))).await
    }
}

/// The maps are whole after every statement, so a panic elsewhere does not spoil them.
fn lock<T>(map: &Mutex<T>) -> MutexGuard<'_, T> {
    map.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_000_000 + seconds) * SECOND_MICROS)
    }

    fn key(number: u128) -> Id {
        Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    #[test]
    fn the_use_of_a_key_is_due_once_a_minute() {
        let keys = KeysInUse::default();
        let due: Vec<bool> = [0, 1, 59, 60, 61, 119, 500].map(|second| keys.is_due(key(1), at(second))).to_vec();
        assert_eq!(due, [true, false, false, true, false, false, true]);
        assert!(keys.is_due(key(2), at(500)), "each key for itself");
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let keys = KeysInUse::default();
        (0..25_000).for_each(|number| assert!(keys.is_due(key(number), at(0))));
        assert!(lock(&keys.noted).len() <= NOTED_MAX);
    }
}
