//! Loaders: one SQL statement per field and level, whatever the width.
//!
//! | file | what it is |
//! | --- | --- |
//! | `batched` | the one wrapper around the `dataloader` crate |
//! | `set` | the loaders of one operation |
//! | `rows` | rows by a key of theirs |
//! | `lists` | pages of the lists that hang below a user |
//! | `places` | places of users on boards |

mod batched;
mod lists;
mod places;
mod rows;
mod set;

use std::sync::{Arc, Mutex, PoisonError};

pub use batched::Batched;
pub use lists::Fan;
pub use places::BoardKey;
pub use set::LoaderSet;

use crate::engine::Engine;

/// The loaders of one operation: a set that is thrown away when what it remembers may have changed.
pub struct Loaders {
    engine: Arc<Engine>,
    current: Mutex<Arc<LoaderSet>>,
}

impl Loaders {
    /// A fresh set.
    pub fn new(engine: Arc<Engine>) -> Self {
        let current = Mutex::new(Arc::new(LoaderSet::new(engine.clone())));
        Self { engine, current }
    }

    /// The set that is in use.
    pub fn set(&self) -> Arc<LoaderSet> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Forgets everything: before each root field of a mutation, and before each event of a subscription.
    pub fn renew(&self) {
        let fresh = Arc::new(LoaderSet::new(self.engine.clone()));
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
    }
}
