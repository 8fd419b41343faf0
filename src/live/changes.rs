//! The second shape of subscription: a list of changes.
//!
//! It is the first shape with a log as its value: the key's one reader appends what changed since its own last version,
//! and each subscriber takes from the log what it has not seen. So pacing, retries, resync and sharing are the same.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, stream};
use tokio::sync::watch;
use tracing::warn;

use super::backoff::Backoff;
use super::hub::Hub;
use super::log::{Found, Log, log_reader};
use super::source::{Rest, State, next_item};
use super::{WatchKey, upstream};

/// First and longest wait after a subscriber's own read failed.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LIMIT: Duration = Duration::from_secs(5);

/// One item as it is after a change.
#[derive(Debug)]
pub struct Change<T> {
    /// The version in which it changed.
    pub version: i64,
    /// Its newest state.
    pub item: Arc<T>,
}

impl<T> Change<T> {
    /// An item and the version in which it changed.
    pub fn new(version: i64, item: T) -> Change<T> {
        Change { version, item: Arc::new(item) }
    }
}

// Not derived: that would ask the item to be `Clone`, which only its `Arc` has to be.
impl<T> Clone for Change<T> {
    fn clone(&self) -> Change<T> {
        Change { version: self.version, item: self.item.clone() }
    }
}

/// A page of changes, in rising versions.
#[derive(Debug)]
pub struct Changes<T> {
    pub(super) items: Vec<Change<T>>,
    pub(super) rest: Rest,
}

impl<T> Changes<T> {
    /// All there is.
    pub fn all(items: Vec<Change<T>>) -> Changes<T> {
        Changes { items, rest: Rest::Nothing }
    }

    /// A full page; what follows it is asked for next. An empty page is the end, whatever it says.
    pub fn page(items: Vec<Change<T>>) -> Changes<T> {
        let rest = if items.is_empty() { Rest::Nothing } else { Rest::More };
        Changes { items, rest }
    }
}

