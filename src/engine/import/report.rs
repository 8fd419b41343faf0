//! What is told while an import runs and when it ends. The engine prints nothing itself.

use std::{fmt, time::Duration};

use crate::{engine::Error, store::StoreError};

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Bytes of the file that were read.
    pub bytes: u64,
    /// Rows that were read, the header aside.
    pub rows: u64,
    /// Rows that made something new.
    pub imported: u64,
    /// Rows that say what is known already.
    pub already_there: u64,
    /// Rows that were refused.
    pub bad: u64,
    /// Imported referrals that entered counters and boards.
    pub counted: u64,
}

/// A row that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadRow {
    /// The line of the file that it begins on, from 1 on, the header included.
    pub line: u64,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.reason)
    }
}

/// Who is told how an import goes on.
pub trait Progress: Send + Sync {
    /// So much is done; called after each chunk, and after each step of counting.
    fn advance(&self, so_far: &Tally);
    /// A row was refused. Called for each, in no order.
    fn bad_row(&self, row: &BadRow);
}

/// Nobody is told anything.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Progress for Silent {
    fn advance(&self, _so_far: &Tally) {}
    fn bad_row(&self, _row: &BadRow) {}
}

/// How an import went.
#[derive(Clone, Copy, Debug)]
pub struct Summary {
    /// What became of the rows.
    pub tally: Tally,
    /// How long it took.
    pub took: Duration,
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally { imported, already_there, bad, .. } = self.tally;
        let seconds = self.took.as_secs_f64();
        write!(f, "imported {imported}, already there {already_there}, bad {bad}, in {seconds:.1} s")
    }
}

/// Why an import ended before its file did. What was imported until then stays; it can be run again.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file cannot be read, or not as CSV.
    #[error("the file cannot be read: {0}")]
    Unreadable(String),
    /// The header does not say which column is which.
    #[error("{0}")]
    Header(String),
    /// The database failed.
    #[error(transparent)]
    Engine(#[from] Error),
}

impl From<StoreError> for ImportError {
    fn from(error: StoreError) -> Self {
        Self::Engine(error.into())
    }
}

/// Keeps the tally and tells it.
pub(super) struct Reporter<'a> {
    pub(super) tally: Tally,
    progress: &'a dyn Progress,
}

impl<'a> Reporter<'a> {
    pub(super) fn new(progress: &'a dyn Progress) -> Self {
        Self { tally: Tally::default(), progress }
    }

    /// A row was refused.
    pub(super) fn bad(&mut self, line: u64, reason: impl Into<String>) {
        self.tally.bad += 1;
        self.progress.bad_row(&BadRow { line, reason: reason.into() });
    }

    /// Tells how far the import is.
    pub(super) fn tell(&self) {
        self.progress.advance(&self.tally);
    }
}
