//! What an event pays: rules 7 to 14 and 16.

use crate::{
    calendar::which,
    model::{Model, days},
    operation::{Person, Program, RewardName},
    plan::{Cap, Flat, Pay, Plan, Rule, Tier, To, Trigger, WHOLE},
    state::{Decision, Outcome, Reward, Status},
};

impl Model {
    /// What is left of an event after its refunds, each cut to what the ones before it left; nothing for events without
    /// an amount.
    pub fn left(&self, event: usize) -> Option<i64> {
        let event = &self.events[event];
        let mut left = event.amount?;
        for refund in self.refunds.iter().filter(|refund| refund.event_key == event.key) {
            left -= refund.amount.unwrap_or(left).min(left);
        }
        Some(left)
    }

    /// Rule 8: whether an event counts for a trigger at all.
    fn qualifies(&self, event: usize, trigger: &Trigger) -> bool {
        self.events[event].event == trigger.event
            && match self.left(event) {
                Some(left) => left > 0 && left >= trigger.min_amount.unwrap_or(0),
                None => trigger.min_amount.is_none(),
            }
    }

    /// Rule 8: whether an event is the one that a trigger waits for.
    fn satisfies(&self, event: usize, trigger: &Trigger) -> bool {
        let mine = self.events_of(self.events[event].person);
        let counting: Vec<usize> = mine.into_iter().filter(|event| self.qualifies(*event, trigger)).collect();
        if trigger.every { counting.contains(&event) } else { counting.get(trigger.count - 1) == Some(&event) }
    }

    fn events_of(&self, person: Person) -> Vec<usize> {
        (0..self.events.len()).filter(|event| self.events[*event].person == person).collect()
    }

    /// The version that was in force when an event was accepted.
    fn plan_of(&self, event: usize) -> Option<&Plan> {
        self.events[event].version.map(|(program, version)| &self.programs[program].versions[version])
    }

    /// Rule 7: whether the referral that brought somebody in is completed.
    fn is_completed(&self, person: Person) -> bool {
        let completes =
            |event: &usize| self.plan_of(*event).is_some_and(|plan| self.satisfies(*event, &plan.qualifying));
        self.events_of(person).iter().any(completes)
    }

    /// Completed direct referrals of somebody, in one program or in all.
    pub fn completed_referrals(&self, person: Person, program: Option<Program>) -> usize {
        let direct = self.people.iter().filter(|known| {
            known.referral.is_some_and(|(above, of)| above == person && program.is_none_or(|program| program == of))
        });
        direct.filter(|known| self.is_completed(known.person)).count()
    }

    /// Looks again at everything that somebody did: takes back what no longer holds, then decides what was not decided.
    pub(crate) fn look_again(&mut self, person: Person) {
        for reward in 0..self.rewards.len() {
            if self.events[self.rewards[reward].event].person == person {
                let net = self.stands(&self.rewards[reward]);
                self.lower(reward, net);
            }
        }
        for event in self.events_of(person) {
            let rules = self.plan_of(event).map(|plan| plan.rules.clone()).unwrap_or_default();
            for rule in rules {
                let decided = self.decisions.iter().any(|old| old.event == event && old.rule == rule.key);
                if !decided && self.satisfies(event, &rule.on) && self.has_had(person, &rule.requires) {
                    let outcome = self.decide(event, &rule);
                    self.decisions.push(Decision { event, rule: rule.key, outcome });
                }
            }
        }
    }

