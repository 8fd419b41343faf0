//! What the tests of this room share: a value that changes and counts who reads it, and watchers that check the order.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::{Hint, Live, LiveSettings, Topic, Versioned, WatchKey};

/// What no test should ever come near.
const PATIENCE: Duration = Duration::from_secs(60);

/// The read failed.
#[derive(Debug, thiserror::Error)]
#[error("the table is on fire")]
pub(super) struct Broken;

/// The truth, as SQL would hold it: a version that is also the value.
pub(super) struct Truth {
    pub(super) topic: Topic,
    pub(super) version: AtomicI64,
    pub(super) reads: AtomicUsize,
    pub(super) broken: AtomicBool,
    /// Each read takes one permit, after it has looked at the version.
    pub(super) gate: Semaphore,
}

impl Truth {
    /// A user's totals at version 1.
    pub(super) fn new() -> Arc<Truth> {
        Arc::new(Truth {
            topic: Topic::User(Uuid::from_u128(u128::from(fresh_number()))),
            version: AtomicI64::new(1),
            reads: AtomicUsize::new(0),
            broken: AtomicBool::new(false),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }

    pub(super) fn key(&self) -> WatchKey {
        WatchKey::new(self.topic, "totals")
    }

    /// Commits the next version and gives the hint that tells of it.
    pub(super) fn change(&self) -> Hint {
        Hint::new(self.topic, self.version.fetch_add(1, Ordering::SeqCst) + 1)
    }

    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }

    /// The closure a resolver would give.
    pub(super) fn reader(
        self: &Arc<Self>,
    ) -> impl Fn() -> BoxFuture<'static, Result<Versioned<i64>, Broken>> + Send + Sync + 'static {
        let truth = self.clone();
        move || {
            let truth = truth.clone();
            Box::pin(async move {
                truth.reads.fetch_add(1, Ordering::SeqCst);
                let version = truth.version.load(Ordering::SeqCst);
                truth.gate.acquire().await.expect("open").forget();
                if truth.broken.load(Ordering::SeqCst) { Err(Broken) } else { Ok(Versioned::new(version, version)) }
            })
        }
    }

    /// A stream of the versions a subscriber sees.
    pub(super) fn watched(self: &Arc<Self>, live: &Live) -> impl Stream<Item = i64> + Send + Unpin + 'static + use<> {
        live.watch(self.key(), self.reader()).map(|value| *value.expect("readable")).boxed()
    }
}

/// A number no other test of this process has, and unlike those of other processes.
pub(super) fn fresh_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    (u64::from(std::process::id()) << 32) | NEXT.fetch_add(1, Ordering::SeqCst)
}

/// Settings in which nothing heals by itself: what arrives was told.
pub(super) fn told_only() -> LiveSettings {
    let settings = LiveSettings::new(format!("test-{}", fresh_number()), fresh_number());
    LiveSettings { resync: Duration::from_secs(3_600), gap: Duration::from_millis(10), ..settings }
}

/// Waits for something, with patience but not for ever.
pub(super) async fn soon<T>(what: &str, coming: impl Future<Output = T>) -> T {
    timeout(PATIENCE, coming).await.unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// Waits until something holds.
pub(super) async fn eventually(what: &str, holds: impl Fn() -> bool) {
    soon(what, async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
}

/// What a subscriber sees up to a version, every one above the one before.
pub(super) async fn seen_until(last: i64, stream: &mut (impl Stream<Item = i64> + Unpin)) -> Vec<i64> {
    soon("the last version", async {
        let mut seen = Vec::new();
        while seen.last() != Some(&last) {
            let version = stream.next().await.expect("the stream goes on");
            assert!(seen.last().is_none_or(|before| *before < version), "{version} after {seen:?}");
            seen.push(version);
        }
        seen
    })
    .await
}

/// Asserts that nothing comes for a while; it can only fail when something does.
pub(super) async fn quiet<T: std::fmt::Debug>(stream: &mut (impl Stream<Item = T> + Unpin)) {
    let more = timeout(Duration::from_millis(150), stream.next()).await;
    assert!(more.is_err(), "{more:?} came");
}
