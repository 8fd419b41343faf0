//! Those who go on signing people up while the disk fails, and know who was acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    house::{House, SIGN_UP},
    support::{Client, Unknown},
};

/// How many there are.
const NUMBER: usize = 3;
/// Between two signups of one of them: the disk has to last.
const PAUSE: Duration = Duration::from_millis(25);
/// How long they may have to wait for what they wait for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all of them have seen.
#[derive(Default)]
struct Seen {
    acknowledged: AtomicUsize,
    refused: AtomicUsize,
    end: AtomicBool,
}

/// A few clerks at work.
pub struct Clerks {
    seen: Arc<Seen>,
    working: Vec<JoinHandle<Vec<(String, bool)>>>,
}

impl Clerks {
    /// They begin.
    pub fn begin(house: &House) -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        let seen = Arc::<Seen>::default();
        let clerk = |_| {
            let name = format!("clerk-{}", NUMBERS.fetch_add(1, Ordering::SeqCst));
            tokio::spawn(work(house.client(), name, house.code.clone(), seen.clone()))
        };
        Self { working: (0..NUMBER).map(clerk).collect(), seen }
    }

    /// Waits until so many signups were acknowledged.
    pub async fn have_done(&self, number: usize) {
        wait(&self.seen.acknowledged, number).await;
    }

    /// Waits until every one of them was refused, more than once.
    pub async fn are_refused(&self) {
        wait(&self.seen.refused, 3 * NUMBER).await;
    }

    /// They stop. Who was acknowledged is there; who was not is now.
    pub async fn end(self, house: &House) {
        self.seen.end.store(true, Ordering::SeqCst);
        let (mut here, mut again) = (0, 0);
        for clerk in self.working {
            for (name, acknowledged) in clerk.await.expect("a clerk's notes") {
                if acknowledged {
                    assert!(house.knows(&name).await, "{name} was acknowledged and is not there");
                    here += 1;
                } else {
                    house.insist(SIGN_UP, input(&name, &house.code)).await;
                    again += 1;
                }
            }
        }
        house.count(here + again);
        println!("  {here} signups were acknowledged and are there, {again} were not and were sent again");
    }
}

async fn wait(count: &AtomicUsize, number: usize) {
    let begun = Instant::now();
    while count.load(Ordering::SeqCst) < number {
        assert!(begun.elapsed() < PATIENCE, "{} of {number} after {PATIENCE:?}", count.load(Ordering::SeqCst));
        sleep(PAUSE).await;
    }
}

async fn work(client: Client, clerk: String, code: String, seen: Arc<Seen>) -> Vec<(String, bool)> {
    let mut notes = Vec::new();
    while !seen.end.load(Ordering::SeqCst) {
        let name = format!("{clerk}-{}", notes.len());
        let answer = client.ask(SIGN_UP, &input(&name, &code)).await;
        let acknowledged = match &answer {
            Ok(data) => data["signUp"]["created"] == true,
            Err(Unknown(_)) => false,
        };
        let count = if acknowledged { &seen.acknowledged } else { &seen.refused };
        count.fetch_add(1, Ordering::SeqCst);
        notes.push((name, acknowledged));
        sleep(PAUSE).await;
    }
    notes
}

fn input(name: &str, code: &str) -> Value {
    json!({"input": {"externalId": name, "code": code}})
}
