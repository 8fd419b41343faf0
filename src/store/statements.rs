//! Counts the statements that reach a database, so that tests can prove how many a request costs.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
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

impl Instrumentation for Statements {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let text = query.to_string();
            let framing = ["BEGIN", "COMMIT", "ROLLBACK", "PRAGMA"].iter().any(|word| text.starts_with(word));
            if !framing {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}
