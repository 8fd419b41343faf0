//! How often who asked for codes that do not exist, so that codes cannot be guessed one after the other.
//!
//! Only misses are counted, and what is used up closes the door to hits as well: whoever guesses learns nothing any more,
//! and nobody else notices. Before a look-up only the book of this process is asked, so that honest people never wait for
//! Redis; misses are told to Redis, and what comes back is what that address missed on all servers. So somebody gains at
//! most one guess by going to another server.
//!
//! When all together guess too much, whoever has not guessed yet still gets in: otherwise anybody with many addresses
//! could switch off everybody's links.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use super::limits::{BucketKind, Demand, Limits};
use crate::domain::{
    limit::Quota,
    time::{SECOND_MICROS, Timestamp},
};

/// What one address may miss, which for IPv6 is a /64.
const ADDRESS: Quota = Quota::new(20, 3 * SECOND_MICROS);
/// What one network may miss: /24, or /56 for IPv6.
const NETWORK: Quota = Quota::new(100, SECOND_MICROS);
/// What everybody together may miss.
const EVERYBODY: Quota = Quota::new(2_000, SECOND_MICROS / 20);

/// Counters of misses, by who they are held against.
#[derive(Clone)]
pub struct Misses(Arc<Limits>);

impl Misses {
    pub(super) fn new(limits: Arc<Limits>) -> Self {
        Self(limits)
    }

    /// How long somebody has to wait before asking for a code, in microseconds; zero when they need not. Who is not known
    /// is only counted with everybody.
    pub fn wait_micros(&self, address: Option<IpAddr>, now: Timestamp) -> i64 {
        let wait = |demand: &Demand| demand.quota.wait_micros(self.0.debt_micros(demand.bucket, now), demand.amount);
        let own = self.own(address);
        let own_wait = own.iter().map(wait).max().unwrap_or(0);
        let never_missed = own.first().is_some_and(|address| self.0.debt_micros(address.bucket, now) == 0);
        if never_missed { own_wait } else { own_wait.max(wait(&self.everybody(1))) }
    }

    /// Whether somebody may ask for a code now.
    pub fn may_ask(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        self.wait_micros(address, now) == 0
    }

    /// Somebody asked for a code that does not exist, or several people did.
    pub async fn missed(&self, addresses: &[Option<IpAddr>], now: Timestamp) {
        if addresses.is_empty() {
            return;
        }
        let mut amounts = HashMap::new();
        for demand in addresses.iter().flat_map(|address| self.own(*address)) {
            amounts.entry(demand.bucket).or_insert(Demand { amount: 0, ..demand }).amount += 1;
        }
        let mut demands: Vec<Demand> = amounts.into_values().collect();
        demands.push(self.everybody(addresses.len() as u64));
        self.0.owe(&demands, now).await;
    }

    /// The address and its network.
    fn own(&self, address: Option<IpAddr>) -> Vec<Demand> {
        let Some(known) = address else { return Vec::new() };
        let (address, network) = (
            self.0.bucket_of_address(BucketKind::AddressMisses, address),
            self.0.bucket_of_network(BucketKind::NetworkMisses, known),
        );
        vec![
            Demand { bucket: address, quota: ADDRESS, amount: 1 },
            Demand { bucket: network, quota: NETWORK, amount: 1 },
        ]
    }

    fn everybody(&self, amount: u64) -> Demand {
        Demand { bucket: self.0.bucket(BucketKind::AllMisses, ""), quota: EVERYBODY, amount }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::keyed_hash::HashKey;
    use futures_util::FutureExt;

    fn misses() -> Misses {
        Misses::new(Arc::new(Limits::new(&HashKey::from_secret("misses"), None)))
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros((1_000_000 + seconds) * SECOND_MICROS)
    }

    fn ip(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    /// How many misses somebody gets before the door closes.
    fn guesses(misses: &Misses, address: Option<IpAddr>, now: Timestamp) -> usize {
        let step = |_: &usize| {
            let may = misses.may_ask(address, now);
            if may {
                miss(misses, address, now);
            }
            may
        };
        (0..5_000).take_while(step).count()
    }

    /// Without a Redis nothing is waited for.
    fn miss(misses: &Misses, address: Option<IpAddr>, now: Timestamp) {
        misses.missed(&[address], now).now_or_never().unwrap();
    }

    #[test]
    fn who_guesses_is_shut_out_and_forgiven_slowly() {
        let misses = misses();
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(0)), 20);
        assert!(misses.may_ask(ip("192.0.2.2"), at(0)), "a neighbour");
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(2)), 0);
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(3)), 1);
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(3_000)), 20);
    }

    #[test]
    fn more_addresses_of_one_network_do_not_help() {
        let misses = misses();
        let total: usize = (0..200).map(|host| guesses(&misses, ip(&format!("192.0.2.{host}")), at(0))).sum();
        assert_eq!(total, 100);
        assert!(misses.may_ask(ip("192.0.3.1"), at(0)), "the network beside");
        let total: usize = (0..200).map(|host| guesses(&misses, ip(&format!("2001:db8::{host:x}")), at(0))).sum();
        assert_eq!(total, 20, "one /64 is one household");
    }

    #[test]
    fn when_all_guess_too_much_only_those_who_never_did_get_in() {
        let misses = misses();
        let address = |number: u32| Some(IpAddr::from(std::net::Ipv4Addr::from_bits(number << 8 | 1)));
        let total: usize = (0..150).map(|number| guesses(&misses, address(number), at(0))).sum();
        assert_eq!(total, 2_000 + 50, "and one more for each new address");
        assert!(misses.may_ask(ip("203.0.113.9"), at(0)), "an honest visitor");
        assert!(!misses.may_ask(None, at(0)), "who cannot be told from the others");
        assert!(misses.may_ask(None, at(200)));
    }

    #[test]
    fn a_crowd_that_misses_together_is_counted_one_by_one() {
        let misses = misses();
        let crowd: Vec<_> = (0..30).map(|host| ip(&format!("192.0.2.{}", host % 2))).collect();
        misses.missed(&crowd, at(0)).now_or_never().unwrap();
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(0)), 5);
        assert_eq!(misses.wait_micros(ip("192.0.2.1"), at(0)), 3 * SECOND_MICROS);
        assert_eq!(guesses(&misses, ip("192.0.2.7"), at(0)), 20);
    }

    #[test]
    fn counters_are_bounded() {
        let misses = misses();
        for number in 0..60_000_u32 {
            miss(&misses, Some(IpAddr::from(std::net::Ipv4Addr::from_bits(number << 8))), at(0));
        }
        assert!(misses.0.remembered() <= 100_003, "{}", misses.0.remembered());
        miss(&misses, ip("198.51.100.1"), at(100_000));
        assert_eq!(misses.0.remembered(), 3);
    }
}
