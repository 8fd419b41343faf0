//! Buckets of what may be asked for: one for each caller and purpose, shared by all servers while there is a Redis.
//!
//! Who decides is Redis, when there is one and it answers at once; otherwise this process, which keeps a book of its own.
//! So a limit always holds: over all servers, or on each of them while Redis is away. What Redis says is written into the
//! book too, so that losing Redis does not forgive everybody everything.

mod book;
mod bucket;

use std::net::IpAddr;

use crate::domain::{
    keyed_hash::HashKey,
    limit::Quota,
    time::Timestamp,
    visitor::{household, network},
};

use super::LinkState;
use super::redis::SharedBook;
use book::Book;
pub use bucket::{Bucket, BucketKind};

/// An amount that is asked of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Of which.
    pub bucket: Bucket,
    /// What it gives.
    pub quota: Quota,
    /// How much is asked for; nothing, to see how it stands.
    pub amount: u64,
}

/// What came of asking several buckets at once: all of them gave, or none did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charged {
    /// How long to wait before all can give, in microseconds; zero when they gave.
    pub wait_micros: i64,
    /// The debt of each bucket now, in microseconds, in the order of the demands.
    pub debts_micros: Vec<i64>,
}

impl Charged {
    /// What follows from the debts that the buckets had before.
    fn of(demands: &[Demand], before: &[i64]) -> Self {
        let each = || demands.iter().zip(before);
        let waits = each().map(|(demand, debt)| demand.quota.wait_micros(*debt, demand.amount));
        let wait_micros = waits.max().unwrap_or(0);
        let price = |demand: &Demand| if wait_micros == 0 { demand.quota.price_micros(demand.amount) } else { 0 };
        let debts_micros = each().map(|(demand, debt)| debt.saturating_add(price(demand))).collect();
        Self { wait_micros, debts_micros }
    }
}

/// The buckets, in Redis and in this process.
pub struct Limits {
    hash_key: HashKey,
    book: Book,
    shared: Option<SharedBook>,
}

impl Limits {
    pub(super) fn new(hash_key: &HashKey, shared: Option<SharedBook>) -> Self {
        Self { hash_key: hash_key.derived("limits"), book: Book::default(), shared }
    }

    /// The bucket of somebody, by any name of theirs.
    pub fn bucket(&self, kind: BucketKind, whom: &str) -> Bucket {
        Bucket::new(kind, whom, &self.hash_key)
    }

    /// The bucket of an address, which for IPv6 is a /64; those that are not known share one.
    pub fn bucket_of_address(&self, kind: BucketKind, address: Option<IpAddr>) -> Bucket {
        let whom = address.map_or_else(|| "unknown".to_owned(), |address| household(address).to_string());
        self.bucket(kind, &whom)
    }

    /// The same for the network of an address: its /24, or /56 for IPv6.
    pub(super) fn bucket_of_network(&self, kind: BucketKind, address: IpAddr) -> Bucket {
        self.bucket(kind, &network(address).to_string())
    }

    /// Takes what is asked for out of all buckets, or out of none. Waits for Redis for a moment only, see
    /// [`LiveSettings::limits_patience`](super::LiveSettings::limits_patience).
    pub async fn charge(&self, demands: &[Demand], now: Timestamp) -> Charged {
        let shared = match &self.shared {
            Some(shared) => shared.charge(demands).await,
            None => None,
        };
        let Some(before) = shared else { return self.book.charge(demands, now) };
        let charged = Charged::of(demands, &before);
        self.book.learn(demands, &charged.debts_micros, now);
        charged
    }

    /// Adds to the debts of buckets, whatever they are; afterwards they are told by [`debt_micros`](Self::debt_micros).
    pub(super) async fn owe(&self, demands: &[Demand], now: Timestamp) {
        self.book.owe(demands, now);
        let Some(shared) = &self.shared else { return };
        if let Some(before) = shared.owe(demands).await {
            let price = |demand: &Demand| demand.quota.price_micros(demand.amount);
            let after: Vec<i64> = demands.iter().zip(before).map(|(demand, debt)| debt + price(demand)).collect();
            self.book.learn(demands, &after, now);
        }
    }

    /// The debt of a bucket as far as this process knows, in microseconds.
    pub(super) fn debt_micros(&self, bucket: Bucket, now: Timestamp) -> i64 {
        self.book.debt_micros(bucket, now)
    }

    /// Whether limits hold over all servers at the moment.
    pub(super) fn link(&self) -> LinkState {
        self.shared.as_ref().map_or(LinkState::InProcess, SharedBook::state)
    }

    /// How many buckets this process remembers.
    #[cfg(test)]
    pub(super) fn remembered(&self) -> usize {
        self.book.len()
    }
}
