//! The first shape of subscription: the newest value of a key.

use std::sync::Arc;

use futures_util::{Stream, TryFutureExt, stream};

use super::hub::Hub;
use super::source::{Reading, Rest, next_item};
use super::{WatchKey, upstream};

/// A value and the version it has.
///
/// Of one key, a subscriber is only ever given rising versions: a read that answers with the version it has already, or
/// an older one (a lagging replica), is dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Versioned<V> {
    /// Rises with every change of the value.
    pub version: i64,
    /// What was read.
    pub value: V,
}

impl<V> Versioned<V> {
    /// A value and its version.
    pub fn new(version: i64, value: V) -> Versioned<V> {
        Versioned { version, value }
    }
}

/// See [`Live::watch`](super::Live::watch).
pub(super) fn watch<V, E, R, F>(
    hub: &Arc<Hub>,
    key: WatchKey,
    read: R,
) -> impl Stream<Item = Result<Arc<V>, Arc<E>>> + Send + 'static + use<V, E, R, F>
where
    V: Send + Sync + 'static,
    E: std::error::Error + Send + Sync + 'static,
    R: Fn() -> F + Send + Sync + 'static,
    F: Future<Output = Result<Versioned<V>, E>> + Send + 'static,
{
    let receiver = upstream::attach(hub, key, move || read().map_ok(Reading::from));
    stream::unfold(receiver, async |mut receiver| Some((next_item(&mut receiver).await?, receiver)))
}

