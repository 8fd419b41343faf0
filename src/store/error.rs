//! What can go wrong with a database, as far as callers must tell it apart.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

/// A failure of the database. Its text is for the log, never for a caller.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No connection to be had in time, or it was lost: try again later.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// A unique key is taken; `constraint` names it (`users.external_id`) on both databases alike.
    #[error("duplicate key: {constraint}")]
    Duplicate {
        /// `table.column` of the violated key; the name of the constraint where it could not be told.
        constraint: String,
    },
    /// A statement, or the wait for a lock, took longer than it may: try again later.
    #[error("the database took too long: {0}")]
    TooSlow(String),
    /// The transaction lost against another one and may be run again.
    #[error("the transaction must be run again: {0}")]
    Transient(String),
    /// Anything else.
    #[error("database: {0}")]
    Database(DieselError),
    /// A stored value that cannot be understood.
    #[error("stored value: {0}")]
    Corrupt(String),
}

/// Errors that carry, or may carry, a [`StoreError`].
pub trait Failure: From<StoreError> + Send {
    /// Whether running the same transaction again may succeed.
    fn is_transient(&self) -> bool;

    /// Whether the connection on which it happened is not to be used again. One to a file that was opened while its disk
    /// was read-only stays read-only for ever, and one that was lost stays lost.
    fn ends_connection(&self) -> bool;
}

impl Failure for StoreError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Transient(_))
    }

    fn ends_connection(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

impl StoreError {
    /// Sorts a driver's error.
    pub fn from_driver(error: DieselError) -> Self {
        let DieselError::DatabaseError(kind, info) = &error else {
            // SQLite has rolled a commit back itself that found no room, and then has nothing left to roll back.
            return match error {
                DieselError::RollbackErrorOnCommit { commit_error, .. } => Self::from_driver(*commit_error),
                error => Self::Database(error),
            };
        };
        match kind {
            DatabaseErrorKind::UniqueViolation => Self::Duplicate { constraint: violated_key(info.as_ref()) },
            DatabaseErrorKind::SerializationFailure => Self::Transient(info.message().to_owned()),
            DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => {
                Self::Unavailable(info.message().to_owned())
            }
            _ if is_transient_message(info.message()) => Self::Transient(info.message().to_owned()),
            _ if is_over_a_limit(info.message()) => Self::TooSlow(info.message().to_owned()),
            _ if is_lost_connection(info.message()) || is_of_the_disk(info.message()) => {
                Self::Unavailable(info.message().to_owned())
            }
            _ => Self::Database(error),
        }
    }

    /// Whether the database could not be reached, or not in time: nothing is wrong with what was asked of it.
    pub const fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::TooSlow(_))
    }

    /// Whether this is a violation of the unique key `table.column`.
    pub fn is_duplicate_of(&self, key: &str) -> bool {
        matches!(self, Self::Duplicate { constraint } if constraint == key)
    }
}

/// The driver has no kind of its own for a deadlock (40P01) or a busy SQLite file.
fn is_transient_message(message: &str) -> bool {
    ["deadlock detected", "database is locked", "could not serialize access"].iter().any(|text| message.contains(text))
}

/// Nor for a lock that was not had in time (55P03) and a statement that took too long (57014).
fn is_over_a_limit(message: &str) -> bool {
    ["canceling statement due to lock timeout", "canceling statement due to statement timeout"]
        .iter()
        .any(|text| message.contains(text))
}

/// A server that became a standby, or never was anything else, refuses every write (25006): there is another one by now.
fn is_lost_connection(message: &str) -> bool {
    [
        "connection closed",
        "terminating connection",
        "the database system is",
        "unable to open database file",
        "in a read-only transaction",
    ]
    .iter()
    .any(|text| message.contains(text))
}

/// A disk that is full, read-only or broken: the request is as good as any, and may succeed once somebody has seen to the
/// disk. Both databases have words of their own for the first, and no kind.
fn is_of_the_disk(message: &str) -> bool {
    [
        "database or disk is full",
        "disk I/O error",
        "attempt to write a readonly database",
        "No space left on device",
        "Read-only file system",
    ]
    .iter()
    .any(|text| message.contains(text))
}

/// PostgreSQL names a constraint (`users_external_id_key`) and its table, SQLite only says `table.column`: both become
/// `table.column`.
fn violated_key(info: &dyn diesel::result::DatabaseErrorInformation) -> String {
    if let Some((_, columns)) = info.message().split_once("UNIQUE constraint failed: ") {
        return columns.split(',').next().unwrap_or(columns).trim().to_owned();
    }
    let constraint = info.constraint_name().unwrap_or_default();
    match info.table_name().and_then(|table| Some((table, constraint.strip_prefix(table)?))) {
        Some((table, rest)) => {
            let column = rest.trim_start_matches('_').trim_end_matches("_key");
            format!("{table}.{}", if column == "pkey" { "id" } else { column })
        }
        None => constraint.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: &str) -> DieselError {
        DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(message.to_owned()))
    }

    #[test]
    fn a_disk_in_trouble_is_a_database_that_is_not_available() {
        for message in ["database or disk is full", "disk I/O error", "attempt to write a readonly database"] {
            assert!(StoreError::from_driver(failure(message)).is_unavailable(), "{message}");
        }
        assert!(!StoreError::from_driver(failure("no such table: users")).is_unavailable());
    }

    #[test]
    fn what_took_too_long_may_be_tried_again_on_the_same_connection() {
        for message in ["canceling statement due to lock timeout", "canceling statement due to statement timeout"] {
            let error = StoreError::from_driver(failure(message));
            assert!(error.is_unavailable() && !error.is_transient() && !error.ends_connection(), "{message}");
        }
        let standby = StoreError::from_driver(failure("cannot execute INSERT in a read-only transaction"));
        assert!(standby.is_unavailable() && standby.ends_connection());
    }

    #[test]
    fn a_commit_fails_for_its_own_reason() {
        let commit_error = Box::new(failure("database or disk is full"));
        let rollback_error = Box::new(failure("cannot rollback - no transaction is active"));
        let both = DieselError::RollbackErrorOnCommit { rollback_error, commit_error };
        assert!(StoreError::from_driver(both).is_unavailable());
    }
}
