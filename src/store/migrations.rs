//! Brings a database to the schema of this program: embedded migrations, one replica at a time.

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{Backend, BackendKind, Store, StoreError, Tx, parse_url, pool, postgres};

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Attempts to make the lock table: `CREATE TABLE IF NOT EXISTS` itself races on PostgreSQL.
const LOCK_TABLE_ATTEMPTS: u32 = 5;

impl Store {
    /// Runs the migrations that are missing and says how many there were. Replicas that start together wait for each
    /// other on a row of a lock table, held by a second connection for as long as the migrations take.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        match parse_url(&self.url)? {
            (BackendKind::Postgres, _) => self.migrate_postgres().await,
            (BackendKind::Sqlite, path) => migrate_sqlite(path.to_owned()).await,
        }
    }

    /// However long it takes, here or on the replica that holds the lock: nothing has a limit but the making of the lock
    /// table. The lock is let go of when its connection is closed, whatever happens.
    async fn migrate_postgres(&self) -> Result<usize, StoreError> {
        self.make_lock_table().await?;
        let mut lock = self.own_connection().await?;
        let text = "BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; \
                    SELECT id FROM migration_lock FOR UPDATE";
        lock.batch_execute(text).await.map_err(StoreError::from_driver)?;
        let connection = self.own_connection().await?;
        blocking(move || {
            let mut harness = AsyncMigrationHarness::new(connection);
            harness.run_pending_migrations(POSTGRES).map(|done| done.len()).map_err(|error| error.to_string())
        })
        .await
    }

    /// A connection that is not given back, and whose statements may take as long as they want: building an index takes
    /// longer than a request may.
    async fn own_connection(&self) -> Result<AsyncPgConnection, StoreError> {
        let loan = match &self.backend {
            Backend::Postgres { pool } => pool.get().await.map_err(pool::explain)?,
            Backend::Sqlite { .. } => return Err(StoreError::Corrupt("not PostgreSQL".to_owned())),
        };
        let mut connection = postgres::Loan::take(loan);
        let text = "SET statement_timeout = 0; SET lock_timeout = 0";
        connection.batch_execute(text).await.map_err(StoreError::from_driver)?;
        Ok(connection)
    }

    async fn make_lock_table(&self) -> Result<(), StoreError> {
        let text = "CREATE TABLE IF NOT EXISTS migration_lock (id integer PRIMARY KEY CHECK (id = 1)); \
                    INSERT INTO migration_lock (id) VALUES (1) ON CONFLICT DO NOTHING";
        let make = async |tx: &mut Tx| match tx {
            Tx::Postgres(connection) => connection.batch_execute(text).await.map_err(StoreError::from_driver),
            Tx::Sqlite(_) => Ok(()),
        };
        for _ in 1..LOCK_TABLE_ATTEMPTS {
            if self.look(make).await.is_ok() {
                return Ok(());
            }
        }
        self.look(make).await
    }
}

async fn migrate_sqlite(path: String) -> Result<usize, StoreError> {
    blocking(move || {
        let mut connection =
            SqliteConnection::establish(&path).map_err(|error| format!("cannot open {path}: {error}"))?;
        connection
            .batch_execute(
                "PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                 PRAGMA secure_delete = ON;",
            )
            .map_err(|error| format!("cannot open {path}: {error}"))?;
        connection.run_pending_migrations(SQLITE).map(|done| done.len()).map_err(|error| error.to_string())
    })
    .await
}

/// Migrations are synchronous and panic on a current-thread runtime.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> Result<R, String> + Send + 'static,
) -> Result<R, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| StoreError::Unavailable(error.to_string()))?
        .map_err(|error| StoreError::Unavailable(format!("migration failed: {error}")))
}
