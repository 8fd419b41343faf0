//! What it depends on is down, slow, silent or starts again, each for longer than every time limit: clear errors where
//! there is no other way, nothing wrong anywhere, and well again by itself within seconds.
//!
//! | | query, mutation | subscription | worker |
//! | --- | --- | --- | --- |
//! | no database, or a silent one | `UNAVAILABLE` | stays open, says nothing | waits |
//! | a slow database, or one that started again | answered, later | goes on | goes on |
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
use support::{Database, Line, private_redis};
use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};

/// Longer than a transaction may take (10 s), and with it than everything else that waits for a database.
const DATABASE_FAULT: Duration = Duration::from_secs(12);
/// Longer than anything waits for Redis.
const REDIS_FAULT: Duration = Duration::from_secs(4);
/// How much later everything is on a slow line, each way.
const DELAY: Duration = Duration::from_millis(150);
/// How long a database is away that starts again.
const RESTART: Duration = Duration::from_millis(700);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("starts a runtime")
}

#[test]
fn the_database_fails_and_comes_back() {
    let (Some(database), Some(redis)) = (Database::fresh(BackendKind::Postgres), private_redis()) else { return };
    runtime().block_on(async {
        let mut house = House::open(&database, &redis).await;
        for (name, line) in [("down", Line::Cut), ("silent", Line::Silent)] {
            house.database.set(line);
            let seen = house.look(DATABASE_FAULT).await;
            assert!(!seen.query && !seen.mutation && !seen.ready, "the database is {name}: {seen:?}");
            house.database.set(Line::Open);
            house.recovers(&format!("PostgreSQL {name}"), seen).await;
        }
        house.database.set(Line::Slow(DELAY));
        let seen = house.look(Duration::ZERO).await;
        assert!(seen.query && seen.mutation && seen.ready, "the database is slow: {seen:?}");
        house.database.set(Line::Open);
        house.recovers("PostgreSQL slow", seen).await;
        house.database.set(Line::Cut);
        sleep(RESTART).await;
        house.database.set(Line::Open);
        let seen = house.look(Duration::ZERO).await;
        house.recovers("PostgreSQL restarted", seen).await;
        house.close(&database).await;
    });
}

#[test]
fn redis_fails_and_comes_back() {
    let (Some(database), Some(mut redis)) = (Database::fresh(BackendKind::Postgres), private_redis()) else { return };
    runtime().block_on(async {
        let mut house = House::open(&database, &redis).await;
        for (name, line) in [("down", Line::Cut), ("silent", Line::Silent), ("slow", Line::Slow(DELAY))] {
            house.redis.set(line);
            let seen = house.look(REDIS_FAULT).await;
            assert!(seen.query && seen.mutation && seen.ready, "Redis is {name}: {seen:?}");
            house.redis.set(Line::Open);
            house.recovers(&format!("Redis {name}"), seen).await;
        }
        redis.restart();
        let seen = house.look(Duration::ZERO).await;
        assert!(seen.query && seen.mutation && seen.ready, "Redis started again: {seen:?}");
        house.recovers("Redis restarted", seen).await;
        house.close(&database).await;
    });
}
