//! Money that moves in one transaction: transfers, the balances that follow from them, and moves of rewards between
//! states.

use std::collections::BTreeMap;

use crate::{
    domain::{
        id::Id,
        reward::{AccountKind, RewardStatus},
        time::Timestamp,
    },
    failpoint::{self, Point},
    store::{
        StoreError, Tx,
        changes::AccountChange,
        models::{Claim, NewRewardMove, NewTransfer, Reward},
        run,
    },
};

/// Who is named as the actor of what time does.
const CLOCKWORK: &str = "banyan";

/// What one transaction adds to the ledger.
#[derive(Default)]
pub(super) struct Ledger {
    transfers: Vec<NewTransfer>,
    moves: Vec<NewRewardMove>,
    accounts: BTreeMap<(Id, String), AccountChange>,
}

impl Ledger {
    /// Money of a reward moves between two accounts of its owner, or from or to the issuer.
    pub(super) fn of_reward(
        &mut self,
        reward: &Reward,
        (from, to): (AccountKind, AccountKind),
        amount: i64,
        reason: &str,
        at: Timestamp,
    ) {
        let (user_id, currency) = (reward.user_id, reward.currency.clone());
        self.book(
            NewTransfer {
                user_id,
                currency,
                from_account: from.word().to_owned(),
                to_account: to.word().to_owned(),
                amount,
                reward_id: Some(reward.id),
                claim_id: None,
                reason: reason.to_owned(),
                created_at: at,
            },
            (from, to),
        );
    }

    /// Money of a claim moves between two accounts of its owner.
    pub(super) fn of_claim(
        &mut self,
        claim: &Claim,
        (from, to): (AccountKind, AccountKind),
        amount: i64,
        reason: &str,
        at: Timestamp,
    ) {
        let (user_id, currency) = (claim.user_id, claim.currency.clone());
        self.book(
            NewTransfer {
                user_id,
                currency,
                from_account: from.word().to_owned(),
                to_account: to.word().to_owned(),
                amount,
                reward_id: None,
                claim_id: Some(claim.id),
                reason: reason.to_owned(),
                created_at: at,
            },
            (from, to),
        );
    }

    /// A reward leaves its state for another.
    pub(super) fn moved(&mut self, reward: &Reward, to: RewardStatus, actor: &str, reason: &str, at: Timestamp) {
        self.moves.push(NewRewardMove {
            reward_id: reward.id,
            from_status: reward.status,
            to_status: to,
            net: reward.net,
            actor: actor.to_owned(),
            reason: reason.to_owned(),
            created_at: at,
        });
    }

    /// What time alone does to a reward (rule 15): a hold that ends, then an unclaimed reward that lapses, both at once
    /// when nobody looked in between. Says whether anything happened.
    pub(super) fn let_time_tell(&mut self, reward: &mut Reward, now: Timestamp) -> bool {
        let before = reward.status;
        while let Some((to, reason)) = due_move(reward, now) {
            self.moved(reward, to, CLOCKWORK, reason, now);
            self.of_reward(reward, (reward.status.account(), to.account()), reward.net, reason, now);
            reward.status = to;
        }
        reward.status != before
    }

    /// Nothing moves for nothing: an amount of zero leaves no trace.
    fn book(&mut self, transfer: NewTransfer, (from, to): (AccountKind, AccountKind)) {
        if transfer.amount == 0 {
            return;
        }
        let key = (transfer.user_id, transfer.currency.clone());
        let account =
            self.accounts.entry(key).or_insert_with(|| AccountChange::none(transfer.user_id, &transfer.currency));
        add(account, from, -transfer.amount);
        add(account, to, transfer.amount);
        self.transfers.push(transfer);
    }

    /// Writes everything. The owners' totals are locked already; accounts are locked here, in the order of their keys.
    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), StoreError> {
        run!(tx, accounts::insert_transfers(self.transfers))?;
        if !self.accounts.is_empty() {
            failpoint::reach(Point::TransfersInserted);
        }
        run!(tx, rewards::insert_moves(self.moves))?;
        let accounts: Vec<AccountChange> = self.accounts.into_values().collect();
        if !accounts.is_empty() {
            run!(tx, bulk::add_accounts(accounts))?;
        }
        Ok(())
    }
}

/// The issuer's balance is derived, not stored: it would be the hottest row. A debt is stored as a positive
/// number, and what is owed to the user as a negative one.
fn add(account: &mut AccountChange, kind: AccountKind, amount: i64) {
    match kind {
        AccountKind::Issuer => {}
        AccountKind::Pending => account.pending += amount,
        AccountKind::Available => account.available += amount,
        AccountKind::Withheld => account.withheld += amount,
        AccountKind::Claimed => account.claimed += amount,
        AccountKind::Paid => account.paid += amount,
        AccountKind::Debt => account.debt -= amount,
    }
}

fn due_move(reward: &Reward, now: Timestamp) -> Option<(RewardStatus, &'static str)> {
    match reward.status {
        RewardStatus::Pending if reward.available_at <= now => Some((RewardStatus::Available, "the hold is over")),
        RewardStatus::Available if reward.expires_at.is_some_and(|expires_at| expires_at <= now) => {
            Some((RewardStatus::Expired, "not claimed in time"))
        }
        _ => None,
    }
}
