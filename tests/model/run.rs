//! Plays many histories, and makes the first mismatch as short as it gets.

use std::{
    any::Any,
    fmt::Write as _,
    panic::resume_unwind,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use banyan::store::BackendKind;
use tokio::runtime::{Builder, Runtime};

use crate::{
    at_once::play_at_once,
    driver::{Mismatch, play},
    history::{History, history},
    shrink::shrink,
    support::{Database, Harness},
};

/// Histories of one database: making one costs as much as playing two, and large ones are slow to check at the end.
const PER_DATABASE: u64 = 30;
/// Databases that are busy at once.
const WORKERS: usize = 2;
/// Threads of one runtime: migrations and dropped queries panic on a runtime with one.
const THREADS: usize = 2;
/// How often a mismatch is tried to be made shorter, each time on a fresh database, unless told.
const TRIES: u64 = 250;

/// How a history is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One step after the other, with a look at everything after each.
    OneByOne,
    /// Sixteen operations at a time.
    AtOnce,
}

/// How many histories: as many as asked for, else more on CI than elsewhere.
pub fn how_many(variable: &str, usually: u64, on_ci: u64) -> u64 {
    let is_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    number(variable).unwrap_or(if is_ci { on_ci } else { usually })
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable).ok()?;
    Some(value.replace('_', "").parse().unwrap_or_else(|_| panic!("{variable} is not a number: {value}")))
}

/// What went wrong, and in which history, as far as that is known.
struct Failure {
    seed: Option<u64>,
    step: usize,
    told: String,
}

/// Plays so many histories and fails with a report about the first mismatch.
pub fn run(kind: BackendKind, mode: Mode, how_many: u64) {
    let first = number("BANYAN_MODEL_SEED").unwrap_or(1);
    let (next, found) = (AtomicU64::new(0), Mutex::new(None));
    let work = || {
        while found.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            let begin = next.fetch_add(PER_DATABASE, Ordering::SeqCst);
            if begin >= how_many {
                return;
            }
            let seeds = first + begin..first + how_many.min(begin + PER_DATABASE);
            let histories: Vec<History> = seeds.map(history).collect();
            if let Some(failure) = play_all((kind, mode), &histories) {
                found.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert((histories, failure));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(work);
        }
    });
    if let Some((histories, failure)) = found.into_inner().unwrap_or_else(PoisonError::into_inner) {
        panic!("{}", report((kind, mode), &histories, failure));
    }
}

/// Plays histories one after the other on one fresh database; gives what went wrong.
///
/// A mismatch ends the thread of the history, as a failed assertion does: a harness that was not finished may only be
/// dropped by a panic.
fn play_all((kind, mode): (BackendKind, Mode), histories: &[History]) -> Option<Failure> {
    let place = Mutex::new(None);
    let work = || {
        runtime().block_on(async {
            let harness = Harness::on(Database::hasty(kind).expect("a database")).await;
            for history in histories {
                *place.lock().unwrap() = Some(history.seed);
                let played = match mode {
                    Mode::OneByOne => play(&harness, history).await,
                    Mode::AtOnce => play_at_once(&harness, history).await,
                };
                if let Err(mismatch) = played {
                    resume_unwind(Box::new(mismatch));
                }
                *place.lock().unwrap() = None;
            }
            harness.finish().await;
        });
    };
    let played = thread::scope(|scope| scope.spawn(work).join());
    let seed = *place.lock().unwrap_or_else(PoisonError::into_inner);
    played.err().map(|payload| failure(seed, payload))
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(THREADS).enable_all().build().expect("starts a runtime")
}

fn failure(seed: Option<u64>, payload: Box<dyn Any + Send>) -> Failure {
    match payload.downcast::<Mismatch>() {
        Ok(mismatch) => Failure { seed, step: mismatch.step, told: mismatch.told },
        Err(other) => {
            let text = other.downcast_ref::<String>().map(String::as_str).or(other.downcast_ref::<&str>().copied());
            Failure { seed, step: usize::MAX, told: text.unwrap_or("it panicked").to_owned() }
        }
    }
}

/// What went wrong, in as few steps as possible; as it is, when the next run would be another one.
fn report((kind, mode): (BackendKind, Mode), histories: &[History], failure: Failure) -> String {
    if mode == Mode::AtOnce {
        let Failure { seed, step, told } = failure;
        return format!("on {kind:?}, many at once, seed {seed:?}, the block from step {step}:\n{told}");
    }
    let kind = (kind, mode);
    let mut suspects = histories.iter().filter(|history| failure.seed.is_none_or(|seed| seed == history.seed));
    let alone = suspects.find_map(|history| {
        let steps = failure.step.saturating_add(1).min(history.steps.len());
        let cut = History { steps: history.steps[..steps].to_vec(), ..history.clone() };
        play_all(kind, std::slice::from_ref(&cut)).map(|failure| (cut, failure))
    });
    let Some((cut, mut failure)) = alone else {
        let seeds: Vec<u64> = histories.iter().map(|history| history.seed).collect();
        let Failure { seed, step, told } = failure;
        return format!(
            "on {:?}, seed {seed:?}, step {step}; not when it is played alone, without {seeds:?}:\n{told}",
            kind.0
        );
    };
    let (seed, step) = (cut.seed, failure.step);
    let tries = number("BANYAN_MODEL_TRIES").unwrap_or(TRIES);
    let steps = shrink(cut.steps.clone(), usize::try_from(tries).unwrap_or(usize::MAX), |steps| {
        let shorter = History { steps: steps.to_vec(), ..cut.clone() };
        let Some(shorter) = play_all(kind, &[shorter]) else { return false };
        failure = shorter;
        true
    });
    let mut text = format!("on {:?}, seed {seed}, step {step}:\n{}\n\nprograms:\n", kind.0, failure.told);
    for (number, plan) in cut.plans.iter().enumerate() {
        let _never_fails = writeln!(text, "{}", plan.create_input(&format!("program {number}")));
    }
    let _never_fails = writeln!(text, "\nin {} steps of {}:", steps.len(), cut.steps.len());
    for step in steps {
        let _never_fails = writeln!(text, "{} {:?}", step.at, step.operation);
    }
    text
}
