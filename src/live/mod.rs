//! What servers share while they run: which things changed, and the newest value of what somebody watches.
//!
//! Nothing here is a record. A [`Hint`] says "this topic has a newer version"; the value is always read from its source,
//! through a closure the caller gives, so a lost hint costs time ([`LiveSettings::resync`] at most) and never truth.
//!
//! One door, two twins: [`Live::in_process`] for a server on its own, [`Live::redis`] for several that tell each other.
//! Both deliver local hints in memory; the second also carries them over one Redis channel.
//!
//! | file | what it is |
//! | --- | --- |
//! | `topic` | what can change and be watched, and the hint that it did |
//! | `hub` | the live keys of this process, and who is told what |
//! | `pulse`, `source`, `upstream` | one key: what asks for a read, who receives it, the task that reads |
//! | `values`, `changes`, `log` | the two shapes of subscription: newest value, and list of changes |
//! | `limits` | buckets of what may be asked for, in Redis and in this process |
//! | `misses` | how often who asked for codes that do not exist |
//! | `backoff`, `counters` | how long to wait after a failure; what is counted |
//! | `redis` | the twin that carries hints between servers, and their shared buckets |

mod backoff;
mod changes;
mod counters;
mod error;
mod hub;
mod limits;
mod log;
mod misses;
mod pulse;
mod redis;
mod settings;
mod source;
mod status;
mod topic;
mod upstream;
mod values;

#[cfg(test)]
mod story;

use std::sync::Arc;

use futures_util::Stream;

pub use changes::{Change, Changes};
pub use error::LiveError;
pub use limits::{Bucket, BucketKind, Charged, Demand, Limits};
pub use misses::Misses;
pub use settings::LiveSettings;
pub use status::{LinkState, LiveStatus};
pub use topic::{BoardMetric, Hint, Topic, WatchKey};
pub use values::Versioned;

use hub::Hub;
use redis::{RedisLink, SharedBook};

/// The door to everything servers share while they run; cheap to clone.
///
/// When the last clone is dropped the connections to Redis end; streams that are still held go on by resync alone.
#[derive(Clone)]
pub struct Live {
    hub: Arc<Hub>,
    link: Option<Arc<RedisLink>>,
    limits: Arc<Limits>,
    misses: Misses,
}

impl Live {
    /// Hints stay in this process: for a server on its own.
    pub fn in_process(settings: LiveSettings) -> Live {
        let limits = Limits::new(&settings.hash_key, None);
        Live::new(Arc::new(Hub::new(settings)), None, limits)
    }

    /// Hints also travel over Redis (`redis://` or `rediss://`, one node) to the servers of the same namespace.
    ///
    /// Waits at most two seconds for the first connection and then goes on without it: a Redis that is down when
    /// the server starts is the same as one that goes down later.
    ///
    /// # Errors
    /// Only what a configuration can get wrong: the URL, its scheme, or the namespace.
    pub async fn redis(url: &str, settings: LiveSettings) -> Result<Live, LiveError> {
        let hub = Arc::new(Hub::new(settings));
        // Before the wait, so that both connections are made at the same time.
        let shared = SharedBook::open(url, &hub.settings)?;
        let limits = Limits::new(&hub.settings.hash_key, Some(shared));
        let link = RedisLink::open(url, &hub).await?;
        Ok(Live::new(hub, Some(Arc::new(link)), limits))
    }

    fn new(hub: Arc<Hub>, link: Option<Arc<RedisLink>>, limits: Limits) -> Live {
        let limits = Arc::new(limits);
        Live { hub, link, misses: Misses::new(limits.clone()), limits }
    }

    /// Tells this server at once, and the others soon, that topics changed.
    ///
    /// Call it after the commit. It never fails and never waits: what Redis cannot take now is kept in a bounded queue,
    /// the newest version of each topic only.
    pub fn publish(&self, hints: Vec<Hint>) {
        self.hub.tell_local(&hints);
        if let Some(link) = &self.link {
            link.queue(&hints);
        }
    }

    /// Waits until the outbox has work, here or on another server.
    ///
    /// A wake-up that comes while nobody waits is kept for the next one who does; several are kept as one. Of several
    /// waiting workers of this process one is woken. It is a hint too: poll as well.
    pub async fn workers_woken(&self) {
        self.hub.work().await;
    }

    /// Buckets of what callers may ask for.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Who asked for codes that do not exist.
    pub fn misses(&self) -> &Misses {
        &self.misses
    }

    /// What metrics and the health page show.
    pub fn status(&self) -> LiveStatus {
        let link = self.link.as_ref().map(|link| link.status());
        LiveStatus { limits: self.limits.link(), ..self.hub.status(link.unwrap_or_default()) }
    }

    /// The current value of a key first, then each newer one; see [`values`](Versioned) for the guarantees.
    ///
    /// `read` runs once per key and change, whatever the number of subscribers, and on behalf of all of them: it must not
    /// depend on who asks. Of several subscribers of a key the first one's `read` is used. It has to end by itself.
    /// Reads of a key start at least [`LiveSettings::gap`] apart, so a slow consumer and a busy topic both skip to the
    /// newest value. If the very first read fails the subscriber gets that error, once, and then the values as soon as
    /// there are any; later failures are logged and retried and the subscriber just waits.
    ///
    /// Must be called inside a tokio runtime: the key's reader is a task, which ends when its last stream is dropped.
    pub fn watch<V, E, R, F>(
        &self,
        key: WatchKey,
        read: R,
    ) -> impl Stream<Item = Result<Arc<V>, Arc<E>>> + Send + 'static + use<V, E, R, F>
    where
        V: Send + Sync + 'static,
        E: std::error::Error + Send + Sync + 'static,
        R: Fn() -> F + Send + Sync + 'static,
        F: Future<Output = Result<Versioned<V>, E>> + Send + 'static,
    {
        values::watch(&self.hub, key, read)
    }

    /// The current item of a list first, then each item that changed.
    ///
    /// The guarantee: the newest state of every item that changes is delivered, in rising versions; states in between may
    /// be skipped. `read(None)` answers with the current items (those of the newest version; nothing if there are none),
    /// `read(Some(v))` with a page of what is newer than `v`, in rising versions, never splitting a version over two
    /// pages. Versions of a key must become visible in rising order: give them out under a lock of what they count.
    ///
    /// Everything said at [`Live::watch`] holds here too: one read per key and change. Only a subscriber that fell so far
    /// behind that the shared log no longer reaches back to it reads for itself, from where it stood.
    pub fn follow<T, E, R, F>(
        &self,
        key: WatchKey,
        read: R,
    ) -> impl Stream<Item = Result<Change<T>, Arc<E>>> + Send + 'static + use<T, E, R, F>
    where
        T: Send + Sync + 'static,
        E: std::error::Error + Send + Sync + 'static,
        R: Fn(Option<i64>) -> F + Send + Sync + 'static,
        F: Future<Output = Result<Changes<T>, E>> + Send + 'static,
    {
        changes::follow(&self.hub, key, read)
    }
}
