//! Rewards whose time has come: holds that end, rewards that lapse (rule 15).
//!
//! Claims go by the instants themselves, so nothing depends on how soon this runs.

use super::{Engine, Error, ledger::Ledger};
use crate::{
    domain::{id::Id, time::Timestamp},
    failpoint::{self, Point},
    live::{Hint, Topic},
    store::{StoreError, Tx, requests::RewardChange, run},
};

/// Rewards of one sweep.
const SWEEP_LIMIT: i64 = 500;

impl Engine {
    /// Releases and expires what is due, one user per transaction, and says how many rewards that were.
    pub async fn sweep(&self) -> Result<usize, Error> {
        let now = self.context.now();
        let due = self.store.read(async |tx: &mut Tx| run!(tx, rewards::due(now, SWEEP_LIMIT))).await?;
        let mut by_user: std::collections::BTreeMap<Id, Vec<Id>> = std::collections::BTreeMap::new();
        for (user, reward) in &due {
            by_user.entry(*user).or_default().push(*reward);
        }
        if !by_user.is_empty() {
            failpoint::reach(Point::SweepFound);
        }
        for (user, rewards) in by_user {
            let work = async |tx: &mut Tx| sweep_user(tx, user, rewards.clone(), now).await;
            let version = self.store.write(work).await?;
            failpoint::reach(Point::SweepCommitted);
            self.live.publish(vec![Hint::new(Topic::User(user.uuid()), version)]);
            failpoint::reach(Point::SweepPublished);
        }
        Ok(due.len())
    }
}

async fn sweep_user(tx: &mut Tx, user: Id, rewards: Vec<Id>, now: Timestamp) -> Result<i64, Error> {
    let version = run!(tx, totals::bump(user))?;
    let mut ledger = Ledger::default();
    for mut reward in run!(tx, rewards::lock(rewards))? {
        let before = reward.status;
        if !ledger.let_time_tell(&mut reward, now) {
            continue;
        }
        let change = RewardChange { from: before, ..RewardChange::of(&reward, version) };
        if !run!(tx, rewards::change(change))? {
            return Err(StoreError::Transient("a reward changed meanwhile".to_owned()).into());
        }
        failpoint::reach(Point::SweepMoved);
    }
    ledger.write(tx).await?;
    failpoint::reach(Point::SweepBooked);
    Ok(version)
}
