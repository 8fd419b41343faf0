//! How many connections each address has, so that one client cannot take all the seats.
//!
//! The peer of the connection counts, whoever it is, loopback too; but not a proxy that is trusted, which brings everybody.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use crate::domain::visitor::household;

/// Connections by address, which for IPv6 is a /64. Its size is bounded by the number of connections.
#[derive(Debug)]
pub struct Headcount {
    most: usize,
    exempt: Vec<IpNet>,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection that is counted, for as long as this lives; nothing is counted of those that are exempt.
#[derive(Debug)]
pub struct Counted {
    headcount: Arc<Headcount>,
    address: Option<IpAddr>,
}

impl Headcount {
    /// Lets each address have at most so many connections, except those that are exempt.
    pub fn new(most: usize, exempt: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { most, exempt, counts: Mutex::default() })
    }

    /// Counts one more connection, unless its address has as many as it may have.
    pub fn enter(self: &Arc<Self>, peer: IpAddr) -> Option<Counted> {
        let peer = peer.to_canonical();
        let counted = |address| Counted { headcount: self.clone(), address };
        if self.exempt.iter().any(|network| network.contains(&peer)) {
            return Some(counted(None));
        }
        let address = household(peer);
        let mut counts = self.counts();
        let count = counts.entry(address).or_default();
        if *count >= self.most {
            // What was not there before must not stay either.
            if *count == 0 {
                counts.remove(&address);
            }
            return None;
        }
        *count += 1;
        Some(counted(Some(address)))
    }

    /// The map is whole after every statement, so a panic elsewhere does not spoil it.
    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut counts = self.headcount.counts();
        match counts.get_mut(&address) {
            Some(count) if *count > 1 => *count -= 1,
            Some(_) | None => drop(counts.remove(&address)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_so_many_and_no_more() {
        let headcount = Headcount::new(2, Vec::new());
        let first = headcount.enter(ip("127.0.0.1")).unwrap();
        let _second = headcount.enter(ip("::ffff:127.0.0.1")).unwrap();
        assert!(headcount.enter(ip("127.0.0.1")).is_none());
        assert!(headcount.enter(ip("192.0.2.1")).is_some(), "somebody else");
        drop(first);
        assert!(headcount.enter(ip("127.0.0.1")).is_some());
    }

    #[test]
    fn one_64_is_one_address_and_a_trusted_proxy_is_none() {
        let headcount = Headcount::new(1, vec!["10.0.0.0/8".parse().unwrap()]);
        let _one = headcount.enter(ip("2001:db8::1")).unwrap();
        assert!(headcount.enter(ip("2001:db8::2")).is_none());
        let proxied: Vec<_> = (0..10).map(|_| headcount.enter(ip("10.1.2.3")).unwrap()).collect();
        assert_eq!((proxied.len(), headcount.counts().len()), (10, 1));
    }

    #[test]
    fn nothing_is_left_of_those_who_left() {
        let headcount = Headcount::new(3, Vec::new());
        let all: Vec<_> = (0..3).map(|_| headcount.enter(ip("192.0.2.1")).unwrap()).collect();
        drop(all);
        assert!(headcount.counts().is_empty());
        let closed = Headcount::new(0, Vec::new());
        assert!(closed.enter(ip("192.0.2.1")).is_none() && closed.counts().is_empty());
    }
}
