//! Several servers of one namespace, and a Redis that comes and goes under them.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use redis::Client;
use tokio::time::sleep;

use super::own_redis::{OwnRedis, free_port, shared_redis};
use crate::live::story::{Truth, eventually, quiet, seen_until, soon, told_only};
use crate::live::{Hint, LinkState, Live, LiveSettings};

/// A server of its own number in the same namespace.
fn another(settings: &LiveSettings) -> LiveSettings {
    LiveSettings { namespace: settings.namespace.clone(), ..told_only() }
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_one_namespace_hear_each_other() {
    let Some(url) = shared_redis().await else { return };
    let settings = told_only();
    let east = Live::redis(&url, settings.clone()).await.unwrap();
    let west = Live::redis(&url, another(&settings)).await.unwrap();
    let stranger = Live::redis(&url, told_only()).await.unwrap();
    assert_eq!([&east, &west, &stranger].map(|live| live.status().link), [LinkState::Connected; 3]);

    let truth = Truth::new();
    let (mut in_east, mut in_west) = (truth.watched(&east), truth.watched(&west));
    let mut elsewhere = truth.watched(&stranger);
    for stream in [&mut in_east, &mut in_west] {
        assert_eq!(seen_until(1, stream).await, [1]);
    }
    assert_eq!(seen_until(1, &mut elsewhere).await, [1]);
    east.publish(vec![truth.change()]);
    assert_eq!(seen_until(2, &mut in_west).await, [2]);
    assert_eq!(seen_until(2, &mut in_east).await, [2]);
    west.publish(vec![truth.change()]);
    assert_eq!(seen_until(3, &mut in_east).await, [3]);
    quiet(&mut elsewhere).await;
    assert_eq!(stranger.status().remote_hints, 0);
    assert_eq!((east.status().remote_hints, west.status().remote_hints), (1, 1), "the echo does not count");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_left_on_one_server_wakes_the_workers_of_another() {
    let Some(url) = shared_redis().await else { return };
    let settings = told_only();
    let api = Live::redis(&url, settings.clone()).await.unwrap();
    let worker = Live::redis(&url, another(&settings)).await.unwrap();
    soon("the look at the start", worker.workers_woken()).await;
    api.publish(vec![Hint::workers()]);
    soon("the wake-up", worker.workers_woken()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_over_redis_ends_at_the_last_version() {
    let Some(url) = shared_redis().await else { return };
    let settings = LiveSettings { gap: Duration::from_millis(100), ..told_only() };
    let far = LiveSettings { gap: settings.gap, ..another(&settings) };
    let (near, far) = (Live::redis(&url, settings).await.unwrap(), Live::redis(&url, far).await.unwrap());
    let truth = Truth::new();
    let crowd = (0..200).map(|nth| {
        let mut one = truth.watched(if nth % 2 == 0 { &near } else { &far });
        tokio::spawn(async move { seen_until(1_001, &mut one).await })
    });
    let crowd: Vec<_> = crowd.collect();
    let begun = std::time::Instant::now();
    for _ in 0..1_000 {
        near.publish(vec![truth.change()]);
        tokio::task::yield_now().await;
    }
    for one in crowd {
        assert_eq!(one.await.unwrap().last(), Some(&1_001));
    }
    let tenths = begun.elapsed().as_millis() as u64 / 100;
    for status in [near.status(), far.status()] {
        assert!(status.emissions <= tenths + 2 && status.reads <= tenths + 2, "{status:?} in {tenths} tenths");
    }
    eventually("both keys go", || near.status().keys + far.status().keys == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_subscription_and_a_restart_lose_nothing() {
    let Some(mut redis) = OwnRedis::start().await else { return };
    let settings = told_only();
    let east = Live::redis(&redis.url(), settings.clone()).await.unwrap();
    let west = Live::redis(&redis.url(), another(&settings)).await.unwrap();
    let truth = Truth::new();
    let mut in_west = truth.watched(&west);
    let watching = tokio::spawn(async move { seen_until(301, &mut in_west).await });
    let change_100_times = async || {
        for _ in 0..100 {
            east.publish(vec![truth.change()]);
            sleep(Duration::from_millis(1)).await;
        }
    };

    change_100_times().await;
    redis.cut("pubsub").await;
    change_100_times().await;
    eventually("both subscribe again", || [&east, &west].iter().all(|live| live.status().connections >= 2)).await;

    redis.kill();
    eventually("both notice", || [&east, &west].iter().all(|live| live.status().link == LinkState::Lost)).await;
    let mut in_east = truth.watched(&east);
    change_100_times().await;
    assert_eq!(seen_until(301, &mut in_east).await.last(), Some(&301), "local hints need no Redis");
    assert!(redis.again().await);
    assert_eq!(watching.await.unwrap().last(), Some(&301));
    assert_eq!(west.status().link, LinkState::Connected);

    drop(in_east);
    eventually("no key is left", || east.status().keys + west.status().keys == 0).await;
    let mut once_more = truth.watched(&west);
    assert_eq!(seen_until(301, &mut once_more).await, [301]);
    east.publish(vec![truth.change()]);
    assert_eq!(seen_until(302, &mut once_more).await, [302], "and hints travel again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_not_there_or_never_answers_stops_nobody() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(); // connects, and never says a word
    let port = silent.local_addr().unwrap().port();
    for address in [
        format!("redis://127.0.0.1:{}", free_port()),
        format!("redis://127.0.0.1:{port}"),
        format!("rediss://127.0.0.1:{port}"),
    ] {
        let live = Live::redis(&address, told_only()).await.unwrap();
        let truth = Truth::new();
        let mut ann = truth.watched(&live);
        assert_eq!(seen_until(1, &mut ann).await, [1]);
        live.publish(vec![truth.change()]);
        assert_eq!(seen_until(2, &mut ann).await, [2]);
        eventually("it is told", || live.status().link == LinkState::Lost).await;
        assert_eq!(live.status().sent_hints, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_whose_connection_was_cut_is_sent_over_the_next_one() {
    let Some(redis) = OwnRedis::start().await else { return };
    let settings = told_only();
    let east = Live::redis(&redis.url(), settings.clone()).await.unwrap();
    let west = Live::redis(&redis.url(), another(&settings)).await.unwrap();
    let truth = Truth::new();
    let mut in_west = truth.watched(&west);
    seen_until(1, &mut in_west).await;
    for version in 2..=5 {
        east.publish(vec![truth.change()]);
        assert_eq!(seen_until(version, &mut in_west).await, [version]);
        redis.cut("normal").await;
    }
    assert_eq!(west.status().connections, 1, "it was told, and did not read again because it had lost anything");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_is_noticed_and_what_waited_is_sent_when_it_thaws() {
    let Some(redis) = OwnRedis::start().await else { return };
    let settings = told_only();
    let east = Live::redis(&redis.url(), settings.clone()).await.unwrap();
    let west = Live::redis(&redis.url(), another(&settings)).await.unwrap();
    let truth = Truth::new();
    let (mut in_east, mut in_west) = (truth.watched(&east), truth.watched(&west));
    assert_eq!((seen_until(1, &mut in_east).await, seen_until(1, &mut in_west).await), (vec![1], vec![1]));

    redis.signal("STOP");
    east.publish(vec![truth.change()]);
    assert_eq!(seen_until(2, &mut in_east).await, [2]);
    quiet(&mut in_west).await;
    eventually("both notice", || [&east, &west].iter().all(|live| live.status().link == LinkState::Lost)).await;
    east.publish(vec![truth.change()]);
    redis.signal("CONT");
    assert_eq!(seen_until(3, &mut in_west).await.last(), Some(&3));
    eventually("the queue empties", || east.status().queued == 0 && east.status().sent_hints >= 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_connections_end_with_the_last_clone() {
    let Some(redis) = OwnRedis::start().await else { return };
    let live = Live::redis(&redis.url(), told_only()).await.unwrap();
    assert_eq!(channels_heard(&redis).await, 1);
    drop(live.clone());
    assert_eq!(channels_heard(&redis).await, 1);
    drop(live);
    soon("the subscription ends", async {
        while channels_heard(&redis).await != 0 {
            sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

/// How many channels somebody listens to.
async fn channels_heard(redis: &OwnRedis) -> usize {
    let mut connection = Client::open(redis.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
    let channels: Vec<String> = redis::cmd("PUBSUB").arg("CHANNELS").query_async(&mut connection).await.unwrap();
    channels.len()
}
