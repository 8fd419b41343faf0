//! Plays a history through the public API, beside the model.

use std::collections::{BTreeMap, BTreeSet};

use banyan::domain::time::Timestamp;
use serde_json::{Value, json};

use crate::{
    history::History,
    house::{House, Seen},
    model::{Model, name},
    operation::{Answer, ClaimName, Operation, Person, Refusal, RewardName, Step},
    plan::{Currency, decimal},
    support::Harness,
};

/// Seconds in which programs are made before anything happens.
const PREPARATION: i64 = 30;

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
struct Driver<'h> {
    harness: &'h Harness,
    house: House,
    history: &'h History,
    model: Model,
    /// Ids and codes of the house.
    programs: Vec<String>,
    users: BTreeMap<Person, String>,
    codes: BTreeMap<(Person, usize), String>,
    claims: BTreeMap<ClaimName, String>,
    rewards: BTreeMap<RewardName, String>,
}

/// Plays a history to its end, or to the first mismatch.
pub async fn play(harness: &Harness, history: &History) -> Result<(), Mismatch> {
    let mut driver = Driver {
        harness,
        house: House::new(harness, history),
        history,
        model: Model::new(&history.plans),
        programs: Vec::new(),
        users: BTreeMap::new(),
        codes: BTreeMap::new(),
        claims: BTreeMap::new(),
        rewards: BTreeMap::new(),
    };
    if let Some(first) = history.steps.first() {
        driver.set_clock(first.at - PREPARATION);
    }
    driver.make_programs().await;
    for (place, step) in history.steps.iter().enumerate() {
        driver.step(step).await.map_err(|told| Mismatch { step: place, told })?;
    }
    Ok(())
}

