//! The rules, written the slow and obvious way: lists that only grow, and a look at all of them for every question.
//!
//! The model plays one operation after the other and folds at once, so that things are decided in the order in which
//! they came. What the rules leave open is not played; see [`Answer::NotPlayed`].

use crate::{
    calendar::DAY,
    operation::{Answer, Operation, Person, Program, Refusal, Step},
    plan::Plan,
    state::{Claim, ClaimRequest, Decision, Event, PersonState, ProgramState, Refund, Reward, Status},
};

/// Ancestors that are looked at.
const MAX_ANCESTORS: usize = 100;

/// Everything there is.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// The time, in seconds since 1970.
    pub now: i64,
    /// Programs with all their versions.
    pub programs: Vec<ProgramState>,
    /// Who signed up.
    pub people: Vec<PersonState>,
    /// What they did, in the order accepted.
    pub events: Vec<Event>,
    /// What was taken back, in the order accepted.
    pub refunds: Vec<Refund>,
    /// What was decided.
    pub decisions: Vec<Decision>,
    /// What was granted.
    pub rewards: Vec<Reward>,
    /// What was asked for under which key.
    pub requests: Vec<ClaimRequest>,
    /// What is to be paid.
    pub claims: Vec<Claim>,
}

/// What somebody is called.
pub fn name(person: Person) -> String {
    format!("p{person}")
}

impl Model {
    /// A world in which these programs run and nobody is.
    pub fn new(plans: &[Plan]) -> Self {
        let program = |plan: &Plan| ProgramState { versions: vec![plan.clone()], active: true };
        Self { programs: plans.iter().map(program).collect(), ..Self::default() }
    }

    /// Plays a step to its end: time passes, something happens, what follows is decided.
    pub fn play(&mut self, step: &Step) -> Answer {
        self.now = step.at;
        self.let_time_tell();
        let answer = self.happen(&step.operation);
        self.let_time_tell();
        answer
    }

    fn happen(&mut self, operation: &Operation) -> Answer {
        match operation {
            Operation::SignUp { person, code } => self.sign_up(*person, *code),
            Operation::RecordEvent { key, person, event, amount } => self.record_event(key, *person, event, *amount),
            Operation::RecordRefund { key, event_key, amount } => self.record_refund(key, event_key, *amount),
            Operation::Claim { person, key, rewards } => self.claim(*person, key, rewards.as_deref()),
            Operation::Settle { claim, paid } => self.settle(claim, *paid),
            Operation::Wait => Answer::Done,
            Operation::Suspend(person) => self.set_suspended(*person, true),
            Operation::Reinstate(person) => self.set_suspended(*person, false),
            Operation::SetActive { program, active } => self.set_active(*program, *active),
            Operation::UpdateProgram { program, plan } => {
                self.programs[*program].versions.push((**plan).clone());
                Answer::Done
            }
            Operation::Move { person, referrer } => self.move_below(*person, *referrer),
        }
    }

    /// Rules 2 and 4.
    fn sign_up(&mut self, person: Person, code: Option<(Person, Program)>) -> Answer {
        if self.known(person) {
            return Answer::Repeated;
        }
        if code.is_some_and(|(owner, _)| !self.known(owner)) {
            return Answer::NotPlayed;
        }
        let referral = code.filter(|(owner, program)| self.takes_part(*owner) && self.programs[*program].active);
        self.people.push(PersonState { person, referral, suspended: false });
        self.accept(&format!("signup:{}", name(person)), person, "signup", None);
        Answer::Done
    }

    /// Rule 18 on keys, rules 8 and 9.
    fn record_event(&mut self, key: &str, person: Person, event: &'static str, amount: Option<i64>) -> Answer {
        let known = self.known(person);
        if let Some(old) = self.events.iter().find(|old| old.key == key) {
            let same = (old.person, old.event, old.amount) == (person, event, amount);
            return match (known, same) {
                (false, _) => Answer::NotPlayed,
                (true, true) => Answer::Repeated,
                (true, false) => Answer::Refused(Refusal::Conflict),
            };
        }
        if !known {
            return Answer::Refused(Refusal::UserNotFound);
        }
        let has_refunds = self.refunds.iter().any(|refund| refund.event_key == key);
        let is_root = self.referrer(person).is_none();
        // Nothing says how much is left of an event without an amount, nor in which currency a root buys.
        if (amount.is_none() && has_refunds) || (amount.is_some() && is_root) {
            return Answer::NotPlayed;
        }
        self.accept(key, person, event, amount);
        Answer::Done
    }

