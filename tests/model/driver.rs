//! Plays a history through the public API, beside the model.

use std::collections::{BTreeMap, BTreeSet};

use banyan::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::{
    history::History,
    house::{By, Errand, House, Seen},
    model::{Model, name},
    operation::{Answer, ClaimName, Operation, Person, Refusal, RewardName, Step},
    plan::{Currency, decimal},
    run::Mode,
    support::Harness,
};

/// Seconds in which programs are made before anything happens.
const PREPARATION: i64 = 30;

/// How often it is looked at what the API shows: with all that it resolves it costs more than everything else, and the rows
/// are looked at after each step.
const SHOWN_EVERY: usize = 10;

/// Where the house and the model part, and how.
pub struct Mismatch {
    /// The step.
    pub step: usize,
    /// Both sides.
    pub told: String,
}

/// What the house answers: refused with a code, or done, and whether it was new where that is told.
struct Said {
    refused: Option<String>,
    created: Option<bool>,
}

/// A history that is being played.
pub(crate) struct Driver<'h> {
    pub(crate) harness: &'h Harness,
    pub(crate) house: House,
    history: &'h History,
    pub(crate) model: Model,
    /// Ids and codes of the house.
    programs: Vec<String>,
    pub(crate) users: BTreeMap<Person, String>,
    codes: BTreeMap<(Person, usize), String>,
    pub(crate) claims: BTreeMap<ClaimName, String>,
    pub(crate) rewards: BTreeMap<RewardName, String>,
    /// How many steps ago it was looked at what the API shows.
    steps_unseen: usize,
    mode: Mode,
}

/// Plays a history to its end, or to the first mismatch.
pub async fn play(harness: &Harness, history: &History) -> Result<(), Mismatch> {
    let mut driver = Driver::begin(harness, history, Mode::OneByOne).await;
    for (place, step) in history.steps.iter().enumerate() {
        driver.step(step).await.map_err(|told| Mismatch { step: place, told })?;
    }
    driver.check_shown(None).await.map_err(|told| Mismatch { step: history.steps.len(), told })
}

impl<'h> Driver<'h> {
    /// A house with the history's programs, and nobody in it.
    pub(crate) async fn begin(harness: &'h Harness, history: &'h History, mode: Mode) -> Self {
        let mut driver = Self {
            harness,
            house: House::new(harness, history).await,
            history,
            model: Model::new(&history.plans),
            programs: Vec::new(),
            users: BTreeMap::new(),
            codes: BTreeMap::new(),
            claims: BTreeMap::new(),
            rewards: BTreeMap::new(),
            steps_unseen: 0,
            mode,
        };
        if let Some(first) = history.steps.first() {
            driver.set_clock(first.at - PREPARATION);
        }
        driver.make_programs().await;
        driver
    }

    pub(crate) fn set_clock(&self, at: i64) {
        self.harness.clock().set(Timestamp::from_micros(at * 1_000_000));
    }

    async fn make_programs(&mut self) {
        for (place, plan) in self.history.plans.iter().enumerate() {
            let input = plan.create_input(&self.house.program_key(place));
            let payload = self.house.admin("createProgram", "program { id }", &input).await;
            let id = payload["program"]["id"].as_str();
            self.programs.push(id.unwrap_or_else(|| panic!("{input}\nwas refused: {payload}")).to_owned());
        }
    }

    /// Plays one step and looks at everything.
    pub(crate) async fn step(&mut self, step: &Step) -> Result<(), String> {
        // Ids of rewards are shown.
        if matches!(step.operation, Operation::Claim { rewards: Some(_), .. }) && self.steps_unseen > 0 {
            self.check_shown(None).await?;
        }
        self.set_clock(step.at);
        let expected = self.model.play(step);
        if expected != Answer::NotPlayed {
            let said = self.ask(&step.operation).await;
            if !fits(expected, &said) {
                let Said { refused, created } = said;
                return Err(format!(
                    "{:?}\nmodel: {expected:?}\nhouse: refused {refused:?}, created {created:?}",
                    step.operation
                ));
            }
        }
        if appends(&step.operation) {
            self.harness.fold_money().await;
        } else {
            self.harness.sweep().await;
        }
        let subject = self.subject(&step.operation);
        self.steps_unseen += 1;
        told(&step.operation, self.compare(subject).await)?;
        if self.steps_unseen == SHOWN_EVERY { self.check_shown(subject).await } else { Ok(()) }
    }

