//! Buckets that servers share, and what holds while Redis is away.
//!
//! Quotas refill by the hour, so that no test depends on how fast it runs.

use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::time::Duration;

use super::own_redis::{OwnRedis, free_port, shared_redis};
use crate::domain::{
    limit::Quota,
    time::{SECOND_MICROS, Timestamp},
};
use crate::live::story::{eventually, soon, told_only};
use crate::live::{BucketKind, Charged, Demand, LinkState, Live, LiveSettings};

const HOUR: i64 = 3_600 * SECOND_MICROS;
const NOW: Timestamp = Timestamp::from_micros(1_000_000 * SECOND_MICROS);

/// Answers count however long they take, so that a busy machine decides nothing. What is owed is remembered for hours, so
/// the namespace is one that no other run has.
fn patient() -> LiveSettings {
    let namespace = format!("limits-{:x}", RandomState::new().hash_one("a namespace"));
    LiveSettings { namespace, limits_patience: Duration::from_secs(60), ..told_only() }
}

/// Two servers that share their limits.
async fn two(url: &str) -> [Live; 2] {
    let east = patient();
    let west = LiveSettings { namespace: east.namespace.clone(), hash_key: east.hash_key.clone(), ..patient() };
    let both = [Live::redis(url, east).await.unwrap(), Live::redis(url, west).await.unwrap()];
    are(&both, LinkState::Connected).await;
    both
}

async fn are(servers: &[Live], state: LinkState) {
    eventually("the limits are where they should be", || servers.iter().all(|one| one.status().limits == state)).await;
}

fn demand(live: &Live, kind: BucketKind, whom: &str, amount: u64) -> Demand {
    Demand { bucket: live.limits().bucket(kind, whom), quota: Quota::new(10, HOUR), amount }
}

async fn charge(live: &Live, whom: &str, amount: u64) -> Charged {
    live.limits().charge(&[demand(live, BucketKind::MemberCost, whom, amount)], NOW).await
}

/// How many of some attempts were served, by both in turn.
async fn served(servers: &[Live], whom: &str, attempts: usize) -> usize {
    let mut served = 0;
    for nth in 0..attempts {
        served += usize::from(charge(&servers[nth % servers.len()], whom, 1).await.wait_micros == 0);
    }
    served
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_a_bucket() {
    let Some(url) = shared_redis().await else { return };
    let servers = two(&url).await;
    assert_eq!(served(&servers, "ann", 25).await, 10);
    assert_eq!(served(&servers, "ben", 25).await, 10, "others have buckets of their own");
    let [stranger, _] = two(&url).await;
    assert_eq!(charge(&stranger, "ann", 10).await.wait_micros, 0, "another namespace");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_at_once_get_what_the_bucket_holds() {
    let Some(url) = shared_redis().await else { return };
    let servers = two(&url).await;
    let crowd = (0..60).map(|nth| {
        let live = servers[nth % 2].clone();
        tokio::spawn(async move { charge(&live, "ann", 1).await.wait_micros == 0 })
    });
    let mut served = 0;
    for one in crowd.collect::<Vec<_>>() {
        served += usize::from(one.await.unwrap());
    }
    assert_eq!(served, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_and_this_process_decide_alike() {
    let Some(url) = shared_redis().await else { return };
    let [shared, _] = two(&url).await;
    let alone = Live::in_process(told_only());
    for (cost, claims) in [(3, 0), (8, 1), (1, 10), (1, 1), (6, 9), (0, 0), (7, 0), (25, 0), (1, 0), (0, 1)] {
        let ask = async |live: &Live| {
            let both = [
                demand(live, BucketKind::MemberCost, "ann", cost),
                demand(live, BucketKind::MemberClaims, "ann", claims),
            ];
            live.limits().charge(&both, NOW).await
        };
        let (there, here) = (ask(&shared).await, ask(&alone).await);
        assert_eq!(there.wait_micros == 0, here.wait_micros == 0, "{cost} and {claims}: {there:?} {here:?}");
        // Redis' clock runs on between two questions.
        for (there, here) in there.debts_micros.iter().zip(&here.debts_micros) {
            assert!(*there <= *here && here - there < HOUR / 2, "{cost} and {claims}: {there} {here}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn misses_are_heard_of_on_other_servers() {
    let Some(url) = shared_redis().await else { return };
    let [east, west] = two(&url).await;
    let address = Some("192.0.2.1".parse().unwrap());
    for _ in 0..19 {
        east.misses().missed(&[address], NOW).await;
    }
    assert!(east.misses().may_ask(address, NOW));
    east.misses().missed(&[address; 300], NOW).await;
    assert!(!east.misses().may_ask(address, NOW));
    assert!(west.misses().may_ask(address, NOW), "it has not heard of that address");
    west.misses().missed(&[address], NOW).await;
    assert!(!west.misses().may_ask(address, NOW), "one guess is all there is to gain");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_every_server_limits_by_itself_and_remembers_what_redis_said() {
    let Some(mut redis) = OwnRedis::start().await else { return };
    let servers = two(&redis.url()).await;
    assert_eq!(served(&servers, "ann", 8).await, 8);
    assert_eq!(served(&servers[..1], "ben", 4).await, 4);

    redis.kill();
    assert_eq!(served(&servers[..1], "ann", 20).await, 3, "its last answer told of seven");
    assert_eq!(served(&servers[1..], "ann", 20).await, 2, "its last answer told of eight");
    assert_eq!(served(&servers[..1], "ben", 20).await, 6);
    are(&servers, LinkState::Lost).await;
    assert_eq!(served(&servers[..1], "cid", 20).await, 10);

    assert!(redis.again().await);
    are(&servers, LinkState::Connected).await;
    assert_eq!(served(&servers, "dan", 30).await, 10, "and they share again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_redis_costs_each_server_one_wait() {
    let Some(redis) = OwnRedis::start().await else { return };
    let settings = LiveSettings { limits_patience: Duration::from_millis(200), ..told_only() };
    let live = [Live::redis(&redis.url(), settings).await.unwrap()];
    are(&live, LinkState::Connected).await;
    redis.signal("STOP");
    let first = soon("an answer", charge(&live[0], "ann", 10)).await;
    assert_eq!((first.wait_micros, live[0].status().limits), (0, LinkState::Lost));
    assert!(soon("a refusal", charge(&live[0], "ann", 1)).await.wait_micros > 0);
    redis.signal("CONT");
    are(&live, LinkState::Connected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_not_there_or_never_answers_leaves_limits_to_the_server() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap(); // connects, and never says a word
    let urls = [free_port(), silent.local_addr().unwrap().port()].map(|port| format!("redis://127.0.0.1:{port}"));
    for url in urls {
        let live = [Live::redis(&url, told_only()).await.unwrap()];
        assert_eq!(served(&live, "ann", 20).await, 10);
    }
}
