//! SQLite: connections, transactions and the few statements that PostgreSQL says differently.
//!
//! There is one writer connection, whose transactions begin IMMEDIATE, and several readers that cannot write.

use std::time::{Duration, Instant};

use diesel::{
    QueryableByName, RunQueryDsl as _, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection as _, TransactionManager},
    result::Error as DieselError,
    sql_types::Integer,
};
use diesel_async::{
    AsyncConnection, SimpleAsyncConnection,
    pooled_connection::{
        AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
        deadpool::{Object, Pool},
    },
    sync_connection_wrapper::SyncConnectionWrapper,
};
use futures_util::FutureExt;

use super::{
    Backend, Store,
    error::StoreError,
    pool::{self, PoolSettings},
    statements::Statements,
};

/// A connection of this database.
pub type Connection = SyncConnectionWrapper<SqliteConnection>;
/// A connection on loan from the pool.
pub type Loan = Object<Connection>;

/// Inserts many rows in one hop to the connection's thread: the wrapper has no batch insert of its own, and diesel's would
/// begin a transaction inside ours. With `on_conflict_do_nothing`, rows that are there already stay as they are.
macro_rules! insert_all {
    ($conn:expr, $table:expr, $rows:expr $(, $unless:ident)?) => {{
        let rows = $rows;
        if !rows.is_empty() {
            $conn
                .spawn_blocking(move |conn| {
                    rows.iter().try_for_each(|row| {
                        let insert = ::diesel::insert_into($table).values(row)$(.$unless())?;
                        ::diesel::RunQueryDsl::execute(insert, conn).map(|_| ())
                    })
                })
                .await?;
        }
    }};
}

/// Nothing to lock: a write transaction is alone.
macro_rules! for_update {
    ($query:expr) => {
        $query
    };
}

/// Nothing to skip: a write transaction is alone.
macro_rules! skip_locked {
    ($query:expr) => {
        $query
    };
}

/// Nothing to lock: a write transaction is alone.
macro_rules! for_share {
    ($query:expr) => {
        $query
    };
}

/// Nothing to lock: a write transaction is alone.
macro_rules! for_erasure {
    ($query:expr) => {
        $query
    };
}

/// Nothing to lock: a write transaction is alone.
macro_rules! for_reference {
    ($query:expr) => {
        $query
    };
}

/// The first children of each node of a recursive `tree`, at most `$2` of them.
pub(super) const FIRST_CHILDREN: &str = "FROM tree CROSS JOIN referrals AS child ON child.referrer_id = tree.id \
    AND child.referred_id IN (SELECT edge.referred_id FROM referrals AS edge WHERE edge.referrer_id = tree.id \
    ORDER BY edge.referred_id LIMIT $2)";

/// The users of what was `kept` of a tree. Said so, because the planner would rather read all users and look each up there.
pub(super) const KEPT_USERS: &str = "kept CROSS JOIN users ON users.id = kept.id";

#[path = "sqlite/append.rs"]
pub mod append;
#[path = "sqlite/bulk.rs"]
pub mod bulk;
#[path = "sqlite/load.rs"]
pub mod load;
#[path = "queries/mod.rs"]
pub mod queries;

/// How long a writer waits for another process's write.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// Pause between two attempts to begin; short, so that an import in another process does not starve the server.
const BUSY_PAUSE: Duration = Duration::from_millis(1);

/// The log is moved into the file every 16 MiB, so that pages that change all the time are not written twice each time.
/// What is deleted or replaced is written over with zeros: `FAST` would leave whole pages that become free as they were,
/// such as those of long metadata.
const ON_OPEN: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
    PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 4096; PRAGMA secure_delete = ON;";

/// The writer does its own waiting in `begin`.
const WRITER_WAITS: &str = "PRAGMA busy_timeout = 2;";
/// While the log is being emptied, it waits this long for whoever still reads from it: longer than most reads take, and
/// shorter than anybody minds who wants to write meanwhile.
const EMPTYING_WAITS: &str = "PRAGMA busy_timeout = 100;";
const EMPTY_LOG: &str = "PRAGMA wal_checkpoint(TRUNCATE)";

/// What a connection of a pool is for.
#[derive(Clone, Copy)]
pub(super) enum Role {
    /// The one connection that writes.
    Writer,
    /// Reads only.
    Reader,
}

