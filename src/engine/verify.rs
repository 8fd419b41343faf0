//! Everything derived against what it is derived from.
//!
//! Sums tell that something is wrong, and whose; what follows by itself from one row names the row: decisions are made
//! again, rewards and claims are held against their own transfers, and caps against the rewards that they let through.

use super::{Engine, Error};
use crate::{
    domain::id::{Id, Noun},
    store::{Tx, requests::UserRange, run},
};

/// People who are looked at at once.
const SLICE: i64 = 200;
/// Most differences of one kind that are named for one slice.
const NAMED_MAX: i64 = 100;

impl Engine {
    /// Names every difference between counters, boards, rewards and balances and what they should be.
    /// Beside live traffic, people who are folded meanwhile are seen before or after, never half-way.
    pub async fn verify(&self) -> Result<Vec<String>, Error> {
        let mut differences = self.given_up().await?;
        differences.extend(self.verify_counters().await?);
        differences.extend(self.verify_boards().await?);
        differences.extend(self.verify_people().await?);
        differences.extend(self.verify_caps().await?);
        differences.extend(self.ledger_check().await?);
        Ok(differences)
    }

    /// What was recorded and could not be folded: nothing of it is paid or counted.
    async fn given_up(&self) -> Result<Vec<String>, Error> {
        let parked = self.store.look(async |tx: &mut Tx| run!(tx, outbox::parked(NAMED_MAX))).await?;
        let told = parked.into_iter().map(|row| {
            let whose = match (row.user_id, row.event_key) {
                (Some(user), _) => user.typed(Noun::User).to_string(),
                (None, key) => format!("event `{}`", key.unwrap_or_default()),
            };
            let error = row.last_error.unwrap_or_default();
            format!("{whose}: what was recorded is not folded after {} attempts: {error}", row.attempts)
        });
        Ok(told.collect())
    }

    /// Decisions, and rewards and claims against their transfers.
    async fn verify_people(&self) -> Result<Vec<String>, Error> {
        let (mut after, mut differences) = (None, Vec::new());
        loop {
            let slice = self.store.read_long(async |tx: &mut Tx| -> Result<_, Error> {
                let users: Vec<Id> = run!(tx, totals::page(after, SLICE))?.iter().map(|row| row.user_id).collect();
                let Some(range) = UserRange::of(&users) else { return Ok((None, Vec::new())) };
                let mut found = run!(tx, entries::differences(range, NAMED_MAX))?;
                found.extend(self.replay(tx, users).await?);
                Ok((Some(range.last), found))
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
