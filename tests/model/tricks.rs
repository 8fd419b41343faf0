//! What is nasty about money: early refunds, thirds, repeated keys, claims, failed payouts, debts and credits.

use rand::RngExt;

use crate::{
    history::Teller,
    operation::{ClaimName, Operation},
    plans::{happens, pick},
    state::{ClaimStatus, Reward, Status},
};

impl Teller {
    /// Refunds of an event that comes later, if at all.
    pub(crate) fn early_refund(&mut self) {
        let Some(event) = self.purchase() else { return };
        let Operation::RecordEvent { key: event_key, amount: Some(amount), .. } = event.clone() else { return };
        for _ in 0..self.rng.random_range(1..=2) {
            let part = pick(&mut self.rng, &[None, Some(amount / 2), Some(amount / 3), Some(amount + 1)]);
            let key = self.key("f");
            self.add(Operation::RecordRefund {
                key,
                event_key: event_key.clone(),
                amount: part.filter(|part| *part > 0),
            });
        }
        self.expected.push(event);
    }

    /// An event of which something is left, and how much.
    fn refundable(&mut self) -> Option<(String, i64)> {
        let with_rest = |place: usize| Some((self.model.events[place].key.clone(), self.model.left(place)?));
        let events: Vec<(String, i64)> = (0..self.model.events.len()).filter_map(with_rest).collect();
        let left: Vec<(String, i64)> = events.iter().filter(|(_, left)| *left > 0).cloned().collect();
        // What was paid for and claimed makes debts.
        let is_taken =
            |key: &str| self.model.rewards.iter().any(|old| old.taken.is_some() && old.name.event_key == key);
        let taken: Vec<(String, i64)> = left.iter().filter(|(key, _)| is_taken(key)).cloned().collect();
        if !taken.is_empty() && happens(&mut self.rng, 50) {
            return self.one_of(&taken);
        }
        // Now and then one of which nothing is left.
        if happens(&mut self.rng, 5) { self.one_of(&events) } else { self.one_of(&left) }
    }

    pub(crate) fn refund(&mut self) {
        let Some((event_key, left)) = self.refundable() else { return };
        let parts =
            [None, Some(left / 2), Some(left / 4), Some(left / 3), Some(left), Some(left - 1), Some(left + 1), Some(1)];
        let amount = pick(&mut self.rng, &parts).filter(|amount| *amount > 0);
        let key = self.key("f");
        self.add(Operation::RecordRefund { key, event_key, amount });
    }

    pub(crate) fn three_thirds(&mut self) {
        let Some((event_key, left)) = self.refundable() else { return };
        for third in [left / 3, left / 3, left - 2 * (left / 3)] {
            if third > 0 {
                let key = self.key("f");
                self.add(Operation::RecordRefund { key, event_key: event_key.clone(), amount: Some(third) });
            }
        }
    }

    pub(crate) fn repeat_refund(&mut self) {
        let old = self.model.refunds.clone();
        if let Some(old) = self.one_of(&old) {
            let amount = if happens(&mut self.rng, 60) { old.amount } else { old.amount.map_or(Some(1), |_| None) };
            self.add(Operation::RecordRefund { key: old.key, event_key: old.event_key, amount });
        }
    }

