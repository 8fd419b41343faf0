//! The model against examples that were worked out by hand: what is claimed, paid and owed.

use crate::{
    by_hand::{World, every, referrer, rule},
    calendar::DAY,
    operation::{Answer, ClaimName, Operation, Refusal, RewardName},
    plan::{Flat, Rule},
    seen::BalanceSeen,
};

const NOTHING: BalanceSeen = BalanceSeen { pending: 0, available: 0, withheld: 0, claimed: 0, paid: 0, debt: 0 };

fn ten_for_each() -> World {
    World::chain(2, vec![rule(every(), referrer(Flat::Fixed(1_000)))])
}

fn has(world: &World) -> BalanceSeen {
    world.model.see(0).balances["USD"]
}

fn claims(world: &mut World, key: &str) -> Answer {
    world.play(Operation::Claim { person: 0, key: key.to_owned(), rewards: None })
}

fn settles(world: &mut World, key: &str, paid: bool) -> Answer {
    let claim = ClaimName { person: 0, key: key.to_owned(), currency: "USD" };
    world.play(Operation::Settle { claim, paid })
}

#[test]
fn what_is_owed_is_netted_later() {
    let mut world = ten_for_each();
    world.buys(1, "e1", 5_000);
    assert_eq!(claims(&mut world, "c1"), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { claimed: 1_000, ..NOTHING });
    world.refund("e1", None);
    assert_eq!(has(&world), BalanceSeen { claimed: 1_000, debt: 1_000, ..NOTHING });
    settles(&mut world, "c1", true);
    world.buys(1, "e2", 5_000);
    assert_eq!(claims(&mut world, "c2"), Answer::Refused(Refusal::DebtOutstanding));
    world.buys(1, "e3", 5_000);
    assert_eq!(claims(&mut world, "c2"), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { claimed: 1_000, paid: 1_000, ..NOTHING });
    // A failed payout brings the debt back.
    assert_eq!(settles(&mut world, "c2", false), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { available: 2_000, paid: 1_000, debt: 1_000, ..NOTHING });
    assert_eq!(settles(&mut world, "c2", false), Answer::Repeated);
    assert_eq!(settles(&mut world, "c2", true), Answer::Refused(Refusal::AlreadySettled));
    assert_eq!(claims(&mut world, "c3"), Answer::Done);
    assert_eq!(settles(&mut world, "c3", true), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { paid: 2_000, ..NOTHING });
}

#[test]
fn a_payout_fails_after_a_refund() {
    let mut world = World::chain(2, vec![rule(every(), referrer(Flat::Percent(100_000)))]);
    world.buys(1, "e1", 5_000);
    claims(&mut world, "c1");
    world.refund("e1", Some(1_000));
    assert_eq!(has(&world), BalanceSeen { claimed: 500, debt: 100, ..NOTHING });
    settles(&mut world, "c1", false);
    assert_eq!(has(&world), BalanceSeen { available: 400, ..NOTHING });
    assert_eq!(world.rewards(0), ["e1 500 400 AVAILABLE"]);
}

#[test]
fn what_was_netted_for_a_failed_payout_is_given_back() {
    let mut world = ten_for_each();
    world.buys(1, "e1", 5_000);
    claims(&mut world, "c1");
    world.refund("e1", None);
    world.buys(1, "e2", 5_000);
    world.buys(1, "e3", 5_000);
    claims(&mut world, "c2");
    assert_eq!(has(&world), BalanceSeen { claimed: 2_000, ..NOTHING });
    assert_eq!(settles(&mut world, "c1", false), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { available: 1_000, claimed: 1_000, ..NOTHING });
    assert_eq!(claims(&mut world, "c3"), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { claimed: 2_000, ..NOTHING });
    // What netted it fails as well: what was given back is owed again.
    assert_eq!(settles(&mut world, "c2", false), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { available: 2_000, claimed: 1_000, debt: 1_000, ..NOTHING });
    assert_eq!(claims(&mut world, "c4"), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { claimed: 2_000, ..NOTHING });
}

#[test]
fn rewards_are_held_and_expire() {
    let held = Rule { hold_days: 3, expires_after_days: Some(2), ..rule(every(), referrer(Flat::Fixed(1_000))) };
    let mut world = World::chain(2, vec![held]);
    world.buys(1, "e1", 5_000);
    world.pass(3 * DAY - 1);
    assert_eq!(has(&world), BalanceSeen { pending: 1_000, ..NOTHING });
    assert_eq!(claims(&mut world, "c1"), Answer::Done, "the claim comes a minute later");
    world.pass(9 * DAY);
    settles(&mut world, "c1", false);
    world.pass(DAY - 1);
    assert_eq!(has(&world), BalanceSeen { available: 1_000, ..NOTHING });
    world.pass(1);
    assert_eq!(has(&world), NOTHING);
    assert_eq!(world.rewards(0), ["e1 1000 1000 EXPIRED"]);
    assert_eq!(claims(&mut world, "c2"), Answer::Refused(Refusal::NothingToClaim));
}

#[test]
fn chosen_rewards_and_keys() {
    let mut world = ten_for_each();
    world.buys(1, "e1", 5_000);
    world.buys(1, "e2", 5_000);
    let first = vec![RewardName { event_key: "e1".to_owned(), rule: "r".to_owned(), level: 1 }];
    let chosen = |key: &str| Operation::Claim { person: 0, key: key.to_owned(), rewards: Some(first.clone()) };
    assert_eq!(world.play(chosen("c1")), Answer::Done);
    assert_eq!(has(&world), BalanceSeen { available: 1_000, claimed: 1_000, ..NOTHING });
    assert_eq!(world.play(chosen("c1")), Answer::Repeated);
    assert_eq!(claims(&mut world, "c1"), Answer::Refused(Refusal::Conflict));
    assert_eq!(world.play(chosen("c2")), Answer::Refused(Refusal::RewardNotAvailable));
}
