//! Everything derived against what it is derived from.

use super::{Engine, Error};
use crate::{
    domain::id::Id,
    store::{Tx, run},
};

/// People whose decisions are replayed at once.
const SLICE: i64 = 200;

impl Engine {
    /// Names every difference between counters, boards, rewards and balances and what they should be.
    /// Beside live traffic, people who are folded meanwhile are seen before or after, never half-way.
    pub async fn verify(&self) -> Result<Vec<String>, Error> {
        let mut differences = self.verify_counters().await?;
        differences.extend(self.verify_boards().await?);
        differences.extend(self.verify_decisions().await?);
        differences.extend(self.ledger_check().await?);
        Ok(differences)
    }

    async fn verify_decisions(&self) -> Result<Vec<String>, Error> {
        let (mut after, mut differences) = (None, Vec::new());
        loop {
            let slice = self.store.read(async |tx: &mut Tx| -> Result<_, Error> {
                let users: Vec<Id> = run!(tx, totals::page(after, SLICE))?.iter().map(|row| row.user_id).collect();
                let last = users.last().copied();
                Ok((last, self.replay(tx, users).await?))
            });
            let (last, found) = slice.await?;
            differences.extend(found);
            match last {
                Some(last) => after = Some(last),
                None => return Ok(differences),
            }
        }
    }
}
