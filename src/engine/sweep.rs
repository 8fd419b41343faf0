//! Rewards whose time has come: holds that end, rewards that lapse (rule 15).
//!
//! Claims go by the instants themselves, so nothing depends on how soon this runs.

use super::{Engine, Error, ledger::Ledger};
use crate::{
    domain::{
        id::Id,
        reward::{AccountKind, RewardStatus},
        time::Timestamp,
    },
    failpoint::{self, Point},
    live::{Hint, Topic},
    store::{StoreError, Tx, models, requests::RewardChange, run},
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
    for reward in run!(tx, rewards::lock(rewards))? {
        let Some(to) = due_move(&reward, now) else { continue };
        let reason = if to == RewardStatus::Available { "the hold is over" } else { "not claimed in time" };
        ledger.moved(&reward, to, "banyan", reason, now);
        let accounts: (AccountKind, AccountKind) = (reward.status.account(), to.account());
        ledger.of_reward(&reward, accounts, reward.net, reason, now);
        let change = RewardChange { to, ..RewardChange::of(&reward, version) };
        if !run!(tx, rewards::change(change))? {
            return Err(StoreError::Transient("a reward changed meanwhile".to_owned()).into());
        }
        failpoint::reach(Point::SweepMoved);
    }
    ledger.write(tx).await?;
    failpoint::reach(Point::SweepBooked);
    Ok(version)
}

fn due_move(reward: &models::Reward, now: Timestamp) -> Option<RewardStatus> {
    match reward.status {
        RewardStatus::Pending if reward.available_at <= now => Some(RewardStatus::Available),
        RewardStatus::Available if reward.expires_at.is_some_and(|expires_at| expires_at <= now) => {
            Some(RewardStatus::Expired)
        }
        _ => None,
    }
}