    /// Mostly somebody who has something to claim, and rather somebody who owes or to whom something is owed.
    pub(crate) fn claim(&mut self) {
        let rewards: Vec<_> =
            self.model.rewards.iter().filter(|old| old.status == Status::Available).cloned().collect();
        let owes = |reward: &&Reward| {
            let available = self.model.sum_of_net(reward.beneficiary, reward.currency, Status::Available);
            (1..available).contains(&self.model.debt(reward.beneficiary, reward.currency))
        };
        let owing: Vec<Reward> = rewards.iter().filter(owes).cloned().collect();
        let chosen = if happens(&mut self.rng, 60) { self.one_of(&owing) } else { None };
        let chosen = chosen.or_else(|| self.one_of(&rewards));
        let anybody = self.somebody().filter(|_| happens(&mut self.rng, 15));
        let credited: Vec<_> = self.model.claims.iter().map(|claim| claim.name.clone()).collect();
        let credited: Vec<_> =
            credited.into_iter().filter(|name| self.model.credit(name.person, name.currency) > 0).collect();
        let creditor = if happens(&mut self.rng, 50) { self.one_of(&credited) } else { None };
        let creditor = creditor.map(|name| name.person);
        let Some(person) = creditor.or(anybody).or(chosen.map(|reward| reward.beneficiary)) else { return };
        let mut names = None;
        if happens(&mut self.rng, 35) {
            let any = if happens(&mut self.rng, 80) { &rewards } else { &self.model.rewards };
            let mine = any.iter().filter(|reward| reward.beneficiary == person).map(|reward| reward.name.clone());
            let how_many = self.rng.random_range(1..=3);
            names = Some(mine.take(how_many).collect());
        }
        let key = self.key("c");
        self.add(Operation::Claim { person, key, rewards: names });
    }

    pub(crate) fn repeat_claim(&mut self) {
        let old = self.model.requests.clone();
        if let Some(old) = self.one_of(&old) {
            let named = self.model.rewards.iter().find(|reward| reward.beneficiary == old.person);
            let other = named.map(|reward| vec![reward.name.clone()]);
            let rewards = if happens(&mut self.rng, 60) { old.rewards } else { other };
            self.add(Operation::Claim { person: old.person, key: old.key, rewards });
        }
    }

    pub(crate) fn settle(&mut self) {
        let is_open = |status: ClaimStatus| status == ClaimStatus::Requested;
        let any_state = happens(&mut self.rng, 15);
        let claims = self.model.claims.iter().filter(|claim| any_state || is_open(claim.status));
        let claims: Vec<ClaimName> = claims.map(|claim| claim.name.clone()).collect();
        if let Some(claim) = self.one_of(&claims) {
            let paid = happens(&mut self.rng, 60);
            self.add(Operation::Settle { claim, paid });
        }
    }

    /// A story in itself: somebody claims, or is paid out, what they claimed is taken back, and what they earn next has to
    /// cover what they owe. Then either payout may fail.
    pub(crate) fn owe(&mut self) {
        let is_open = |old: &&Reward| old.status == Status::Available && !old.name.event_key.starts_with("signup");
        let rewards: Vec<Reward> = self.model.rewards.iter().filter(is_open).cloned().collect();
        let Some(reward) = self.one_of(&rewards) else { return };
        let (person, currency) = (reward.beneficiary, reward.currency);
        let first = self.key("c");
        self.add(Operation::Claim { person, key: first.clone(), rewards: None });
        let first = ClaimName { person, key: first, currency };
        if happens(&mut self.rng, 50) {
            self.add(Operation::Settle { claim: first.clone(), paid: true });
        }
        let key = self.key("f");
        let left = self.model.left(reward.event);
        let amount = pick(&mut self.rng, &[None, left.map(|left| left / 2)]).filter(|amount| *amount > 0);
        self.add(Operation::RecordRefund { key, event_key: reward.name.event_key, amount });
        let event = self.model.events[reward.event].clone();
        for times in [1, 2] {
            let (key, amount) = (self.key("e"), event.amount.map(|amount| times * amount));
            self.add(Operation::RecordEvent { key, person: event.person, event: event.event, amount });
        }
        let key = self.key("c");
        self.add(Operation::Claim { person, key: key.clone(), rewards: None });
        if happens(&mut self.rng, 60) {
            self.add(Operation::Settle { claim: first, paid: false });
            let again = self.key("c");
            self.add(Operation::Claim { person, key: again.clone(), rewards: None });
            let paid = happens(&mut self.rng, 50);
            self.add(Operation::Settle { claim: ClaimName { person, key: again, currency }, paid });
        }
        if happens(&mut self.rng, 60) {
            let paid = happens(&mut self.rng, 40);
            self.add(Operation::Settle { claim: ClaimName { person, key, currency }, paid });
        }
    }
}
