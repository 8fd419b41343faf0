//! Random histories, bent towards what is nasty. A seed gives the same one every time.

use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::{
    calendar::DAY,
    model::Model,
    operation::{Answer, Operation, Person, Program, Step},
    plan::Plan,
    plans::{TYPES, happens, next_version, pick, programs, unit},
    state::Status,
};

/// What happens how often.
const WEIGHTS: [(Kind, u32); 17] = [
    (Kind::SignUp, 4),
    (Kind::Buy, 32),
    (Kind::Verify, 6),
    (Kind::RepeatEvent, 3),
    (Kind::EarlyRefund, 4),
    (Kind::Refund, 9),
    (Kind::ThreeThirds, 1),
    (Kind::RepeatRefund, 3),
    (Kind::Claim, 12),
    (Kind::RepeatClaim, 2),
    (Kind::Settle, 10),
    (Kind::Owe, 4),
    (Kind::Wait, 9),
    (Kind::Suspend, 2),
    (Kind::Reinstate, 4),
    (Kind::Program, 5),
    (Kind::Move, 5),
];

/// People of a history, and operations after the first people came.
const PEOPLE: std::ops::RangeInclusive<usize> = 5..=8;
const OPERATIONS: std::ops::RangeInclusive<usize> = 20..=60;
/// Of a hundred histories, how many have simple plans.
const SIMPLE: u32 = 30;

/// Monday, 2026-03-02T00:00:00Z: where the history of seed 0 begins.
const FIRST_MONDAY: i64 = 1_772_409_600;
/// How far apart the histories of two seeds begin, and how long one may last.
const SPAN: i64 = 98 * DAY;
/// So many seeds have a time of their own; the year stays below 10,000.
const TIMES: u64 = 20_000;
/// Seconds between two operations, unless one waits.
const PACE: i64 = 60;
/// Seconds between the times of day of any two operations, and to midnight anywhere. Holds and expiries are whole days,
/// so that no instant that a reward has is nearer than this to an operation.
const GUARD: i64 = 10;

/// A history.
#[derive(Clone, Debug)]
pub struct History {
    /// What it was made from.
    pub seed: u64,
    /// The programs.
    pub plans: Vec<Plan>,
    /// What happens, in this order.
    pub steps: Vec<Step>,
}

/// A kind of operation.
#[derive(Clone, Copy, Debug)]
enum Kind {
    SignUp,
    Buy,
    Verify,
    RepeatEvent,
    EarlyRefund,
    Refund,
    ThreeThirds,
    RepeatRefund,
    Claim,
    RepeatClaim,
    Settle,
    Owe,
    Wait,
    Suspend,
    Reinstate,
    Program,
    Move,
}

/// Makes the history of a seed.
pub fn history(seed: u64) -> History {
    let mut rng = StdRng::seed_from_u64(seed);
    let how_many = rng.random_range(1..=3);
    let is_full = !happens(&mut rng, SIMPLE);
    let plans = programs(&mut rng, how_many, is_full);
    let begin = FIRST_MONDAY + i64::try_from(seed % TIMES).unwrap_or(0) * SPAN;
    let mut teller = Teller {
        model: Model::new(&plans),
        rng,
        begin,
        at: begin + 9 * 3_600,
        steps: Vec::new(),
        expected: Vec::new(),
        keys: 0,
    };
    teller.tell();
    History { seed, plans, steps: teller.steps }
}

/// Tells a history and plays it at once, to know what would be nasty next.
pub(crate) struct Teller {
    pub(crate) model: Model,
    pub(crate) rng: StdRng,
    begin: i64,
    at: i64,
    steps: Vec<Step>,
    /// Events that were refunded and are still to come.
    pub(crate) expected: Vec<Operation>,
    keys: usize,
}

