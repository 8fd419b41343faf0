//! The house that is measured: an engine on a database of its own, its people, and what was paid there.

use std::{io::Cursor, sync::Arc};

use banyan::{
    domain::{
        decimal::Decimal,
        keyed_hash::HashKey,
        plan::{Beneficiary, Plan, PlannedFlat, PlannedLevel, PlannedPay, PlannedRule, PlannedTrigger},
        program::DEFAULT_KEY,
    },
    engine::{
        Context, Engine, SystemClock, SystemRandomness,
        import::{Payment, Silent},
        programs::UpdateProgram,
        setup,
    },
    live::{Live, LiveSettings},
    store::{PoolSettings, Store, Tx, models::Program, postgres, sqlite},
};

use crate::{
    purchases::{CASHBACK, Forest, LEVELS, Purchases},
    support::{Database, Sql},
};

/// Imported referrals that are counted in one go.
const COUNTED_TOGETHER: usize = 5_000;

/// An engine, its people, and a look past the engine.
pub struct Shop {
    /// The engine.
    pub engine: Engine,
    /// Its people.
    pub forest: Forest,
    /// The database itself.
    pub sql: Sql,
    /// Where it is.
    pub url: String,
}

impl Shop {
    /// Sets a house up: people who are counted already, and the program.
    pub async fn open(database: &Database, people: u32) -> Self {
        let store = Store::open(&database.url(), &PoolSettings::default()).expect("the address of a database");
        setup::prepare(&store, &SystemClock).await.expect("prepares a fresh database");
        let context = Context {
            clock: Arc::new(SystemClock),
            randomness: Arc::new(SystemRandomness::new().expect("randomness")),
            hash_key: HashKey::from_secret("the key of a benchmark"),
        };
        let engine = Engine::new(store, Live::in_process(LiveSettings::new("drain", 1)), context);
        let shop = Self {
            engine,
            forest: Forest::grow(people),
            sql: Sql::connect(&database.url()).await,
            url: database.url(),
        };
        shop.promise().await;
        let users = shop.engine.import_users(Cursor::new(shop.forest.file().into_bytes()), &Silent).await;
        assert_eq!(users.expect("imports people").tally.imported, u64::from(people));
        while shop.engine.count_imported(COUNTED_TOGETHER).await.expect("counts") > 0 {}
        while shop.engine.sum_boards().await.expect("sums boards") {}
        shop
    }

    /// The program: a percentage for three levels above, and one for whoever buys.
    async fn promise(&self) {
        let percent = |percent: u32| PlannedFlat::Percent(Decimal::new(percent.into(), 0));
        let rule = |key: &str, to: Beneficiary| PlannedRule {
            key: key.to_owned(),
            kind: None,
            on: PlannedTrigger { event: "purchase".to_owned(), min_amount: None, count: 1, every: true },
            requires: Vec::new(),
            to,
            pay: None,
            levels: Vec::new(),
            compress: false,
            cap: None,
            hold_days: 0,
            expires_after_days: None,
        };
        let level = |(level, of): (i64, u32)| PlannedLevel { level, pay: percent(of) };
        let commission =
            PlannedRule { levels: (1..).zip(LEVELS).map(level).collect(), ..rule("commission", Beneficiary::Upline) };
        let pay = Some(PlannedPay::Flat(percent(CASHBACK)));
        let cashback = PlannedRule { pay, ..rule("cashback", Beneficiary::Referred) };
        let plan = Plan { rules: Some(vec![commission, cashback]), ..Plan::default() };
        let request = UpdateProgram { plan, ..UpdateProgram::default() };
        let saved = self.engine.update_program(self.program().await.id, request, "benchmark").await;
        saved.expect("saves the program").expect("accepts the program");
    }

    async fn program(&self) -> Program {
        let find = async |tx: &mut Tx| match tx {
            Tx::Postgres(connection) => postgres::queries::programs::by_key(connection, DEFAULT_KEY).await,
            Tx::Sqlite(connection) => sqlite::queries::programs::by_key(connection, DEFAULT_KEY).await,
        };
        let found = self.engine.store.look(async |tx: &mut Tx| find(tx).await.map_err(unreadable)).await;
        found.expect("reads programs").expect("a fresh database has a program")
    }

    /// From now on the database drops counters and board changes.
    pub async fn keep_to_the_ledger(&mut self) {
        let text = "CREATE RULE ledger_alone AS ON INSERT TO board_deltas DO INSTEAD NOTHING; \
            CREATE RULE ledger_alone AS ON UPDATE TO user_totals DO INSTEAD NOTHING";
        self.sql.execute(text).await;
    }

    /// Records purchases, each with an outbox row of its own.
    pub async fn record(&mut self, purchases: &Purchases) {
        for round in purchases.rounds(self.forest.people()) {
            let file = Cursor::new(round.file(&self.forest).into_bytes());
            let imported = self.engine.import_events(file, Payment::AsRecorded, &Silent).await;
            assert_eq!(imported.expect("imports purchases").tally.imported, u64::from(round.events()));
        }
        assert_eq!(self.sql.number("SELECT count(*) AS number FROM outbox").await, i64::from(purchases.events()));
        self.sql.execute(if matches!(self.sql, Sql::Postgres(_)) { "VACUUM ANALYZE" } else { "PRAGMA optimize" }).await;
    }

    /// Whether nothing waits in a table.
    pub async fn is_empty(&mut self, table: &str) -> bool {
        self.sql.number(&format!("SELECT count(*) AS number FROM (SELECT 1 FROM {table} LIMIT 1) AS t")).await == 0
    }

    /// Compares what was paid with what should have been, and every balance with what it follows from.
    pub async fn check(&mut self, purchases: &Purchases, ledger_alone: bool) {
        let (rewards, sum) = purchases.rewards_until(&self.forest);
        for (what, text, should) in [
            ("rewards", "SELECT count(*) AS number FROM rewards WHERE status = 'AVAILABLE'", rewards),
            ("sum of the rewards", "SELECT CAST(sum(net) AS bigint) AS number FROM rewards", sum),
            ("transfers", "SELECT count(*) AS number FROM transfers", rewards),
            ("sum of the balances", "SELECT CAST(sum(available) AS bigint) AS number FROM accounts", sum),
            ("undecided events", "SELECT count(*) AS number FROM events WHERE decided_no IS NULL", 0),
        ] {
            assert_eq!(self.sql.number(text).await, should, "{what}");
        }
        if !ledger_alone {
            let text = "SELECT CAST(sum(score) AS bigint) AS number FROM board_scores \
                WHERE metric = 'REWARDS' AND period = 'ALL_TIME'";
            assert_eq!(self.sql.number(text).await, sum, "sum of the scores");
        }
        assert_eq!(self.engine.ledger_check().await.expect("checks the ledger"), Vec::<String>::new());
    }
}

fn unreadable(error: diesel::result::Error) -> banyan::store::StoreError {
    banyan::store::StoreError::Unavailable(error.to_string())
}
