//! An engine on a database of its own, and an independent look into it.

use std::{
    io::Cursor,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use banyan::{
    domain::{keyed_hash::HashKey, time::Timestamp},
    engine::{
        Clock, Context, Engine, SystemRandomness,
        fold::Folded,
        import::{BadRow, Payment, Progress, Tally},
        setup,
    },
    live::{Live, LiveSettings},
    store::{PoolSettings, Store, StoreError, Tx},
};
use diesel::{QueryableByName, sql_query, sql_types};
use diesel_async::RunQueryDsl;

/// An engine, its database and its time.
pub struct House {
    pub engine: Engine,
    folder: Option<tempfile::TempDir>,
    database: String,
}

/// A clock that stands still: noon of 22 November 2026.
struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        Timestamp::parse("2026-11-22T12:00:00Z").unwrap()
    }
}

/// Remembers the bad rows that it is told of.
#[derive(Default)]
pub struct Told(Mutex<Vec<BadRow>>);

impl Progress for Told {
    fn advance(&self, so_far: &Tally) {
        assert!(so_far.rows >= so_far.imported + so_far.already_there);
    }

    fn bad_row(&self, row: &BadRow) {
        self.0.lock().unwrap().push(row.clone());
    }
}

impl Told {
    fn lines(self) -> Vec<String> {
        let mut rows = self.0.into_inner().unwrap();
        rows.sort_by_key(|row| row.line);
        rows.iter().map(ToString::to_string).collect()
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = sql_types::Text)]
    line: String,
}

/// Where PostgreSQL is looked for, unless `TEST_POSTGRES_URL` says otherwise.
const POSTGRES: &str = "postgres://postgres@127.0.0.1:5432/postgres";