/// The pool of one file.
pub(super) fn pool(
    path: &str,
    role: Role,
    settings: &PoolSettings,
    statements: &Statements,
) -> Result<Pool<Connection>, StoreError> {
    let mut config = ManagerConfig::default();
    config.recycling_method = RecyclingMethod::Fast;
    let statements = statements.clone();
    config.custom_setup = Box::new(move |path| establish(path.to_owned(), role, statements.clone()).boxed());
    let manager = AsyncDieselConnectionManager::<Connection>::new_with_config(path, config);
    let size = match role {
        Role::Writer => 1,
        Role::Reader => settings.connections,
    };
    settings.build(manager, size)
}

async fn establish(path: String, role: Role, statements: Statements) -> diesel::ConnectionResult<Connection> {
    let mut connection = Connection::establish(&path).await?;
    let role_setup = match role {
        // Without a memory map: a file that grows is mapped anew with almost every transaction, which cost an import half
        // its time.
        Role::Writer => [WRITER_WAITS, "PRAGMA mmap_size = 0;"],
        // A reader only ever waits for recovery after a crash.
        Role::Reader => ["PRAGMA busy_timeout = 5000;", "PRAGMA query_only = ON; PRAGMA mmap_size = 268435456;"],
    };
    let opened = async {
        for setup in ["PRAGMA busy_timeout = 5000;", ON_OPEN].into_iter().chain(role_setup) {
            connection.batch_execute(setup).await?;
        }
        Ok(())
    };
    opened.await.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    connection.set_instrumentation(statements);
    Ok(connection)
}

/// Begins a transaction of one of the doors; a write waits for writers of other processes by trying again.
pub(super) async fn begin(connection: &mut Connection, door: super::Door) -> Result<(), StoreError> {
    let text = match door {
        super::Door::Write | super::Door::LongWrite => "BEGIN IMMEDIATE",
        super::Door::Snapshot | super::Door::LongSnapshot => "BEGIN",
    };
    let deadline = Instant::now() + BUSY_LIMIT;
    loop {
        // Through diesel's manager, which thereby knows that batch inserts are inside a transaction already.
        match connection.spawn_blocking(move |conn| AnsiTransactionManager::begin_transaction_sql(conn, text)).await {
            Err(DieselError::DatabaseError(_, info)) if info.message().contains("locked") => {
                if Instant::now() >= deadline {
                    return Err(StoreError::Unavailable("another process keeps writing".to_owned()));
                }
                tokio::time::sleep(BUSY_PAUSE).await;
            }
            other => return other.map_err(StoreError::from_driver),
        }
    }
}

/// Ends a transaction.
pub(super) async fn end(connection: &mut Connection, ending: super::Ending) -> Result<(), StoreError> {
    let ended = connection.spawn_blocking(move |conn| match ending {
        super::Ending::Commit => AnsiTransactionManager::commit_transaction(conn),
        super::Ending::RollBack => AnsiTransactionManager::rollback_transaction(conn),
    });
    ended.await.map_err(StoreError::from_driver)
}

/// What became of emptying the log.
#[derive(QueryableByName)]
struct Emptied {
    /// 1 while somebody reads from it, or another process writes.
    #[diesel(sql_type = Integer)]
    busy: i32,
}

impl Store {
    /// Moves what is in the log of an SQLite file into the file and empties the log, which holds pages as they were before
    /// they were written over. Says whether it is empty now: while somebody reads from it, it has to stay. Nothing to do
    /// on PostgreSQL.
    pub async fn empty_log(&self) -> Result<bool, StoreError> {
        let Backend::Sqlite { writer, .. } = &self.backend else { return Ok(true) };
        let mut writer = writer.get().await.map_err(pool::explain)?;
        // In one go, so that the connection is never given back with the longer wait.
        let emptied = writer.spawn_blocking(|conn| {
            conn.batch_execute(EMPTYING_WAITS)?;
            let emptied = diesel::sql_query(EMPTY_LOG).get_result::<Emptied>(conn);
            conn.batch_execute(WRITER_WAITS)?;
            emptied
        });
        Ok(emptied.await.map_err(StoreError::from_driver)?.busy == 0)
    }
}
