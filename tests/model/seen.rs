//! What is compared after each step: the same words for the model and for the house.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{Model, name},
    operation::{Person, RewardName},
    state::{Claim, ClaimStatus, Decision, Outcome, Reward, Status},
};

/// Everything that can be seen of one person.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PersonSeen {
    /// Who brought them in.
    pub referrer: Option<String>,
    /// Their completed direct referrals, over all programs.
    pub completed: usize,
    /// What they have, by currency.
    pub balances: BTreeMap<String, BalanceSeen>,
    /// What they were granted.
    pub rewards: BTreeSet<RewardSeen>,
    /// What they asked for, sorted.
    pub claims: Vec<ClaimSeen>,
}

/// What somebody has in one currency, in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BalanceSeen {
    /// On hold.
    pub pending: i64,
    /// To be claimed.
    pub available: i64,
    /// Held back for review.
    pub withheld: i64,
    /// In claims that wait.
    pub claimed: i64,
    /// Paid out.
    pub paid: i64,
    /// Owed.
    pub debt: i64,
}

/// One reward.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RewardSeen {
    /// Its name.
    pub name: RewardName,
    /// What was granted.
    pub amount: i64,
    /// What still stands.
    pub net: i64,
    /// Its state.
    pub status: String,
}

/// One claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimSeen {
    /// Its currency.
    pub currency: String,
    /// What is paid.
    pub amount: i64,
    /// What was owed and taken off; nothing once the payout failed.
    pub netted: i64,
    /// What was owed to the person and added; nothing once the payout failed.
    pub credited: i64,
    /// Its state.
    pub status: String,
}

/// What an account holds by its transfers: person, currency, account and minor units; none that hold nothing. What is owed
/// is below zero, a credit above.
pub type BookedSeen = (String, String, String, i64);

/// What was decided about one event and one rule: the event's key, the rule's key, and whether anything was paid.
pub type DecisionSeen = (String, String, bool);

impl PersonSeen {
    /// What can be seen of somebody, a thing a line.
    pub fn lines(&self, person: &str) -> BTreeSet<String> {
        let mut lines = BTreeSet::new();
        lines.insert(format!("{person} was brought in by {:?}", self.referrer));
        lines.insert(format!("{person} has {} completed", self.completed));
        for (currency, balance) in &self.balances {
            lines.insert(format!("{person} {currency} {balance:?}"));
        }
        for RewardSeen { name, amount, net, status } in &self.rewards {
            let RewardName { event_key, rule, level } = name;
            lines.insert(format!("{person} reward {event_key} {rule} {level}: {amount}, net {net}, {status}"));
        }
        for (place, claim) in self.claims.iter().enumerate() {
            lines.insert(format!("{person} claim {place}: {claim:?}"));
        }
        lines
    }
}

impl Model {
    /// What can be seen of somebody who signed up.
    pub fn see(&self, person: Person) -> PersonSeen {
        let mine = self.rewards.iter().filter(|reward| reward.beneficiary == person);
        let reward = |reward: &Reward| RewardSeen {
            name: reward.name.clone(),
            amount: reward.amount,
            net: reward.net,
            status: reward.status.word().to_owned(),
        };
        let claims = self.claims.iter().filter(|claim| claim.name.person == person);
        let claim = |claim: &Claim| ClaimSeen {
            currency: claim.name.currency.to_owned(),
            amount: claim.amount,
            netted: if claim.status == ClaimStatus::Failed { 0 } else { claim.netted },
            credited: if claim.status == ClaimStatus::Failed { 0 } else { claim.credited },
            status: claim.status.word().to_owned(),
        };
        let mut claims: Vec<ClaimSeen> = claims.map(claim).collect();
        claims.sort();
        PersonSeen {
            referrer: self.referrer(person).map(name),
            completed: self.completed_referrals(person, None),
            balances: mine.clone().map(|reward| self.balance(person, reward.currency)).collect(),
            rewards: mine.map(reward).collect(),
            claims,
        }
    }

    fn balance(&self, person: Person, currency: &'static str) -> (String, BalanceSeen) {
        let of = |status: Status| self.sum_of_net(person, currency, status);
        let seen = BalanceSeen {
            pending: of(Status::Pending),
            available: of(Status::Available) + self.credit(person, currency),
            withheld: 0,
            claimed: self.sum_of_claims(person, currency, ClaimStatus::Requested),
            paid: self.sum_of_claims(person, currency, ClaimStatus::Paid),
            debt: self.debt(person, currency),
        };
        (currency.to_owned(), seen)
    }

    /// What the ledger has to say, as far as it is not nothing.
    pub fn booked(&self) -> BTreeSet<BookedSeen> {
        let mut booked = BTreeSet::new();
        for known in &self.people {
            let person = known.person;
            let mine = self.rewards.iter().filter(|reward| reward.beneficiary == person);
            for currency in mine.map(|reward| reward.currency).collect::<BTreeSet<_>>() {
                let accounts = [
                    ("PENDING", self.sum_of_net(person, currency, Status::Pending)),
                    ("AVAILABLE", self.sum_of_net(person, currency, Status::Available)),
                    ("CLAIMED", self.sum_of_claims(person, currency, ClaimStatus::Requested)),
                    ("PAID", self.sum_of_claims(person, currency, ClaimStatus::Paid)),
                    ("DEBT", -self.balance_of_debt(person, currency)),
                ];
                let line =
                    |(account, amount): (&str, i64)| (name(person), currency.to_owned(), account.to_owned(), amount);
                booked.extend(accounts.into_iter().filter(|(_, amount)| *amount != 0).map(line));
            }
        }
        booked
    }

    /// What was decided about somebody's events.
    pub fn decisions_of(&self, person: Person) -> BTreeSet<DecisionSeen> {
        let decisions = self.decisions.iter().filter(|decision| self.events[decision.event].person == person);
        let seen = |decision: &Decision| {
            let paid = decision.outcome == Outcome::Paid;
            (self.events[decision.event].key.clone(), decision.rule.clone(), paid)
        };
        decisions.map(seen).collect()
    }
}
