//! The one wrapper around the `dataloader` crate.
//!
//! The crate lets every caller yield before it looks whether its key was loaded meanwhile: at a hundred callers a level that
//! costs more than the statement. Here the first caller of a level gathers the others' keys while it yields, loads all of
//! them, and wakes the others when they are there.

use std::{
    collections::HashMap,
    fmt::Debug,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dataloader::{BatchFn, cached};
use futures_util::future::BoxFuture;
use tokio::{
    sync::watch,
    task::{coop::unconstrained, yield_now},
};

use crate::{graphql::errors::ApiError, store::StoreError};

/// Most keys of one statement.
const MAX_BATCH: usize = 5_000;
/// Whoever gathers keys lets the others run until so many steps brought no further key. The executor's lists stop and begin
/// again each time that somebody yields, so that the children of a wide level ask one after the other.
const QUIET_STEPS: usize = 32;
/// How often a key is asked for again after the future that drove its batch was dropped.
const MAX_ATTEMPTS: usize = 8;

/// What a batch of keys brings; keys that are left out have the default value (nothing, an empty list).
pub type Found<K, V> = Result<HashMap<K, V>, StoreError>;
/// Loads a batch.
type Fetch<K, V> = Box<dyn Fn(Vec<K>) -> BoxFuture<'static, Found<K, V>> + Send + Sync>;

/// Loads values by key, many at once, each once.
pub struct Batched<K, V>
where
    K: Key,
    V: Value,
{
    loader: cached::Loader<K, Result<V, ApiError>, Batch<K, V>>,
    gathering: Mutex<Option<Gathering<K, V>>>,
}

/// Keys that wait for their batch, and how their callers hear of its end.
struct Gathering<K, V> {
    keys: Vec<K>,
    loaded: Loaded<K, V>,
}

/// Values of a whole batch, once they are there.
type Values<K, V> = Option<Arc<HashMap<K, Result<V, ApiError>>>>;
/// How a caller hears of them.
type Loaded<K, V> = watch::Receiver<Values<K, V>>;

/// What a caller does about a key.
enum Part<'a, K: Key, V: Value> {
    /// Gathers and loads.
    Drives(Driver<'a, K, V>),
    /// Waits for who does. The channel closes without a word when that one is dropped.
    Waits(Loaded<K, V>),
}

/// Whoever gathers keys; gives them up when dropped before they were loaded, because a sibling failed.
struct Driver<'a, K: Key, V: Value> {
    batched: &'a Batched<K, V>,
    gathers: bool,
    loaded: watch::Sender<Values<K, V>>,
}

impl<K: Key, V: Value> Drop for Driver<'_, K, V> {
    fn drop(&mut self) {
        if self.gathers {
            self.batched.gathering().take();
        }
    }
}

/// What can be a key.
pub trait Key: Clone + Eq + Hash + Debug + Send + Sync + 'static {}
impl<K: Clone + Eq + Hash + Debug + Send + Sync + 'static> Key for K {}

/// What can be loaded: cheap to clone, with a value that stands for "not there".
pub trait Value: Clone + Default + Send + Sync + 'static {}
impl<V: Clone + Default + Send + Sync + 'static> Value for V {}

/// The crate panics on keys that a batch left out and has no way to fail: every key is answered, and answers are results.
struct Batch<K, V> {
    fetch: Fetch<K, V>,
}

impl<K: Key, V: Value> BatchFn<K, Result<V, ApiError>> for Batch<K, V> {
    async fn load(&mut self, keys: &[K]) -> HashMap<K, Result<V, ApiError>> {
        match (self.fetch)(keys.to_vec()).await {
            Ok(mut found) => keys.iter().map(|key| (key.clone(), Ok(found.remove(key).unwrap_or_default()))).collect(),
            Err(failure) => {
                let error = ApiError::from(failure);
                keys.iter().map(|key| (key.clone(), Err(error.clone()))).collect()
            }
        }
    }
}