    /// Rule 9: whether somebody had an event of each of these types, refunded or not.
    fn has_had(&self, person: Person, types: &[&'static str]) -> bool {
        types.iter().all(|wanted| self.events.iter().any(|event| event.person == person && event.event == *wanted))
    }

    /// Rule 16: what still stands of a reward; never more than before.
    fn stands(&self, reward: &Reward) -> i64 {
        let rules = self.plan_of(reward.event).map(|plan| plan.rules.as_slice()).unwrap_or_default();
        let rule = rules.iter().find(|rule| rule.key == reward.name.rule);
        match reward.pay {
            _ if !rule.is_some_and(|rule| self.satisfies(reward.event, &rule.on)) => 0,
            Flat::Fixed(_) => reward.net,
            Flat::Percent(_) => self.worth(reward.event, reward.pay).min(reward.net),
        }
    }

    /// A reward of which nothing stands is reversed, unless it was claimed or has expired.
    pub(crate) fn lower(&mut self, reward: usize, net: i64) {
        let reward = &mut self.rewards[reward];
        reward.net = net;
        if net == 0 && matches!(reward.status, Status::Pending | Status::Available) {
            reward.status = Status::Reversed;
        }
    }

    /// Rule 11: what an amount or a rate comes to for an event.
    fn worth(&self, event: usize, pay: Flat) -> i64 {
        match pay {
            Flat::Fixed(amount) => amount,
            Flat::Percent(rate) => share(self.left(event).unwrap_or(0), rate),
        }
    }

    /// Decides about one event and one rule, now.
    fn decide(&mut self, event: usize, rule: &Rule) -> Outcome {
        if !self.events[event].active {
            return Outcome::Paused;
        }
        let outcomes: Vec<Outcome> = self
            .beneficiaries(event, rule)
            .into_iter()
            .map(|(level, beneficiary, pay)| self.grant(event, rule, level, beneficiary.zip(pay)))
            .collect();
        let paid = outcomes.iter().find(|outcome| **outcome == Outcome::Paid);
        paid.or(outcomes.first()).copied().unwrap_or(Outcome::Nobody)
    }

    /// Who is to be paid for each level, and what: rules 9, 10 and 12.
    fn beneficiaries(&self, event: usize, rule: &Rule) -> Vec<(usize, Option<Person>, Option<Flat>)> {
        let referred = self.events[event].person;
        let above = self.ancestors(referred);
        let active = |person: &Person| self.takes_part(*person);
        match &rule.to {
            To::Referred(pay) => {
                let pay = flat(pay, self.completed_by(referred, event, referred));
                vec![(0, Some(referred).filter(active), pay)]
            }
            To::Referrer(pay) => {
                let referrer = above.first().copied();
                let pay = referrer.and_then(|referrer| flat(pay, self.completed_by(referrer, event, referred)));
                vec![(1, referrer.filter(active), pay)]
            }
            To::Upline { levels, compress } => {
                let line: Vec<Person> = above.into_iter().filter(|person| !compress || active(person)).collect();
                let at = |level: usize| line.get(level - 1).copied().filter(active);
                levels.iter().map(|level| (level.level, at(level.level), Some(level.pay))).collect()
            }
        }
    }

    /// Rule 10: completed direct referrals of somebody in the program of an event. The referral that the event is paid
    /// for is one of them, whether it is completed or not.
    fn completed_by(&self, beneficiary: Person, event: usize, referred: Person) -> usize {
        let program = self.events[event].version.map(|(program, _)| program);
        let this_one = self.referrer(referred) == Some(beneficiary) && !self.is_completed(referred);
        self.completed_referrals(beneficiary, program) + usize::from(this_one)
    }

    /// Grants one level of a rule, as far as the cap has room.
    fn grant(&mut self, event: usize, rule: &Rule, level: usize, to: Option<(Person, Flat)>) -> Outcome {
        let Some((beneficiary, pay)) = to else { return Outcome::Nobody };
        let Some((program, _)) = self.events[event].version else { return Outcome::Nobody };
        let worth = self.worth(event, pay);
        if worth == 0 {
            return Outcome::Zero;
        }
        let room = rule.cap.as_ref().map(|cap| self.room(event, &rule.key, cap, beneficiary));
        let amount = room.map_or(worth, |room| room.min(worth));
        if amount <= 0 {
            return Outcome::CapUsed;
        }
        let available_at = self.events[event].received_at + days(rule.hold_days);
        self.rewards.push(Reward {
            name: RewardName { event_key: self.events[event].key.clone(), rule: rule.key.clone(), level },
            event,
            program,
            beneficiary,
            currency: self.programs[program].versions[0].currency.code,
            pay,
            amount,
            net: amount,
            status: if self.now < available_at { Status::Pending } else { Status::Available },
            available_at,
            expires_at: rule.expires_after_days.map(|after| available_at + days(after)),
            taken: None,
        });
        Outcome::Paid
    }

    /// Rule 14: how much a cap still lets through. What was granted counts, whatever became of it.
    fn room(&self, event: usize, rule: &str, cap: &Cap, beneficiary: Person) -> i64 {
        let when = |event: usize| {
            let zone = self.plan_of(event).map(|plan| plan.zone);
            zone.map(|zone| which(cap.period, self.events[event].received_at, zone))
        };
        let program = self.events[event].version.map(|(program, _)| program);
        let granted: Vec<&Reward> = self
            .rewards
            .iter()
            .filter(|old| Some(old.program) == program && old.name.rule == rule && when(old.event) == when(event))
            .collect();
        let theirs: Vec<&&Reward> = granted.iter().filter(|old| old.beneficiary == beneficiary).collect();
        if cap.per_user_count.is_some_and(|count| theirs.len() >= count) {
            return 0;
        }
        let theirs: i64 = theirs.iter().map(|old| old.amount).sum();
        let all: i64 = granted.iter().map(|old| old.amount).sum();
        let user_room = cap.per_user_amount.map_or(i64::MAX, |amount| amount - theirs);
        user_room.min(cap.budget.map_or(i64::MAX, |budget| budget - all))
    }
}

/// Rule 11: a rate of an amount, rounded down.
fn share(amount: i64, rate: i64) -> i64 {
    let exact = i128::from(amount) * i128::from(rate) / i128::from(WHOLE);
    i64::try_from(exact).unwrap_or(i64::MAX)
}

/// The highest tier that is reached; nothing when none is.
fn flat(pay: &Pay, completed: usize) -> Option<Flat> {
    match pay {
        Pay::Flat(flat) => Some(*flat),
        Pay::Tiers(tiers) => {
            let reached: Vec<&Tier> = tiers.iter().filter(|tier| tier.from <= completed).collect();
            reached.last().map(|tier| tier.pay)
        }
    }
}