impl House {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("banyan.db").display());
        Self { engine: engine(&url).await, folder: Some(folder), database: String::new() }
    }

    /// Nothing, with a line that says so, when PostgreSQL does not answer; that is a failure where `CI` is set.
    pub async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let database = format!("banyan_import_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        if let Err(error) = administer(&format!("CREATE DATABASE {database}")).await {
            assert!(std::env::var_os("CI").is_none(), "PostgreSQL does not answer: {error}");
            eprintln!("skipped: PostgreSQL does not answer: {error}");
            return None;
        }
        let (server, _) = postgres_url().rsplit_once('/').map(|(server, rest)| (server.to_owned(), rest.to_owned()))?;
        Some(Self { engine: engine(&format!("{server}/{database}?sslmode=disable")).await, folder: None, database })
    }

    pub async fn drop_database(self) {
        assert!(self.folder.is_none());
        administer(&format!("DROP DATABASE {} WITH (FORCE)", self.database)).await.unwrap();
    }

    /// Imports users: what was told of bad rows, and the tally.
    pub async fn import(&self, file: impl Into<Vec<u8>>) -> (Vec<String>, Tally) {
        let told = Told::default();
        let summary = self.engine.import_users(Cursor::new(file.into()), &told).await.unwrap();
        let Tally { rows, imported, already_there, bad, .. } = summary.tally;
        assert_eq!(rows, imported + already_there + bad, "every row is accounted for");
        (told.lines(), summary.tally)
    }

    /// Imports events: what was told of bad rows, and the tally.
    pub async fn import_events(&self, file: &str, payment: Payment) -> (Vec<String>, Tally) {
        let told = Told::default();
        let summary = self.engine.import_events(Cursor::new(file.to_owned()), payment, &told).await.unwrap();
        (told.lines(), summary.tally)
    }

    /// Folds until nothing waits.
    pub async fn fold(&self) {
        while !matches!(self.engine.fold(100).await.unwrap(), Folded::Nothing) {}
        assert_eq!(self.number("SELECT count(*) FROM outbox").await, 0);
    }

    /// The column `line` of a query.
    pub async fn lines(&self, query: &str) -> Vec<String> {
        let load = async |tx: &mut Tx| {
            let rows: Result<Vec<Line>, _> = match tx {
                Tx::Postgres(connection) => sql_query(query).load(connection).await,
                Tx::Sqlite(connection) => sql_query(query).load(connection).await,
            };
            rows.map_err(StoreError::from_driver)
        };
        self.engine.store.look(load).await.unwrap().into_iter().map(|row| row.line).collect()
    }

    /// The one number that a query gives.
    pub async fn number(&self, query: &str) -> i64 {
        let text = format!("SELECT CAST(({query}) AS text) AS line");
        self.lines(&text).await[0].parse().unwrap()
    }

    /// Changes the database behind the engine's back.
    pub async fn run(&self, statement: &str) {
        let change = async |tx: &mut Tx| {
            let done = match tx {
                Tx::Postgres(connection) => sql_query(statement).execute(connection).await,
                Tx::Sqlite(connection) => sql_query(statement).execute(connection).await,
            };
            done.map_err(StoreError::from_driver)
        };
        self.engine.store.write(change).await.unwrap();
    }

    /// Who was brought in by whom: `child<parent`, sorted.
    pub async fn edges(&self) -> Vec<String> {
        let query = "SELECT child.external_id || '<' || parent.external_id AS line FROM referrals \
            JOIN users AS child ON child.id = referred_id JOIN users AS parent ON parent.id = referrer_id ORDER BY 1";
        self.lines(query).await
    }

    /// Every counter, and what the boards of signups are owed, against a recount that knows nothing of the engine.
    pub async fn assert_counted(&self) {
        assert_eq!(self.number("SELECT count(*) FROM uncounted").await, 0);
        let levels = |column: &str| {
            let all: Vec<String> = (1..=10).map(|level| column.replace('#', &level.to_string())).collect();
            all.join(" || ',' || ")
        };
        let stored = format!(
            "SELECT external_id || ' ' || network || ' ' || {} AS line FROM user_totals \
             JOIN users ON users.id = user_id ORDER BY external_id",
            levels("signups_#")
        );
        let counted = format!(
            "WITH RECURSIVE down(ancestor, person, level) AS (SELECT referrer_id, referred_id, 1 FROM referrals \
             UNION ALL SELECT down.ancestor, edge.referred_id, down.level + 1 FROM down \
             JOIN referrals AS edge ON edge.referrer_id = down.person WHERE down.level < 10) \
             SELECT external_id || ' ' || count(person) || ' ' || {} AS line FROM users \
             LEFT JOIN down ON down.ancestor = users.id GROUP BY external_id ORDER BY external_id",
            levels("sum(CASE WHEN level = # THEN 1 ELSE 0 END)")
        );
        assert_eq!(self.lines(&stored).await, self.lines(&counted).await);
        let wrong_newest = "WITH RECURSIVE down(ancestor, person, level) AS (\
             SELECT referrer_id, referred_id, 1 FROM referrals \
             UNION ALL SELECT down.ancestor, edge.referred_id, down.level + 1 FROM down \
             JOIN referrals AS edge ON edge.referrer_id = down.person WHERE down.level < 10) \
             SELECT ancestor, max(created_at) AS newest FROM down JOIN referrals ON referred_id = person GROUP BY ancestor";
        let wrong = format!(
            "SELECT count(*) FROM user_totals JOIN ({wrong_newest}) AS recount ON ancestor = user_id \
             WHERE network_at IS NULL OR network_at <> newest"
        );
        assert_eq!(self.number(&wrong).await, 0, "the newest of a network");
        let owed = "SELECT external_id || ' ' || sum(amount) AS line FROM board_deltas JOIN users ON users.id = user_id \
            WHERE metric = 'SIGNUPS' GROUP BY external_id ORDER BY external_id";
        let direct = "SELECT external_id || ' ' || count(*) AS line FROM referrals JOIN users ON users.id = referrer_id \
            GROUP BY external_id ORDER BY external_id";
        assert_eq!(self.lines(owed).await, self.lines(direct).await);
    }

    /// All that an import writes, as text.
    pub async fn everything(&self) -> Vec<String> {
        let mut all = self.edges().await;
        for query in [
            "SELECT external_id || coalesce(display_name, '') AS line FROM users ORDER BY id",
            "SELECT key || shown || kind AS line FROM codes ORDER BY key",
            "SELECT CAST(version AS text) || ':' || network || ':' || signups_1 AS line FROM user_totals ORDER BY user_id",
            "SELECT metric || amount AS line FROM board_deltas ORDER BY id",
            "SELECT key || seq AS line FROM events ORDER BY seq",
            "SELECT CAST(count(*) AS text) AS line FROM outbox",
            "SELECT CAST(count(*) AS text) AS line FROM claims",
            "SELECT CAST(count(*) AS text) AS line FROM transfers",
        ] {
            all.extend(self.lines(query).await);
        }
        all
    }
}

async fn engine(url: &str) -> Engine {
    let store = Store::open(url, &PoolSettings::default()).unwrap();
    setup::prepare(&store, &Noon).await.unwrap();
    let context = Context {
        clock: Arc::new(Noon),
        randomness: Arc::new(SystemRandomness::new().unwrap()),
        hash_key: HashKey::from_secret("a secret of tests, of more than thirty-two characters"),
    };
    Engine::new(store, Live::in_process(LiveSettings::new("import-tests", 1)), context)
}

fn postgres_url() -> String {
    std::env::var("TEST_POSTGRES_URL").unwrap_or_else(|_| POSTGRES.to_owned())
}

async fn administer(statement: &str) -> Result<(), tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(&postgres_url(), tokio_postgres::NoTls).await?;
    let driver = tokio::spawn(connection);
    let done = client.batch_execute(statement).await;
    drop(client);
    driver.await.expect("the connection's task")?;
    done
}
