//! What a simulation comes to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::{
    domain::{history::Effect, id::Id, time::Timestamp},
    store::{models, requests::PaidByRule},
};

/// People that are named as those who would earn most.
const TOP_EARNERS: usize = 10;

/// What a program would have paid, next to what was really granted.
#[derive(Clone, Debug)]
pub struct Simulation {
    /// The program over whose events it ran.
    pub program: models::Program,
    /// Events that were told.
    pub events: u64,
    /// By rule and level, of the simulation or really.
    pub rules: Vec<RuleTotals>,
    /// People who would have something after refunds.
    pub people_paid: u64,
    /// Who would have most, in minor units after refunds, most first.
    pub top_earners: Vec<Earner>,
    /// How often a cap cut a reward or refused it, by rule.
    pub cap_hits: BTreeMap<String, u64>,
}

/// One rule on one level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleTotals {
    /// The rule.
    pub rule_key: String,
    /// The level.
    pub level: i32,
    /// What would have been granted.
    pub simulated: Sum,
    /// What was.
    pub really: Sum,
}

/// How many rewards, and what they come to in minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Rewards.
    pub rewards: i64,
    /// What was granted.
    pub amount: i64,
    /// What is left of it after refunds.
    pub net: i64,
}

/// Somebody who would have earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Earner {
    /// Who.
    pub user: Id,
    /// Minor units after refunds.
    pub net: i64,
}

/// There are millions of them: the rule and level are named by their place among the sums.
struct Granted {
    sum: usize,
    user: Id,
    net: i64,
}

pub(super) struct Tally {
    span: (Timestamp, Timestamp),
    /// Events within the span.
    told: HashSet<Id>,
    granted: HashMap<Id, Granted>,
    sums: Vec<((String, i32), Sum)>,
    cap_hits: BTreeMap<String, u64>,
}

impl Tally {
    pub(super) fn new(span: (Timestamp, Timestamp)) -> Self {
        Self { span, told: HashSet::new(), granted: HashMap::new(), sums: Vec::new(), cap_hits: BTreeMap::new() }
    }

    /// An event comes up.
    pub(super) fn meets(&mut self, event: Id, received_at: Timestamp) {
        if (self.span.0..self.span.1).contains(&received_at) {
            self.told.insert(event);
        }
    }

    pub(super) fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Grant(grant) if self.told.contains(&grant.event) => {
                    let place = self.place((grant.rule_key, grant.level));
                    let (_, sum) = &mut self.sums[place];
                    sum.rewards += 1;
                    sum.amount += grant.amount;
                    sum.net += grant.amount;
                    let granted = Granted { sum: place, user: grant.user, net: grant.amount };
                    self.granted.insert(grant.reward, granted);
                }
                Effect::Reverse { reward, amount } => {
                    if let Some(granted) = self.granted.get_mut(&reward) {
                        granted.net -= amount;
                        self.sums[granted.sum].1.net -= amount;
                    }
                }
                Effect::Grant(_) | Effect::Complete(_) | Effect::Reopen(_) | Effect::Refunded { .. } => {}
            }
        }
    }

    /// The place of a rule's level among the sums; there are a few dozen.
    fn place(&mut self, rule: (String, i32)) -> usize {
        self.sums.iter().position(|(key, _)| *key == rule).unwrap_or_else(|| {
            self.sums.push((rule, Sum::default()));
            self.sums.len() - 1
        })
    }

    /// Caps had less room than was wanted for an event, or for others that a refund of it brought up.
    pub(super) fn capped(&mut self, event: Id, rules: Vec<String>) {
        for rule in rules.into_iter().filter(|_| self.told.contains(&event)) {
            *self.cap_hits.entry(rule).or_default() += 1;
        }
    }

    pub(super) fn finish(self, program: models::Program, paid: Vec<PaidByRule>) -> Simulation {
        let mut earned: HashMap<Id, i64> = HashMap::new();
        for granted in self.granted.values().filter(|granted| granted.net > 0) {
            *earned.entry(granted.user).or_default() += granted.net;
        }
        let mut top: Vec<Earner> = earned.into_iter().map(|(user, net)| Earner { user, net }).collect();
        let people_paid = top.len() as u64;
        top.sort_by_key(|earner| (std::cmp::Reverse(earner.net), earner.user));
        top.truncate(TOP_EARNERS);
        let really: BTreeMap<(String, i32), Sum> = paid.into_iter().map(PaidByRule::into_sum).collect();
        let simulated: BTreeMap<(String, i32), Sum> = self.sums.into_iter().collect();
        let keys: BTreeSet<&(String, i32)> = simulated.keys().chain(really.keys()).collect();
        let of = |sums: &BTreeMap<(String, i32), Sum>, key| sums.get(key).copied().unwrap_or_default();
        let rules = keys.into_iter().map(|key| RuleTotals {
            rule_key: key.0.clone(),
            level: key.1,
            simulated: of(&simulated, key),
            really: of(&really, key),
        });
        Simulation {
            events: self.told.len() as u64,
            rules: rules.collect(),
            people_paid,
            top_earners: top,
            cap_hits: self.cap_hits,
            program,
        }
    }
}

impl PaidByRule {
    fn into_sum(self) -> ((String, i32), Sum) {
        let Self { rule_key, level, rewards, amount, net } = self;
        ((rule_key, level), Sum { rewards, amount, net })
    }
}
