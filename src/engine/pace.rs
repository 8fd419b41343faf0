//! How many rows one transaction takes: many on PostgreSQL, where others write meanwhile; few on SQLite, where nobody does.

use std::time::Duration;

use crate::store::BackendKind;

/// Rows of a transaction of an import on PostgreSQL.
const POSTGRES_IMPORT_ROWS: usize = 5_000;
/// Rows of the first transaction of an import on SQLite.
const SQLITE_FIRST_IMPORT_ROWS: usize = 200;
/// Fewest and most rows of a transaction on SQLite.
const SQLITE_ROWS: (usize, usize) = (20, 2_000);
/// How long a fold may hold the write lock of SQLite: whoever signs up waits for it.
const SQLITE_FOLD_TARGET: Duration = Duration::from_millis(15);
/// Pause between two transactions on SQLite: whoever waits for the write lock asks for it about once a millisecond.
const SQLITE_PAUSE: Duration = Duration::from_millis(3);

/// The number of rows of the next transaction.
#[derive(Debug)]
pub struct Pace {
    rows: usize,
    /// How long a transaction should take; nothing where the number of rows is fixed.
    target: Option<Duration>,
}

impl Pace {
    /// The pace of an import, whose transactions on SQLite hold the write lock for about as long as `target`.
    pub(super) const fn importing(kind: BackendKind, target: Duration) -> Self {
        match kind {
            BackendKind::Postgres => Self { rows: POSTGRES_IMPORT_ROWS, target: None },
            BackendKind::Sqlite => Self { rows: SQLITE_FIRST_IMPORT_ROWS, target: Some(target) },
        }
    }

    /// The pace of a fold, beginning with so many rows.
    pub const fn folding(kind: BackendKind, rows: usize) -> Self {
        match kind {
            BackendKind::Postgres => Self { rows, target: None },
            BackendKind::Sqlite => Self { rows, target: Some(SQLITE_FOLD_TARGET) },
        }
    }

    /// Rows of the next transaction.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Learns from a transaction; a step is never more than a doubling or a halving.
    pub(super) fn learn(&mut self, rows: usize, took: Duration) {
        let Some(target) = self.target else { return };
        let (fewest, most) = SQLITE_ROWS;
        let fitting = rows as f64 * target.as_secs_f64() / took.as_secs_f64().max(1e-6);
        // A chunk that was not full says how long a row takes, but less surely so: it never makes chunks larger.
        let most = if rows < self.rows { self.rows } else { most };
        self.rows = (fitting as usize).clamp(self.rows / 2, self.rows * 2).clamp(fewest, most.max(fewest));
    }

    /// Lets others write.
    pub(super) async fn rest(&self) {
        if self.target.is_some() {
            tokio::time::sleep(SQLITE_PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_number_of_rows_that_fits() {
        let mut pace = Pace::importing(BackendKind::Sqlite, Duration::from_millis(20));
        for _ in 0..10 {
            pace.learn(pace.rows(), Duration::from_micros(40) * pace.rows() as u32);
        }
        assert_eq!(pace.rows(), 500);
        for _ in 0..10 {
            pace.learn(pace.rows(), Duration::from_secs(1));
        }
        assert_eq!(pace.rows(), 20);
        pace.learn(1, Duration::from_nanos(1));
        assert_eq!(pace.rows(), 20, "a chunk of one row proves nothing");
    }

    #[test]
    fn is_fixed_where_others_can_write_meanwhile() {
        let mut pace = Pace::importing(BackendKind::Postgres, Duration::from_millis(20));
        pace.learn(5_000, Duration::from_secs(9));
        assert_eq!(pace.rows(), 5_000);
    }
}
