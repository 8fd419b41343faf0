//! Processes are killed at random, and nothing that was acknowledged is lost, doubled or wrong.
//!
//! `BANYAN_CHAOS_REQUESTS` says how many requests are sent (5,000 to PostgreSQL and 1,500 to SQLite unless told), and
//! `BANYAN_CHAOS_SEED` what is random about them and about the deaths.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

#[path = "chaos/clerk.rs"]
mod clerk;
#[path = "chaos/clicks.rs"]
mod clicks;
#[path = "chaos/expected.rs"]
mod expected;
#[path = "chaos/inspection.rs"]
mod inspection;
#[path = "chaos/load.rs"]
mod load;
#[path = "chaos/rolling.rs"]
mod rolling;
mod support;

use std::time::{Duration, Instant};

use banyan::store::BackendKind;
use load::Load;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use support::{ADMIN_KEY, Client, Database, Server, Sql};
use tokio::{
    runtime::{Builder, Runtime},
    time::sleep,
};

/// Requests, unless `BANYAN_CHAOS_REQUESTS` says otherwise.
const POSTGRES_REQUESTS: usize = 5_000;
const SQLITE_REQUESTS: usize = 1_500;
/// Clicks, unless it says otherwise.
const CLICKS: usize = 6_000;
/// Deaths of one run.
const DEATHS: usize = 12;
/// Longest time that a process stays dead, in milliseconds.
const MAX_DEAD_MILLIS: u64 = 200;
/// Restarts of replicas, one after the other.
const RESTARTS: usize = 6;
/// Worker processes beside each other on PostgreSQL.
const WORKERS: usize = 3;
/// How long folding may take after the last request.
const DRAIN_LIMIT: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(50);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

fn seed() -> u64 {
    number("BANYAN_CHAOS_SEED").unwrap_or(20_261_122)
}

fn requests(usual: usize) -> usize {
    number("BANYAN_CHAOS_REQUESTS").map_or(usual, |requests| usize::try_from(requests).unwrap())
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

/// Kills one of some processes now and then while the requests are sent, and starts it again.
async fn kill_at_random(victims: &mut [Server], load: &Load) {
    let mut rng = StdRng::seed_from_u64(seed());
    let total = load.requests();
    for death in 0..DEATHS {
        // Somewhere in this death's share of the requests.
        let share = total / DEATHS;
        load.has_reached(death * share + rng.random_range(0..share.max(1))).await;
        sleep(Duration::from_millis(rng.random_range(0..20))).await;
        let victim = rng.random_range(0..victims.len());
        victims[victim].kill();
        sleep(Duration::from_millis(rng.random_range(0..MAX_DEAD_MILLIS))).await;
        victims[victim].restart();
    }
}

/// Waits until nothing waits to be folded. What was given up fails the test.
async fn drained(sql: &mut Sql) {
    let begun = Instant::now();
    loop {
        let parked = sql.number("SELECT count(*) AS number FROM outbox WHERE parked").await;
        assert_eq!(parked, 0, "folding gave somebody up");
        let mut waiting = 0;
        for table in ["outbox", "board_deltas", "uncounted"] {
            waiting += sql.number(&format!("SELECT count(*) AS number FROM {table}")).await;
        }
        if waiting == 0 {
            return;
        }
        assert!(begun.elapsed() < DRAIN_LIMIT, "{waiting} rows still wait to be folded");
        sleep(PAUSE).await;
    }
}

/// Sends requests to an address while `victims` die, then compares what is there with what was acknowledged.
async fn survives(database: &Database, address: &str, victims: &mut [Server], requests: usize) {
    let load = Load::begin(address, requests, seed());
    kill_at_random(victims, &load).await;
    let told = load.end().await;
    let mut sql = Sql::connect(&database.url()).await;
    drained(&mut sql).await;
    inspection::inspect(&mut sql, &Client::new(address.to_owned(), ADMIN_KEY), &told).await;
}

#[test]
fn workers_die_and_nothing_is_lost() {
    let Some(database) = Database::fresh(BackendKind::Postgres) else { return };
    runtime().block_on(async {
        let url = database.url();
        // All of them find an empty database at the same moment.
        let start =
            |role| Server::start(&[("DATABASE_URL", url.as_str()), ("ROLES", role), ("DATABASE_CONNECTIONS", "8")]);
        let mut api = start("api");
        let mut workers: Vec<Server> = (0..WORKERS).map(|_| start("worker")).collect();
        api.ready().await;
        survives(&database, &api.address(), &mut workers, requests(POSTGRES_REQUESTS)).await;
    });
}

#[test]
fn the_server_dies_and_nothing_is_lost() {
    let database = Database::fresh(BackendKind::Sqlite).unwrap();
    runtime().block_on(async {
        let mut server = Server::start(&[("DATABASE_URL", &database.url())]);
        server.ready().await;
        let address = server.address();
        survives(&database, &address, &mut [server], requests(SQLITE_REQUESTS)).await;
    });
}

#[test]
fn replicas_are_restarted_one_after_the_other_and_no_call_is_lost() {
    let Some(database) = Database::fresh(BackendKind::Postgres) else { return };
    runtime().block_on(async {
        let url = database.url();
        let mut replicas = [(); 2].map(|()| Server::start(&[("DATABASE_URL", url.as_str())]));
        for replica in &mut replicas {
            replica.ready().await;
        }
        let code = rolling::code(&replicas[0].client()).await;
        let addresses: Vec<String> = replicas.iter().map(Server::address).collect();
        let crowd = rolling::Crowd::begin(&addresses, &code);
        for restart in 0..RESTARTS {
            let replica = &mut replicas[restart % 2];
            let before = crowd.signed_up();
            assert!(replica.leave().await.success(), "it left with a failure:\n{}", replica.log());
            assert!(crowd.signed_up() > before, "the other one went on");
            replica.restart();
            replica.ready().await;
        }
        let signed_up = crowd.end().await;
        let mut sql = Sql::connect(&url).await;
        drained(&mut sql).await;
        assert_eq!(sql.number("SELECT count(*) AS number FROM users").await, signed_up as i64 + 1);
        assert_eq!(
            sql.number("SELECT CAST(max(signups_1) AS bigint) AS number FROM user_totals").await,
            signed_up as i64
        );
    });
}

#[test]
fn the_server_dies_and_no_click_that_was_answered_is_lost() {
    for kind in [BackendKind::Sqlite, BackendKind::Postgres] {
        let Some(database) = Database::fresh(kind) else { continue };
        runtime().block_on(async {
            let settings = [("DATABASE_URL", database.url()), ("TRUSTED_PROXIES", "127.0.0.1".to_owned())];
            let mut server = Server::start(&settings.each_ref().map(|(name, value)| (*name, value.as_str())));
            server.ready().await;
            clicks::survive(&database, &mut server, requests(CLICKS)).await;
        });
    }
}