impl Teller {
    fn tell(&mut self) {
        let people = self.rng.random_range(PEOPLE);
        for _ in 0..people - 2 {
            self.sign_up();
        }
        let operations = self.rng.random_range(OPERATIONS);
        let total: u32 = WEIGHTS.iter().map(|(_, weight)| weight).sum();
        for _ in 0..operations {
            let mut drawn = self.rng.random_range(0..total);
            let kind = WEIGHTS.iter().find(|(_, weight)| {
                let is_here = drawn < *weight;
                drawn = drawn.saturating_sub(*weight);
                is_here
            });
            match kind {
                Some((Kind::SignUp, _)) if self.model.people.len() >= people => self.buy(),
                Some((kind, _)) => self.one(*kind),
                None => {}
            }
        }
    }

    fn one(&mut self, kind: Kind) {
        match kind {
            Kind::SignUp => self.sign_up(),
            Kind::Buy => self.buy(),
            Kind::Verify => self.verify(),
            Kind::RepeatEvent => self.repeat_event(),
            Kind::EarlyRefund => self.early_refund(),
            Kind::Refund => self.refund(),
            Kind::ThreeThirds => self.three_thirds(),
            Kind::RepeatRefund => self.repeat_refund(),
            Kind::Claim => self.claim(),
            Kind::RepeatClaim => self.repeat_claim(),
            Kind::Settle => self.settle(),
            Kind::Owe => self.owe(),
            Kind::Wait => self.wait(),
            Kind::Suspend => self.suspend(),
            Kind::Reinstate => self.reinstate(),
            Kind::Program => self.change_program(),
            Kind::Move => self.move_somebody(),
        }
    }

    /// Adds an operation unless it makes no sense now.
    pub(crate) fn add(&mut self, operation: Operation) {
        self.at += PACE;
        while !self.is_free(self.at) {
            self.at += 1;
        }
        let step = Step { at: self.at, operation };
        if self.model.play(&step) != Answer::NotPlayed {
            self.steps.push(step);
        }
    }

    /// Whether nothing else can happen within a few seconds of an instant.
    fn is_free(&self, at: i64) -> bool {
        let half_hour = at.rem_euclid(1_800);
        let is_far = |step: &Step| {
            let apart = (at - step.at).rem_euclid(DAY);
            (GUARD..=DAY - GUARD).contains(&apart)
        };
        (GUARD..=1_800 - GUARD).contains(&half_hour) && self.steps.iter().all(is_far)
    }

    pub(crate) fn key(&mut self, prefix: &str) -> String {
        self.keys += 1;
        format!("{prefix}{}", self.keys)
    }

    pub(crate) fn somebody(&mut self) -> Option<Person> {
        let people: Vec<Person> = self.model.people.iter().map(|known| known.person).collect();
        self.one_of(&people)
    }

