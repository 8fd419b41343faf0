//! Counts the statements that reach a database, so that tests can prove how many a request costs.

use std::{
    fmt::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use diesel::connection::{Instrumentation, InstrumentationEvent};

/// A shared count of statements; transactions' own BEGIN and COMMIT are not in it.
#[derive(Clone, Debug, Default)]
pub struct Statements(Arc<AtomicU64>);

impl Statements {
    /// Statements sent so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The first bytes of a statement; the rest is not even written out, as that costs more than some statements do.
#[derive(Default)]
struct Beginning(String);

impl Beginning {
    /// Longest word that tells a transaction's framing apart.
    const BYTES: usize = 8;

    fn of(query: &dyn fmt::Display) -> Self {
        let mut beginning = Self::default();
        let _enough_was_seen = write!(beginning, "{query}");
        beginning
    }

    fn is_framing(&self) -> bool {
        ["BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"].iter().any(|word| self.0.starts_with(word))
    }
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(text.chars().take(Self::BYTES - self.0.len().min(Self::BYTES)));
        if self.0.len() < Self::BYTES { Ok(()) } else { Err(fmt::Error) }
    }
}

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event
            && !Beginning::of(query).is_framing()
        {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_framing_is_left_out() {
        for framing in ["BEGIN", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK TO SAVEPOINT x", "PRAGMA journal_mode = WAL"] {
            assert!(Beginning::of(&framing).is_framing(), "{framing}");
        }
        for statement in ["SELECT 1", "INSERT INTO users", "UPDATE", ""] {
            assert!(!Beginning::of(&statement).is_framing(), "{statement}");
        }
        assert_eq!(Beginning::of(&"SELECT something long").0, "SELECT s");
    }
}
