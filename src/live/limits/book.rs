//! The buckets of this process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::domain::time::{SECOND_MICROS, Timestamp};

use super::{Bucket, Charged, Demand};

/// Most buckets. When there are more, those that owe nothing go; who finds no place then shares one with the others who
/// found none: memory is bounded, and nobody is without a limit.
const BUCKETS_MAX: usize = 100_000;
/// Shortest time between two looks through all of them.
const SWEEP_MICROS: i64 = SECOND_MICROS;

/// Debts, by bucket; a bucket that is not there owes nothing.
#[derive(Default)]
pub(super) struct Book(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    /// When all would be forgiven.
    forgiven_at: HashMap<Bucket, Timestamp>,
    /// When those that owe nothing were last taken out.
    swept_at: Timestamp,
}

impl Book {
    /// Takes what is asked for out of all buckets, or out of none.
    pub(super) fn charge(&self, demands: &[Demand], now: Timestamp) -> Charged {
        let mut pages = self.swept(now);
        let before: Vec<i64> = demands.iter().map(|demand| pages.debt_micros(demand.bucket, now)).collect();
        let charged = Charged::of(demands, &before);
        if charged.wait_micros == 0 {
            pages.set(demands, &charged.debts_micros, now);
        }
        charged
    }

    /// Adds to debts, whatever they are.
    pub(super) fn owe(&self, demands: &[Demand], now: Timestamp) {
        let mut pages = self.swept(now);
        for demand in demands {
            let debt = pages.debt_micros(demand.bucket, now) + demand.quota.price_micros(demand.amount);
            pages.set(&[*demand], &[debt], now);
        }
    }

    /// Takes over debts that are larger than what is known here.
    pub(super) fn learn(&self, demands: &[Demand], debts_micros: &[i64], now: Timestamp) {
        let mut pages = self.swept(now);
        for (demand, debt) in demands.iter().zip(debts_micros) {
            if *debt > pages.debt_micros(demand.bucket, now) {
                pages.set(&[*demand], &[*debt], now);
            }
        }
    }

    /// What a bucket owes, in microseconds.
    pub(super) fn debt_micros(&self, bucket: Bucket, now: Timestamp) -> i64 {
        self.pages().debt_micros(bucket, now)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.pages().forgiven_at.len()
    }

    /// The pages, with room on them if there can be any.
    fn swept(&self, now: Timestamp) -> MutexGuard<'_, Pages> {
        let mut pages = self.pages();
        pages.sweep(now);
        pages
    }

    /// The map is whole after every statement, so a panic elsewhere does not spoil it.
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn debt_micros(&self, bucket: Bucket, now: Timestamp) -> i64 {
        let forgiven_at = self.forgiven_at.get(&self.place(bucket)).copied().unwrap_or(Timestamp::EPOCH);
        (forgiven_at.micros() - now.micros()).max(0)
    }

    /// Sets the debts of buckets; those that owe nothing need no place.
    fn set(&mut self, demands: &[Demand], debts_micros: &[i64], now: Timestamp) {
        for (demand, debt) in demands.iter().zip(debts_micros).filter(|(_, debt)| **debt > 0) {
            let place = self.place(demand.bucket);
            self.forgiven_at.insert(place, now.plus_micros(*debt));
        }
    }

    /// Where a bucket stands: at its own place, or at that of the rest when the book is full.
    fn place(&self, bucket: Bucket) -> Bucket {
        let has_room = self.forgiven_at.len() < BUCKETS_MAX || self.forgiven_at.contains_key(&bucket);
        if has_room { bucket } else { Bucket::of_the_rest(bucket.kind()) }
    }

    /// Takes out what owes nothing when there are too many; not each time, or who fills the book would also make every
    /// look into it slow.
    fn sweep(&mut self, now: Timestamp) {
        let is_due = self.swept_at.plus_micros(SWEEP_MICROS) <= now;
        if is_due && self.forgiven_at.len() >= BUCKETS_MAX {
            self.forgiven_at.retain(|_, forgiven_at| *forgiven_at > now);
            self.swept_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{keyed_hash::HashKey, limit::Quota};
    use crate::live::limits::BucketKind;

    const QUOTA: Quota = Quota::new(10, SECOND_MICROS);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_000_000 + seconds) * SECOND_MICROS)
    }

    fn demand(kind: BucketKind, whom: &str, amount: u64) -> Demand {
        Demand { bucket: Bucket::new(kind, whom, &HashKey::from_secret("book")), quota: QUOTA, amount }
    }

    #[test]
    fn all_buckets_give_or_none_does() {
        let book = Book::default();
        let (cost, claims) = (demand(BucketKind::MemberCost, "ann", 4), demand(BucketKind::MemberClaims, "ann", 6));
        assert_eq!(book.charge(&[cost, claims], at(0)).wait_micros, 0);
        let refused = book.charge(&[cost, claims], at(0));
        assert_eq!(refused.wait_micros, 2 * SECOND_MICROS, "the claims are not there");
        assert_eq!(refused.debts_micros, [4 * SECOND_MICROS, 6 * SECOND_MICROS], "and the cost was not taken");
        assert_eq!(book.charge(&[cost, claims], at(2)).wait_micros, 0);
        let ben = demand(BucketKind::MemberCost, "ben", 10);
        assert_eq!(book.charge(&[ben], at(0)).wait_micros, 0, "others have buckets of their own");
    }

    #[test]
    fn larger_debts_are_taken_over_and_smaller_ones_are_not() {
        let (book, ann) = (Book::default(), demand(BucketKind::MemberCost, "ann", 1));
        book.learn(&[ann], &[5 * SECOND_MICROS], at(0));
        book.learn(&[ann], &[2 * SECOND_MICROS], at(0));
        assert_eq!(book.debt_micros(ann.bucket, at(1)), 4 * SECOND_MICROS);
        book.owe(&[ann, ann], at(1));
        assert_eq!(book.debt_micros(ann.bucket, at(1)), 6 * SECOND_MICROS);
    }

    #[test]
    fn a_full_book_forgets_nobody_and_limits_the_rest_together() {
        let book = Book::default();
        let of = |number: usize| demand(BucketKind::Requests, &number.to_string(), 1);
        (0..BUCKETS_MAX).for_each(|number| assert_eq!(book.charge(&[of(number)], at(0)).wait_micros, 0));
        let served = (0..100).filter(|number| book.charge(&[of(BUCKETS_MAX + number)], at(0)).wait_micros == 0).count();
        assert_eq!((served, book.len()), (10, BUCKETS_MAX + 1), "they share one bucket");
        assert_eq!(book.debt_micros(of(7).bucket, at(0)), SECOND_MICROS);
        assert_eq!(book.charge(&[of(BUCKETS_MAX + 1)], at(60)).wait_micros, 0);
        assert_eq!(book.len(), 1, "those who owe nothing make room");
    }
}
