//! The signs in a snapshot.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::Serialize;

use super::{
    policy::Policy,
    signal::Signal,
    snapshot::{Account, Snapshot},
};
use crate::domain::{
    id::{Id, Noun},
    keyed_hash::KeyedHash,
    time::Timestamp,
};

/// Most people that a finding names.
const NAMED_MAX: usize = 5;

/// A sign that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// On whose referral.
    pub account: Id,
    /// Which sign.
    pub signal: Signal,
    /// What it rests on.
    pub why: Why,
}

/// What a sign rests on: nothing that could be taken for personal data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Why {
    /// Some of the others it is shared with, by their ids.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub with: Vec<String>,
    /// How many there are, the account itself included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
    /// Seconds that it took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// What was listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listed: Option<&'static str>,
}

/// All signs on the referrals of a snapshot's direct people; and of a ring or a burst that some of them belong to, also on
/// those whom others of the same tree brought in. Whoever came before what the policy looks back to shows none and is
/// compared with nobody: only a mailbox of theirs is taken for good.
pub fn find(snapshot: &Snapshot, referrer: Id, policy: &Policy) -> Vec<Finding> {
    let since = policy.since(snapshot.first);
    let people: Vec<&Account> = snapshot.people.iter().filter(|account| account.at >= since).collect();
    let relatives: Vec<&Account> = snapshot.relatives.iter().filter(|account| account.at >= since).collect();
    let (people, relatives) = (people.as_slice(), relatives.as_slice());
    let mut desk = Desk { snapshot, people, relatives, referrer, policy, found: Vec::new() };
    desk.places();
    desk.devices();
    desk.mailboxes();
    desk.crowds();
    desk.found.retain(|finding| policy.of(finding.signal).is_wanted());
    desk.found
}

struct Desk<'a> {
    snapshot: &'a Snapshot,
    people: &'a [&'a Account],
    relatives: &'a [&'a Account],
    referrer: Id,
    policy: &'a Policy,
    found: Vec<Finding>,
}

/// Accounts by something that they share.
type Groups<'a> = HashMap<KeyedHash, Vec<&'a Account>>;

fn grouped<'a>(
    accounts: impl IntoIterator<Item = &'a &'a Account>,
    by: fn(&Account) -> Option<KeyedHash>,
) -> Groups<'a> {
    let mut groups = Groups::new();
    for account in accounts {
        if let Some(hash) = by(account) {
            groups.entry(hash).or_default().push(account);
        }
    }
    groups
}

