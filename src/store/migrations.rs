//! Brings a database to the schema of this program: embedded migrations, one replica at a time.

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{BackendKind, Store, StoreError, Tx, parse_url};

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

    async fn migrate_postgres(&self) -> Result<usize, StoreError> {
        self.make_lock_table().await?;
        self.write_long(async |tx: &mut Tx| {
            let Tx::Postgres(lock) = tx else { return Err(StoreError::Corrupt("not PostgreSQL".to_owned())) };
            lock.batch_execute(
                "SET LOCAL idle_in_transaction_session_timeout = 0; SELECT id FROM migration_lock FOR UPDATE",
            )
            .await
            .map_err(StoreError::from_driver)?;
            self.run_postgres().await
        })
        .await
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

    async fn run_postgres(&self) -> Result<usize, StoreError> {
        let loan = match &self.backend {
            super::Backend::Postgres { pool } => pool.get().await.map_err(super::pool::explain)?,
            super::Backend::Sqlite { .. } => return Ok(0),
        };
        let connection: AsyncPgConnection = super::postgres::Loan::take(loan);
        // Index builds of later migrations may take longer than a request's statement.
        let mut connection = connection;
        connection.batch_execute("SET statement_timeout = 0").await.map_err(StoreError::from_driver)?;
        blocking(move || {
            let mut harness = AsyncMigrationHarness::new(connection);
            harness.run_pending_migrations(POSTGRES).map(|done| done.len()).map_err(|error| error.to_string())
        })
        .await
    }
}

async fn migrate_sqlite(path: String) -> Result<usize, StoreError> {
    blocking(move || {
        let mut connection =
            SqliteConnection::establish(&path).map_err(|error| format!("cannot open {path}: {error}"))?;
        connection
            .batch_execute("PRAGMA busy_timeout = 30000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
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
