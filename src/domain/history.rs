//! The history of one person, and what follows from the next thing in it (rules 7 to 9, 13 and 16).
//!
//! Everything undecided about a person is fed in the order of the insert sequence. After each item all events are
//! looked at again: a rule that an event satisfies for the first time is decided, a reward whose event no longer
//! satisfies its rule is reversed, and the referral is completed exactly while some event qualifies.

use std::collections::BTreeMap;

use super::{
    id::Id,
    program::{Definition, Pay, Rule, Trigger},
    time::Timestamp,
    words::ReferralStatus,
};

/// One person as far as decisions about their events need them.
#[derive(Clone, Debug)]
pub struct History {
    /// Who brought the person in; nothing is paid without.
    pub referral: Option<Referral>,
    /// Decided events, in the order in which they were decided.
    pub events: Vec<Event>,
    /// Rewards that these events brought, in any state.
    pub rewards: Vec<Granted>,
}

/// The person's referral.
#[derive(Clone, Debug)]
pub struct Referral {
    /// The program that it belongs to.
    pub program: Id,
    /// Who brought the person in.
    pub referrer: Id,
    /// Its state.
    pub status: ReferralStatus,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: Id,
    /// What happened.
    pub event_type: String,
    /// What is left of its amount after refunds, in minor units; nothing for events without an amount.
    pub remaining: Option<i64>,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// The program and version in force when it was accepted, with what they promise.
    pub program: Option<InForce>,
    /// What was decided about it, by rule.
    pub decisions: Decisions,
}

/// The program version that an event falls under.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The program.
    pub program: Id,
    /// Its version.
    pub version: i32,
    /// What that version promises.
    pub definition: std::sync::Arc<Definition>,
    /// Whether the event may pay at all: the program was active and the event was not imported without rewards.
    pub pays: bool,
}

/// Decisions of one event, by rule key; each is taken once.
pub type Decisions = BTreeMap<String, Decision>;

/// What was decided for one event and rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// A reward was granted.
    Granted,
    /// The program was paused when the event came, or the event was imported without rewards.
    NotPaying,
    /// The referral is rejected.
    ReferralRejected,
    /// Whoever would be paid is suspended or erased.
    BeneficiaryInactive,
    /// The amount came to nothing.
    Zero,
}

/// A reward that exists already.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Its id.
    pub reward: Id,
    /// The event that it was granted for.
    pub event: Id,
    /// The rule that granted it.
    pub rule_key: String,
    /// What the rules grant now, in minor units.
    pub net: i64,
}

/// Something new in the history.
#[derive(Clone, Debug)]
pub enum Item {
    /// An event.
    Event(Event),
    /// A refund of an event of this person.
    Refund {
        /// The refund.
        refund: Id,
        /// The event that it takes from.
        event: Id,
        /// Minor units; nothing means all that is left.
        amount: Option<i64>,
    },
}

/// Something that follows from an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A reward is granted.
    Grant(Grant),
    /// What is left of a reward is taken back.
    Reverse {
        /// The reward.
        reward: Id,
        /// Minor units taken back.
        amount: i64,
    },
    /// The referral is completed at this instant.
    Complete(Timestamp),
    /// The referral is no longer completed; it was at this instant.
    Reopen(Timestamp),
    /// This much of a refund was applied to its event, in minor units.
    Refunded {
        /// The refund.
        refund: Id,
        /// Minor units; zero when nothing was left.
        applied: i64,
    },
}

/// A reward to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Id of the new reward.
    pub reward: Id,
    /// The event that is paid for.
    pub event: Id,
    /// Who is paid.
    pub user: Id,
    /// The program.
    pub program: Id,
    /// Its version.
    pub version: i32,
    /// The rule.
    pub rule_key: String,
    /// What the reward is called.
    pub kind: String,
    /// 0 for the referred user, 1 for the referrer.
    pub level: i32,
    /// Minor units of the program's currency.
    pub amount: i64,
    /// From when on it can be claimed.
    pub available_at: Timestamp,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
}

/// What a decision may ask about the rest of the world.
pub trait World {
    /// Whether a person can be paid: neither suspended nor erased.
    fn can_earn(&self, user: Id) -> bool;
    /// The id of a new reward.
    fn new_reward_id(&mut self) -> Id;
}

impl History {
    /// Takes the next item of `person` in and says what follows from it, in order.
    pub fn decide(&mut self, person: Id, item: Item, world: &mut impl World) -> Vec<Effect> {
        let mut effects = Vec::new();
        match item {
            Item::Event(event) => self.events.push(event),
            Item::Refund { refund, event, amount } => {
                effects.push(Effect::Refunded { refund, applied: self.take_back(event, amount) });
            }
        }
        self.reconsider(person, world, &mut effects);
        effects.extend(self.settle_referral());
        effects
    }

    /// Takes at most what is left from an event and says how much that was.
    fn take_back(&mut self, event: Id, amount: Option<i64>) -> i64 {
        let Some(remaining) =
            self.events.iter_mut().find(|past| past.id == event).and_then(|past| past.remaining.as_mut())
        else {
            return 0;
        };
        let applied = amount.unwrap_or(*remaining).min(*remaining);
        *remaining -= applied;
        applied
    }

