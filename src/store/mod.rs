//! The only room that knows SQL: one set of queries, compiled for PostgreSQL and for SQLite.
//!
//! `postgres.rs` and `sqlite.rs` each define `Connection` and include the same modules under `queries/`; what the two say
//! differently lives in their `bulk` and `fanout`. [`Store`] chooses at run time. There are three doors: [`Store::look`]
//! for one statement, [`Store::read`] for several that must agree, [`Store::write`] for a transaction.

pub mod boards;
pub mod changes;
mod error;
pub mod fanout;
pub mod fraud;
pub mod migrations;
pub mod models;
mod pool;
pub mod requests;
#[macro_use]
mod transaction;
pub mod postgres;
#[rustfmt::skip]
mod schema;
pub mod sql_types;
pub mod sqlite;
mod statements;
mod tls;

use deadpool::managed::Pool;
use diesel_async::pooled_connection::AsyncDieselConnectionManager;

pub use self::{
    error::{Failure, StoreError},
    pool::PoolSettings,
    statements::Statements,
    transaction::{AsyncFunc, Tx},
};
pub(crate) use transaction::run;

/// How a transaction begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// Several reads of one state.
    Snapshot,
    /// The same over whole tables, which may take longer.
    LongSnapshot,
    /// A request's write.
    Write,
    /// A worker's write, which may take longer.
    LongWrite,
}

/// How a transaction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// All of it is kept.
    Commit,
    /// Nothing of it is kept.
    RollBack,
}

/// The database of this installation.
#[derive(Clone)]
pub struct Store {
    backend: Backend,
    statements: Statements,
    url: String,
}

#[derive(Clone)]
enum Backend {
    Postgres {
        pool: Pool<AsyncDieselConnectionManager<postgres::Connection>>,
    },
    Sqlite {
        writer: Pool<AsyncDieselConnectionManager<sqlite::Connection>>,
        readers: Pool<AsyncDieselConnectionManager<sqlite::Connection>>,
    },
}

/// Which of the two databases is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BackendKind {
    /// PostgreSQL 15 or newer.
    Postgres,
    /// SQLite, in this process.
    Sqlite,
}

impl Store {
    /// Opens the database that a URL names: `sqlite://path` or `postgres://...`. Nothing is connected to yet.
    pub fn open(url: &str, settings: &PoolSettings) -> Result<Self, StoreError> {
        let statements = Statements::default();
        let backend = match parse_url(url)? {
            (BackendKind::Postgres, url) => Backend::Postgres { pool: postgres::pool(url, settings, &statements)? },
            (BackendKind::Sqlite, path) => {
                make_parent_folder(path)?;
                Backend::Sqlite {
                    writer: sqlite::pool(path, sqlite::Role::Writer, settings, &statements)?,
                    readers: sqlite::pool(path, sqlite::Role::Reader, settings, &statements)?,
                }
            }
        };
        Ok(Self { backend, statements, url: url.to_owned() })
    }

    /// Which database this is.
    pub const fn kind(&self) -> BackendKind {
        match self.backend {
            Backend::Postgres { .. } => BackendKind::Postgres,
            Backend::Sqlite { .. } => BackendKind::Sqlite,
        }
    }

    /// How many may write at once, each on a connection of its own.
    pub fn writers(&self) -> usize {
        match &self.backend {
            Backend::Postgres { pool } => pool.status().max_size,
            Backend::Sqlite { writer, .. } => writer.status().max_size,
        }
    }

    /// Statements sent so far, for metrics and tests.
    pub const fn statements(&self) -> &Statements {
        &self.statements
    }
}

/// Tells the two schemes apart and says what is wrong with any other.
fn parse_url(url: &str) -> Result<(BackendKind, &str), StoreError> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Ok((BackendKind::Postgres, url));
    }
    match url.strip_prefix("sqlite://") {
        Some("") => {
            Err(StoreError::Unavailable("DATABASE_URL: sqlite:// needs a path, as in sqlite://data/banyan.db".into()))
        }
        Some(path) => Ok((BackendKind::Sqlite, path)),
        None => {
            // Anything else before `://` may be a password.
            let is_scheme = |text: &&str| text.chars().all(|symbol| symbol.is_ascii_lowercase() || symbol == '+');
            let scheme = url.split_once("://").map(|(scheme, _)| scheme).filter(is_scheme).unwrap_or("no scheme");
            Err(StoreError::Unavailable(format!(
                "DATABASE_URL: `{scheme}` is not supported; use sqlite://path or postgres://user@host/database"
            )))
        }
    }
}

fn make_parent_folder(path: &str) -> Result<(), StoreError> {
    match std::path::Path::new(path).parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder)
            .map_err(|error| StoreError::Unavailable(format!("cannot make the folder {}: {error}", folder.display()))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_its_database() {
        assert_eq!(parse_url("sqlite://data/x.db").unwrap(), (BackendKind::Sqlite, "data/x.db"));
        assert_eq!(parse_url("postgres://u@h/d").unwrap(), (BackendKind::Postgres, "postgres://u@h/d"));
        for (url, says) in [
            ("mysql://u@h/d", "`mysql` is not supported"),
            ("banyan.db", "no scheme"),
            ("sqlite://", "needs a path"),
            ("u:secret@h://d", "no scheme"),
        ] {
            assert!(parse_url(url).unwrap_err().to_string().contains(says), "{url}");
        }
    }
}