impl Driver<'_> {
    fn set_clock(&self, at: i64) {
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

    async fn step(&mut self, step: &Step) -> Result<(), String> {
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
        self.harness.fold_all().await;
        let seen = self.house.look().await;
        let differences = self.differences(&seen).await;
        self.rewards = seen.reward_ids;
        let told = self.decisions(&step.operation).await;
        let differences: Vec<String> = differences.into_iter().chain(told).collect();
        let told = || format!("{:?}\n{}", step.operation, differences.join("\n"));
        if differences.is_empty() { Ok(()) } else { Err(told()) }
    }

    /// Lines that only one side has.
    async fn differences(&self, seen: &Seen) -> Vec<String> {
        let mut expected = BTreeSet::new();
        for known in &self.model.people {
            expected.extend(self.model.see(known.person).lines(&name(known.person)));
        }
        let lines = seen.people.iter().flat_map(|(person, seen)| seen.lines(person));
        let found: BTreeSet<String> = lines.collect();
        let model = expected.difference(&found).map(|line| format!("model: {line}"));
        let house = found.difference(&expected).map(|line| format!("house: {line}"));
        model.chain(house).collect()
    }

    /// What was decided about the events of whom an operation was about. The house may also tell of rules that nobody
    /// has to decide about.
    async fn decisions(&self, operation: &Operation) -> Vec<String> {
        let of_event =
            |key: &String| self.model.events.iter().find(|event| event.key == *key).map(|event| event.person);
        let person = match operation {
            Operation::SignUp { person, .. } | Operation::RecordEvent { person, .. } => Some(*person),
            Operation::RecordRefund { event_key, .. } => of_event(event_key),
            _ => None,
        };
        let Some(person) = person.filter(|person| self.model.known(*person)) else { return Vec::new() };
        let expected = self.model.decisions_of(person);
        let found = self.house.decisions(&name(person), &self.users[&person]).await;
        let model = expected.difference(&found).map(|decision| format!("model decided: {decision:?}"));
        let paid = found.difference(&expected).filter(|(_, _, paid)| *paid);
        model.chain(paid.map(|decision| format!("house decided: {decision:?}"))).collect()
    }

    /// Asks the house for an operation.
    async fn ask(&mut self, operation: &Operation) -> Said {
        match operation {
            Operation::SignUp { person, code } => self.sign_up(*person, *code).await,
            Operation::RecordEvent { key, person, event, amount } => {
                let input = json!({
                    "externalId": self.house.prefixed(&name(*person)),
                    "type": event,
                    "amount": self.money(*amount, self.currency(*person)),
                    "idempotencyKey": self.house.prefixed(key),
                });
                said(&self.house.server("recordEvent", "created", &input).await)
            }
            Operation::RecordRefund { key, event_key, amount } => {
                let input = json!({
                    "eventKey": self.house.prefixed(event_key),
                    "amount": self.money(*amount, self.currency_of_event(event_key)),
                    "idempotencyKey": self.house.prefixed(key),
                });
                said(&self.house.server("recordRefund", "created", &input).await)
            }
            Operation::Claim { person, key, rewards } => self.claim(*person, key, rewards.as_deref()).await,
            Operation::Settle { claim, paid } => {
                let reference = format!("{}{} {} {}", self.house.prefixed(""), claim.person, claim.key, claim.currency);
                let input = json!({
                    "claimId": self.claims[claim],
                    "outcome": if *paid { "PAID" } else { "FAILED" },
                    "reference": paid.then_some(reference),
                });
                said(&self.house.admin("settleClaim", "claim { id }", &input).await)
            }
            Operation::Wait => Said { refused: None, created: None },
            Operation::Suspend(person) => {
                let input = json!({"userId": self.users[person], "reason": "a history"});
                said(&self.house.admin("suspendUser", "user { id }", &input).await)
            }
            Operation::Reinstate(person) => {
                let input = json!({"userId": self.users[person], "reason": "a history"});
                said(&self.house.admin("reinstateUser", "user { id }", &input).await)
            }
            Operation::SetActive { program, active } => {
                let status = if *active { "ACTIVE" } else { "PAUSED" };
                let input = json!({"programId": self.programs[*program], "status": status});
                said(&self.house.admin("setProgramStatus", "program { id }", &input).await)
            }
            Operation::UpdateProgram { program, plan } => {
                let input = plan.update_input(&self.programs[*program]);
                said(&self.house.admin("updateProgram", "program { id }", &input).await)
            }
            Operation::Move { person, referrer } => {
                let (user, above) = (&self.users[person], &self.users[referrer]);
                let input = json!({"userId": user, "referrerId": above, "reason": "a history"});
                said(&self.house.admin("moveUser", "user { id }", &input).await)
            }
        }
    }

    /// Whoever is new gets a code for each program.
    async fn sign_up(&mut self, person: Person, code: Option<(Person, usize)>) -> Said {
        let code = code.map(|code| &self.codes[&code]);
        let input = json!({"externalId": self.house.prefixed(&name(person)), "code": code});
        let payload = self.house.server("signUp", "created user { id }", &input).await;
        if payload["created"] == json!(true) {
            let id = payload["user"]["id"].as_str().expect("an id").to_owned();
            for (place, program) in self.programs.iter().enumerate() {
                let input = json!({"userId": id, "programId": program});
                let payload = self.house.admin("createReferralCode", "code { code }", &input).await;
                let code = payload["code"]["code"].as_str();
                let code = code.unwrap_or_else(|| panic!("{input}\nwas refused: {payload}")).to_owned();
                self.codes.insert((person, place), code);
            }
            self.users.insert(person, id);
        }
        said(&payload)
    }

    async fn claim(&mut self, person: Person, key: &str, rewards: Option<&[RewardName]>) -> Said {
        let ids = rewards.map(|names| names.iter().map(|name| self.rewards[name].clone()).collect::<Vec<String>>());
        let input = json!({"userId": self.users[&person], "rewardIds": ids, "idempotencyKey": key});
        let payload = self.house.server("claimRewards", "claims { id amount { currencyCode } }", &input).await;
        let claims = payload["claims"].as_array().expect("a list");
        for claim in claims {
            let currency = self.house.currency(claim["amount"]["currencyCode"].as_str().expect("a currency")).code;
            let id = claim["id"].as_str().expect("an id").to_owned();
            self.claims.insert(ClaimName { person, key: key.to_owned(), currency }, id);
        }
        said(&payload)
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
