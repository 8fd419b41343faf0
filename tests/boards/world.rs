//! A database of its own, a clock that can be moved, and one program in Berlin's time zone.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use banyan::domain::{
    id::Id,
    keyed_hash::HashKey,
    landing::{CLICK_PARAMETER, REF_PARAMETER},
    program::DEFAULT_KEY,
    time::Timestamp,
    words::{ProgramStatus, UserStatus},
};
use banyan::engine::{Clock, Context, Engine, SystemRandomness};
use banyan::live::{Live, LiveSettings};
use banyan::store::{BackendKind, PoolSettings, Store, StoreError, Tx, models};
use diesel::QueryableByName;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};

/// Calls a query function on whichever database a transaction belongs to.
macro_rules! on {
    ($tx:expr, bulk::$function:ident ( $($argument:expr),* $(,)? )) => {
        on!(@call $tx, [bulk] $function ($($argument),*))
    };
    ($tx:expr, $module:ident :: $function:ident ( $($argument:expr),* $(,)? )) => {
        on!(@call $tx, [queries::$module] $function ($($argument),*))
    };
    (@call $tx:expr, [$($path:tt)+] $function:ident ($($argument:expr),*)) => {
        match $tx {
            banyan::store::Tx::Postgres(connection) => {
                banyan::store::postgres::$($path)+::$function(connection, $($argument),*).await
            }
            banyan::store::Tx::Sqlite(connection) => {
                banyan::store::sqlite::$($path)+::$function(connection, $($argument),*).await
            }
        }
        .map_err(banyan::store::StoreError::from_driver)
    };
}
pub(crate) use on;

const SERVER: &str = "postgres://postgres@127.0.0.1:5432/postgres";

/// A clock that stands still until it is moved.
#[derive(Clone)]
pub struct Hands(Arc<AtomicI64>);

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

impl Hands {
    pub fn move_to(&self, text: &str) {
        self.0.store(at(text).micros(), Ordering::SeqCst);
    }
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub struct World {
    pub engine: Engine,
    pub clock: Hands,
    pub program: Id,
    _folder: Option<tempfile::TempDir>,
    database: Option<String>,
}

impl World {
    /// A new SQLite file.
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("boards.db").display());
        Self::open(&url, Some(folder), None).await
    }

    /// A new PostgreSQL database; nothing where no server answers, unless this is CI.
    pub async fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let name = format!("banyan_boards_{}_{number}", std::process::id());
        match AsyncPgConnection::establish(SERVER).await {
            Ok(mut server) => {
                let text = format!("DROP DATABASE IF EXISTS {name}");
                server.batch_execute(&text).await.unwrap();
                server.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
            }
            Err(error) => {
                assert!(std::env::var("CI").is_err(), "CI needs PostgreSQL: {error}");
                eprintln!("skipped, no PostgreSQL: {error}");
                return None;
            }
        }
        let url = SERVER.replace("5432/postgres", &format!("5432/{name}?sslmode=disable"));
        Some(Self::open(&url, None, Some(name)).await)
    }

    async fn open(url: &str, folder: Option<tempfile::TempDir>, database: Option<String>) -> Self {
        let store = Store::open(url, &PoolSettings::default()).unwrap();
        store.migrate().await.unwrap();
        let clock = Hands(Arc::new(AtomicI64::new(at("2026-11-22T10:00:00Z").micros())));
        let context = Context {
            clock: Arc::new(clock.clone()),
            randomness: Arc::new(SystemRandomness::new().unwrap()),
            hash_key: HashKey::from_secret("boards"),
        };
        let live = Live::in_process(LiveSettings::new("boards", 1));
        let engine = Engine::new(store, live, context);
        let program = engine.context.new_id();
        let world = Self { engine, clock, program, _folder: folder, database };
        world.add_program(program, DEFAULT_KEY).await;
        world
    }

    pub async fn add_program(&self, id: Id, key: &str) {
        let row = models::Program {
            id,
            key: key.to_owned(),
            name: key.to_owned(),
            currency: "EUR".to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            status: ProgramStatus::Active,
            version: 1,
            starts_at: None,
            ends_at: None,
            was_active: true,
            created_at: at("2026-01-01"),
            landing_url: None,
            ref_parameter: REF_PARAMETER.to_owned(),
            click_parameter: CLICK_PARAMETER.to_owned(),
        };
        let store = &self.engine.store;
        assert!(store.write(async |tx: &mut Tx| on!(tx, programs::insert(row.clone()))).await.unwrap());
    }

    pub async fn add_users(&self, how_many: usize) -> Vec<Id> {
        let ids: Vec<Id> = (0..how_many).map(|_| self.engine.context.new_id()).collect();
        let rows = ids.iter().map(|id| models::User {
            id: *id,
            external_id: id.to_string(),
            display_name: None,
            status: UserStatus::Active,
            email_hash: None,
            phone_hash: None,
            created_at: at("2026-01-01"),
        });
        let rows: Vec<models::User> = rows.collect();
        let added = self.engine.store.write(async |tx: &mut Tx| {
            on!(tx, users::insert_new(rows.clone()))?;
            on!(tx, totals::insert_empty(ids.clone()))
        });
        added.await.unwrap();
        ids
    }

    pub fn kind(&self) -> BackendKind {
        self.engine.store.kind()
    }

    /// An id as this database writes it.
    pub fn id(&self, id: Id) -> String {
        match self.kind() {
            BackendKind::Postgres => format!("'{id}'::uuid"),
            BackendKind::Sqlite => format!("X'{}'", id.to_string().replace('-', "")),
        }
    }

    /// An instant as this database writes it.
    pub fn at(&self, at: Timestamp) -> String {
        match self.kind() {
            BackendKind::Postgres => format!("'{at}'::timestamptz"),
            BackendKind::Sqlite => at.micros().to_string(),
        }
    }

    /// Rows of a plain SQL text.
    pub async fn rows<R>(&self, text: &str) -> Vec<R>
    where
        R: QueryableByName<diesel::pg::Pg> + QueryableByName<diesel::sqlite::Sqlite> + Send + 'static,
    {
        use diesel_async::RunQueryDsl;
        let rows = self.engine.store.look(async |tx: &mut Tx| {
            match tx {
                Tx::Postgres(connection) => diesel::sql_query(text).load(connection).await,
                Tx::Sqlite(connection) => diesel::sql_query(text).load(connection).await,
            }
            .map_err(StoreError::from_driver)
        });
        rows.await.unwrap()
    }

    /// Runs plain SQL.
    pub async fn run(&self, text: &str) {
        self.engine.store.write_long(async |tx: &mut Tx| execute(tx, text).await).await.unwrap();
    }

    /// Sums until nothing is left.
    pub async fn sum(&self) {
        while self.engine.sum_boards().await.unwrap() {}
    }

    /// Removes the database.
    pub async fn close(self) {
        let Self { engine, database, .. } = self;
        drop(engine);
        if let Some(name) = database {
            let mut server = AsyncPgConnection::establish(SERVER).await.unwrap();
            server.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        }
    }
}

pub async fn execute(tx: &mut Tx, text: &str) -> Result<(), StoreError> {
    match tx {
        Tx::Postgres(connection) => connection.batch_execute(text).await,
        Tx::Sqlite(connection) => connection.batch_execute(text).await,
    }
    .map_err(StoreError::from_driver)
}
