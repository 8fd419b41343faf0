//! Fresh databases: a file, or one of its own on a PostgreSQL server, gone when it is dropped.

use std::{
    path::Path,
    process,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::Duration,
};

use banyan::{
    domain::time::SECOND_MICROS,
    engine::{Clock as _, SystemClock},
    store::BackendKind,
};
use diesel::QueryableByName;
use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};
use tempfile::TempDir;

use super::or_do_without;

/// What databases of tests are called, followed by `_second_process_number`.
const PREFIX: &str = "banyan_test";
/// Where files are in memory, on most systems that have such a place.
const IN_MEMORY: &str = "/dev/shm";
/// After this long a database belongs to a run that crashed.
const LEFTOVER_SECONDS: i64 = 3_600;
/// How long a server may take to answer at all.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// Databases are copies of a template, which only one may copy at a time.
const CREATE_ATTEMPTS: u32 = 20;

/// A database of one test.
pub enum Database {
    /// A file in a folder of its own.
    Sqlite(TempDir),
    /// A database of its own, by its name.
    Postgres(String),
}

impl Database {
    /// Makes an empty database; nothing when there is no such server.
    pub fn fresh(kind: BackendKind) -> Option<Self> {
        match kind {
            BackendKind::Sqlite => Some(Self::Sqlite(TempDir::with_prefix(PREFIX).expect("a folder for a database"))),
            BackendKind::Postgres => postgres_url().map(|_| Self::Postgres(create())),
        }
    }

    /// The same for tests that play thousands of stories and lose no machine: in memory when there is a place for files
    /// that is, and without waiting for the disk.
    pub fn hasty(kind: BackendKind) -> Option<Self> {
        if kind == BackendKind::Sqlite && Path::new(IN_MEMORY).is_dir() {
            let folder = TempDir::with_prefix_in(PREFIX, IN_MEMORY).or_else(|_| TempDir::with_prefix(PREFIX));
            return folder.ok().map(Self::Sqlite);
        }
        let database = Self::fresh(kind)?;
        if let Self::Postgres(name) = &database {
            at_server(format!("ALTER DATABASE {name} SET synchronous_commit = off")).expect("sets the database up");
        }
        Some(database)
    }

    /// Its address, as `DATABASE_URL` has it.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite://{}", folder.path().join("banyan.db").display()),
            Self::Postgres(name) => url_of(name),
        }
    }

    /// Which of the two it is.
    pub fn kind(&self) -> BackendKind {
        match self {
            Self::Sqlite(_) => BackendKind::Sqlite,
            Self::Postgres(_) => BackendKind::Postgres,
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Postgres(name) = self {
            // What is still connected belongs to this test.
            let done = at_server(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
            if let Err(cause) = done {
                super::say(&format!("the database {name} of a test stays: {cause}"));
            }
        }
    }
}

/// The server for databases of tests, if it answers. Asked once, and then leftovers of crashed runs are dropped.
pub fn postgres_url() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        let answer = at_server("SELECT 1".to_owned());
        or_do_without("PostgreSQL at TEST_DATABASE_URL", answer)?;
        super::say("stories run on SQLite and on PostgreSQL");
        drop_leftovers();
        Some(server_url())
    };
    URL.get_or_init(find).as_deref()
}

fn server_url() -> String {
    std::env::var("TEST_DATABASE_URL").unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned())
}

/// The server's address with another database in it; parameters stay.
fn url_of(name: &str) -> String {
    let server = server_url();
    let (address, parameters) = server.split_once('?').map_or((server.as_str(), None), |(a, p)| (a, Some(p)));
    let authority = address.find("://").map_or(0, |at| at + 3);
    let host = address[authority..].find('/').map_or(address, |slash| &address[..authority + slash]);
    parameters.map_or_else(|| format!("{host}/{name}"), |parameters| format!("{host}/{name}?{parameters}"))
}

fn create() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let second = SystemClock.now().micros() / SECOND_MICROS;
    let name = format!("{PREFIX}_{second}_{}_{}", process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    let mut cause = String::new();
    for attempt in 0..CREATE_ATTEMPTS {
        match at_server(format!("CREATE DATABASE {name}")) {
            Ok(()) => return name,
            Err(error) => cause = error,
        }
        thread::sleep(Duration::from_millis(u64::from(attempt) * 10));
    }
    panic!("cannot create the database {name}: {cause}");
}

/// What crashed runs left is dropped; another process may be doing the same, so that it fails is no failure.
fn drop_leftovers() {
    let now = SystemClock.now().micros() / SECOND_MICROS;
    for name in blocking(names()).unwrap_or_default() {
        let second = name.split('_').nth(2).and_then(|second| second.parse::<i64>().ok());
        if second.is_some_and(|second| second + LEFTOVER_SECONDS < now)
            && let Err(cause) = at_server(format!("DROP DATABASE IF EXISTS {name}"))
        {
            super::say(&format!("the old database {name} stays: {cause}"));
        }
    }
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

async fn names() -> Result<Vec<String>, String> {
    let mut connection = AsyncPgConnection::establish(&server_url()).await.map_err(|error| error.to_string())?;
    let text = format!("SELECT datname::text AS name FROM pg_database WHERE datname LIKE '{PREFIX}\\_%'");
    let rows: Vec<Name> = diesel::sql_query(text).load(&mut connection).await.map_err(|error| error.to_string())?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// Whether a server lets somebody in.
pub(super) fn answers(url: &str) -> Result<(), String> {
    let url = url.to_owned();
    blocking(async move { AsyncPgConnection::establish(&url).await.map(drop).map_err(|error| error.to_string()) })
}

/// Says something to the server itself.
fn at_server(text: String) -> Result<(), String> {
    blocking(async move {
        let mut connection = AsyncPgConnection::establish(&server_url()).await.map_err(|error| error.to_string())?;
        connection.batch_execute(&text).await.map_err(|error| error.to_string())
    })
}

/// Runs a future on a thread of its own: databases come and go also where no runtime is, or one is that must not block.
fn blocking<T: Send + 'static>(work: impl Future<Output = Result<T, String>> + Send + 'static) -> Result<T, String> {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
        runtime.block_on(async {
            tokio::time::timeout(ANSWER_LIMIT, work).await.map_err(|_| "no answer in time".to_owned())?
        })
    };
    thread::spawn(run).join().map_err(|_| "the thread panicked".to_owned())?
}
