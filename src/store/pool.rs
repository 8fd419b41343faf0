//! Sizes and time limits of connection pools.

use std::time::Duration;

use deadpool::{
    Runtime,
    managed::{Manager, Pool, TimeoutType},
};

use super::error::StoreError;

/// How long a caller waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a caller waits for SQLite's one writer.
const WRITER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long opening a connection may take.
pub(super) const CREATE_TIMEOUT: Duration = Duration::from_secs(3);
/// Connections of a pool unless told otherwise.
const DEFAULT_CONNECTIONS: usize = 10;

/// Sizes and limits of a pool.
#[derive(Clone, Debug)]
pub struct PoolSettings {
    /// Connections to PostgreSQL, or readers of an SQLite file.
    pub connections: usize,
    /// Longest statement of PostgreSQL, in milliseconds.
    pub statement_timeout_millis: u32,
}

impl Default for PoolSettings {
    fn default() -> Self {
        Self { connections: DEFAULT_CONNECTIONS, statement_timeout_millis: 3_000 }
    }
}

impl PoolSettings {
    /// How a PostgreSQL session is set up, as start-up options: limits, and how the planner is to weigh.
    ///
    /// Every statement here finds its rows by an index. With the price that a random page has on a turning disk, the
    /// planner would rather read all of a table of a hundred thousand users to change two thousand of them; and compiling
    /// a plan costs more than statements of milliseconds can gain.
    pub(super) fn session_options(&self) -> String {
        let statement = self.statement_timeout_millis;
        format!(
            "-c statement_timeout={statement} -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000 \
             -c random_page_cost=1.1 -c jit=off"
        )
    }

    pub(super) fn build<M: Manager>(&self, manager: M, size: usize) -> Result<Pool<M>, StoreError> {
        let wait = if size == 1 { WRITER_TIMEOUT } else { ACQUIRE_TIMEOUT };
        Pool::builder(manager)
            .max_size(size)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(wait))
            .create_timeout(Some(CREATE_TIMEOUT))
            .recycle_timeout(Some(CREATE_TIMEOUT))
            .build()
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }
}

/// Says what a caller waited for in vain.
pub(super) fn explain<E: std::fmt::Display>(error: deadpool::managed::PoolError<E>) -> StoreError {
    StoreError::Unavailable(match error {
        deadpool::managed::PoolError::Timeout(TimeoutType::Wait) => "all connections are busy".to_owned(),
        deadpool::managed::PoolError::Timeout(_) => "connecting took too long".to_owned(),
        deadpool::managed::PoolError::Backend(error) => error.to_string(),
        other => other.to_string(),
    })
}
