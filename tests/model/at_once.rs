//! Plays a history sixteen operations at a time while somebody folds, and lets the model replay what the house decided, in
//! the order in which it decided it.
//!
//! The history is cut into blocks. Of each block, what the rules read while deciding (signups, programs, suspensions,
//! moves, the clock) is played one after the other; then everything about money is asked for at once. Afterwards the
//! house tells the order: `decided_no` of events and refunds, and each person's transfers, between which their claims
//! and payouts stand.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{task::JoinSet, time::sleep};

use crate::{
    driver::{Driver, Mismatch},
    history::History,
    house::{Errand, insist},
    operation::{Answer, Operation, Person, RewardName, Step},
    order::{Entry, decided, transfers},
    run::Mode,
    state::Status,
    support::Harness,
};

/// How many ask at once.
const TASKS: usize = 16;
/// Steps of a block.
const BLOCK: usize = 24;
/// Pause between two foldings.
const PAUSE: Duration = Duration::from_millis(2);

/// Plays a history in blocks, or to the first mismatch.
pub async fn play_at_once(harness: &Harness, history: &History) -> Result<(), Mismatch> {
    let mut driver = Driver::begin(harness, history, Mode::AtOnce).await;
    for (number, block) in history.steps.chunks(BLOCK).enumerate() {
        let place = number * BLOCK;
        let told = |told| Mismatch { step: place, told };
        let (money, world): (Vec<&Step>, Vec<&Step>) = block.iter().partition(|step| is_about_money(&step.operation));
        for step in world {
            driver.step(step).await.map_err(told)?;
        }
        let Some(last) = block.last() else { break };
        // What expires until then does so before.
        driver.step(&Step { at: last.at, operation: Operation::Wait }).await.map_err(told)?;
        let operations = playable(&driver, money);
        let (_, booked) = transfers(&mut driver, 0).await;
        let accepted = all_at_once(&mut driver, last.at, operations).await;
        replay(&mut driver, last.at, accepted, booked).await.map_err(told)?;
        let mut differences = driver.compare_shown(None).await;
        for person in driver.users.keys().copied().collect::<Vec<Person>>() {
            differences.extend(driver.compare(Some(person)).await);
        }
        if !differences.is_empty() {
            return Err(told(format!("after a block at {}:\n{}", last.at, differences.join("\n"))));
        }
    }
    Ok(())
}

fn is_about_money(operation: &Operation) -> bool {
    matches!(
        operation,
        Operation::RecordEvent { .. }
            | Operation::RecordRefund { .. }
            | Operation::Claim { .. }
            | Operation::Settle { .. }
    )
}

/// What of these operations makes sense now: the history was told one step after the other, and much is otherwise here.
fn playable(driver: &Driver<'_>, steps: Vec<&Step>) -> Vec<Operation> {
    let model = &driver.model;
    let mut keys = BTreeSet::new();
    let mut operations = Vec::new();
    for step in steps {
        let operation = match step.operation.clone() {
            Operation::RecordEvent { person, amount, .. }
                if amount.is_some() && model.known(person) && model.referrer(person).is_none() =>
            {
                continue;
            }
            Operation::Claim { person, key, rewards } => {
                let is_old = model.requests.iter().any(|old| old.person == person && old.key == key);
                if is_old || !model.takes_part(person) || !keys.insert((person, key.clone())) {
                    continue;
                }
                // Rewards that are there already can be named.
                let is_mine = |name: &RewardName| {
                    let mut mine = model.rewards.iter().filter(|reward| reward.beneficiary == person);
                    driver.rewards.contains_key(name)
                        && mine.any(|reward| reward.name == *name && reward.status == Status::Available)
                };
                let rewards = rewards.filter(|names| !names.is_empty() && names.iter().all(is_mine));
                Operation::Claim { person, key, rewards }
            }
            Operation::Settle { claim, .. } if !driver.claims.contains_key(&claim) => continue,
            other => other,
        };
        operations.push(operation);
    }
    operations
}

/// An operation, and what the house answered.
type Answered = (Operation, Value);

/// Asks for all of them with sixteen tasks, beside one that folds; gives what was accepted.
async fn all_at_once(driver: &mut Driver<'_>, at: i64, operations: Vec<Operation>) -> Vec<Operation> {
    driver.set_clock(at);
    // What is granted is available from the instant on at which its event came, and a claim goes by the instant at which it
    // was asked for: with one instant for all, only the order counts.
    driver.harness.clock().stand_still();
    let errands = operations.into_iter().filter_map(|operation| {
        let errand = driver.errand(&operation)?;
        Some((operation, errand))
    });
    let queue: Arc<Mutex<VecDeque<(Operation, Errand)>>> = Arc::new(Mutex::new(errands.collect()));
    let (mut tasks, done) = (JoinSet::new(), Arc::new(AtomicBool::new(false)));
    for _ in 0..TASKS {
        let (queue, [server, admin]) = (Arc::clone(&queue), driver.house.actors());
        tasks.spawn(async move {
            let mut answered: Vec<Answered> = Vec::new();
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some((operation, errand)) = next else { return answered };
                let payload = insist([&server, &admin], &errand).await;
                answered.push((operation, payload));
            }
        });
    }
    let folding = {
        let (engine, done) = (driver.harness.engine().clone(), Arc::clone(&done));
        tokio::spawn(async move {
            while !done.load(Ordering::SeqCst) {
                engine.fold(4).await.expect("folds");
                sleep(PAUSE).await;
            }
        })
    };
    let answered: Vec<Answered> = tasks.join_all().await.into_iter().flatten().collect();
    done.store(true, Ordering::SeqCst);
    folding.await.expect("the folding ends");
    driver.harness.fold_money().await;
    driver.harness.clock().go_on();
    let is_accepted = |payload: &Value| payload["userErrors"][0].is_null() && payload["created"] != Value::Bool(false);
    for (operation, payload) in &answered {
        driver.note(operation, payload);
    }
    answered.into_iter().filter(|(_, payload)| is_accepted(payload)).map(|(operation, _)| operation).collect()
}