/// See [`Live::follow`](super::Live::follow).
pub(super) fn follow<T, E, R, F>(
    hub: &Arc<Hub>,
    key: WatchKey,
    read: R,
) -> impl Stream<Item = Result<Change<T>, Arc<E>>> + Send + 'static + use<T, E, R, F>
where
    T: Send + Sync + 'static,
    E: std::error::Error + Send + Sync + 'static,
    R: Fn(Option<i64>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Changes<T>, E>> + Send + 'static,
{
    let read = Arc::new(read);
    let receiver = upstream::attach(hub, key, log_reader(read.clone()));
    let follower = Follower {
        hub: hub.clone(),
        receiver,
        read,
        seen: None,
        ready: VecDeque::new(),
        behind: Rest::Nothing,
        backoff: Backoff::new(RETRY_FIRST, RETRY_LIMIT),
    };
    stream::unfold(follower, async |mut follower| Some((follower.next().await?, follower)))
}

/// One subscriber of a list of changes.
struct Follower<T, E, R> {
    hub: Arc<Hub>,
    receiver: watch::Receiver<State<Log<T>, E>>,
    read: Arc<R>,
    /// The newest version that is in `ready` or was delivered.
    seen: Option<i64>,
    ready: VecDeque<Change<T>>,
    /// Whether it has to read for itself before the log is of use again.
    behind: Rest,
    backoff: Backoff,
}

impl<T, E, R, F> Follower<T, E, R>
where
    T: Send + Sync + 'static,
    E: std::error::Error + Send + Sync + 'static,
    R: Fn(Option<i64>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Changes<T>, E>> + Send + 'static,
{
    async fn next(&mut self) -> Option<Result<Change<T>, Arc<E>>> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Some(Ok(change));
            }
            if self.behind == Rest::More {
                self.catch_up().await;
                continue;
            }
            match next_item(&mut self.receiver).await? {
                Ok(log) => self.take(&log),
                Err(error) => return Some(Err(error)),
            }
        }
    }

    fn take(&mut self, log: &Log<T>) {
        match log.after(self.seen) {
            Found::Entries(entries) => {
                self.ready = entries;
                self.seen = self.seen.max(log.last);
            }
            Found::Gap => self.behind = Rest::More,
        }
    }

    /// Reads one page from where this subscriber stands. A failure is logged once; it and an answer with nothing new (a
    /// lagging replica) are waited out and tried again, until the log is of use again.
    async fn catch_up(&mut self) {
        match self.hub.read((self.read)(self.seen)).await {
            Ok(page) => {
                let seen = self.seen;
                self.behind = page.rest;
                self.ready.extend(page.items.into_iter().filter(|change| Some(change.version) > seen));
                self.seen = seen.max(self.ready.back().map(|change| change.version));
                self.receiver.mark_changed();
                if !self.ready.is_empty() {
                    return self.backoff.reset();
                }
                self.behind = Rest::Nothing;
            }
            Err(error) if self.backoff.is_fresh() => {
                warn!(%error, "the changes a late subscriber missed cannot be read; trying again");
            }
            Err(_) => {} // logged when it began
        }
        tokio::time::sleep(self.backoff.failed(&self.hub.jitter)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::StreamExt;
    use futures_util::future::{BoxFuture, join_all};

    use super::*;
    use crate::live::story::{Broken, Truth, eventually, quiet, soon, told_only};
    use crate::live::{Hint, Live};

    /// A user's rewards: (version, name), in rising versions.
    #[derive(Default)]
    struct Rewards {
        rows: Mutex<Vec<(i64, String)>>,
        reads: AtomicUsize,
    }

    const PAGE: usize = 100;

    impl Rewards {
        /// The reward is now as of `version`; its older state is gone, as in a table.
        fn put(&self, version: i64, name: &str) {
            let mut rows = self.rows.lock().unwrap();
            rows.retain(|(_, other)| other != name);
            rows.push((version, name.to_owned()));
        }

        fn page(&self, since: Option<i64>) -> Changes<String> {
            self.reads.fetch_add(1, Ordering::SeqCst);
            let rows = self.rows.lock().unwrap();
            let from = since.unwrap_or(rows.last().map_or(0, |(version, _)| version - 1));
            let newer = rows.iter().filter(|(version, _)| *version > from);
            let page: Vec<_> = newer.take(PAGE).map(|(version, name)| Change::new(*version, name.clone())).collect();
            if page.len() == PAGE { Changes::page(page) } else { Changes::all(page) }
        }

        fn reader(
            self: &Arc<Self>,
        ) -> impl Fn(Option<i64>) -> BoxFuture<'static, Result<Changes<String>, Broken>> + use<> {
            let rewards = self.clone();
            move |since| {
                let page = rewards.page(since);
                Box::pin(async move { Ok(page) })
            }
        }
    }

    async fn take(
        count: usize,
        stream: &mut (impl Stream<Item = Result<Change<String>, Arc<Broken>>> + Unpin),
    ) -> Vec<(i64, String)> {
        let items =
            stream.take(count).map(|change| change.unwrap()).map(|change| (change.version, (*change.item).clone()));
        soon("the changes", items.collect()).await
    }

    fn named(all: &[(i64, &str)]) -> Vec<(i64, String)> {
        all.iter().map(|(version, name)| (*version, (*name).to_owned())).collect()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_newest_reward_comes_first_and_then_each_that_changes() {
        let (live, truth, rewards) = (Live::in_process(told_only()), Truth::new(), Arc::new(Rewards::default()));
        rewards.put(1, "old");
        rewards.put(2, "new");
        let mut ann = live.follow(truth.key(), rewards.reader()).boxed();
        assert_eq!(take(1, &mut ann).await, named(&[(2, "new")]));
        rewards.put(3, "third");
        rewards.put(3, "fourth");
        rewards.put(4, "old");
        live.publish(vec![Hint::new(truth.topic, 4)]);
        assert_eq!(take(3, &mut ann).await, named(&[(3, "third"), (3, "fourth"), (4, "old")]));
        let mut ben = live.follow(truth.key(), rewards.reader()).boxed();
        assert_eq!(take(1, &mut ben).await, named(&[(4, "old")]));
        quiet(&mut ann).await;
        assert_eq!(rewards.reads.load(Ordering::SeqCst), 2);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn who_has_no_rewards_yet_gets_the_first_one() {
        let (live, truth, rewards) = (Live::in_process(told_only()), Truth::new(), Arc::new(Rewards::default()));
        let mut ann = live.follow(truth.key(), rewards.reader()).boxed();
        quiet(&mut ann).await;
        rewards.put(1, "first");
        live.publish(vec![Hint::new(truth.topic, 1)]);
        assert_eq!(take(1, &mut ann).await, named(&[(1, "first")]));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_change_is_read_once_for_all_followers() {
        let (live, truth, rewards) = (Live::in_process(told_only()), Truth::new(), Arc::new(Rewards::default()));
        rewards.put(1, "r");
        let mut crowd: Vec<_> = (0..500).map(|_| live.follow(truth.key(), rewards.reader()).boxed()).collect();
        join_all(crowd.iter_mut().map(|one| take(1, one))).await;
        for version in 2..=5 {
            rewards.put(version, "r");
            live.publish(vec![Hint::new(truth.topic, version)]);
            let got = join_all(crowd.iter_mut().map(|one| take(1, one))).await;
            assert!(got.iter().all(|one| *one == named(&[(version, "r")])));
        }
        assert_eq!(rewards.reads.load(Ordering::SeqCst), 5);
        drop(crowd);
        eventually("the key goes", || live.status().keys == 0).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_follower_that_slept_too_long_gets_every_newest_state() {
        let (live, truth, rewards) = (Live::in_process(told_only()), Truth::new(), Arc::new(Rewards::default()));
        rewards.put(1, "r0");
        let mut awake = live.follow(truth.key(), rewards.reader()).boxed();
        let mut asleep = live.follow(truth.key(), rewards.reader()).boxed();
        take(1, &mut awake).await;
        take(1, &mut asleep).await;
        let last = 3 * PAGE as i64 + 50;
        for version in 2..=last {
            rewards.put(version, &format!("r{version}"));
        }
        rewards.put(last + 1, "r2");
        live.publish(vec![Hint::new(truth.topic, last + 1)]);
        let wanted: Vec<_> = (3..=last).map(|v| (v, format!("r{v}"))).chain([(last + 1, "r2".to_owned())]).collect();
        assert_eq!(take(wanted.len(), &mut awake).await, wanted, "page by page, through the shared reader");
        let shared = rewards.reads.load(Ordering::SeqCst);
        assert_eq!(take(wanted.len(), &mut asleep).await, wanted, "by reading for itself");
        assert!(rewards.reads.load(Ordering::SeqCst) > shared);
        quiet(&mut asleep).await;
        rewards.put(last + 2, "r3");
        live.publish(vec![Hint::new(truth.topic, last + 2)]);
        assert_eq!(take(1, &mut asleep).await, named(&[(last + 2, "r3")]));
    }
}