    /// Looks at what the API shows.
    async fn check_shown(&mut self, subject: Option<Person>) -> Result<(), String> {
        told(&"what the API shows", self.compare_shown(subject).await)
    }

    /// Where model and house differ: in everybody's rows, the ledger, and what was decided about the events of one of them.
    pub(crate) async fn compare(&mut self, person: Option<Person>) -> Vec<String> {
        let seen = self.house.rows(person.map(name).as_deref()).await;
        self.differ(person, &seen)
    }

    /// Where model and house differ in what the API shows of everybody, and of the events of one of them.
    pub(crate) async fn compare_shown(&mut self, person: Option<Person>) -> Vec<String> {
        let seen = self.house.look(person.map(|person| self.users[&person].as_str())).await;
        self.steps_unseen = 0;
        let differences = self.differ(person, &seen);
        self.rewards = seen.reward_ids;
        differences
    }

    fn differ(&self, person: Option<Person>, seen: &Seen) -> Vec<String> {
        let mut differences = self.differences(seen);
        differences.extend(person.into_iter().flat_map(|person| self.decisions(person, seen)));
        differences
    }

    /// Lines that only one side has.
    fn differences(&self, seen: &Seen) -> Vec<String> {
        let mut expected = BTreeSet::new();
        for known in &self.model.people {
            expected.extend(self.model.see(known.person).lines(&name(known.person)));
        }
        let lines = seen.people.iter().flat_map(|(person, seen)| seen.lines(person));
        let found: BTreeSet<String> = lines.map(|line| self.seen_by(line)).collect();
        let expected: BTreeSet<String> = expected.into_iter().map(|line| self.seen_by(line)).collect();
        let model = expected.difference(&found).map(|line| format!("model: {line}"));
        let house = found.difference(&expected).map(|line| format!("house: {line}"));
        let booked = self.model.booked();
        let ledger = seen.booked.as_ref().unwrap_or(&booked);
        let missing = booked.difference(ledger).map(|line| format!("model's ledger: {line:?}"));
        let other = ledger.difference(&booked).map(|line| format!("house's ledger: {line:?}"));
        model.chain(house).chain(missing).chain(other).collect()
    }

    /// What counts of a line. While many things happen at once it is open whether a reward that is taken back after its
    /// time has lapsed by then: nothing is left of it either way.
    fn seen_by(&self, line: String) -> String {
        match self.mode {
            Mode::OneByOne => line,
            Mode::AtOnce => line.replace("net 0, EXPIRED", "net 0, REVERSED"),
        }
    }

    /// Whose events an operation was about.
    fn subject(&self, operation: &Operation) -> Option<Person> {
        let of_event =
            |key: &String| self.model.events.iter().find(|event| event.key == *key).map(|event| event.person);
        let person = match operation {
            Operation::SignUp { person, .. } | Operation::RecordEvent { person, .. } => Some(*person),
            Operation::RecordRefund { event_key, .. } => of_event(event_key),
            _ => None,
        };
        person.filter(|person| self.model.known(*person))
    }

    /// Where decisions about somebody's events differ. The house may also tell of rules that nobody has to decide about.
    fn decisions(&self, person: Person, seen: &Seen) -> Vec<String> {
        let expected = self.model.decisions_of(person);
        let found = &seen.decisions;
        let model = expected.difference(found).map(|decision| format!("model decided: {decision:?}"));
        let paid = found.difference(&expected).filter(|(_, _, paid)| *paid);
        model.chain(paid.map(|decision| format!("house decided: {decision:?}"))).collect()
    }

