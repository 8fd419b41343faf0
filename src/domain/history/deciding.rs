//! What follows from the next item of a history.

use super::{
    COMPRESS_LEVELS, CapTaken, Decision, EarlyRefund, Effect, Event, Grant, Granted, History, InForce, Item, Recorded,
    Referral, World,
};
use crate::domain::{
    explanation::Explanation,
    id::Id,
    pay::{Flat, Payee, reached},
    program::{Rule, Trigger},
    time::Timestamp,
    words::ReferralStatus,
};

impl History {
    /// Takes the next item of `person` in and says what follows from it, in order.
    pub fn decide(&mut self, person: Id, item: Item, world: &mut impl World) -> Vec<Effect> {
        let mut effects = Vec::new();
        // Triggers look at an event and those before it, `requires` at which types there are: nothing before `from` can
        // be satisfied, or no longer be, for the first time.
        let from = match &item {
            Item::Event { event, .. } if !self.has_had_type(&event.event_type) => 0,
            Item::Event { .. } => self.events.len(),
            Item::Refund { event, .. } => self.place_of(*event).unwrap_or(self.events.len()),
        };
        match item {
            Item::Event { event, early } => {
                let id = event.id;
                self.events.push(event);
                let refunded = early.into_iter().map(|EarlyRefund { refund, amount }| Effect::Refunded {
                    refund,
                    applied: self.take_back(id, amount),
                });
                effects.extend(refunded);
            }
            Item::Refund { refund, event, amount } => {
                effects.push(Effect::Refunded { refund, applied: self.take_back(event, amount) });
            }
        }
        self.settle_referral(world, &mut effects);
        self.reconsider((person, from), world, &mut effects);
        effects
    }

    /// Rejects the referral: it is completed no longer, and all that it brought on any level is taken back (rule 21).
    pub fn reject(&mut self, world: &mut impl World) -> Vec<Effect> {
        let Some(referral) = self.referral.as_mut().filter(|referral| referral.status != ReferralStatus::Rejected)
        else {
            return Vec::new();
        };
        referral.status = ReferralStatus::Rejected;
        let completed = referral.completed_at.take();
        if completed.is_some() {
            world.completes(referral.referrer, referral.program, -1);
        }
        let mut effects: Vec<Effect> = completed.map(Effect::Reopen).into_iter().collect();
        for reward in self.rewards.iter_mut().filter(|reward| reward.net > 0) {
            effects.push(Effect::Reverse { reward: reward.reward, amount: reward.net });
            reward.net = 0;
        }
        effects
    }

    /// When the referral would be completed if these events came next.
    pub fn would_complete(&self, next: impl IntoIterator<Item = Event>) -> Option<(String, Timestamp)> {
        let referral = self.referral.clone();
        let mut ahead = Self { referral, upline: Vec::new(), events: self.events.clone(), rewards: Vec::new() };
        for event in next {
            ahead.events.push(event);
            if let Some(place) = ahead.qualifying_place() {
                let event = &ahead.events[place];
                return Some((event.event_type.clone(), event.received_at));
            }
        }
        None
    }

    /// Takes at most what is left from an event and says how much that was.
    fn take_back(&mut self, event: Id, amount: Option<i64>) -> i64 {
        let place = self.place_of(event);
        let Some(remaining) = place.and_then(|place| self.events[place].remaining.as_mut()) else { return 0 };
        let applied = amount.unwrap_or(*remaining).min(*remaining);
        *remaining -= applied;
        applied
    }

    fn reconsider(&mut self, (person, from): (Id, usize), world: &mut impl World, effects: &mut Vec<Effect>) {
        for place in from..self.events.len() {
            let Some(in_force) = self.events[place].program.clone() else { continue };
            for rule in &in_force.definition.rules {
                let satisfied = self.satisfies(place, &rule.on);
                let decided = self.events[place].decisions.has(&rule.key);
                match (decided, satisfied) {
                    (false, true) if self.has_had(&rule.requires) => {
                        self.decide_rule(Case { person, place, in_force: &in_force, rule }, world, effects);
                    }
                    (false, _) => {}
                    (true, true) => self.cut(place, &rule.key, effects),
                    (true, false) => self.reverse(place, &rule.key, effects),
                }
            }
        }
    }