impl<V> From<Versioned<V>> for Reading<V> {
    fn from(read: Versioned<V>) -> Reading<V> {
        Reading { version: read.version, value: read.value, rest: Rest::Nothing }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use futures_util::StreamExt;
    use futures_util::future::join_all;
    use tokio::sync::Semaphore;

    use super::*;
    use crate::live::story::{Broken, Truth, eventually, quiet, seen_until, soon, told_only};
    use crate::live::{Hint, Live, LiveSettings};

    #[tokio::test(flavor = "multi_thread")]
    async fn the_current_value_comes_first_and_then_each_newer_one() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        let mut ann = truth.watched(&live);
        assert_eq!(seen_until(1, &mut ann).await, [1]);
        live.publish(vec![truth.change()]);
        assert_eq!(seen_until(2, &mut ann).await, [2]);
        live.publish(vec![Hint::new(truth.topic, 1), Hint::new(truth.topic, 2), Hint::new(truth.topic, Hint::UNKNOWN)]);
        quiet(&mut ann).await;
        assert_eq!(truth.reads(), 3, "only the hint of an unknown version leads to a read");
        let mut ben = truth.watched(&live);
        assert_eq!(seen_until(2, &mut ben).await, [2]);
        assert_eq!(truth.reads(), 3, "a later subscriber is given what was read");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn one_read_serves_five_thousand() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        let mut crowd: Vec<_> = (0..5_000).map(|_| truth.watched(&live)).collect();
        join_all(crowd.iter_mut().map(|one| seen_until(1, one))).await;
        for version in 2..=4 {
            live.publish(vec![truth.change()]);
            join_all(crowd.iter_mut().map(|one| seen_until(version, one))).await;
        }
        assert_eq!((truth.reads(), live.status().keys), (4, 1));
        drop(crowd);
        eventually("the key goes", || live.status().keys == 0).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_burst_is_coalesced_and_its_end_is_not_lost() {
        let settings = LiveSettings { gap: Duration::from_millis(100), ..told_only() };
        let (live, truth, begun) = (Live::in_process(settings), Truth::new(), Instant::now());
        let crowd = (0..200).map(|_| {
            let mut one = truth.watched(&live);
            tokio::spawn(async move { seen_until(1_001, &mut one).await })
        });
        let crowd: Vec<_> = crowd.collect();
        for n in 0..1_000 {
            live.publish(vec![truth.change()]);
            if n % 100 == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        for one in crowd {
            assert_eq!(one.await.unwrap().last(), Some(&1_001));
        }
        let (status, tenths) = (live.status(), begun.elapsed().as_millis() as u64 / 100);
        assert!(status.emissions <= tenths + 1, "{} emissions in {tenths} tenths of a second", status.emissions);
        assert_eq!(status.reads, truth.reads() as u64);
        assert!(status.reads <= tenths + 1, "{} reads in {tenths} tenths of a second", status.reads);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_change_during_a_read_leads_to_another() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        truth.gate.forget_permits(Semaphore::MAX_PERMITS);
        let mut ann = truth.watched(&live);
        eventually("the first read begins", || truth.reads() == 1).await;
        live.publish(vec![truth.change()]); // the read has looked at version 1 already
        truth.gate.add_permits(2);
        assert_eq!(seen_until(2, &mut ann).await, [1, 2]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_lost_hint_costs_time_only() {
        let settings = LiveSettings { resync: Duration::from_millis(50), ..told_only() };
        let (live, truth) = (Live::in_process(settings), Truth::new());
        let mut ann = truth.watched(&live);
        seen_until(1, &mut ann).await;
        truth.change();
        assert_eq!(seen_until(2, &mut ann).await, [2]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn an_answer_older_than_promised_is_asked_for_again_but_not_for_ever() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        let mut ann = truth.watched(&live);
        seen_until(1, &mut ann).await;
        live.publish(vec![Hint::new(truth.topic, 2)]); // the replica has not got it yet
        eventually("it asks again", || truth.reads() >= 3).await;
        truth.change();
        assert_eq!(seen_until(2, &mut ann).await, [2]);
        live.publish(vec![Hint::new(truth.topic, i64::MAX)]);
        quiet(&mut ann).await;
        assert!(truth.reads() <= 20, "{} reads after a promise nobody keeps", truth.reads());
        live.publish(vec![truth.change()]);
        assert_eq!(seen_until(3, &mut ann).await, [3], "it did not spoil the hints that follow");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_version_never_falls() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        truth.version.store(5, Ordering::SeqCst);
        let mut ann = truth.watched(&live);
        seen_until(5, &mut ann).await;
        truth.version.store(3, Ordering::SeqCst); // a replica that lags
        live.publish(vec![Hint::new(truth.topic, Hint::UNKNOWN)]);
        quiet(&mut ann).await;
        assert_eq!((truth.reads(), live.status().emissions), (2, 1));
        truth.version.store(6, Ordering::SeqCst);
        live.publish(vec![Hint::new(truth.topic, 6)]);
        assert_eq!(seen_until(6, &mut ann).await, [6]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn only_who_has_nothing_yet_hears_of_a_failure() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        truth.broken.store(true, Ordering::SeqCst);
        let mut ann = live.watch(truth.key(), truth.reader()).boxed();
        let failure = soon("the failure", ann.next()).await.unwrap().unwrap_err();
        assert_eq!(failure.to_string(), Broken.to_string());
        truth.broken.store(false, Ordering::SeqCst);
        assert_eq!(*soon("the value", ann.next()).await.unwrap().unwrap(), 1);
        truth.broken.store(true, Ordering::SeqCst);
        live.publish(vec![truth.change()]);
        eventually("it fails twice", || live.status().failed_reads >= 3).await;
        truth.broken.store(false, Ordering::SeqCst);
        assert_eq!(*soon("the next value", ann.next()).await.unwrap().unwrap(), 2);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn comers_and_goers_never_miss_each_other() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        let visits = (0..8).map(|_| {
            let (live, truth) = (live.clone(), truth.clone());
            tokio::spawn(async move {
                for _ in 0..300 {
                    assert_eq!(seen_until(1, &mut truth.watched(&live)).await, [1]);
                }
            })
        });
        for visit in visits.collect::<Vec<_>>() {
            visit.await.unwrap();
        }
        eventually("the key goes", || live.status().keys == 0).await;
        assert_eq!(Arc::strong_count(&truth), 1, "and nothing holds its reader");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn payloads_of_one_topic_do_not_meet() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        let mut number = truth.watched(&live);
        let text = async || Ok::<_, Broken>(Versioned::new(5, "five".to_owned()));
        let mut same_detail = live.watch(truth.key(), text).boxed();
        let mut other_detail = live.watch(WatchKey::new(truth.topic, "other"), text).boxed();
        assert_eq!(seen_until(1, &mut number).await, [1]);
        assert_eq!(*same_detail.next().await.unwrap().unwrap(), "five");
        assert_eq!(*other_detail.next().await.unwrap().unwrap(), "five");
        assert_eq!(live.status().keys, 3);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reader_that_panics_ends_its_streams_and_nothing_else() {
        let (live, truth) = (Live::in_process(told_only()), Truth::new());
        let mut doomed =
            live.watch(truth.key(), async || -> Result<Versioned<i64>, Broken> { panic!("on purpose") }).boxed();
        assert!(soon("the end", doomed.next()).await.is_none());
        assert_eq!(live.status().keys, 0);
        assert_eq!(seen_until(1, &mut truth.watched(&live)).await, [1]);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_wake_up_is_kept_for_the_worker_that_comes_next() {
        let live = Live::in_process(told_only());
        live.publish(vec![Hint::workers(), Hint::workers()]);
        soon("the kept wake-up", live.workers_woken()).await;
        let waiting = tokio::spawn({
            let live = live.clone();
            async move { live.workers_woken().await }
        });
        live.publish(vec![Hint::workers()]);
        soon("the next wake-up", waiting).await.unwrap();
    }
}
