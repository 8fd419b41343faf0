//! Carrying out what a score or a reviewer says about a referral: holding back, letting go, rejecting (rule 21).

use super::{
    decide::{ACTOR, Desk, Ordered},
    people::Person,
    risk::{Decision, Shrunk},
};
use crate::{
    domain::{
        fraud::Ruling,
        id::Id,
        reward::RewardStatus,
        time::DAY_MICROS,
        words::{ReferralStatus, Standing},
    },
    store::changes::NETWORK_LEVELS,
};

impl Desk<'_> {
    /// What the score makes of the referral, before anything else about the person is decided.
    pub(super) fn carry_out(&mut self, person: &mut Person, is_counted: bool) {
        match person.risk.ruling {
            None => {}
            Some(Ruling::Reject) => self.reject(person, Standing::Blocked, is_counted),
            Some(Ruling::Hold) => {
                self.decided.order.push(Ordered::Risk(person.id));
                person.risk.standing = Standing::Held;
                self.withhold(person.id);
            }
        }
    }

    /// What somebody decided about the referral, after all that came before.
    pub(super) fn review(&mut self, person: &mut Person) {
        let Some(verdict) = &person.risk.verdict else { return };
        match verdict.decision {
            Decision::Deny { is_counted } => self.reject(person, Standing::Denied, is_counted),
            Decision::Approve => {
                self.decided.order.push(Ordered::Risk(person.id));
                person.risk.standing = Standing::Approved;
                self.release(person.id);
            }
        }
    }

    /// A rejected referral leaves counters and boards, and all that it brought is taken back.
    fn reject(&mut self, person: &mut Person, standing: Standing, is_counted: bool) {
        if person.history.referral.as_ref().is_none_or(|referral| referral.status == ReferralStatus::Rejected) {
            return;
        }
        self.decided.order.push(Ordered::Risk(person.id));
        person.risk.standing = standing;
        let effects = person.history.reject(&mut self.world);
        self.take_effects(person, effects);
        let Some(referral) = person.referral.as_ref().filter(|_| is_counted) else { return };
        self.count(person, referral, -1);
        let above = person.history.upline.iter().take(NETWORK_LEVELS).copied().collect();
        self.decided.shrunk.push(Shrunk { above, lost: referral.created_at });
    }

    /// Holds back what the referral brought and nobody has claimed.
    fn withhold(&mut self, person: Id) {
        const IN_HAND: &[RewardStatus] = &[RewardStatus::Pending, RewardStatus::Available];
        for reward in self.brought_by(person, IN_HAND) {
            self.let_time_tell(reward);
        }
        for reward in self.brought_by(person, IN_HAND) {
            self.move_reward(reward, RewardStatus::Withheld, "held for review");
        }
    }

    /// Lets go of what was held back. What could have lapsed meanwhile can be claimed for a day at least.
    fn release(&mut self, person: Id) {
        for reward in self.brought_by(person, &[RewardStatus::Withheld]) {
            let Some(row) = self.rewards.get_mut(&reward).map(|state| &mut state.row) else { continue };
            row.expires_at = row.expires_at.map(|at| at.max(self.now.plus_micros(DAY_MICROS)));
            let is_due = row.available_at <= self.now;
            let to = if is_due { RewardStatus::Available } else { RewardStatus::Pending };
            self.move_reward(reward, to, "reviewed");
        }
    }

    fn brought_by(&self, person: Id, in_states: &[RewardStatus]) -> Vec<Id> {
        let brought = self.rewards.values().map(|state| &state.row).filter(|row| row.referred_id == person);
        let mut rewards: Vec<Id> = brought.filter(|row| in_states.contains(&row.status)).map(|row| row.id).collect();
        rewards.sort_unstable();
        rewards
    }

    /// What had lapsed before it could be held back stays lapsed.
    fn let_time_tell(&mut self, reward: Id) {
        let Some(state) = self.rewards.get_mut(&reward) else { return };
        if self.decided.ledger.let_time_tell(&mut state.row, self.now) {
            state.changed = true;
            let owner = state.row.user_id;
            self.totals(owner);
        }
    }

    fn move_reward(&mut self, reward: Id, to: RewardStatus, reason: &str) {
        let Some(state) = self.rewards.get_mut(&reward) else { return };
        self.decided.ledger.moved(&state.row, to, ACTOR, reason, self.now);
        let accounts = (state.row.status.account(), to.account());
        state.row.status = to;
        state.changed = true;
        let row = state.row.clone();
        self.decided.ledger.of_reward(&row, accounts, row.net, reason, self.now);
        self.totals(row.user_id);
    }
}