    pub(crate) fn one_of<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(pick(&mut self.rng, from)) }
    }

    /// Chains more often than stars: the code is mostly that of the newest person.
    fn sign_up(&mut self) {
        let newest = self.model.people.last().map(|known| known.person);
        let owner = if happens(&mut self.rng, 65) { newest } else { self.somebody() };
        let program = self.rng.random_range(0..self.model.programs.len());
        let repeats = happens(&mut self.rng, 8);
        let person = if repeats { self.somebody() } else { None };
        let person = person.unwrap_or(self.model.people.len());
        self.add(Operation::SignUp { person, code: owner.map(|owner| (owner, program)) });
    }

    /// Whoever is deep down buys most: that pays the most levels.
    fn buyer(&mut self) -> Option<Person> {
        let deepest = self.model.people.iter().map(|known| known.person);
        let deepest = deepest.max_by_key(|person| self.model.ancestors(*person).len());
        if happens(&mut self.rng, 45) { deepest } else { self.somebody() }
    }

    pub(crate) fn purchase(&mut self) -> Option<Operation> {
        let person = self.buyer()?;
        let program = self.model.referral(person).map_or(0, |(_, program)| program);
        let unit = unit(self.model.programs[program].versions[0].currency);
        let amounts = [100 * unit, 100 * unit, 50 * unit, 20 * unit, 20 * unit - 1, 1, 3 * unit + 1, 0, 1_000 * unit];
        let amount = pick(&mut self.rng, &amounts);
        let is_root = self.model.referrer(person).is_none();
        let amount = (!is_root && !happens(&mut self.rng, 5)).then_some(amount);
        let event = if happens(&mut self.rng, 85) { TYPES[0] } else { TYPES[1] };
        let key = self.key("e");
        // Now and then somebody who never signed up.
        let person = if happens(&mut self.rng, 2) { person + 100 } else { person };
        Some(Operation::RecordEvent { key, person, event, amount })
    }

    fn buy(&mut self) {
        let waiting = if happens(&mut self.rng, 40) { self.expected.pop() } else { None };
        if let Some(operation) = waiting.or_else(|| self.purchase()) {
            self.add(operation);
        }
    }

    fn verify(&mut self) {
        if let Some(person) = self.buyer() {
            let event = pick(&mut self.rng, &TYPES[2..]);
            let key = self.key("e");
            self.add(Operation::RecordEvent { key, person, event, amount: None });
        }
    }

    /// The key of an event again, for the same or for another one.
    fn repeat_event(&mut self) {
        let old: Vec<_> = self.model.events.iter().filter(|event| !event.key.starts_with("signup")).cloned().collect();
        if let Some(old) = self.one_of(&old) {
            let amount = old.amount.map(|amount| amount + i64::from(happens(&mut self.rng, 50)));
            self.add(Operation::RecordEvent { key: old.key, person: old.person, event: old.event, amount });
        }
    }

    /// To a little before or after an instant of a reward, or some time on.
    fn wait(&mut self) {
        let open = |status: Status| matches!(status, Status::Pending | Status::Available | Status::Claimed);
        let rewards = self.model.rewards.iter().filter(|reward| open(reward.status));
        let instants = rewards.flat_map(|reward| [Some(reward.available_at), reward.expires_at]).flatten();
        let instants: Vec<i64> = instants.filter(|instant| *instant > self.at + 2 * PACE).collect();
        let instant = self.one_of(&instants).filter(|_| happens(&mut self.rng, 75));
        let aside = pick(&mut self.rng, &[-2 * GUARD, 2 * GUARD]);
        let some_time = pick(&mut self.rng, &[3_600, 11 * 3_600, DAY, 6 * DAY, 20 * DAY]);
        let target = instant.map_or(self.at + some_time, |instant| instant + aside);
        if target < self.begin + SPAN - DAY {
            self.at = target - PACE;
            self.add(Operation::Wait);
        }
    }

    fn suspend(&mut self) {
        if let Some(person) = self.somebody() {
            self.add(Operation::Suspend(person));
        }
    }

    fn reinstate(&mut self) {
        let suspended = self.model.people.iter().filter(|known| known.suspended).map(|known| known.person);
        let suspended: Vec<Person> = suspended.collect();
        if let Some(person) = self.one_of(&suspended) {
            self.add(Operation::Reinstate(person));
        }
    }

    /// Paused programs go on soon.
    fn change_program(&mut self) {
        let paused = self.model.programs.iter().position(|program| !program.active);
        let any: Program = self.rng.random_range(0..self.model.programs.len());
        let program = paused.unwrap_or(any);
        let state = &self.model.programs[program];
        let active = state.active;
        if !active || happens(&mut self.rng, 35) {
            self.add(Operation::SetActive { program, active: !active });
            return;
        }
        let Some(plan) = state.versions.last().cloned() else { return };
        // Keys of rules are never used again for another rule.
        let number = 10 * state.versions.len();
        let plan = next_version(&mut self.rng, &plan, number);
        self.add(Operation::UpdateProgram { program, plan: Box::new(plan) });
    }

    fn move_somebody(&mut self) {
        if let (Some(person), Some(referrer)) = (self.somebody(), self.somebody()) {
            self.add(Operation::Move { person, referrer });
        }
    }
}