impl Desk<'_> {
    fn note(&mut self, account: Id, signal: Signal, why: Why) {
        self.found.push(Finding { account, signal, why });
    }

    /// An address says more than its network: somebody at the same address is no sign of a shared network.
    fn places(&mut self) {
        let by_ip = grouped(self.people, |account| account.traces.ip);
        let by_network = grouped(self.people, |account| account.traces.network);
        for account in self.people {
            let traces = &account.traces;
            let at_address =
                traces.ip.map(|ip| self.others(&by_ip, ip, account, self.snapshot.referrer.ip)).unwrap_or_default();
            if !at_address.is_empty() {
                self.note(account.id, Signal::SameIp, shared(&at_address));
            }
            let Some(network) = traces.network else { continue };
            let near = self.others(&by_network, network, account, self.snapshot.referrer.network);
            let at_address: HashSet<Id> = at_address.into_iter().collect();
            let near: Vec<Id> = near.into_iter().filter(|other| !at_address.contains(other)).collect();
            if !near.is_empty() {
                self.note(account.id, Signal::SameNetwork, shared(&near));
            }
        }
    }

    /// Who else has this, the referrer first.
    fn others(&self, groups: &Groups<'_>, hash: KeyedHash, account: &Account, referrers: Option<KeyedHash>) -> Vec<Id> {
        let referrer = (referrers == Some(hash)).then_some(self.referrer);
        let people = groups.get(&hash).into_iter().flatten().map(|other| other.id).filter(|other| *other != account.id);
        referrer.into_iter().chain(people).collect()
    }

    fn devices(&mut self) {
        let direct = grouped(self.people, |account| account.traces.device);
        for account in self.people {
            let Some(device) = account.traces.device else { continue };
            let others = self.others(&direct, device, account, self.snapshot.referrer.device);
            if !others.is_empty() {
                self.note(account.id, Signal::SameDevice, shared(&others));
            }
        }
        self.rings(&direct);
    }

    /// A ring shows on all of its members, also on those whom others brought in.
    fn rings(&mut self, direct: &Groups<'_>) {
        let enough = self.policy.of(Signal::Ring).threshold as usize;
        let elsewhere = grouped(self.relatives, |account| account.traces.device);
        for (device, people) in direct {
            let relatives = elsewhere.get(device).into_iter().flatten();
            let members: BTreeSet<Id> = people.iter().chain(relatives).map(|account| account.id).collect();
            if members.len() < enough {
                continue;
            }
            for member in &members {
                let others: Vec<Id> = members.iter().filter(|other| *other != member).copied().collect();
                self.note(*member, Signal::Ring, shared(&others));
            }
        }
    }

    fn mailboxes(&mut self) {
        let direct = grouped(self.people, |account| account.traces.mailbox);
        for account in self.people {
            if account.traces.disposable {
                self.note(account.id, Signal::DisposableEmail, Why::default());
            }
            let Some(mailbox) = account.traces.mailbox else { continue };
            if self.snapshot.referrer.mailbox == Some(mailbox) {
                self.note(account.id, Signal::SelfReferral, shared(&[self.referrer]));
            }
            let mut others = self.others(&direct, mailbox, account, self.snapshot.referrer.mailbox);
            if let Some((at, first)) = self.snapshot.mailboxes.get(&mailbox)
                && (*at, *first) < (account.at, account.id)
                && !others.contains(first)
            {
                others.push(*first);
            }
            if !others.is_empty() {
                self.note(account.id, Signal::AliasEmail, shared(&others));
            }
        }
    }

    /// A window is a day at most, and a policy looks back a day at least: who arrived within one is not too old.
    fn crowds(&mut self) {
        let velocity = self.policy.of(Signal::Velocity);
        let crowd = Crowd { window_micros: velocity.window_micros(), limit: velocity.threshold as usize };
        let times: Vec<Timestamp> = self.snapshot.arrivals.iter().map(|(at, _)| *at).collect();
        let rushed = self.snapshot.arrivals.iter().zip(crowd.in_times(&times)).filter(|(_, count)| *count > 0);
        let rushed: Vec<(Id, usize)> = rushed.map(|((_, account), count)| (*account, count)).collect();
        let mut bursts = Vec::new();
        let burst = self.policy.of(Signal::NetworkBurst);
        let crowd = Crowd { window_micros: burst.window_micros(), limit: burst.threshold as usize };
        let tree = self.people.iter().chain(self.relatives);
        for mut group in grouped(tree, |account| account.traces.network).into_values() {
            group.sort_by_key(|account| (account.at, account.id));
            let times: Vec<Timestamp> = group.iter().map(|account| account.at).collect();
            let counts = group.iter().zip(crowd.in_times(&times)).filter(|(_, count)| *count > 0);
            bursts.extend(counts.map(|(account, count)| (account.id, count)));
        }
        let counted = |count| Why { count: Some(count), ..Why::default() };
        for (account, count) in rushed {
            self.note(account, Signal::Velocity, counted(count));
        }
        for (account, count) in bursts {
            self.note(account, Signal::NetworkBurst, counted(count));
        }
    }
}

fn shared(others: &[Id]) -> Why {
    let with = others.iter().take(NAMED_MAX).map(|id| id.typed(Noun::User)).collect();
    Why { with, count: Some(others.len() + 1), ..Why::default() }
}

/// More than a limit within a window.
#[derive(Clone, Copy)]
struct Crowd {
    window_micros: i64,
    limit: usize,
}

impl Crowd {
    /// For each of these times, which are sorted, how many are in the fullest window around it, where those are too many;
    /// 0 elsewhere. A window is half-open.
    fn in_times(self, times: &[Timestamp]) -> Vec<usize> {
        let mut crowded = vec![0; times.len()];
        let mut end = 0;
        for (start, first) in times.iter().enumerate() {
            end = end.max(start);
            while end < times.len() && times[end].micros() - first.micros() < self.window_micros {
                end += 1;
            }
            let count = end - start;
            if count > self.limit {
                for place in &mut crowded[start..end] {
                    *place = count.max(*place);
                }
            }
        }
        crowded
    }
}

#[cfg(test)]
mod tests;