    /// Asks the house for an operation.
    async fn ask(&mut self, operation: &Operation) -> Said {
        let Some(errand) = self.errand(operation) else { return Said { refused: None, created: None } };
        let payload = self.house.run(&errand).await;
        self.note(operation, &payload);
        if let Operation::SignUp { person, .. } = operation {
            self.make_codes(*person).await;
        }
        said(&payload)
    }

    /// What has to be asked for an operation; nothing when only time passes.
    pub(crate) fn errand(&self, operation: &Operation) -> Option<Errand> {
        Some(match operation {
            Operation::SignUp { person, code } => {
                let code = code.map(|code| &self.codes[&code]);
                let input = json!({"externalId": self.house.prefixed(&name(*person)), "code": code});
                Errand { by: By::Server, mutation: "signUp", fields: "created user { id }", input }
            }
            Operation::RecordEvent { key, person, event, amount } => {
                let input = json!({
                    "externalId": self.house.prefixed(&name(*person)),
                    "type": event,
                    "amount": self.money(*amount, self.currency(*person)),
                    "idempotencyKey": self.house.prefixed(key),
                });
                Errand { by: By::Server, mutation: "recordEvent", fields: "created", input }
            }
            Operation::RecordRefund { key, event_key, amount } => {
                let input = json!({
                    "eventKey": self.house.prefixed(event_key),
                    "amount": self.money(*amount, self.currency_of_event(event_key)),
                    "idempotencyKey": self.house.prefixed(key),
                });
                Errand { by: By::Server, mutation: "recordRefund", fields: "created", input }
            }
            Operation::Claim { person, key, rewards } => {
                let ids =
                    rewards.as_ref().map(|names| names.iter().map(|name| &self.rewards[name]).collect::<Vec<_>>());
                let input = json!({"userId": self.users[person], "rewardIds": ids, "idempotencyKey": key});
                Errand {
                    by: By::Server,
                    mutation: "claimRewards",
                    fields: "claims { id amount { currencyCode } }",
                    input,
                }
            }
            Operation::Settle { claim, paid } => {
                let reference = format!("{}{} {} {}", self.house.prefixed(""), claim.person, claim.key, claim.currency);
                let input = json!({
                    "claimId": self.claims[claim],
                    "outcome": if *paid { "PAID" } else { "FAILED" },
                    "reference": paid.then_some(reference),
                });
                Errand { by: By::Admin, mutation: "settleClaim", fields: "claim { id }", input }
            }
            Operation::Wait => return None,
            Operation::Suspend(person) => {
                let input = json!({"userId": self.users[person], "reason": "a history"});
                Errand { by: By::Admin, mutation: "suspendUser", fields: "user { id }", input }
            }
            Operation::Reinstate(person) => {
                let input = json!({"userId": self.users[person], "reason": "a history"});
                Errand { by: By::Admin, mutation: "reinstateUser", fields: "user { id }", input }
            }
            Operation::SetActive { program, active } => {
                let status = if *active { "ACTIVE" } else { "PAUSED" };
                let input = json!({"programId": self.programs[*program], "status": status});
                Errand { by: By::Admin, mutation: "setProgramStatus", fields: "program { id }", input }
            }
            Operation::UpdateProgram { program, plan } => {
                let input = plan.update_input(&self.programs[*program]);
                Errand { by: By::Admin, mutation: "updateProgram", fields: "program { id }", input }
            }
            Operation::Move { person, referrer } => {
                let (user, above) = (&self.users[person], &self.users[referrer]);
                let input = json!({"userId": user, "referrerId": above, "reason": "a history"});
                Errand { by: By::Admin, mutation: "moveUser", fields: "user { id }", input }
            }
        })
    }

