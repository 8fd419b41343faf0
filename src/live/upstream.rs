//! The task that reads one key on behalf of all its subscribers.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tracing::{info, warn};

use super::WatchKey;
use super::backoff::Backoff;
use super::hub::{Hub, Joined};
use super::source::{Reading, Rest, Source, State};

/// Reads in a row that may answer with less than a hint promised (a lagging replica) before the resync is left to it.
const STALE_READS: u32 = 5;

/// First and longest wait after a read that failed.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LIMIT: Duration = Duration::from_secs(5);

/// Subscribes to a key, and starts its task if the subscriber is the first.
pub(super) fn attach<V, E, R, F>(hub: &Arc<Hub>, key: WatchKey, read: R) -> watch::Receiver<State<V, E>>
where
    V: Send + Sync + 'static,
    E: std::error::Error + Send + Sync + 'static,
    R: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reading<V>, E>> + Send + 'static,
{
    match hub.join(&key) {
        Joined::Shared(mut receiver) => {
            receiver.mark_changed(); // what is there already is this subscriber's first message
            receiver
        }
        Joined::First(receiver, source) => {
            let tenancy = Tenancy { hub: hub.clone(), key, source };
            tokio::spawn(async move { Upstream::new(&tenancy, read).run().await });
            receiver
        }
    }
}

/// A task's hold on its key: the key goes when the task does, even if the task panicked.
struct Tenancy<V: Send + Sync + 'static, E: Send + Sync + 'static> {
    hub: Arc<Hub>,
    key: WatchKey,
    source: Arc<Source<V, E>>,
}

impl<V: Send + Sync + 'static, E: Send + Sync + 'static> Drop for Tenancy<V, E> {
    fn drop(&mut self) {
        self.hub.abandon(&self.key, &self.source);
    }
}

struct Upstream<'a, V: Send + Sync + 'static, E: Send + Sync + 'static, R> {
    tenancy: &'a Tenancy<V, E>,
    read: R,
    version: Option<i64>,
    stale_reads: u32,
    backoff: Backoff,
}

/// Why a wait ended.
enum Woken {
    Read,
    Deserted,
}

impl<'a, V, E, R, F> Upstream<'a, V, E, R>
where
    V: Send + Sync + 'static,
    E: std::error::Error + Send + Sync + 'static,
    R: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result<Reading<V>, E>> + Send + 'static,
{
    fn new(tenancy: &'a Tenancy<V, E>, read: R) -> Self {
        Upstream { tenancy, read, version: None, stale_reads: 0, backoff: Backoff::new(RETRY_FIRST, RETRY_LIMIT) }
    }

    /// Reads, hands on, waits for a reason to read again; ends when the last subscriber has left.
    async fn run(mut self) {
        loop {
            let begun = Instant::now();
            let wanted = self.tenancy.source.pulse.take();
            let woken = match self.tenancy.hub.read((self.read)()).await {
                Ok(reading) => {
                    let known = self.accept(reading, wanted);
                    self.rest(begun, known).await
                }
                Err(error) => {
                    let retry = self.reject(error);
                    self.pause(Instant::now() + retry).await
                }
            };
            if let Woken::Deserted = woken {
                return;
            }
        }
    }

    /// Hands a newer value on and asks for another read where this one was not the end of it; says what is known now.
    fn accept(&mut self, reading: Reading<V>, wanted: Option<i64>) -> i64 {
        let (source, key) = (&self.tenancy.source, &self.tenancy.key);
        if !self.backoff.is_fresh() {
            info!(?key, "a live value can be read again");
            self.backoff.reset();
        }
        let known = self.version.map_or(reading.version, |known| known.max(reading.version));
        if self.version != Some(known) {
            source.sender.send_replace(State::Value(Arc::new(reading.value)));
            self.tenancy.hub.counters.emissions.add(1);
            self.version = Some(known);
        }
        if reading.rest == Rest::More {
            source.pulse.force();
        }
        self.chase(known, wanted);
        known
    }

    /// An answer older than what a hint promised is asked for again, a few times.
    fn chase(&mut self, known: i64, wanted: Option<i64>) {
        match wanted.filter(|wanted| *wanted > known && self.stale_reads < STALE_READS) {
            Some(wanted) => {
                self.stale_reads += 1;
                self.tenancy.source.pulse.want(wanted);
            }
            None => self.stale_reads = 0,
        }
    }

    /// Logs the first failure of a row and says how long to wait; only who has never seen a value hears of it.
    fn reject(&mut self, error: E) -> Duration {
        if self.backoff.is_fresh() {
            let key = &self.tenancy.key;
            warn!(?key, %error, "a live value cannot be read; trying again");
            if self.version.is_none() {
                self.tenancy.source.sender.send_replace(State::Failed(Arc::new(error)));
            }
        }
        self.backoff.failed(&self.tenancy.hub.jitter)
    }

    /// Waits for something newer than `known` or for the resync, and keeps the gap to the last read.
    async fn rest(&self, begun: Instant, known: i64) -> Woken {
        let (settings, source) = (&self.tenancy.hub.settings, &self.tenancy.source);
        loop {
            tokio::select! {
                () = source.pulse.asked_beyond(known) => return self.pause(begun + settings.gap).await,
                () = sleep_until(begun + settings.resync.max(settings.gap)) => return Woken::Read,
                () = source.sender.closed() => if self.left() { return Woken::Deserted },
            }
        }
    }

    /// Waits until `end`, or until nobody is there to wait for.
    async fn pause(&self, end: Instant) -> Woken {
        loop {
            tokio::select! {
                () = sleep_until(end) => return Woken::Read,
                () = self.tenancy.source.sender.closed() => if self.left() { return Woken::Deserted },
            }
        }
    }

    fn left(&self) -> bool {
        self.tenancy.hub.leave(&self.tenancy.key, &self.tenancy.source)
    }
}
