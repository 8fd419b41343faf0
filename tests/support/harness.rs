//! One house of a test: an engine on a fresh database, and the checks that end a story.

use std::{
    sync::{Arc, OnceLock},
    thread,
};

use banyan::{
    domain::{caller::Caller, keyed_hash::HashKey, reward::RewardStatus, scopes::Scopes},
    engine::{Context, Engine, fold::Folded, setup},
    graphql::Api,
    live::{Live, LiveSettings},
    store::{BackendKind, PoolSettings, Store},
};
use tokio::runtime::{Builder, Runtime};

use super::{
    actor::{Actor, api},
    database::Database,
    machine::{TestClock, TestRandomness},
    recount::recount,
    sql::Sql,
};

/// Seed of what is random in a story.
const SEED: u64 = 20_260_304;
/// Threads of a story: migrations and dropped queries panic on a runtime with one.
const THREADS: usize = 4;
/// Outbox rows of one transaction.
const BATCH: u16 = 500;
/// Rounds of folding after which something never comes to an end.
const MAX_ROUNDS: usize = 10_000;

/// Tells a story on SQLite, and on PostgreSQL when it answers, each on a database of its own.
pub fn each_backend(story: impl AsyncFn(Harness)) {
    for kind in [BackendKind::Sqlite, BackendKind::Postgres] {
        let Some(database) = Database::fresh(kind) else { continue };
        eprintln!("on {kind:?}:");
        runtime().block_on(async {
            let harness = Harness::on(database).await;
            story(harness).await;
        });
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().expect("starts a runtime")
}

/// An engine on a fresh database. Every story has to [`finish`](Self::finish) it.
pub struct Harness {
    engine: Engine,
    api: OnceLock<Api>,
    clock: Arc<TestClock>,
    finished: bool,
    /// Last, so that it is dropped when nothing uses it any more.
    database: Database,
}

impl Harness {
    /// Prepares a database and puts an engine on it, without a worker: stories fold when they want to.
    pub async fn on(database: Database) -> Self {
        let store = Store::open(&database.url(), &PoolSettings::default()).expect("the address of a database");
        let clock = Arc::new(TestClock::default());
        setup::prepare(&store, &*clock).await.expect("prepares a fresh database");
        let context = Context {
            clock: Arc::clone(&clock) as _,
            randomness: Arc::new(TestRandomness::seeded(SEED)),
            hash_key: HashKey::from_secret("the key of the stories"),
        };
        let engine = Engine::new(store, Live::in_process(LiveSettings::new("story", SEED)), context);
        Self { engine, api: OnceLock::new(), clock, finished: false, database }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine's store.
    pub fn store(&self) -> &Store {
        &self.engine.store
    }

    /// The engine's clock.
    pub fn clock(&self) -> &TestClock {
        &self.clock
    }

    /// Which database this story runs on.
    pub fn kind(&self) -> BackendKind {
        self.database.kind()
    }

    /// Address of the database, for another process or another store.
    pub fn database_url(&self) -> String {
        self.database.url()
    }

    /// A connection of the test's own.
    pub async fn sql(&self) -> Sql {
        Sql::connect(&self.database.url()).await
    }

    /// Somebody without a credential.
    pub fn anonymous(&self) -> Actor {
        self.actor(Caller::Anonymous)
    }

    /// A user of the host, by the host's id.
    pub fn member(&self, external_id: &str) -> Actor {
        self.actor(Caller::Member { external_id: external_id.to_owned() })
    }

    /// The host's back end.
    pub fn server(&self) -> Actor {
        self.server_with(Scopes::ALL)
    }

    /// The host's back end with a key of some scopes.
    pub fn server_with(&self, scopes: Scopes) -> Actor {
        self.actor(Caller::Server { key: "story".to_owned(), scopes })
    }

    /// An operator.
    pub fn admin(&self) -> Actor {
        self.actor(Caller::Admin { key: "story".to_owned() })
    }

    fn actor(&self, caller: Caller) -> Actor {
        Actor::new(self.api.get_or_init(|| api(self.engine.clone())).clone(), caller)
    }

    /// Does what the worker does until there is nothing left to do at the time that the clock shows.
    pub async fn fold_all(&self) {
        for _ in 0..MAX_ROUNDS {
            let folded = self.engine.fold(BATCH.into()).await.expect("folds");
            let released = self.engine.sweep().await.expect("releases rewards");
            let counted = self.engine.count_imported(BATCH.into()).await.expect("counts what was imported");
            let summed = self.engine.sum_boards().await.expect("sums boards");
            if folded == Folded::Nothing && released == 0 && counted == 0 && !summed {
                return;
            }
        }
        panic!("there is still something to fold after {MAX_ROUNDS} rounds");
    }

    /// Does what the worker does about money, and leaves the boards to the end of the story.
    ///
    /// Who waits alone for what he did needs no second look: a batch that is not full was all there was.
    pub async fn fold_money(&self) {
        let mut rounds = 0..MAX_ROUNDS;
        loop {
            rounds.next().expect("folding comes to an end");
            match self.engine.fold(BATCH.into()).await.expect("folds") {
                Folded::Nothing => break,
                Folded::Rows(rows) if rows < usize::from(BATCH) => break,
                Folded::Rows(_) | Folded::Paused => {}
            }
        }
        self.sweep().await;
    }

    /// Releases rewards and lets them expire until nothing is due.
    pub async fn sweep(&self) {
        let mut rounds = 0..MAX_ROUNDS;
        while self.engine.sweep().await.expect("releases rewards") > 0 {
            rounds.next().expect("sweeping comes to an end");
        }
    }

    /// Ends a story: nothing waits, the ledger balances, and counting again from the rows gives what is stored.
    pub async fn finish(mut self) {
        self.finished = true;
        self.fold_all().await;
        let mut sql = self.sql().await;
        for (table, number) in waiting(&mut sql).await {
            assert_eq!(number, 0, "rows of {table} wait to be folded");
        }
        let differences = self.engine.ledger_check().await.expect("the ledger can be checked");
        assert!(differences.is_empty(), "the ledger:\n{}", differences.join("\n"));
        let differences = recount(&mut sql).await;
        assert!(differences.is_empty(), "stored is not what a recount says:\n{}", differences.join("\n"));
        assert_eq!(sql.number(&forbidden_moves()).await, 0, "rewards took steps that no reward may take");
    }
}

/// Counts steps of rewards that the table of their states does not have.
fn forbidden_moves() -> String {
    let states = RewardStatus::ALL.iter();
    let steps = states.flat_map(|from| RewardStatus::ALL.iter().map(move |to| (from, to)));
    let allowed = steps.filter(|(from, to)| from.may_become(**to));
    let allowed: Vec<String> = allowed.map(|(from, to)| format!("'{} {}'", from.word(), to.word())).collect();
    let text = "SELECT count(*) AS number FROM reward_moves WHERE from_status || ' ' || to_status NOT IN";
    format!("{text} ({})", allowed.join(", "))
}

/// How many rows wait in each place where rows wait.
async fn waiting(sql: &mut Sql) -> Vec<(&'static str, i64)> {
    let mut numbers = Vec::new();
    for table in ["outbox", "board_deltas", "uncounted"] {
        numbers.push((table, sql.number(&format!("SELECT count(*) AS number FROM {table}")).await));
    }
    numbers
}

impl Drop for Harness {
    fn drop(&mut self) {
        assert!(self.finished || thread::panicking(), "a story has to end with `harness.finish().await`");
    }
}