    /// Keeps the ids of what is new.
    pub(crate) fn note(&mut self, operation: &Operation, payload: &Value) {
        match operation {
            Operation::SignUp { person, .. } if payload["created"] == json!(true) => {
                let id = payload["user"]["id"].as_str().expect("an id").to_owned();
                self.house.welcome(&id, name(*person));
                self.users.insert(*person, id);
            }
            Operation::Claim { person, key, .. } => {
                for claim in payload["claims"].as_array().expect("a list") {
                    let code = claim["amount"]["currencyCode"].as_str().expect("a currency");
                    let name =
                        ClaimName { person: *person, key: key.clone(), currency: self.house.currency(code).code };
                    self.claims.insert(name, claim["id"].as_str().expect("an id").to_owned());
                }
            }
            _ => {}
        }
    }

    /// Whoever is new gets a code for each program for which somebody is going to use it.
    async fn make_codes(&mut self, person: Person) {
        let Some(id) = self.users.get(&person).cloned() else { return };
        for (place, program) in self.programs.iter().enumerate() {
            if !self.is_used((person, place)) || self.codes.contains_key(&(person, place)) {
                continue;
            }
            let input = json!({"userId": id, "programId": program});
            let payload = self.house.admin("createReferralCode", "code { code }", &input).await;
            let code = payload["code"]["code"].as_str();
            let code = code.unwrap_or_else(|| panic!("{input}\nwas refused: {payload}")).to_owned();
            self.codes.insert((person, place), code);
        }
    }

    fn is_used(&self, code: (Person, usize)) -> bool {
        let uses = |step: &Step| matches!(step.operation, Operation::SignUp { code: Some(used), .. } if used == code);
        self.history.steps.iter().any(uses)
    }

    fn money(&self, amount: Option<i64>, currency: Currency) -> Option<Value> {
        let money = |minor| json!({"amount": decimal(minor, currency.exponent), "currencyCode": currency.code});
        amount.map(money)
    }

    /// The currency in which somebody buys.
    fn currency(&self, person: Person) -> Currency {
        let program = self.model.referral(person).map_or(0, |(_, program)| program);
        self.history.plans[program].currency
    }

    /// The currency of an event that was recorded, or will be.
    fn currency_of_event(&self, key: &str) -> Currency {
        let recorded = self.model.events.iter().find(|event| event.key == key).map(|event| event.person);
        let planned = self.history.steps.iter().find_map(|step| match &step.operation {
            Operation::RecordEvent { key: planned, person, .. } if planned == key => Some(*person),
            _ => None,
        });
        recorded.or(planned).map_or(self.history.plans[0].currency, |person| self.currency(person))
    }
}

/// Whether an operation leaves something to fold. What decides at once does not.
fn appends(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::SignUp { .. }
            | Operation::RecordEvent { .. }
            | Operation::RecordRefund { .. }
            | Operation::Move { .. }
    )
}

/// A mismatch, if there are differences.
fn told(about: &impl std::fmt::Debug, differences: Vec<String>) -> Result<(), String> {
    if differences.is_empty() { Ok(()) } else { Err(format!("{about:?}\n{}", differences.join("\n"))) }
}

fn said(payload: &Value) -> Said {
    let refused = payload["userErrors"][0]["code"].as_str().map(str::to_owned);
    Said { refused, created: payload["created"].as_bool() }
}

fn fits(expected: Answer, said: &Said) -> bool {
    match expected {
        Answer::Done => said.refused.is_none() && said.created != Some(false),
        Answer::Repeated => said.refused.is_none() && said.created != Some(true),
        Answer::Refused(refusal) => is_code_of(refusal, said.refused.as_deref()),
        Answer::NotPlayed => true,
    }
}

/// Where the contract names no code, any will do.
fn is_code_of(refusal: Refusal, code: Option<&str>) -> bool {
    code.is_some_and(|code| refusal.code().is_none_or(|expected| expected == code))
}