/// Lets the model play what was accepted, in the order in which the house decided it, from a number of the ledger
/// on. Refunds of events that are still to come have no place yet: they stand at the end.
async fn replay(driver: &mut Driver<'_>, at: i64, accepted: Vec<Operation>, booked: i64) -> Result<(), String> {
    let (places, prefix) = (decided(&mut driver.house).await, driver.house.prefixed(""));
    let place = |operation: &Operation| match operation {
        Operation::RecordEvent { key, .. } => places.get(&format!("event {prefix}{key}")).copied().unwrap_or(i64::MAX),
        Operation::RecordRefund { key, .. } => {
            places.get(&format!("refund {prefix}{key}")).copied().unwrap_or(i64::MAX)
        }
        _ => i64::MAX,
    };
    let (claims, mut appended): (Vec<Operation>, Vec<Operation>) = accepted
        .into_iter()
        .partition(|operation| matches!(operation, Operation::Claim { .. } | Operation::Settle { .. }));
    appended.sort_by_key(place);
    let (entries, _) = transfers(driver, booked).await;
    let mut lanes = Lanes { entries, claims: by_name(claims), at };
    lanes.go_on(driver)?;
    for operation in appended {
        lanes.play(driver, operation)?;
        lanes.go_on(driver)?;
    }
    lanes.end()
}

/// Claims by who made them under which key.
fn by_name(claims: Vec<Operation>) -> BTreeMap<(Person, String), Operation> {
    let name = |operation: Operation| match &operation {
        Operation::Claim { person, key, .. } => Some(((*person, key.clone()), operation)),
        _ => None,
    };
    claims.into_iter().filter_map(name).collect()
}

/// What the ledger says of each person, in order, as far as the model has not come to it yet.
struct Lanes {
    entries: BTreeMap<Person, VecDeque<Entry>>,
    claims: BTreeMap<(Person, String), Operation>,
    at: i64,
}

impl Lanes {
    /// Goes on in each lane as far as the model has come: past what was granted and taken back, and through claims and
    /// payouts that stand there.
    fn go_on(&mut self, driver: &mut Driver<'_>) -> Result<(), String> {
        for person in self.entries.keys().copied().collect::<Vec<Person>>() {
            while let Some(entry) = self.entries[&person].front().cloned() {
                let operation = match entry {
                    Entry::Granted(reward) if driver.model.rewards.iter().any(|old| old.name == reward) => None,
                    Entry::Left(reward, net)
                        if driver.model.rewards.iter().any(|old| old.name == reward && old.net <= net) =>
                    {
                        None
                    }
                    Entry::Granted(_) | Entry::Left(..) => break,
                    Entry::Claimed(key) => match self.claims.remove(&(person, key.clone())) {
                        Some(operation) => Some(operation),
                        // Already played: one request makes a claim in each currency.
                        None if driver.model.requests.iter().any(|old| old.person == person && old.key == key) => None,
                        None => return Err(format!("{person} has a claim {key} that was never accepted")),
                    },
                    Entry::Settled(claim, paid) => Some(Operation::Settle { claim, paid }),
                };
                if let Some(lane) = self.entries.get_mut(&person) {
                    lane.pop_front();
                }
                if let Some(operation) = operation {
                    self.play(driver, operation)?;
                }
            }
        }
        Ok(())
    }

    fn play(&self, driver: &mut Driver<'_>, operation: Operation) -> Result<(), String> {
        if let Operation::RecordRefund { key, event_key, amount } = &operation {
            driver.model.now = self.at;
            driver.model.accept_refund(key, event_key, *amount);
            return Ok(());
        }
        let answer = driver.model.play(&Step { at: self.at, operation: operation.clone() });
        match answer {
            Answer::Done => Ok(()),
            other => Err(format!("the house did {operation:?}, and the model says {other:?}")),
        }
    }

    /// Nothing may be left that the model never came to.
    fn end(&self) -> Result<(), String> {
        let left: Vec<String> = self
            .entries
            .iter()
            .filter_map(|(person, lane)| lane.front().map(|entry| format!("{person}: {entry:?}")))
            .chain(self.claims.keys().map(|(person, key)| format!("{person} claimed {key} without a trace")))
            .collect();
        if left.is_empty() { Ok(()) } else { Err(format!("the model never came to\n{}", left.join("\n"))) }
    }
}