    fn accept(&mut self, key: &str, person: Person, event: &'static str, amount: Option<i64>) {
        let program = self.referral(person).map(|(_, program)| program);
        self.events.push(Event {
            key: key.to_owned(),
            person,
            event,
            amount,
            received_at: self.now,
            version: program.map(|program| (program, self.programs[program].versions.len() - 1)),
            active: program.is_some_and(|program| self.programs[program].active),
        });
        self.look_again(person);
    }

    /// Rule 16: an early refund is cut to what is left when its event comes, a later one must fit.
    fn record_refund(&mut self, key: &str, event_key: &str, amount: Option<i64>) -> Answer {
        if let Some(old) = self.refunds.iter().find(|old| old.key == key) {
            let same = (old.event_key.as_str(), old.amount) == (event_key, amount);
            return if same { Answer::Repeated } else { Answer::Refused(Refusal::Conflict) };
        }
        let event = self.events.iter().position(|event| event.key == event_key);
        if let Some(event) = event {
            match self.left(event) {
                None => return Answer::NotPlayed,
                Some(left) if left == 0 || amount.is_some_and(|amount| amount > left) => {
                    return Answer::Refused(Refusal::RefundExceeds);
                }
                Some(_) => {}
            }
        }
        self.accept_refund(key, event_key, amount);
        Answer::Done
    }

    /// Takes a refund in, and looks again at whom it concerns.
    pub fn accept_refund(&mut self, key: &str, event_key: &str, amount: Option<i64>) {
        self.refunds.push(Refund { key: key.to_owned(), event_key: event_key.to_owned(), amount });
        if let Some(event) = self.events.iter().find(|event| event.key == event_key) {
            self.look_again(event.person);
        }
    }

    fn set_suspended(&mut self, person: Person, suspended: bool) -> Answer {
        match self.people.iter_mut().find(|known| known.person == person) {
            Some(known) if known.suspended != suspended => {
                known.suspended = suspended;
                Answer::Done
            }
            _ => Answer::NotPlayed,
        }
    }

    fn set_active(&mut self, program: Program, active: bool) -> Answer {
        if self.programs[program].active == active {
            return Answer::NotPlayed;
        }
        self.programs[program].active = active;
        Answer::Done
    }

    /// Rule 5. The referral keeps its program, and what was decided stays. Nothing says which program a root is moved in.
    fn move_below(&mut self, person: Person, referrer: Person) -> Answer {
        let is_root = self.referrer(person).is_none();
        if is_root || !self.known(referrer) {
            return Answer::NotPlayed;
        }
        if person == referrer || self.ancestors(referrer).contains(&person) {
            return Answer::Refused(Refusal::Cycle);
        }
        if self.referrer(person) == Some(referrer) {
            return Answer::Refused(Refusal::SameReferrer);
        }
        for known in &mut self.people {
            if known.person == person {
                known.referral = known.referral.map(|(_, program)| (referrer, program));
            }
        }
        Answer::Done
    }

    /// Rule 15: what is held becomes available and what is available expires, each at its instant.
    fn let_time_tell(&mut self) {
        for reward in &mut self.rewards {
            if reward.status == Status::Pending && self.now >= reward.available_at {
                reward.status = Status::Available;
            }
            if reward.status == Status::Available && reward.expires_at.is_some_and(|at| self.now >= at) {
                reward.status = Status::Expired;
            }
        }
    }

    /// Whether somebody signed up.
    pub fn known(&self, person: Person) -> bool {
        self.people.iter().any(|known| known.person == person)
    }

    /// Whether somebody signed up and is not suspended.
    pub fn takes_part(&self, person: Person) -> bool {
        self.people.iter().any(|known| known.person == person && !known.suspended)
    }

    /// Who brought somebody in, and the program of the referral.
    pub fn referral(&self, person: Person) -> Option<(Person, Program)> {
        self.people.iter().find(|known| known.person == person).and_then(|known| known.referral)
    }

    /// Who brought somebody in.
    pub fn referrer(&self, person: Person) -> Option<Person> {
        self.referral(person).map(|(referrer, _)| referrer)
    }

    /// Everybody above somebody, nearest first.
    pub fn ancestors(&self, person: Person) -> Vec<Person> {
        let mut above = Vec::new();
        let mut next = self.referrer(person);
        while let Some(ancestor) = next.filter(|_| above.len() < MAX_ANCESTORS) {
            above.push(ancestor);
            next = self.referrer(ancestor);
        }
        above
    }
}

/// So many days in seconds.
pub fn days(days: i64) -> i64 {
    days * DAY
}
