//! Stories of one person, told to the pure rules.

use std::sync::Arc;

use super::*;
use crate::domain::program::Beneficiary;

const ANN: Id = id(1);
const BOB: Id = id(2);
const PROGRAM: Id = id(9);

const fn id(number: u128) -> Id {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

/// Everybody can earn but those named; rewards are numbered from 1001 on.
struct Everybody {
    but: Vec<Id>,
    next: u128,
}

impl World for Everybody {
    fn can_earn(&self, user: Id) -> bool {
        !self.but.contains(&user)
    }

    fn new_reward_id(&mut self) -> Id {
        self.next += 1;
        id(self.next)
    }
}

fn world() -> Everybody {
    Everybody { but: Vec::new(), next: 1_000 }
}

/// Bob, brought in by Ann.
fn bob() -> History {
    let referral = Referral { program: PROGRAM, referrer: ANN, status: ReferralStatus::Pending, completed_at: None };
    History { referral: Some(referral), events: Vec::new(), rewards: Vec::new() }
}

fn purchase(number: u128, amount: i64, definition: &Definition) -> Item {
    Item::Event(Event {
        id: id(number),
        event_type: "purchase".into(),
        remaining: Some(amount),
        received_at: Timestamp::from_micros(number as i64),
        program: Some(InForce { program: PROGRAM, version: 1, definition: Arc::new(definition.clone()), pays: true }),
        decisions: Decisions::new(),
    })
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
    assert_eq!(short(&first), ["+1000 to 1 for 10", "+500 to 2 for 10", "complete at 10"]);
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
            "-1000 of 1001",
            "-500 of 1002",
            "+1000 to 1 for 11",
            "+500 to 2 for 11",
            "reopen from 10",
            "complete at 11"
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
        ["refunded 100", "-1000 of 1001", "reopen from 10", "complete at 11"],
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
    assert_eq!(short(&below), ["refunded 1", "-1000 of 1001", "reopen from 11"]);
}

#[test]
fn nothing_is_paid_for_nobody() {
    let program = Definition::default_program();
    let mut alone = History { referral: None, ..bob() };
    assert_eq!(alone.decide(BOB, purchase(10, 100, &program), &mut world()), []);

    let mut bob = bob();
    let mut without_ann = Everybody { but: vec![ANN], next: 1_000 };
    let effects = bob.decide(BOB, purchase(10, 100, &program), &mut without_ann);
    assert_eq!(short(&effects), ["+500 to 2 for 10", "complete at 10"]);
    assert_eq!(bob.events[0].decisions["referrer_bonus"], Decision::BeneficiaryInactive);
    without_ann.but.clear();
    assert_eq!(bob.decide(BOB, purchase(11, 100, &program), &mut without_ann), [], "decided once");
}

#[test]
fn a_rejected_referral_neither_pays_nor_completes() {
    let mut bob = bob();
    bob.referral.as_mut().unwrap().status = ReferralStatus::Rejected;
    assert_eq!(bob.decide(BOB, purchase(10, 100, &Definition::default_program()), &mut world()), []);
    assert_eq!(bob.events[0].decisions["welcome_bonus"], Decision::ReferralRejected);
}

#[test]
fn every_purchase_pays_where_the_rule_says_so() {
    let (mut bob, mut program, mut world) = (bob(), Definition::default_program(), world());
    program.rules.truncate(1);
    program.rules[0].on.every = true;
    program.rules[0].to = Beneficiary::Referred;
    for number in 10..13 {
        let effects = bob.decide(BOB, purchase(number, 100, &program), &mut world);
        assert!(short(&effects).contains(&format!("+1000 to 2 for {number}")));
    }
}
