//! The server dies at every commit boundary, and what is paid is what was promised for what was acknowledged.
//!
//! A real server works under load. It is started armed: at one point of `src/failpoint.rs`, reached so many times, it
//! aborts, as `kill -9` would end it, and is started again armed for the next one. Meanwhile people sign up, buy, give
//! back, claim and are paid; whoever gets no answer asks again under the same key. At the end everything that is stored is
//! held against what follows from the answers, computed without a line of `src`.
//!
//! Every point fires at least once. `BANYAN_FAILPOINTS` says how many deaths there are (one for each point unless told),
//! and `BANYAN_CHAOS_SEED` at which time of each point. A table says how often each fired.
//!
//! Debug builds have the points. `cargo test --release` needs `--features failpoints`, and says so.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

#[path = "failpoints/clerk.rs"]
mod clerk;
#[path = "failpoints/expected.rs"]
mod expected;
#[path = "failpoints/inspection.rs"]
mod inspection;
#[path = "failpoints/promise.rs"]
mod promise;
mod support;

use std::{collections::BTreeMap, fmt::Write as _, os::unix::process::ExitStatusExt as _, sync::Arc, time::Duration};

use banyan::{
    domain::keyed_hash::HashKey,
    engine::{Context, Engine, SystemClock, SystemRandomness},
    failpoint::{COMPILED_IN, Point, VARIABLE},
    live::{Live, LiveSettings},
    store::{BackendKind, PoolSettings, Store},
};
use clerk::{Clerk, Desk};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use support::{Database, Server};

/// Connections that send at once.
const CLERKS: usize = 4;
/// A point is armed for one of its first times; they come often.
const MOST_TIMES: u32 = 4;
/// How long an armed point may take to be reached so often.
const DEATH_LIMIT: Duration = Duration::from_secs(60);
/// The signal of an abort.
const SIGABRT: i32 = 6;

/// How often each point was armed, and how often the server died there.
type Tally = BTreeMap<Point, (u32, u32)>;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// Which points to arm, one after the other, and for which time: each as often as the others, in an order of the seed's.
fn schedule() -> Vec<(Point, u32)> {
    let seed = number("BANYAN_CHAOS_SEED").unwrap_or(20_261_126);
    let deaths = number("BANYAN_FAILPOINTS").map_or(Point::ALL.len(), |deaths| usize::try_from(deaths).unwrap());
    let mut rng = StdRng::seed_from_u64(seed);
    let mut schedule = Vec::new();
    while schedule.len() < deaths {
        let mut points = Point::ALL.to_vec();
        points.shuffle(&mut rng);
        schedule.extend(points.into_iter().map(|point| (point, rng.random_range(1..=MOST_TIMES))));
    }
    schedule.truncate(deaths);
    schedule
}

/// Lets the server die at one point after the other.
async fn die_everywhere(server: &mut Server) -> Tally {
    let mut tally = Tally::new();
    for (point, times) in schedule() {
        server.set(VARIABLE, &format!("{}:{times}", point.name()));
        server.restart();
        let (armed, fired) = tally.entry(point).or_default();
        *armed += 1;
        if let Some(status) = server.death(DEATH_LIMIT).await {
            assert_eq!(status.signal(), Some(SIGABRT), "{}: {status}", point.name());
            *fired += 1;
        }
    }
    server.set(VARIABLE, "");
    server.restart();
    server.ready().await;
    tally
}

/// The table of all points. Fails when one never fired.
fn tell(kind: BackendKind, tally: &Tally) {
    let mut table = format!("{kind:?}\n  {:<20} {:>6} {:>6}\n", "point", "armed", "fired");
    for point in Point::ALL {
        let (armed, fired) = tally.get(point).copied().unwrap_or_default();
        writeln!(table, "  {:<20} {armed:>6} {fired:>6}", point.name()).expect("writes to a text");
    }
    let deaths: u32 = tally.values().map(|(_, fired)| fired).sum();
    eprintln!("{table}  {deaths} deaths");
    let silent: Vec<&str> =
        Point::ALL.iter().filter(|point| tally.get(point).is_none_or(|(_, f)| *f == 0)).map(|p| p.name()).collect();
    assert!(silent.is_empty(), "these never fired: {silent:?}");
}

/// An engine beside the server, for imports and for a last look.
fn engine(url: &str) -> Engine {
    let store = Store::open(url, &PoolSettings::default()).unwrap();
    let context = Context {
        clock: Arc::new(SystemClock),
        randomness: Arc::new(SystemRandomness::new().unwrap()),
        hash_key: HashKey::from_secret("the key of the stories"),
    };
    Engine::new(store, Live::in_process(LiveSettings::new("failpoints", 1)), context)
}

fn the_server_dies_everywhere(kind: BackendKind) {
    if !COMPILED_IN {
        eprintln!("this build has no failpoints: run it with --features failpoints");
        return;
    }
    let Some(database) = Database::fresh(kind) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let url = database.url();
        let mut server = Server::start(&[("DATABASE_URL", &url), ("DATABASE_CONNECTIONS", "8")]);
        server.ready().await;
        // What a dead one leaves behind is taken on by another, if there may be one.
        let other = (kind == BackendKind::Postgres)
            .then(|| Server::start(&[("DATABASE_URL", &url), ("ROLES", "worker"), ("DATABASE_CONNECTIONS", "4")]));
        promise::make(&server.client()).await;
        let desk = Arc::new(Desk::new(server.address(), engine(&url)));
        let clerks: Vec<_> =
            (0..CLERKS).map(|number| tokio::spawn(Clerk::new(number, Arc::clone(&desk)).work())).collect();
        let tally = die_everywhere(&mut server).await;
        desk.close();
        let mut told = Vec::new();
        for clerk in clerks {
            told.push(clerk.await.unwrap());
        }
        drop(other);
        inspection::inspect(&url, &desk, &told).await;
        tell(kind, &tally);
    });
}

#[test]
fn on_sqlite() {
    the_server_dies_everywhere(BackendKind::Sqlite);
}

#[test]
fn on_postgres() {
    the_server_dies_everywhere(BackendKind::Postgres);
}