    fn has_had(&self, types: &[String]) -> bool {
        types.iter().all(|wanted| self.has_had_type(wanted))
    }

    fn has_had_type(&self, wanted: &str) -> bool {
        self.events.iter().any(|event| event.event_type == wanted)
    }

    fn place_of(&self, event: Id) -> Option<usize> {
        self.events.iter().rposition(|past| past.id == event)
    }

    /// Whether the event at `place` is the one that a trigger asks for, as things stand now.
    fn satisfies(&self, place: usize, trigger: &Trigger) -> bool {
        let admits = |event: &Event| trigger.admits(&event.event_type, event.remaining);
        if !admits(&self.events[place]) {
            return false;
        }
        trigger.every || self.events[..=place].iter().filter(|event| admits(event)).count() == trigger.count as usize
    }

    fn decide_rule(&mut self, case: Case<'_>, world: &mut impl World, effects: &mut Vec<Effect>) {
        let mut decisions = Vec::new();
        for level in case.rule.to.levels() {
            let decision = match self.decide_level(case, level, world) {
                Err(refusal) => refusal,
                Ok(grant) => {
                    self.rewards.push(Granted {
                        reward: grant.reward,
                        event: grant.event,
                        rule_key: grant.rule_key.clone(),
                        pay: grant.explanation.pay,
                        amount: grant.amount,
                        net: grant.amount,
                    });
                    effects.push(Effect::Grant(grant));
                    Decision::Granted
                }
            };
            decisions.push((level, decision));
        }
        self.events[case.place].decisions.note(&case.rule.key, decisions);
    }

    /// What one level is granted, or why nothing.
    fn decide_level(&self, case: Case<'_>, level: i32, world: &mut impl World) -> Result<Grant, Decision> {
        let Case { person, place, in_force, rule } = case;
        let (event, referral) = (&self.events[place], self.paying(in_force)?);
        let recorded = world.recorded(event.id, &rule.key, level);
        let (user, completed) = match recorded {
            Some(Recorded::Refused(reason)) if reason.is_of_its_moment() => return Err(reason),
            Some(Recorded::Granted { user, completed, .. }) => (user, completed),
            Some(Recorded::Refused(_)) | None => {
                let user = self.stands_at((person, referral), (&rule.to, level), world)?;
                (user, rule.to.tiers().map(|_| self.completed_with_this(user, in_force.program, world)))
            }
        };
        let tier = match (rule.to.tiers(), completed) {
            (Some(tiers), completed) => Some(reached(tiers, completed.unwrap_or(0)).ok_or(Decision::NoTier)?),
            (None, _) => None,
        };
        let pay = tier.map(|tier| tier.pay).or_else(|| rule.to.flat(level)).ok_or(Decision::Zero)?;
        let (wanted, rounded) = pay.of(event.remaining);
        if wanted <= 0 {
            return Err(Decision::Zero);
        }
        let amount = match (&rule.cap, recorded) {
            (None, _) => wanted,
            (Some(_), Some(Recorded::Granted { amount, .. })) => wanted.min(amount),
            (Some(cap), _) => {
                let (program, rule_key, at) = (in_force.program, rule.key.as_str(), event.received_at);
                world.take(CapTaken { program, rule_key, cap, user, at, wanted })
            }
        };
        if amount <= 0 {
            return Err(Decision::CapReached);
        }
        let explanation = Explanation {
            base: event.remaining,
            pay,
            tier: tier.map(|tier| tier.from_referrals),
            completed,
            wanted,
            rounded,
        };
        let available_at = event.received_at.plus_days(rule.hold_days);
        Ok(Grant {
            reward: world.new_reward_id(),
            event: event.id,
            user,
            program: in_force.program,
            version: in_force.version,
            rule_key: rule.key.clone(),
            kind: rule.kind.clone(),
            level,
            amount,
            explanation,
            available_at,
            expires_at: rule.expires_after_days.map(|days| available_at.plus_days(days)),
        })
    }

    /// Completed direct referrals of a beneficiary. The one that is paid for counts, completed or not.
    fn completed_with_this(&self, user: Id, program: Id, world: &impl World) -> u32 {
        let completed = world.completed(user, program);
        let this = self.referral.as_ref().filter(|referral| referral.referrer == user && referral.program == program);
        completed + u32::from(this.is_some_and(|referral| referral.status == ReferralStatus::Pending))
    }