    fn reconsider(&mut self, person: Id, world: &mut impl World, effects: &mut Vec<Effect>) {
        for place in 0..self.events.len() {
            let Some(in_force) = self.events[place].program.clone() else { continue };
            for rule in &in_force.definition.rules {
                let satisfied = self.satisfies(place, &rule.on);
                let decided = self.events[place].decisions.contains_key(&rule.key);
                if satisfied && !decided {
                    self.decide_rule(person, place, &in_force, rule, world, effects);
                } else if decided && !satisfied {
                    self.reverse(place, &rule.key, effects);
                }
            }
        }
    }

    /// Whether the event at `place` is the one that a trigger asks for, as things stand now.
    fn satisfies(&self, place: usize, trigger: &Trigger) -> bool {
        let admits = |event: &Event| trigger.admits(&event.event_type, event.remaining);
        if !admits(&self.events[place]) {
            return false;
        }
        trigger.every || self.events[..=place].iter().filter(|event| admits(event)).count() == trigger.count as usize
    }

    fn decide_rule(
        &mut self,
        person: Id,
        place: usize,
        in_force: &InForce,
        rule: &Rule,
        world: &mut impl World,
        effects: &mut Vec<Effect>,
    ) {
        let decision = match self.beneficiary(person, in_force, rule, world) {
            Err(refusal) => refusal,
            Ok(user) => {
                let grant = grant(&self.events[place], user, in_force, rule, world.new_reward_id());
                self.rewards.push(Granted {
                    reward: grant.reward,
                    event: grant.event,
                    rule_key: rule.key.clone(),
                    net: grant.amount,
                });
                effects.push(Effect::Grant(grant));
                Decision::Granted
            }
        };
        self.events[place].decisions.insert(rule.key.clone(), decision);
    }

    /// Who is paid by a rule, or why nobody is.
    fn beneficiary(&self, person: Id, in_force: &InForce, rule: &Rule, world: &impl World) -> Result<Id, Decision> {
        let referral = self.referral.as_ref().filter(|referral| referral.program == in_force.program);
        let referral = referral.ok_or(Decision::NotPaying)?;
        if !in_force.pays {
            return Err(Decision::NotPaying);
        }
        if referral.status == ReferralStatus::Rejected {
            return Err(Decision::ReferralRejected);
        }
        let user = if rule.to.level() == 0 { person } else { referral.referrer };
        let Pay::Fixed(amount) = rule.pay;
        match (world.can_earn(user), amount > 0) {
            (false, _) => Err(Decision::BeneficiaryInactive),
            (true, false) => Err(Decision::Zero),
            (true, true) => Ok(user),
        }
    }

    fn reverse(&mut self, place: usize, rule_key: &str, effects: &mut Vec<Effect>) {
        let event = self.events[place].id;
        let due = self
            .rewards
            .iter_mut()
            .filter(|reward| reward.event == event && reward.rule_key == rule_key && reward.net > 0);
        for reward in due {
            effects.push(Effect::Reverse { reward: reward.reward, amount: reward.net });
            reward.net = 0;
        }
    }

    /// Completes or reopens the referral when the events say otherwise than it does.
    fn settle_referral(&mut self) -> Vec<Effect> {
        let qualified_at = self.qualified_at();
        let Some(referral) = self.referral.as_mut().filter(|referral| referral.status != ReferralStatus::Rejected)
        else {
            return Vec::new();
        };
        let before = referral.completed_at;
        if before == qualified_at {
            return Vec::new();
        }
        referral.completed_at = qualified_at;
        referral.status = if qualified_at.is_some() { ReferralStatus::Completed } else { ReferralStatus::Pending };
        before.map(Effect::Reopen).into_iter().chain(qualified_at.map(Effect::Complete)).collect()
    }

    /// When the first event was accepted that satisfies the qualifying trigger of its program version.
    fn qualified_at(&self) -> Option<Timestamp> {
        let referral = self.referral.as_ref()?;
        let qualifies = |place: &usize| {
            let in_force = self.events[*place].program.as_ref().filter(|in_force| in_force.program == referral.program);
            in_force.is_some_and(|in_force| self.satisfies(*place, &in_force.definition.qualifying))
        };
        (0..self.events.len()).find(qualifies).map(|place| self.events[place].received_at)
    }
}

fn grant(event: &Event, user: Id, in_force: &InForce, rule: &Rule, reward: Id) -> Grant {
    let Pay::Fixed(amount) = rule.pay;
    let available_at = event.received_at.plus_days(rule.hold_days);
    Grant {
        reward,
        event: event.id,
        user,
        program: in_force.program,
        version: in_force.version,
        rule_key: rule.key.clone(),
        kind: rule.kind.clone(),
        level: rule.to.level(),
        amount,
        available_at,
        expires_at: rule.expires_after_days.map(|days| available_at.plus_days(days)),
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
