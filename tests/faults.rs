//! What it depends on is down, slow, silent, full or starts again, each for longer than every time limit: clear errors where
//! there is no other way, nothing wrong anywhere, and well again by itself within seconds.
//!
//! | | query, mutation | subscription | worker |
//! | --- | --- | --- | --- |
//! | no database, a silent one, or one that is slower than every limit | `UNAVAILABLE` | stays open, says nothing | waits |
//! | a slow database | answered, later | goes on, later | goes on, slowly |
//! | no Redis, whatever ails it | answered | goes on, later | goes on |
//!
//! Each fault prints a line of what was seen: `cargo test --test faults -- --nocapture`.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "in a test, what fails should fail loudly; what was seen is told"
)]

#[path = "faults/house.rs"]
mod house;
mod support;

use std::time::Duration;

use banyan::store::BackendKind;
use house::House;
use support::{Database, Line, private_postgres, private_redis};
use tokio::runtime::{Builder, Runtime};

/// Longer than a transaction may take (10 s), and with it than everything else that waits for a database.
const DATABASE_FAULT: Duration = Duration::from_secs(12);
/// Longer than anything waits for Redis.
const REDIS_FAULT: Duration = Duration::from_secs(4);
/// How much later everything is on a slow line, each way; and on one that is slower than every time limit.
const DELAY: Duration = Duration::from_millis(100);
const CRAWL: Duration = Duration::from_secs(11);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("starts a runtime")
}

#[test]
fn the_database_fails_and_comes_back() {
    let (Some(database), Some(redis)) = (Database::fresh(BackendKind::Postgres), private_redis()) else { return };
    runtime().block_on(async {
        let mut house = House::open(&database.url(), &redis, true).await;
        for (name, line) in
            [("down", Line::Cut), ("reset", Line::Reset), ("silent", Line::Silent), ("crawling", Line::Slow(CRAWL))]
        {
            house.database.set(line);
            let seen = house.look(DATABASE_FAULT).await;
            assert!(!seen.query && !seen.mutation && !seen.ready, "the database is {name}: {seen:?}");
            assert_eq!(
                (seen.subscription, seen.worker),
                (Some(false), Some(false)),
                "the database is {name}: {seen:?}"
            );
            house.database.set(Line::Open);
            house.recovers(&format!("PostgreSQL {name}"), seen).await;
        }
        house.database.set(Line::Slow(DELAY));
        let seen = house.look_until_seen().await;
        assert!(seen.works(), "the database is slow: {seen:?}");
        house.database.set(Line::Open);
        house.recovers("PostgreSQL slow", seen).await;
        house.close(&database.url()).await;
    });
}

#[test]
fn the_database_dies_and_starts_again() {
    let (Some(mut database), Some(redis)) = (private_postgres(), private_redis()) else { return };
    runtime().block_on(async {
        let mut house = House::open(&database.url(), &redis, false).await;
        for _ in 0..3 {
            database.kill();
            let seen = house.look(Duration::from_secs(1)).await;
            assert!(!seen.query && !seen.mutation && !seen.ready, "the database is dead: {seen:?}");
            database.restart();
            house.recovers("PostgreSQL killed and started again", seen).await;
        }
        house.close(&database.url()).await;
    });
}

#[test]
fn redis_fails_and_comes_back() {
    let (Some(database), Some(mut redis)) = (Database::fresh(BackendKind::Postgres), private_redis()) else { return };
    runtime().block_on(async {
        let mut house = House::open(&database.url(), &redis, true).await;
        let faults = [
            ("down", Line::Cut),
            ("reset", Line::Reset),
            ("silent", Line::Silent),
            ("slow", Line::Slow(DELAY)),
            ("crawling", Line::Slow(CRAWL)),
        ];
        for (name, line) in faults {
            house.redis.set(line);
            let seen = house.look(REDIS_FAULT).await;
            assert!(
                seen.query && seen.mutation && seen.ready && seen.worker == Some(true),
                "Redis is {name}: {seen:?}"
            );
            house.redis.set(Line::Open);
            house.recovers(&format!("Redis {name}"), seen).await;
        }
        let limit = |bytes: &str| redis.does(&["CONFIG", "SET", "maxmemory", bytes]);
        redis.does(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
        limit("1");
        let seen = house.look(REDIS_FAULT).await;
        assert!(seen.query && seen.mutation && seen.ready && seen.worker == Some(true), "Redis is full: {seen:?}");
        limit("0");
        house.recovers("Redis full", seen).await;
        redis.does(&["FLUSHALL"]);
        let seen = house.look(REDIS_FAULT).await;
        assert!(seen.works(), "Redis was emptied: {seen:?}");
        house.recovers("Redis emptied", seen).await;
        redis.restart();
        let seen = house.look(REDIS_FAULT).await;
        assert!(seen.works(), "Redis started again, empty: {seen:?}");
        house.recovers("Redis killed and started again", seen).await;
        house.close(&database.url()).await;
    });
}