    /// The referral, if its program pays for an event under these terms.
    fn paying(&self, in_force: &InForce) -> Result<&Referral, Decision> {
        let referral = self.referral.as_ref().filter(|referral| referral.program == in_force.program);
        let referral = referral.filter(|_| in_force.pays).ok_or(Decision::NotPaying)?;
        match referral.status {
            ReferralStatus::Rejected => Err(Decision::ReferralRejected),
            ReferralStatus::Pending | ReferralStatus::Completed => Ok(referral),
        }
    }

    /// Who stands at a level, if they can be paid.
    fn stands_at(
        &self,
        (person, referral): (Id, &Referral),
        (to, level): (&Payee, i32),
        world: &impl World,
    ) -> Result<Id, Decision> {
        let above = usize::try_from(level - 1).unwrap_or(0);
        let user = match to {
            Payee::Referred(_) => person,
            Payee::Referrer(_) => referral.referrer,
            Payee::Upline { compress: false, .. } => *self.upline.get(above).ok_or(Decision::LevelMissing)?,
            Payee::Upline { compress: true, .. } => {
                let mut active = self.upline.iter().take(COMPRESS_LEVELS).filter(|user| world.can_earn(**user));
                *active.nth(above).ok_or(Decision::LevelMissing)?
            }
        };
        if world.can_earn(user) { Ok(user) } else { Err(Decision::BeneficiaryInactive) }
    }

    /// Rewards of an event by a rule that still stand.
    fn standing(&mut self, place: usize, rule_key: &str) -> impl Iterator<Item = &mut Granted> {
        let event = self.events[place].id;
        self.rewards
            .iter_mut()
            .filter(move |reward| reward.event == event && reward.rule_key == rule_key && reward.net > 0)
    }

    fn reverse(&mut self, place: usize, rule_key: &str, effects: &mut Vec<Effect>) {
        for reward in self.standing(place, rule_key) {
            effects.push(Effect::Reverse { reward: reward.reward, amount: reward.net });
            reward.net = 0;
        }
    }

    /// Shares of the event are computed again on what is left of it, with the rate that was chosen; they never grow.
    fn cut(&mut self, place: usize, rule_key: &str, effects: &mut Vec<Effect>) {
        let left = self.events[place].remaining;
        for reward in self.standing(place, rule_key) {
            let Flat::Percent(_) = reward.pay else { continue };
            let net = reward.pay.of(left).0.min(reward.net);
            if net < reward.net {
                effects.push(Effect::Reverse { reward: reward.reward, amount: reward.net - net });
                reward.net = net;
            }
        }
    }

    /// Completes or reopens the referral when the events say otherwise than it does.
    fn settle_referral(&mut self, world: &mut impl World, effects: &mut Vec<Effect>) {
        let qualified_at = self.qualified_at();
        let Some(referral) = self.referral.as_mut().filter(|referral| referral.status != ReferralStatus::Rejected)
        else {
            return;
        };
        let before = referral.completed_at;
        if before == qualified_at {
            return;
        }
        referral.completed_at = qualified_at;
        referral.status = if qualified_at.is_some() { ReferralStatus::Completed } else { ReferralStatus::Pending };
        let step = i32::from(qualified_at.is_some()) - i32::from(before.is_some());
        world.completes(referral.referrer, referral.program, step);
        effects.extend(before.map(Effect::Reopen));
        effects.extend(qualified_at.map(Effect::Complete));
    }

    /// When the first event was accepted that satisfies the qualifying trigger of its program version.
    fn qualified_at(&self) -> Option<Timestamp> {
        self.qualifying_place().map(|place| self.events[place].received_at)
    }

    fn qualifying_place(&self) -> Option<usize> {
        let referral = self.referral.as_ref()?;
        let qualifies = |place: &usize| {
            let in_force = self.events[*place].program.as_ref().filter(|in_force| in_force.program == referral.program);
            in_force.is_some_and(|in_force| self.satisfies(*place, &in_force.definition.qualifying))
        };
        (0..self.events.len()).find(qualifies)
    }
}

/// One event under one rule.
#[derive(Clone, Copy)]
struct Case<'a> {
    person: Id,
    place: usize,
    in_force: &'a InForce,
    rule: &'a Rule,
}
