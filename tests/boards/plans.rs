//! Two hundred thousand users on PostgreSQL: a page reads a page's worth of the index, wherever it lies.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use banyan::domain::board::bucket;
use banyan::domain::words::{Metric, Period};
use banyan::store::sql_types::Int8;
use diesel::QueryableByName;

use crate::expected::request;
use crate::world::{World, at};

const USERS: i64 = 200_000;

#[derive(Debug, QueryableByName)]
struct Reads {
    #[diesel(sql_type = Int8)]
    whole: i64,
    #[diesel(sql_type = Int8)]
    ranked: i64,
    #[diesel(sql_type = Int8)]
    entries: i64,
}

/// What was read of the scores so far: whole tables, walks along the rank index, entries of it.
async fn reads(world: &World) -> Reads {
    // Sessions tell the statistics what they did with a second's delay.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    world.rows::<Reads>("SELECT pg_stat_force_next_flush() IS NULL AS flushed, 0::bigint AS whole, 0::bigint AS ranked, 0::bigint AS entries").await;
    let text = "SELECT t.seq_scan AS whole, i.idx_scan AS ranked, i.idx_tup_read AS entries \
        FROM pg_stat_user_tables AS t, pg_stat_user_indexes AS i \
        WHERE t.relname = 'board_scores' AND i.indexrelname = 'board_scores_rank'";
    world.rows::<Reads>(text).await.pop().unwrap()
}

async fn fill(world: &World) {
    let (program, now) = (world.id(world.program), world.at(at("2026-11-22T09:00:00Z")));
    let scores = [("SIGNUPS", "1 + (n::bigint * n) % 300"), ("REWARDS", "1000 + n * 7")];
    let mut text = format!(
        "INSERT INTO users (id, external_id, created_at) \
         SELECT lpad(to_hex(n), 32, '0')::uuid, 'u' || n, {now} FROM generate_series(1, {USERS}) AS n;"
    );
    for (metric, score) in scores {
        text += &format!(
            "INSERT INTO board_scores SELECT {program}, '{metric}', 'ALL_TIME', 'epoch', \
             lpad(to_hex(n), 32, '0')::uuid, {score}, {now} + n % 1000 * interval '1 s' \
             FROM generate_series(1, {USERS}) AS n;"
        );
    }
    text += &format!(
        "INSERT INTO board_histogram SELECT {program}, 'SIGNUPS', 'ALL_TIME', 'epoch', score, count(*) \
         FROM board_scores WHERE metric = 'SIGNUPS' GROUP BY score;"
    );
    let mut amounts: BTreeMap<i64, u32> = BTreeMap::new();
    for number in 1..=USERS {
        *amounts.entry(bucket(Metric::Rewards, 1_000 + number * 7)).or_default() += 1;
    }
    for (bucket, users) in amounts {
        text += &format!(
            "INSERT INTO board_histogram VALUES ({program}, 'REWARDS', 'ALL_TIME', 'epoch', {bucket}, {users});"
        );
    }
    text += "ANALYZE;";
    world.run(&text).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_costs_a_page() {
    let Some(world) = World::postgres().await else { return };
    fill(&world).await;
    let now = at("2026-11-22T10:00:00Z");
    let first = request(Metric::Signups, Period::AllTime, (now, 100));
    let before = reads(&world).await;
    let started = Instant::now();
    let page = world.engine.leaderboard(first.clone()).await.unwrap().unwrap();
    eprintln!("first page: {:?}", started.elapsed());
    assert_eq!((page.entries.len(), page.has_next), (100, true));

    // In the middle of hundreds of users with one score.
    let deep = page.entries[99].place();
    let mut next = first.clone();
    next.after = Some(deep);
    let started = Instant::now();
    let page = world.engine.leaderboard(next).await.unwrap().unwrap();
    eprintln!("second page: {:?}", started.elapsed());
    assert_eq!(page.entries[0].row_number, 101);
    let mut last = first.clone();
    last.from_end = true;
    let started = Instant::now();
    let page = world.engine.leaderboard(last).await.unwrap().unwrap();
    eprintln!("last page: {:?}", started.elapsed());
    assert_eq!(page.entries[99].row_number, USERS);

    let after = reads(&world).await;
    eprintln!("{before:?} {after:?}");
    assert_eq!(after.whole, before.whole, "no page reads the whole table");
    assert!(after.ranked > before.ranked);
    let ties = USERS / 20;
    assert!(after.entries - before.entries < 1_000 + ties, "{before:?} {after:?}");

    let mut rewards = request(Metric::Rewards, Period::AllTime, (now, 100));
    rewards.from_end = true;
    let started = Instant::now();
    let page = world.engine.leaderboard(rewards).await.unwrap().unwrap();
    eprintln!("last page of distinct amounts: {:?}", started.elapsed());
    let last = page.entries[99];
    assert_eq!((last.rank, last.row_number), (USERS, USERS));
    assert_eq!(last.dense_rank, None, "beyond the first ten thousand scores");
    world.close().await;
}
