//! What a request is charged to whom, before it is run.
//!
//! A document costs what the guard of documents has computed, one at least; who has no credential pays by the request.
//! Keys are the host's own and pay nothing, unless they were made with a limit.

use std::net::IpAddr;

use super::Engine;
use crate::{
    domain::{
        id::Id,
        limit::{Quota, seconds_up},
        time::SECOND_MICROS,
    },
    live::{BucketKind, Charged, Demand},
};

/// Cost of a member's documents: 5,000 at once and 1,000 a second.
const MEMBER_COST: Quota = Quota::new(5_000, SECOND_MICROS / 1_000);
/// A member's claims: 30 a minute.
const MEMBER_CLAIMS: Quota = Quota::new(30, 2 * SECOND_MICROS);
/// Requests without a credential from one address: 60 a minute.
const REQUESTS: Quota = Quota::new(60, SECOND_MICROS);
/// What may be sent at once with a key that has a limit, in seconds of its limit.
const KEY_BURST_SECONDS: i64 = 5;

/// Who pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payer<'a> {
    /// Nobody by name: whoever is at this address.
    Address(Option<IpAddr>),
    /// A user of the host, by the host's id.
    Member(&'a str),
    /// The holder of a key.
    Key {
        /// Which key.
        id: Id,
        /// Its limit; none unless it was made with one.
        cost_per_second: Option<u32>,
    },
}

/// What is to be paid for one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Its cost, in objects.
    pub cost: u64,
    /// How often it claims rewards.
    pub claims: u64,
}

impl Price {
    /// What a document costs that was refused or that is not known: reading it, or looking for it, was work too.
    pub const LEAST: Self = Self { cost: 1, claims: 0 };
}

/// How one of the payer's limits stands after a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Which limit: `requests`, `cost` or `claims`.
    pub policy: &'static str,
    /// What it allows.
    pub quota: Quota,
    /// What may be asked for at once now.
    pub left: i64,
    /// In how many seconds it is more than that; or, of a charge that was refused, in how many it succeeds.
    pub reset_seconds: i64,
}

/// What came of a charge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bill {
    /// How the payer's limits stand; empty for who has none.
    pub meters: Vec<Meter>,
    /// Nothing was charged and nothing must be run: how long to wait, in seconds.
    pub retry_after_seconds: Option<i64>,
}

impl Engine {
    /// Charges somebody for a document, whole or not at all.
    pub async fn charge(&self, payer: Payer<'_>, price: Price) -> Bill {
        let (policies, demands): (Vec<_>, Vec<_>) = self.demands(payer, price).into_iter().unzip();
        if demands.is_empty() {
            return Bill::default();
        }
        let charged = self.live.limits().charge(&demands, self.context.now()).await;
        bill(&policies, &demands, &charged)
    }

    fn demands(&self, payer: Payer<'_>, Price { cost, claims }: Price) -> Vec<(&'static str, Demand)> {
        let limits = self.live.limits();
        let demand = |bucket, quota, amount| Demand { bucket, quota, amount };
        let cost = cost.max(1);
        match payer {
            Payer::Address(address) => {
                let bucket = limits.bucket_of_address(BucketKind::Requests, address);
                vec![("requests", demand(bucket, REQUESTS, 1))]
            }
            // Both always, so that what is told does not change from request to request.
            Payer::Member(external_id) => vec![
                ("cost", demand(limits.bucket(BucketKind::MemberCost, external_id), MEMBER_COST, cost)),
                ("claims", demand(limits.bucket(BucketKind::MemberClaims, external_id), MEMBER_CLAIMS, claims)),
            ],
            Payer::Key { cost_per_second: None, .. } => Vec::new(),
            Payer::Key { id, cost_per_second: Some(limit) } => {
                let bucket = limits.bucket(BucketKind::KeyCost, &id.uuid().to_string());
                vec![("cost", demand(bucket, of_key(limit), cost))]
            }
        }
    }
}

/// The quota of a key.
fn of_key(cost_per_second: u32) -> Quota {
    let each_second = i64::from(cost_per_second).max(1);
    Quota::new(KEY_BURST_SECONDS * each_second, SECOND_MICROS / each_second)
}

fn bill(policies: &[&'static str], demands: &[Demand], charged: &Charged) -> Bill {
    let retry_after_seconds = (charged.wait_micros > 0).then(|| seconds_up(charged.wait_micros));
    let meter = |((policy, demand), debt): ((&'static str, &Demand), &i64)| {
        let wait_micros =
            if retry_after_seconds.is_some() { demand.quota.wait_micros(*debt, demand.amount) } else { 0 };
        // Of a limit that gives more by the millisecond the next second is told.
        let reset_seconds = seconds_up(wait_micros).max(demand.quota.step_seconds());
        Meter { policy, quota: demand.quota, left: demand.quota.left(*debt), reset_seconds }
    };
    let meters = policies.iter().copied().zip(demands).zip(&charged.debts_micros).map(meter).collect();
    Bill { meters, retry_after_seconds }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{Live, LiveSettings};

    fn demand(quota: Quota, amount: u64) -> Demand {
        let bucket = Live::in_process(LiveSettings::new("bill", 1)).limits().bucket(BucketKind::MemberCost, "ann");
        Demand { bucket, quota, amount }
    }

    #[test]
    fn a_bill_tells_what_is_left_and_since_when_there_is_more() {
        let demands = [demand(MEMBER_COST, 700), demand(MEMBER_CLAIMS, 2)];
        let charged = Charged { wait_micros: 0, debts_micros: vec![700_000, 4_000_000] };
        let Bill { meters, retry_after_seconds } = bill(&["cost", "claims"], &demands, &charged);
        assert_eq!(retry_after_seconds, None);
        let told: Vec<_> = meters.iter().map(|meter| (meter.policy, meter.left, meter.reset_seconds)).collect();
        assert_eq!(told, [("cost", 4_300, 1), ("claims", 28, 2)]);
    }

    #[test]
    fn a_refusal_tells_how_long_to_wait_and_which_limit_it_was() {
        let demands = [demand(MEMBER_COST, 700), demand(MEMBER_CLAIMS, 2)];
        let charged = Charged { wait_micros: 3_500_000, debts_micros: vec![1_000_000, 59_500_000] };
        let Bill { meters, retry_after_seconds } = bill(&["cost", "claims"], &demands, &charged);
        assert_eq!(retry_after_seconds, Some(4));
        let told: Vec<_> = meters.iter().map(|meter| (meter.left, meter.reset_seconds)).collect();
        assert_eq!(told, [(4_000, 1), (0, 4)]);
    }

    #[test]
    fn a_key_may_send_five_seconds_of_its_limit_at_once() {
        let quota = of_key(200);
        assert_eq!((quota.at_once(), quota.window_seconds()), (1_000, 5));
        assert_eq!(of_key(0), of_key(1));
    }
}
