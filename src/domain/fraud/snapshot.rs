//! What is known of a referrer's people at one moment.

use std::collections::{HashMap, HashSet};

use crate::domain::{
    id::Id,
    keyed_hash::KeyedHash,
    time::Timestamp,
    words::{ListingEffect, ListingSubject},
};

/// What came with a signup, as keyed hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traces {
    /// The address.
    pub ip: Option<KeyedHash>,
    /// Its network: /24 of IPv4, /56 of IPv6.
    pub network: Option<KeyedHash>,
    /// The device.
    pub device: Option<KeyedHash>,
    /// The mailbox that the e-mail address is delivered to.
    pub mailbox: Option<KeyedHash>,
    /// The domain of the e-mail address.
    pub domain: Option<KeyedHash>,
    /// Whether that domain hands out throw-away mailboxes.
    pub disposable: bool,
}

impl Traces {
    /// Whether nothing is known of where the signup came from.
    pub const fn say_nothing(&self) -> bool {
        self.ip.is_none() && self.device.is_none()
    }

    /// Every hash, with what kind of listing could name it.
    pub fn listed_as(&self) -> impl Iterator<Item = (ListingSubject, KeyedHash)> {
        let kinds = [
            (ListingSubject::Ip, self.ip),
            (ListingSubject::Network, self.network),
            (ListingSubject::Device, self.device),
            (ListingSubject::Email, self.mailbox),
            (ListingSubject::EmailDomain, self.domain),
        ];
        kinds.into_iter().filter_map(|(subject, hash)| Some((subject, hash?)))
    }

    /// Without what is on the allow list.
    fn without(mut self, listed: &Listed) -> Self {
        let allowed =
            |subject, hash: Option<KeyedHash>| hash.filter(|hash| !listed.has(ListingEffect::Allow, (subject, *hash)));
        let ip = allowed(ListingSubject::Ip, self.ip);
        self.network = allowed(ListingSubject::Network, self.network);
        self.ip = ip.filter(|_| self.network.is_some());
        self.device = allowed(ListingSubject::Device, self.device);
        let trusted =
            self.domain.is_some_and(|domain| listed.has(ListingEffect::Allow, (ListingSubject::EmailDomain, domain)));
        self.disposable &= !trusted;
        self.mailbox = allowed(ListingSubject::Email, self.mailbox);
        self
    }
}

/// One of a referrer's people.
#[derive(Clone, Copy, Debug)]
pub struct Account {
    /// Who.
    pub id: Id,
    /// Who brought them in.
    pub referrer: Id,
    /// When they signed up.
    pub at: Timestamp,
    /// What came with the signup.
    pub traces: Traces,
}

/// What is listed, as far as it matters here.
#[derive(Clone, Debug, Default)]
pub struct Listed(HashSet<(ListingEffect, ListingSubject, KeyedHash)>);

impl Listed {
    /// Entries in force.
    pub fn of(entries: impl IntoIterator<Item = (ListingEffect, ListingSubject, KeyedHash)>) -> Self {
        Self(entries.into_iter().collect())
    }

    /// Whether something is listed so.
    pub fn has(&self, effect: ListingEffect, (subject, hash): (ListingSubject, KeyedHash)) -> bool {
        self.0.contains(&(effect, subject, hash))
    }
}

/// Hashes under the present key for those under the one before, learned from signups that came with both.
#[derive(Clone, Debug, Default)]
pub struct Translation(HashMap<KeyedHash, KeyedHash>);

impl Translation {
    /// Learns that two hashes are of one value.
    pub fn learn(&mut self, former: Option<KeyedHash>, present: Option<KeyedHash>) {
        if let (Some(former), Some(present)) = (former, present) {
            self.0.insert(former, present);
        }
    }

    /// The hash under the present key, where it is known.
    pub fn present(&self, hash: Option<KeyedHash>) -> Option<KeyedHash> {
        hash.map(|hash| self.0.get(&hash).copied().unwrap_or(hash))
    }
}

/// What is known of one referrer's people, in no order.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// When the first of those signed up who are weighed: what a policy looks back to is counted from there, so that nobody
    /// slips through who waited for long.
    pub first: Timestamp,
    /// The referrer, if they came with anything.
    pub referrer: Traces,
    /// Their direct people who share something with those who are weighed, however long ago they came, and those
    /// themselves.
    pub people: Vec<Account>,
    /// Other people of the same tree, whoever brought them in, who share a device or a network with those who are weighed.
    pub relatives: Vec<Account>,
    /// Accounts elsewhere with the mailbox of somebody who is weighed: the first of each.
    pub mailboxes: HashMap<KeyedHash, (Timestamp, Id)>,
    /// When each of the referrer's people signed up, around those who are weighed; sorted.
    pub arrivals: Vec<(Timestamp, Id)>,
}

impl Snapshot {
    /// Takes what is on the allow list out of sight.
    pub fn trust(&mut self, listed: &Listed) {
        self.referrer = self.referrer.without(listed);
        for account in self.people.iter_mut().chain(&mut self.relatives) {
            account.traces = account.traces.without(listed);
        }
    }
}
