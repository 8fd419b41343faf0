//! Each sign alone, and what is none.

use super::*;
use crate::domain::{
    fraud::{MissingEvidence, SignalPolicy, Traces},
    time::{DAY_MICROS, SECOND_MICROS},
};

fn id(number: u128) -> Id {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

fn hash(name: &str) -> Option<KeyedHash> {
    Some(crate::domain::keyed_hash::HashKey::from_secret("test").hash("any", name))
}

const REFERRER: u128 = 1_000;

fn account(number: u128, second: i64, traces: Traces) -> Account {
    let at = Timestamp::from_micros(second * SECOND_MICROS);
    Account { id: id(number), referrer: id(REFERRER), at, traces }
}

fn at_address(ip: &str, network: &str) -> Traces {
    Traces { ip: hash(ip), network: hash(network), ..Traces::default() }
}

fn on_device(device: &str) -> Traces {
    Traces { device: hash(device), ..Traces::default() }
}

fn with_mailbox(mailbox: &str) -> Traces {
    Traces { mailbox: hash(mailbox), ..Traces::default() }
}

fn found(snapshot: &Snapshot) -> Vec<(u128, Signal)> {
    let found = find(snapshot, id(REFERRER), &Policy::default());
    let mut found: Vec<_> =
        found.into_iter().map(|finding| (finding.account.uuid().as_u128(), finding.signal)).collect();
    found.sort_unstable();
    found
}

fn people(accounts: Vec<Account>) -> Snapshot {
    let mut arrivals: Vec<(Timestamp, Id)> = accounts.iter().map(|account| (account.at, account.id)).collect();
    arrivals.sort_unstable();
    Snapshot { people: accounts, arrivals, ..Snapshot::default() }
}

#[test]
fn people_who_share_nothing_show_nothing() {
    let one = Traces { device: hash("d1"), mailbox: hash("m1"), ..at_address("1", "n1") };
    let other = Traces { device: hash("d2"), mailbox: hash("m2"), ..at_address("2", "n2") };
    assert_eq!(found(&people(vec![account(1, 0, one), account(2, 0, other)])), []);
    assert_eq!(found(&people(vec![account(1, 0, Traces::default()), account(2, 0, Traces::default())])), []);
}

#[test]
fn an_address_says_more_than_its_network() {
    let snapshot = people(vec![account(1, 0, at_address("1", "n")), account(2, 9, at_address("1", "n"))]);
    assert_eq!(found(&snapshot), [(1, Signal::SameIp), (2, Signal::SameIp)]);
    let snapshot = people(vec![account(1, 0, at_address("1", "n")), account(2, 9, at_address("2", "n"))]);
    assert_eq!(found(&snapshot), [(1, Signal::SameNetwork), (2, Signal::SameNetwork)]);
    let mut snapshot = people(vec![account(1, 0, at_address("1", "n"))]);
    snapshot.referrer = at_address("1", "n");
    assert_eq!(found(&snapshot), [(1, Signal::SameIp)]);
}

#[test]
fn three_on_a_device_are_a_ring_and_the_referrer_is_none_of_them() {
    let two = vec![account(1, 0, on_device("d")), account(2, 0, on_device("d"))];
    let mut snapshot = people(two.clone());
    snapshot.referrer = on_device("d");
    assert_eq!(found(&snapshot), [(1, Signal::SameDevice), (2, Signal::SameDevice)]);
    let three = people(two.into_iter().chain([account(3, 0, on_device("d"))]).collect());
    let expected = (1..=3).flat_map(|number| [(number, Signal::SameDevice), (number, Signal::Ring)]);
    assert_eq!(found(&three), expected.collect::<Vec<_>>());
}

#[test]
fn a_ring_may_hang_down_the_tree() {
    let relative = |number, referrer| Account { referrer: id(referrer), ..account(number, 0, on_device("d")) };
    let mut snapshot = people(vec![account(3, 0, on_device("d"))]);
    snapshot.relatives = vec![relative(1, 2_000), relative(2, 1)];
    assert_eq!(found(&snapshot), [(1, Signal::Ring), (2, Signal::Ring), (3, Signal::Ring)], "on all of them");
    snapshot.relatives.push(Account { traces: on_device("another"), ..relative(4, 2_000) });
    assert_eq!(found(&snapshot).len(), 3, "who shares nothing is none of them");
}

#[test]
fn a_mailbox_in_any_spelling_belongs_to_one_account() {
    let snapshot = people(vec![account(1, 0, with_mailbox("m")), account(2, 9, with_mailbox("m"))]);
    assert_eq!(found(&snapshot), [(1, Signal::AliasEmail), (2, Signal::AliasEmail)]);
    let mut snapshot = people(vec![account(1, 5, with_mailbox("m"))]);
    let elsewhere = |second: i64| (Timestamp::from_micros(second * SECOND_MICROS), id(9));
    snapshot.mailboxes.insert(hash("m").unwrap(), elsewhere(4));
    assert_eq!(found(&snapshot), [(1, Signal::AliasEmail)]);
    snapshot.mailboxes.insert(hash("m").unwrap(), elsewhere(6));
    assert_eq!(found(&snapshot), [], "the other one came later");
    snapshot.referrer = with_mailbox("m");
    assert_eq!(found(&snapshot), [(1, Signal::AliasEmail), (1, Signal::SelfReferral)]);
}

#[test]
fn what_came_before_the_policy_looks_back_shows_nothing() {
    let days = |days: i64| days * DAY_MICROS / SECOND_MICROS;
    let traces = Traces { device: hash("d"), mailbox: hash("m"), ..at_address("1", "n") };
    let mut snapshot = people(vec![account(1, days(10), traces), account(2, days(40), traces)]);
    snapshot.first = Timestamp::from_micros(40 * DAY_MICROS);
    let all = |number: u128| [Signal::SameIp, Signal::SameDevice, Signal::AliasEmail].map(|signal| (number, signal));
    assert_eq!(found(&snapshot), [all(1), all(2)].concat(), "thirty days before, and no more");
    snapshot.people[0].at = Timestamp::from_micros(10 * DAY_MICROS - 1);
    assert_eq!(found(&snapshot), []);
    snapshot.mailboxes.insert(hash("m").unwrap(), (snapshot.people[0].at, id(1)));
    assert_eq!(found(&snapshot), [(2, Signal::AliasEmail)], "a mailbox is taken for good");
    snapshot.relatives = vec![Account { referrer: id(2_000), ..account(3, days(9), traces) }];
    snapshot.relatives.push(Account { referrer: id(2_000), ..account(4, days(40), traces) });
    assert_eq!(found(&snapshot).len(), 1, "two are no ring, and the third is too old");
}

#[test]
fn throw_away_mailboxes_show() {
    let snapshot = people(vec![account(1, 0, Traces { disposable: true, ..Traces::default() })]);
    assert_eq!(found(&snapshot), [(1, Signal::DisposableEmail)]);
}

#[test]
fn more_than_twenty_an_hour_from_one_network_are_a_burst() {
    let house = |count: u128, every: i64| {
        let ip = |number: u128| at_address(&number.to_string(), "n");
        people((1..=count).map(|number| account(number, number as i64 * every, ip(number))).collect())
    };
    let bursts =
        |snapshot: &Snapshot| found(snapshot).into_iter().filter(|(_, signal)| *signal == Signal::NetworkBurst).count();
    assert_eq!(bursts(&house(20, 1)), 0);
    assert_eq!(bursts(&house(21, 1)), 21);
    assert_eq!(bursts(&house(21, 179)), 21, "twenty steps of 179 s are less than an hour");
    assert_eq!(bursts(&house(21, 180)), 0, "twenty steps of 180 s are an hour");
    assert_eq!(bursts(&house(300, 180)), 0);
}

#[test]
fn more_than_two_hundred_an_hour_are_too_many_for_one_referrer() {
    let crowd = |count: u128| people((1..=count).map(|number| account(number, 7, Traces::default())).collect());
    assert_eq!(found(&crowd(200)), []);
    assert_eq!(found(&crowd(201)).len(), 201);
}

#[test]
fn what_is_allowed_is_out_of_sight() {
    use crate::domain::{
        fraud::Listed,
        words::{ListingEffect, ListingSubject},
    };
    let both = |name| Traces { device: hash("d"), mailbox: hash(name), ..at_address("1", "n") };
    let mut snapshot = people(vec![account(1, 0, both("a")), account(2, 0, both("b"))]);
    snapshot.trust(&Listed::of([(ListingEffect::Allow, ListingSubject::Network, hash("n").unwrap())]));
    assert_eq!(found(&snapshot), [(1, Signal::SameDevice), (2, Signal::SameDevice)]);
    snapshot.trust(&Listed::of([(ListingEffect::Allow, ListingSubject::Device, hash("d").unwrap())]));
    assert_eq!(found(&snapshot), []);
}

#[test]
fn a_sign_without_weight_is_not_looked_for() {
    let snapshot = people(vec![account(1, 0, at_address("1", "n")), account(2, 9, at_address("1", "n"))]);
    let mut policy = Policy { missing_evidence: MissingEvidence::Hold, ..Policy::default() };
    policy.signals.insert(Signal::SameIp, SignalPolicy { weight: 0, ..SignalPolicy::usual(Signal::SameIp) });
    assert_eq!(find(&snapshot, id(REFERRER), &policy), []);
}
