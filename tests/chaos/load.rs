//! Many connections that send requests at once, and remember what was acknowledged.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::Value;
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    clerk::Clerk,
    support::{ADMIN_KEY, Client},
};

/// Connections that send at once.
const CONNECTIONS: usize = 20;
/// Times that the ledger is looked at in the middle of it.
const AUDITS: usize = 5;

/// Something that the server said it has done. Of one connection's people, in the order in which it was done.
#[derive(Clone, Debug)]
pub enum Told {
    /// Somebody signed up.
    SignedUp { id: String, external_id: String, referrer: Option<String> },
    /// Something was recorded; an amount is in cents.
    Recorded { id: String, key: String, external_id: String, kind: &'static str, cents: Option<i64> },
    /// Something was taken back; without an amount all that was left.
    Refunded { key: String, event_key: String, cents: Option<i64> },
    /// A refund was refused, since it was more than was left.
    Refused { key: String },
}

/// What all connections share.
pub struct Town {
    /// Tickets of requests.
    next: AtomicUsize,
    requests: usize,
    answered: AtomicUsize,
    /// Codes that can be used, with their owners.
    codes: Mutex<Vec<(String, String)>>,
}

impl Town {
    /// Whether there is one more request to be sent.
    pub fn has_more(&self) -> bool {
        self.next.fetch_add(1, Ordering::SeqCst) < self.requests
    }

    /// A request was answered.
    pub fn answered(&self) {
        self.answered.fetch_add(1, Ordering::SeqCst);
    }

    /// Somebody's code can be used from now on.
    pub fn add_code(&self, code: String, owner: String) {
        self.codes.lock().unwrap_or_else(PoisonError::into_inner).push((code, owner));
    }

    /// One of the codes and its owner; `pick` chooses among that many.
    pub fn code(&self, pick: impl FnOnce(usize) -> usize) -> Option<(String, String)> {
        let codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        if codes.is_empty() { None } else { Some(codes[pick(codes.len())].clone()) }
    }
}

/// Requests on their way.
pub struct Load {
    town: Arc<Town>,
    clerks: Vec<JoinHandle<Vec<Told>>>,
    auditor: JoinHandle<()>,
}

impl Load {
    /// Begins to send.
    pub fn begin(address: &str, requests: usize, seed: u64) -> Self {
        let town = Town { next: 0.into(), requests, answered: 0.into(), codes: Mutex::default() };
        let town = Arc::new(town);
        let client = || Client::new(address.to_owned(), ADMIN_KEY);
        let clerk = |number| tokio::spawn(Clerk::new(number, client(), Arc::clone(&town), seed).work());
        let clerks = (0..CONNECTIONS).map(clerk).collect();
        let auditor = tokio::spawn(audit(client(), Arc::clone(&town)));
        Self { town, clerks, auditor }
    }

    /// How many requests there are.
    pub fn requests(&self) -> usize {
        self.town.requests
    }

    /// Waits until so many were answered.
    pub async fn has_reached(&self, answered: usize) {
        while self.town.answered.load(Ordering::SeqCst) < answered {
            let ended = self.clerks.iter().any(|clerk| clerk.is_finished());
            assert!(!ended || self.town.next.load(Ordering::SeqCst) >= self.town.requests, "a connection broke");
            if ended && self.clerks.iter().all(JoinHandle::is_finished) {
                return;
            }
            sleep(Duration::from_millis(2)).await;
        }
    }

    /// Waits until all were answered, and gives what was acknowledged, by connection.
    pub async fn end(self) -> Vec<Vec<Told>> {
        let mut told = Vec::new();
        for clerk in self.clerks {
            told.push(clerk.await.expect("a connection does its work"));
        }
        self.auditor.await.expect("the auditor finds nothing");
        assert_eq!(self.town.answered.load(Ordering::SeqCst), self.town.requests);
        told
    }
}

/// The ledger balances in the middle of it too.
async fn audit(client: Client, town: Arc<Town>) {
    for audit in 1..=AUDITS {
        while town.answered.load(Ordering::SeqCst) < audit * town.requests / AUDITS {
            sleep(Duration::from_millis(20)).await;
        }
        let answer = client.insist("{ ledgerCheck { ok differences } }", Value::Null).await;
        assert_eq!(answer["ledgerCheck"]["ok"], true, "{answer}");
    }
}
