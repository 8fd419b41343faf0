//! Stories of one person, told to the pure rules.

use std::{collections::HashMap, sync::Arc};

use super::*;
use crate::domain::{
    pay::{CapPeriod, Pay, Payee, Percent, Tier, Used},
    program::{Rule, Trigger},
};

const ANN: Id = id(1);
const BOB: Id = id(2);
const PROGRAM: Id = id(9);

const fn id(number: u128) -> Id {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

/// Everybody can earn but those named; rewards are numbered from 1001 on.
#[derive(Default)]
struct Everybody {
    but: Vec<Id>,
    next: u128,
    completed: HashMap<Id, u32>,
    used: HashMap<Option<Id>, Used>,
}

impl World for Everybody {
    fn can_earn(&self, user: Id) -> bool {
        !self.but.contains(&user)
    }

    fn completed(&self, user: Id, _program: Id) -> u32 {
        self.completed.get(&user).copied().unwrap_or(0)
    }

    fn completes(&mut self, referrer: Id, _program: Id, step: i32) {
        let completed = self.completed.entry(referrer).or_default();
        *completed = completed.saturating_add_signed(step);
    }

    fn take(&mut self, from: CapTaken<'_>) -> i64 {
        let used = |user: Option<Id>| self.used.get(&user).copied().unwrap_or_default();
        let amount = from.cap.room(from.wanted, used(Some(from.user)), used(None));
        for user in [Some(from.user), None] {
            let used = self.used.entry(user).or_default();
            used.count += i64::from(amount > 0);
            used.amount += amount;
        }
        amount
    }

    fn new_reward_id(&mut self) -> Id {
        self.next += 1;
        id(self.next)
    }
}

fn world() -> Everybody {
    Everybody { next: 1_000, ..Everybody::default() }
}

/// Bob, brought in by Ann.
fn bob() -> History {
    let referral = Referral { program: PROGRAM, referrer: ANN, status: ReferralStatus::Pending, completed_at: None };
    History { referral: Some(referral), upline: vec![ANN, id(3), id(4)], events: Vec::new(), rewards: Vec::new() }
}

fn purchase(number: u128, amount: i64, definition: &Definition) -> Item {
    let event = Event {
        id: id(number),
        event_type: "purchase".into(),
        remaining: Some(amount),
        received_at: Timestamp::from_micros(number as i64),
        program: Some(InForce { program: PROGRAM, version: 1, definition: Arc::new(definition.clone()), pays: true }),
        decisions: Decisions::none(),
    };
    Item::Event { event, early: Vec::new() }
}

fn refund(event: u128, amount: Option<i64>) -> Item {
    Item::Refund { refund: id(500), event: id(event), amount }
}

/// Effects in short: who gets how much, what is taken back, what becomes of the referral.
fn short(effects: &[Effect]) -> Vec<String> {
    let line = |effect: &Effect| match effect {
        Effect::Grant(grant) => {
            format!("+{} to {} for {}", grant.amount, grant.user.uuid().as_u128(), grant.event.uuid().as_u128())
        }
        Effect::Reverse { amount, reward } => format!("-{amount} of {}", reward.uuid().as_u128()),
        Effect::Complete(at) => format!("complete at {}", at.micros()),
        Effect::Reopen(at) => format!("reopen from {}", at.micros()),
        Effect::Refunded { applied, .. } => format!("refunded {applied}"),
    };
    effects.iter().map(line).collect()
}

#[test]
fn the_first_purchase_pays_both_and_completes() {
    let (mut bob, program, mut world) = (bob(), Definition::default_program(), world());
    let first = bob.decide(BOB, purchase(10, 5_000, &program), &mut world);
    assert_eq!(short(&first), ["complete at 10", "+1000 to 1 for 10", "+500 to 2 for 10"]);
    assert_eq!(bob.decide(BOB, purchase(11, 5_000, &program), &mut world), []);
}

#[test]
fn a_full_refund_moves_the_next_purchase_up() {
    let (mut bob, program, mut world) = (bob(), Definition::default_program(), world());
    bob.decide(BOB, purchase(10, 5_000, &program), &mut world);
    bob.decide(BOB, purchase(11, 700, &program), &mut world);
    let part = bob.decide(BOB, refund(10, Some(4_999)), &mut world);
    assert_eq!(short(&part), ["refunded 4999"], "a fixed reward stays while something is left");
    let rest = bob.decide(BOB, refund(10, None), &mut world);
    assert_eq!(
        short(&rest),
        [
            "refunded 1",
            "reopen from 10",
            "complete at 11",
            "-1000 of 1001",
            "-500 of 1002",
            "+1000 to 1 for 11",
            "+500 to 2 for 11"
        ]
    );
    let again = bob.decide(BOB, refund(10, None), &mut world);
    assert_eq!(short(&again), ["refunded 0"], "nothing is left to take");
}

#[test]
fn a_reward_that_was_reversed_is_not_granted_again() {
    let (mut bob, mut program, mut world) = (bob(), Definition::default_program(), world());
    program.rules.truncate(1);
    program.rules[0].on.count = 2;
    bob.decide(BOB, purchase(10, 100, &program), &mut world);
    assert_eq!(short(&bob.decide(BOB, purchase(11, 100, &program), &mut world)), ["+1000 to 1 for 11"]);
    let moved = bob.decide(BOB, refund(10, None), &mut world);
    assert_eq!(
        short(&moved),
        ["refunded 100", "reopen from 10", "complete at 11", "-1000 of 1001"],
        "now it is the first"
    );
    assert_eq!(short(&bob.decide(BOB, purchase(12, 100, &program), &mut world)), ["+1000 to 1 for 12"]);
}

#[test]
fn a_purchase_below_the_minimum_counts_for_nothing() {
    let (mut bob, mut program, mut world) = (bob(), Definition::default_program(), world());
    program.rules[0].on.min_amount = Some(1_000);
    program.qualifying.min_amount = Some(1_000);
    program.rules.truncate(1);
    assert_eq!(bob.decide(BOB, purchase(10, 999, &program), &mut world), []);
    assert_eq!(bob.decide(BOB, purchase(11, 1_000, &program), &mut world).len(), 2);
    let below = bob.decide(BOB, refund(11, Some(1)), &mut world);
    assert_eq!(short(&below), ["refunded 1", "reopen from 11", "-1000 of 1001"]);
}

#[test]
fn nothing_is_paid_for_nobody() {
    let program = Definition::default_program();
    let mut alone = History { referral: None, ..bob() };
    assert_eq!(alone.decide(BOB, purchase(10, 100, &program), &mut world()), []);

    let mut bob = bob();
    let mut without_ann = Everybody { but: vec![ANN], ..world() };
    let effects = bob.decide(BOB, purchase(10, 100, &program), &mut without_ann);
    assert_eq!(short(&effects), ["complete at 10", "+500 to 2 for 10"]);
    assert_eq!(bob.events[0].decisions.at("referrer_bonus", 1), Some(Decision::BeneficiaryInactive));
    without_ann.but.clear();
    assert_eq!(bob.decide(BOB, purchase(11, 100, &program), &mut without_ann), [], "decided once");
}

#[test]
fn a_rejected_referral_neither_pays_nor_completes() {
    let mut bob = bob();
    bob.referral.as_mut().unwrap().status = ReferralStatus::Rejected;
    assert_eq!(bob.decide(BOB, purchase(10, 100, &Definition::default_program()), &mut world()), []);
    assert_eq!(bob.events[0].decisions.at("welcome_bonus", 0), Some(Decision::ReferralRejected));
}

#[test]
fn every_purchase_pays_where_the_rule_says_so() {
    let (mut bob, mut program, mut world) = (bob(), Definition::default_program(), world());
    program.rules.truncate(1);
    program.rules[0].on.every = true;
    program.rules[0].to = Payee::Referred(Pay::Flat(Flat::Fixed(1_000)));
    for number in 10..13 {
        let effects = bob.decide(BOB, purchase(number, 100, &program), &mut world);
        assert!(short(&effects).contains(&format!("+1000 to 2 for {number}")));
    }
}

/// A program of one rule that pays on every purchase.
fn paying(to: Payee) -> Definition {
    let mut program = Definition::default_program();
    program.rules.truncate(1);
    program.rules[0] =
        Rule { to, on: Trigger { every: true, ..Trigger::first("purchase") }, ..program.rules[0].clone() };
    program
}

fn percent(text: &str) -> Flat {
    Flat::Percent(Percent::new(text.parse().unwrap()).unwrap())
}

fn upline(rates: &[&str], compress: bool) -> Payee {
    let levels = (1..).zip(rates.iter().map(|rate| percent(rate))).collect();
    Payee::Upline { levels, compress }
}

/// The money among the effects.
fn money(effects: &[Effect]) -> Vec<String> {
    short(effects).into_iter().filter(|line| line.starts_with(['+', '-'])).collect()
}

#[test]
fn each_level_has_its_own_share_and_halves_with_the_event() {
    let (mut bob, program, mut world) = (bob(), paying(upline(&["10", "5", "2", "1"], false)), world());
    let granted = bob.decide(BOB, purchase(10, 10_000, &program), &mut world);
    assert_eq!(money(&granted), ["+1000 to 1 for 10", "+500 to 3 for 10", "+200 to 4 for 10"]);
    assert_eq!(bob.events[0].decisions.at("referrer_bonus", 4), Some(Decision::LevelMissing));
    let halved = bob.decide(BOB, refund(10, Some(5_000)), &mut world);
    assert_eq!(money(&halved), ["-500 of 1001", "-250 of 1002", "-100 of 1003"]);
}

#[test]
fn three_refunds_of_a_third_leave_nothing() {
    let rates = ["3.3333"; 3];
    let (mut bob, program, mut world) = (bob(), paying(upline(&rates, false)), world());
    bob.decide(BOB, purchase(10, 10_000, &program), &mut world);
    for third in [3_333, 3_333, 3_334] {
        bob.decide(BOB, refund(10, Some(third)), &mut world);
    }
    assert!(bob.rewards.iter().all(|reward| (reward.amount, reward.net) == (333, 0)));
}

#[test]
fn levels_count_over_the_active_where_the_rule_says_so() {
    let mut world = Everybody { but: vec![ANN], ..world() };
    let missing = bob().decide(BOB, purchase(10, 10_000, &paying(upline(&["10", "5"], false))), &mut world);
    assert_eq!(money(&missing), ["+500 to 3 for 10"]);
    let moved_up = bob().decide(BOB, purchase(10, 10_000, &paying(upline(&["10", "5"], true))), &mut world);
    assert_eq!(money(&moved_up), ["+1000 to 3 for 10", "+500 to 4 for 10"]);
}

#[test]
fn tiers_go_by_completed_referrals_with_this_one() {
    let tier = |from_referrals, minor| Tier { from_referrals, pay: Flat::Fixed(minor) };
    let program = paying(Payee::Referrer(Pay::Tiers(vec![tier(1, 100), tier(3, 300)])));
    for (before, expected) in [(0, "+100 to 1 for 10"), (1, "+100 to 1 for 10"), (2, "+300 to 1 for 10")] {
        let mut world = Everybody { completed: HashMap::from([(ANN, before)]), ..world() };
        let effects = bob().decide(BOB, purchase(10, 10_000, &program), &mut world);
        assert_eq!(money(&effects), [expected], "{before} before");
    }
    let mut program = program;
    program.qualifying = Trigger::first("verified");
    let (mut bob, mut world) = (bob(), world());
    let pending = bob.decide(BOB, purchase(10, 10_000, &program), &mut world);
    assert_eq!(money(&pending), ["+100 to 1 for 10"], "this one counts though it is pending");
    program.rules[0].to = Payee::Referred(Pay::Tiers(vec![tier(1, 100)]));
    assert_eq!(bob.decide(BOB, purchase(11, 10_000, &program), &mut world), []);
    assert_eq!(bob.events[1].decisions.at("referrer_bonus", 0), Some(Decision::NoTier));
}

#[test]
fn an_event_that_was_refunded_before_it_came_is_decided_on_the_rest() {
    let (mut bob, program, mut world) = (bob(), paying(upline(&["10"], false)), world());
    let Item::Event { event, .. } = purchase(10, 10_000, &program) else { unreachable!() };
    let early = vec![EarlyRefund { refund: id(500), amount: Some(4_000) }];
    let effects = bob.decide(BOB, Item::Event { event, early }, &mut world);
    assert_eq!(short(&effects), ["refunded 4000", "complete at 10", "+600 to 1 for 10"]);
}

#[test]
fn a_cap_cuts_the_last_reward_and_is_not_given_back() {
    let mut program = paying(Payee::Referrer(Pay::Flat(Flat::Fixed(100))));
    let cap = Cap { per_user_count: None, per_user_amount: Some(250), budget: None, period: CapPeriod::Ever };
    program.rules[0].cap = Some(cap);
    let (mut bob, mut world) = (bob(), world());
    for (number, expected) in
        [(10, Some("+100 to 1 for 10")), (11, Some("+100 to 1 for 11")), (12, Some("+50 to 1 for 12"))]
    {
        let effects = bob.decide(BOB, purchase(number, 500, &program), &mut world);
        assert_eq!(money(&effects).first().map(String::as_str), expected);
    }
    bob.decide(BOB, refund(10, None), &mut world);
    assert_eq!(money(&bob.decide(BOB, purchase(13, 500, &program), &mut world)), [] as [&str; 0]);
    assert_eq!(bob.events[3].decisions.at("referrer_bonus", 1), Some(Decision::CapReached));
}

#[test]
fn a_rule_waits_for_what_it_requires() {
    let (mut bob, mut program, mut world) = (bob(), paying(upline(&["10"], false)), world());
    program.rules[0].requires = vec!["verified".to_owned()];
    assert_eq!(money(&bob.decide(BOB, purchase(10, 1_000, &program), &mut world)), [] as [&str; 0]);
    let Item::Event { event, early } = purchase(11, 0, &program) else { unreachable!() };
    let event = Event { event_type: "verified".to_owned(), remaining: None, ..event };
    let effects = bob.decide(BOB, Item::Event { event, early }, &mut world);
    assert_eq!(money(&effects), ["+100 to 1 for 10"]);
}
