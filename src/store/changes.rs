//! Changes of many rows that a fold writes at once; each backend's `bulk` knows how.

use crate::domain::{
    id::Id,
    time::Timestamp,
    words::{Metric, Period},
};

/// Levels of a network that are counted.
pub const NETWORK_LEVELS: usize = 10;

/// What is added to one user's counters; the version rises by one in any case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotalsChange {
    /// Whose.
    pub user: Id,
    /// People added on each level below, from level 1 on.
    pub signups: [i32; NETWORK_LEVELS],
    /// Completed referrals added on each level below, from level 1 on.
    pub completed: [i32; NETWORK_LEVELS],
    /// When the newest of the added people came.
    pub newest: Option<Timestamp>,
}

impl TotalsChange {
    /// A change of the version alone.
    pub const fn none(user: Id) -> Self {
        Self { user, signups: [0; NETWORK_LEVELS], completed: [0; NETWORK_LEVELS], newest: None }
    }

    /// People added to the whole network.
    pub fn network(&self) -> i32 {
        self.signups.iter().sum()
    }
}

/// What was decided about an event.
#[derive(Clone, Debug)]
pub struct EventChange {
    /// The event.
    pub id: Id,
    /// What is left of it, in minor units.
    pub remaining: Option<i64>,
    /// Its place in the order of decisions.
    pub decided_no: i64,
    /// What was decided, as JSON by rule.
    pub decisions: String,
}

/// What was decided about a refund.
#[derive(Clone, Debug)]
pub struct RefundChange {
    /// The refund.
    pub id: Id,
    /// The event that it took from.
    pub event: Id,
    /// Minor units.
    pub applied: i64,
    /// Its place in the order of decisions.
    pub decided_no: i64,
}

/// What was used of a cap by now, as read under its lock and raised.
pub type CapChange = super::models::Cap;

/// What is added to the balances of one user in one currency, in minor units; may be negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountChange {
    /// Whose.
    pub user: Id,
    /// In which currency.
    pub currency: String,
    /// Added to what is held until its instant.
    pub pending: i64,
    /// Added to what can be claimed.
    pub available: i64,
    /// Added to what is held back for review.
    pub withheld: i64,
    /// Added to what waits for its payout.
    pub claimed: i64,
    /// Added to what was paid.
    pub paid: i64,
    /// Added to what is owed.
    pub debt: i64,
}

impl AccountChange {
    /// A change of nothing.
    pub fn none(user: Id, currency: &str) -> Self {
        let currency = currency.to_owned();
        Self { user, currency, pending: 0, available: 0, withheld: 0, claimed: 0, paid: 0, debt: 0 }
    }

    /// Whether no balance falls.
    pub fn only_adds(&self) -> bool {
        [self.pending, self.available, self.withheld, self.claimed, self.paid, self.debt]
            .iter()
            .all(|amount| *amount >= 0)
    }
}

/// The new score of one user in one period of a board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScoreChange {
    /// The board's program.
    pub program: Id,
    /// Its metric.
    pub metric: Metric,
    /// The period.
    pub period: Period,
    /// First instant of the period.
    pub starts_at: Timestamp,
    /// Whose score.
    pub user: Id,
    /// The new score.
    pub score: i64,
    /// When it was reached.
    pub reached_at: Timestamp,
}

/// Users who enter (or leave) one bucket of a board's histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BucketChange {
    /// The board's program.
    pub program: Id,
    /// Its metric.
    pub metric: Metric,
    /// The period.
    pub period: Period,
    /// First instant of the period.
    pub starts_at: Timestamp,
    /// The bucket.
    pub bucket: i64,
    /// How many users more, or fewer.
    pub users: i64,
}
