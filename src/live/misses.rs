//! How often who asked for codes that do not exist, so that codes cannot be guessed one after the other.
//!
//! Only misses are counted, and what is used up closes the door to hits as well: whoever guesses learns nothing any more,
//! and nobody else notices. Rates are kept as GCRA does (ITU-T I.371, annex A): one instant per counter, at which all
//! would be forgiven. The crate `governor` does the same, but cannot be asked without being charged.
//!
//! When all together guess too much, whoever has not guessed yet still gets in: otherwise anybody with many addresses
//! could switch off everybody's links.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::domain::{
    time::{SECOND_MICROS, Timestamp},
    visitor::{household, network},
};

/// What may be missed: so many at once, and then one more each so many microseconds.
#[derive(Clone, Copy)]
struct Allowance {
    at_once: i64,
    each_micros: i64,
}

/// One address, which for IPv6 is a /64.
const ADDRESS: Allowance = Allowance { at_once: 20, each_micros: 3 * SECOND_MICROS };
/// One network: /24, or /56 for IPv6.
const NETWORK: Allowance = Allowance { at_once: 100, each_micros: SECOND_MICROS };
/// Everybody together.
const EVERYBODY: Allowance = Allowance { at_once: 2_000, each_micros: SECOND_MICROS / 20 };
/// Most counters. When there are more, those that are forgiven go; if all are needed, only everybody is still counted.
const COUNTERS_MAX: usize = 100_000;
/// Shortest time between two looks through all of them.
const SWEEP_MICROS: i64 = SECOND_MICROS;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Who {
    Address(IpAddr),
    Network(IpAddr),
    Everybody,
}

/// Counters of misses, by who they are held against.
#[derive(Default)]
pub struct Misses(Mutex<Book>);

#[derive(Default)]
struct Book {
    /// When all would be forgiven.
    counters: HashMap<Who, Timestamp>,
    /// When those that are forgiven were last taken out.
    swept_at: Timestamp,
}

impl Misses {
    /// Whether somebody may ask for a code now. Who is not known is only counted with everybody.
    pub fn may_ask(&self, address: Option<IpAddr>, now: Timestamp) -> bool {
        let book = self.book();
        let forgiven_at = |who| book.counters.get(&who).copied().unwrap_or(Timestamp::EPOCH);
        let own = address.map(|address| forgiven_at(Who::Address(household(address))));
        let shared = address.map(|address| forgiven_at(Who::Network(network(address))));
        let has_room =
            own.is_none_or(|at| ADDRESS.has_room(at, now)) && shared.is_none_or(|at| NETWORK.has_room(at, now));
        has_room && (EVERYBODY.has_room(forgiven_at(Who::Everybody), now) || own.is_some_and(|at| at <= now))
    }

    /// Somebody asked for a code that does not exist.
    pub fn missed(&self, address: Option<IpAddr>, now: Timestamp) {
        let mut book = self.book();
        book.sweep(now);
        let is_full = book.counters.len() >= COUNTERS_MAX;
        let mut charge = |who, allowance: Allowance| {
            if is_full && !book.counters.contains_key(&who) {
                return;
            }
            let forgiven_at = book.counters.entry(who).or_insert(now);
            *forgiven_at = (*forgiven_at).max(now).plus_micros(allowance.each_micros);
        };
        charge(Who::Everybody, EVERYBODY);
        if let Some(address) = address {
            charge(Who::Address(household(address)), ADDRESS);
            charge(Who::Network(network(address)), NETWORK);
        }
    }

    /// The map is whole after every statement, so a panic elsewhere does not spoil it.
    fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Book {
    /// Takes out what is forgiven when there are too many counters; not each time, or who fills the book would also make
    /// every look into it slow.
    fn sweep(&mut self, now: Timestamp) {
        let is_due = self.swept_at.plus_micros(SWEEP_MICROS) <= now;
        if is_due && self.counters.len() >= COUNTERS_MAX {
            self.counters.retain(|_, forgiven_at| *forgiven_at > now);
            self.swept_at = now;
        }
    }
}

impl Allowance {
    /// Whether one more fits before what is still to be forgiven reaches the limit.
    const fn has_room(self, forgiven_at: Timestamp, now: Timestamp) -> bool {
        forgiven_at.micros() - now.micros() <= (self.at_once - 1) * self.each_micros
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
                misses.missed(address, now);
            }
            may
        };
        (0..5_000).take_while(step).count()
    }

    #[test]
    fn who_guesses_is_shut_out_and_forgiven_slowly() {
        let misses = Misses::default();
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(0)), 20);
        assert!(misses.may_ask(ip("192.0.2.2"), at(0)), "a neighbour");
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(2)), 0);
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(3)), 1);
        assert_eq!(guesses(&misses, ip("192.0.2.1"), at(3_000)), 20);
    }

    #[test]
    fn more_addresses_of_one_network_do_not_help() {
        let misses = Misses::default();
        let total: usize = (0..200).map(|host| guesses(&misses, ip(&format!("192.0.2.{host}")), at(0))).sum();
        assert_eq!(total, 100);
        assert!(misses.may_ask(ip("192.0.3.1"), at(0)), "the network beside");
        let total: usize = (0..200).map(|host| guesses(&misses, ip(&format!("2001:db8::{host:x}")), at(0))).sum();
        assert_eq!(total, 20, "one /64 is one household");
    }

    #[test]
    fn when_all_guess_too_much_only_those_who_never_did_get_in() {
        let misses = Misses::default();
        let address = |number: u32| Some(IpAddr::from(std::net::Ipv4Addr::from_bits(number << 8 | 1)));
        let total: usize = (0..150).map(|number| guesses(&misses, address(number), at(0))).sum();
        assert_eq!(total, 2_000 + 50, "and one more for each new address");
        assert!(misses.may_ask(ip("203.0.113.9"), at(0)), "an honest visitor");
        assert!(!misses.may_ask(None, at(0)), "who cannot be told from the others");
        assert!(misses.may_ask(None, at(200)));
    }

    #[test]
    fn counters_are_bounded() {
        let misses = Misses::default();
        for number in 0..60_000_u32 {
            misses.missed(Some(IpAddr::from(std::net::Ipv4Addr::from_bits(number << 8))), at(0));
        }
        assert!(misses.book().counters.len() < COUNTERS_MAX + 3);
        misses.missed(ip("198.51.100.1"), at(100_000));
        assert_eq!(misses.book().counters.len(), 3);
    }
}
