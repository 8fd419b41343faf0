//! What happens at local midnight, and what is refused.

use std::pin::pin;
use std::time::Duration;

use banyan::domain::words::{Metric, Period};
use banyan::engine::boards::board_topic;
use banyan::engine::{Error, RefusalCode};
use banyan::live::{Versioned, WatchKey};
use banyan::store::sql_types::Int8;
use diesel::QueryableByName;
use futures_util::StreamExt;

use crate::expected::request;
use crate::world::{World, at};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Int8)]
    number: i64,
}

async fn number(world: &World, text: &str) -> i64 {
    world.rows::<Number>(text).await[0].number
}

const DAY_ROWS: &str = "SELECT count(*) AS number FROM board_scores WHERE period = 'DAY'";
const VERSION: &str = "SELECT version AS number FROM boards WHERE metric = 'SIGNUPS'";

async fn scores(world: &World, within: &str) -> Vec<i64> {
    let request = request(Metric::Signups, Period::Day, (at(within), 10));
    let page = world.engine.leaderboard(request).await.unwrap().unwrap();
    page.entries.iter().map(|entry| entry.score).collect()
}

async fn a_day_ends(world: &World) {
    let users = world.add_users(6).await;
    world.clock.move_to("2026-11-21T22:30:00Z");
    world.refer(users[0], users[1], at("2026-11-21T22:10:00Z")).await;
    world.refer(users[0], users[2], at("2026-11-21T22:20:00Z")).await;
    world.sum().await;
    assert_eq!(scores(world, "2026-11-21T22:30:00Z").await, [2]);
    let version = number(world, VERSION).await;

    let topic = board_topic(world.program, Metric::Signups);
    let engine = world.engine.clone();
    let read = move || {
        let engine = engine.clone();
        async move {
            let now = engine.context.now();
            let page = engine.leaderboard(request(Metric::Signups, Period::Day, (now, 10))).await?.unwrap();
            Ok::<_, Error>(Versioned::new(page.version, page))
        }
    };
    let mut watched = pin!(world.engine.live.watch(WatchKey::new(topic, "day"), read));
    assert_eq!(watched.next().await.unwrap().unwrap().entries.len(), 1);

    // Midnight in Berlin: the board begins anew without any change.
    world.clock.move_to("2026-11-21T23:00:00Z");
    assert!(world.engine.sum_boards().await.unwrap());
    assert!(number(world, VERSION).await > version);
    let told = tokio::time::timeout(Duration::from_secs(5), watched.next()).await.expect("watchers are told");
    assert!(told.unwrap().unwrap().entries.is_empty());
    assert_eq!(scores(world, "2026-11-21T22:30:00Z").await, [2], "yesterday stays");
    assert!(!world.engine.sum_boards().await.unwrap(), "the page is turned once");

    // A day later the day before yesterday is forgotten, and counted again when somebody asks.
    world.clock.move_to("2026-11-23T00:00:00Z");
    world.sum().await;
    assert_eq!(number(world, DAY_ROWS).await, 0);
    assert_eq!(scores(world, "2026-11-21T22:30:00Z").await, [2]);

    // A server whose clock is behind does not bring it back, and counts what belongs to the present.
    world.clock.move_to("2026-11-21T23:30:00Z");
    world.refer(users[0], users[3], at("2026-11-21T22:59:59Z")).await;
    world.refer(users[0], users[4], at("2026-11-22T23:30:00Z")).await;
    world.sum().await;
    assert_eq!(number(world, DAY_ROWS).await, 1);
    world.clock.move_to("2026-11-23T00:00:00Z");
    assert_eq!(scores(world, "2026-11-23T00:00:00Z").await, [1]);

    // What a server with a clock ahead records for tomorrow waits for tomorrow.
    world.refer(users[0], users[5], at("2026-11-23T23:00:00Z")).await;
    world.sum().await;
    assert_eq!(scores(world, "2026-11-23T00:00:00Z").await, [1]);
    world.clock.move_to("2026-11-23T23:00:01Z");
    world.sum().await;
    assert_eq!(scores(world, "2026-11-23T23:00:01Z").await, [1]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_ends_at_local_midnight() {
    let world = World::sqlite().await;
    a_day_ends(&world).await;
    if let Some(world) = World::postgres().await {
        a_day_ends(&world).await;
        world.close().await;
    }
}

/// More old rows than one slice forgets: the board turns its page when the last of them is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forgetting_takes_several_slices() {
    let world = World::sqlite().await;
    let users = world.add_users(700).await;
    for pair in users.chunks(2) {
        world.refer(pair[0], pair[1], at("2026-11-22T09:00:00Z")).await;
    }
    world.sum().await;
    assert_eq!(number(&world, DAY_ROWS).await, 350);
    let version = number(&world, VERSION).await;
    world.clock.move_to("2026-11-25T09:00:00Z");
    assert!(world.engine.sum_boards().await.unwrap());
    assert_eq!(number(&world, VERSION).await, version, "nothing to be seen yet");
    assert!(number(&world, DAY_ROWS).await > 0);
    world.sum().await;
    assert_eq!(number(&world, DAY_ROWS).await, 0);
    let buckets = "SELECT count(*) AS number FROM board_histogram WHERE period = 'DAY'";
    assert_eq!(number(&world, buckets).await, 0);
    assert_eq!(number(&world, VERSION).await, version + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_and_what_is_refused() {
    let world = World::sqlite().await;
    let mut wanted = request(Metric::Network, Period::Day, (at("2026-11-22"), 10));
    match world.engine.leaderboard(wanted.clone()).await {
        Err(Error::Refused(refusal)) => {
            assert_eq!((refusal.code, refusal.field), (RefusalCode::InvalidInput, vec!["period".to_owned()]));
        }
        other => panic!("not refused: {other:?}"),
    }
    wanted.period = Period::AllTime;
    let empty = world.engine.leaderboard(wanted.clone()).await.unwrap().unwrap();
    assert!(empty.version > 0 && empty.entries.is_empty() && !empty.has_next && !empty.has_previous);
    wanted.program = Some(world.engine.context.new_id());
    assert_eq!(world.engine.leaderboard(wanted).await.unwrap(), None);
}

/// Another program's board is another board, with a version of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_do_not_mix() {
    let mut world = World::sqlite().await;
    let users = world.add_users(3).await;
    world.refer(users[0], users[1], at("2026-11-22T09:00:00Z")).await;
    let first = world.program;
    world.program = world.engine.context.new_id();
    world.add_program(world.program, "spring").await;
    world.refer(users[1], users[2], at("2026-11-22T09:00:00Z")).await;
    world.sum().await;
    for (program, leader) in [(first, users[0]), (world.program, users[1])] {
        let mut request = request(Metric::Signups, Period::Week, (at("2026-11-22T09:00:00Z"), 10));
        request.program = Some(program);
        let page = world.engine.leaderboard(request).await.unwrap().unwrap();
        assert_eq!((page.entries.len(), page.entries[0].user, page.version), (1, leader, 2));
    }
}