impl<K: Key, V: Value> Batched<K, V> {
    /// A loader that remembers nothing yet.
    pub(super) fn new<F>(fetch: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Found<K, V>> + Send + 'static,
    {
        let fetch: Fetch<K, V> = Box::new(move |keys| Box::pin(fetch(keys)));
        let loader = cached::Loader::new(Batch { fetch }).with_max_batch_size(MAX_BATCH).with_yield_count(0);
        Self { loader, gathering: Mutex::new(None) }
    }

    /// The value of a key.
    pub async fn load(&self, key: K) -> Result<V, ApiError> {
        for _ in 0..MAX_ATTEMPTS {
            match self.join(&key) {
                Part::Drives(driver) => {
                    if let Some(answer) = driver.load(&key).await {
                        return answer;
                    }
                }
                Part::Waits(mut loaded) => {
                    // Without the runtime's budget per poll a wide level would wake in pieces, and so ask in pieces.
                    let _ended_well_or_not = unconstrained(loaded.changed()).await;
                    let answer = loaded.borrow().as_ref().and_then(|values| values.get(&key).cloned());
                    if let Some(answer) = answer {
                        return answer;
                    }
                }
            }
        }
        Err(ApiError::internal(&"a batch was lost again and again"))
    }

    fn join(&self, key: &K) -> Part<'_, K, V> {
        let mut gathering = self.gathering();
        if let Some(Gathering { keys, loaded }) = gathering.as_mut() {
            keys.push(key.clone());
            return Part::Waits(loaded.clone());
        }
        let (sender, loaded) = watch::channel(None);
        *gathering = Some(Gathering { keys: vec![key.clone()], loaded });
        Part::Drives(Driver { batched: self, gathers: true, loaded: sender })
    }

    fn gathered(&self) -> usize {
        self.gathering().as_ref().map_or(0, |gathering| gathering.keys.len())
    }

    fn gathering(&self) -> MutexGuard<'_, Option<Gathering<K, V>>> {
        self.gathering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers values that came by another way.
    pub async fn prime(&self, values: impl IntoIterator<Item = (K, V)>) {
        self.loader.prime_many(values.into_iter().map(|(key, value)| (key, Ok(value)))).await;
    }
}

impl<K: Key, V: Value> Driver<'_, K, V> {
    /// Loads what has gathered after a while, and gives the value of one of the keys.
    async fn load(mut self, key: &K) -> Option<Result<V, ApiError>> {
        let mut known = 0;
        while let now = self.batched.gathered()
            && now > known
        {
            known = now;
            for _ in 0..QUIET_STEPS {
                unconstrained(yield_now()).await;
            }
        }
        let gathered = self.batched.gathering().take();
        self.gathers = false;
        let values = Arc::new(self.batched.loader.try_load_many(gathered?.keys).await.ok()?);
        self.loaded.send_replace(Some(Arc::clone(&values)));
        values.get(key).cloned()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use futures_util::{FutureExt, future::join_all};

    use super::*;

    type Squares = Arc<Batched<i64, Option<i64>>>;

    /// A loader of squares, and the sizes of its batches. Keys below zero are nowhere; 13 breaks its batch.
    fn squares() -> (Squares, Arc<Mutex<Vec<usize>>>) {
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let noted = sizes.clone();
        let loader = Batched::new(move |keys: Vec<i64>| {
            noted.lock().unwrap().push(keys.len());
            async move {
                tokio::task::yield_now().await;
                if keys.contains(&13) {
                    return Err(StoreError::Corrupt("13".to_owned()));
                }
                let known = keys.into_iter().filter(|key| *key >= 0);
                Ok(known.map(|key| (key, Some(key * key))).collect())
            }
        });
        (Arc::new(loader), sizes)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_level_is_one_batch_whatever_its_width() {
        for width in [1, 10, 100, 4_000] {
            let (loader, sizes) = squares();
            let keys = || (20..).take(width);
            let answers = join_all(keys().map(|key| loader.load(key))).await;
            assert!(answers.iter().zip(keys()).all(|(answer, key)| *answer == Ok(Some(key * key))));
            assert_eq!(*sizes.lock().unwrap(), [width]);
            loader.load(20).await.unwrap();
            assert_eq!(sizes.lock().unwrap().len(), 1, "what is known is not asked for again");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_nowhere_is_nothing_and_a_failure_is_everybodys() {
        let (loader, _) = squares();
        assert_eq!(loader.load(-1).await, Ok(None));
        let answers = join_all([12, 13, 14].map(|key| loader.load(key))).await;
        assert!(matches!(answers[0], Err(ApiError::Internal { .. })));
        assert!(answers.iter().all(|answer| *answer == answers[0]), "one incident, logged once: {answers:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_waits_is_answered_though_the_driver_was_dropped() {
        let (loader, sizes) = squares();
        let (mut driver, mut waiter) = (Box::pin(loader.load(1)), Box::pin(loader.load(2)));
        while sizes.lock().unwrap().is_empty() {
            assert_eq!((&mut driver).now_or_never(), None);
            assert_eq!((&mut waiter).now_or_never(), None);
        }
        drop(driver); // in the middle of a batch that holds both keys
        assert_eq!(waiter.await, Ok(Some(4)));
        assert_eq!(*sizes.lock().unwrap(), [2, 1]);
    }
}
