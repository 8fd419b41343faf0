//! The model against examples that were worked out by hand: what is granted.

use crate::{
    calendar::DAY,
    model::Model,
    operation::{Answer, Operation, Person, Refusal, Step},
    plan::{Cap, Currency, Flat, Level, Pay, Period, Plan, Rule, Tier, To, Trigger, Zone},
    seen::RewardSeen,
    state::{Decision, Outcome},
};

/// A world whose clock goes on by a minute a step.
pub(crate) struct World {
    pub(crate) model: Model,
    at: i64,
    keys: usize,
}

impl World {
    /// A chain of people: each brings the next one in.
    pub(crate) fn chain(people: usize, rules: Vec<Rule>) -> Self {
        let mut world = Self { model: Model::new(&[plan(rules)]), at: 1_772_625_600, keys: 0 };
        for person in 0..people {
            world.sign_up(person, person.checked_sub(1));
        }
        world
    }

    pub(crate) fn sign_up(&mut self, person: Person, referrer: Option<Person>) {
        let code = referrer.map(|referrer| (referrer, 0));
        assert_eq!(self.play(Operation::SignUp { person, code }), Answer::Done);
    }

    pub(crate) fn play(&mut self, operation: Operation) -> Answer {
        self.at += 60;
        self.model.play(&Step { at: self.at, operation })
    }

    pub(crate) fn pass(&mut self, seconds: i64) {
        self.at += seconds - 60;
        assert_eq!(self.play(Operation::Wait), Answer::Done);
    }

    pub(crate) fn does(&mut self, person: Person, key: &str, event: &'static str, amount: Option<i64>) {
        let operation = Operation::RecordEvent { key: key.to_owned(), person, event, amount };
        assert_eq!(self.play(operation), Answer::Done);
    }

    pub(crate) fn buys(&mut self, person: Person, key: &str, amount: i64) {
        self.does(person, key, "purchase", Some(amount));
    }

    pub(crate) fn refund(&mut self, event_key: &str, amount: Option<i64>) -> Answer {
        self.keys += 1;
        let key = format!("f{}", self.keys);
        self.play(Operation::RecordRefund { key, event_key: event_key.to_owned(), amount })
    }

    /// `event rule level: amount, net, status` of each reward of somebody.
    pub(crate) fn rewards(&self, person: Person) -> Vec<String> {
        let seen = self.model.see(person).rewards;
        let line = |reward: RewardSeen| {
            let name = &reward.name;
            format!("{} {} {} {}", name.event_key, reward.amount, reward.net, reward.status)
        };
        seen.into_iter().map(line).collect()
    }

    /// What somebody was granted, after refunds.
    pub(crate) fn net(&self, person: Person) -> i64 {
        self.model.see(person).rewards.iter().map(|reward| reward.net).sum()
    }

    fn outcome(&self, event_key: &str) -> Option<Outcome> {
        let decision = |old: &&Decision| self.model.events[old.event].key == event_key;
        self.model.decisions.iter().find(decision).map(|old| old.outcome)
    }
}

fn plan(rules: Vec<Rule>) -> Plan {
    Plan {
        currency: Currency { code: "USD", exponent: 2 },
        zone: Zone { name: "UTC", ahead_minutes: 0 },
        qualifying: first(),
        rules,
        minimum_claim: None,
    }
}

fn first() -> Trigger {
    Trigger { event: "purchase", min_amount: None, count: 1, every: false }
}

pub(crate) fn every() -> Trigger {
    Trigger { every: true, ..first() }
}

pub(crate) fn rule(on: Trigger, to: To) -> Rule {
    Rule { key: "r".to_owned(), on, requires: Vec::new(), to, cap: None, hold_days: 0, expires_after_days: None }
}

pub(crate) fn referrer(flat: Flat) -> To {
    To::Referrer(Pay::Flat(flat))
}

fn upline(rates: &[i64], compress: bool) -> To {
    let level = |(place, rate): (usize, &i64)| Level { level: place + 1, pay: Flat::Percent(*rate) };
    To::Upline { levels: rates.iter().enumerate().map(level).collect(), compress }
}

fn capped(cap: Cap, flat: Flat) -> Vec<Rule> {
    vec![Rule { cap: Some(cap), ..rule(every(), referrer(flat)) }]
}

const NO_CAP: Cap = Cap { per_user_count: None, per_user_amount: None, budget: None, period: Period::Ever };

#[test]
fn an_upline_of_ten_five_and_two_percent() {
    let mut world = World::chain(5, vec![rule(every(), upline(&[100_000, 50_000, 20_000], false))]);
    world.buys(4, "e", 10_000);
    let nets: Vec<i64> = (0..5).map(|person| world.net(person)).collect();
    assert_eq!(nets, [0, 200, 500, 1_000, 0]);
    world.refund("e", Some(5_000));
    let nets: Vec<i64> = (0..5).map(|person| world.net(person)).collect();
    assert_eq!(nets, [0, 100, 250, 500, 0]);
    assert_eq!(world.rewards(3), ["e 1000 500 AVAILABLE"]);
}

#[test]
fn three_refunds_of_a_third_leave_zero() {
    let mut world = World::chain(6, vec![rule(every(), upline(&[33_333; 5], false))]);
    world.buys(5, "e", 10_000);
    // 10,000 x 3.3333 % = 333.33; of 6,667: 222.23; of 3,334: 111.13.
    for (refund, net) in [(0, 333), (3_333, 222), (3_333, 111), (3_334, 0)] {
        if refund > 0 {
            assert_eq!(world.refund("e", Some(refund)), Answer::Done);
        }
        assert!((0..5).all(|person| world.net(person) == net), "{net}");
    }
    assert_eq!(world.rewards(0), ["e 333 0 REVERSED"]);
}

#[test]
fn a_suspended_member_leaves_the_level_unpaid_or_is_passed_over() {
    for (compress, expected) in [(false, [0, 500, 0, 0]), (true, [500, 1_000, 0, 0])] {
        let mut world = World::chain(4, vec![rule(every(), upline(&[100_000, 50_000], compress))]);
        world.play(Operation::Suspend(2));
        world.buys(3, "e", 10_000);
        let nets: Vec<i64> = (0..4).map(|person| world.net(person)).collect();
        assert_eq!(nets, expected, "{compress}");
    }
}

#[test]
fn a_cap_of_seven() {
    let cap = Cap { per_user_count: Some(7), ..NO_CAP };
    let mut world = World::chain(2, capped(cap, Flat::Fixed(100)));
    for number in 0..9 {
        world.buys(1, &format!("e{number}"), 1_000);
    }
    assert_eq!(world.net(0), 700);
    // What is taken back does not give room.
    world.refund("e0", None);
    world.buys(1, "e9", 1_000);
    assert_eq!(world.net(0), 600);
    assert_eq!(world.outcome("e9"), Some(Outcome::CapUsed));
}

#[test]
fn an_amount_cap_pays_the_rest() {
    let cap = Cap { per_user_amount: Some(250), ..NO_CAP };
    let mut world = World::chain(2, capped(cap, Flat::Percent(100_000)));
    for number in 0..4 {
        world.buys(1, &format!("e{number}"), 1_000);
    }
    assert_eq!(world.rewards(0), ["e0 100 100 AVAILABLE", "e1 100 100 AVAILABLE", "e2 50 50 AVAILABLE"]);
    // Ten percent of what is left is 60, then 40: never more than was granted.
    world.refund("e2", Some(400));
    assert_eq!(world.net(0), 250);
    world.refund("e2", Some(200));
    assert_eq!(world.net(0), 240);
}

#[test]
fn a_budget_is_shared_and_begins_again_every_day() {
    let cap = Cap { budget: Some(150), period: Period::Day, ..NO_CAP };
    let mut world = World::chain(3, capped(cap, Flat::Fixed(100)));
    world.buys(1, "e1", 1_000);
    world.buys(2, "e2", 1_000);
    world.buys(2, "e3", 1_000);
    assert_eq!((world.net(0), world.net(1)), (100, 50));
    world.pass(DAY / 2);
    world.buys(2, "e4", 1_000);
    assert_eq!(world.net(1), 150);
}

#[test]
fn the_third_moves_up_when_the_first_is_refunded() {
    let second = Trigger { count: 2, ..first() };
    let mut world = World::chain(2, vec![rule(second, referrer(Flat::Percent(100_000)))]);
    for key in ["e1", "e2", "e3"] {
        world.buys(1, key, 1_000);
    }
    assert_eq!(world.rewards(0), ["e2 100 100 AVAILABLE"]);
    world.refund("e3", Some(500));
    world.refund("e1", None);
    assert_eq!(world.rewards(0), ["e2 100 0 REVERSED", "e3 50 50 AVAILABLE"]);
}

#[test]
fn a_refund_to_below_the_smallest_amount() {
    let least = Trigger { min_amount: Some(2_000), ..every() };
    let mut world = World::chain(2, vec![rule(least, referrer(Flat::Fixed(500)))]);
    world.buys(1, "e1", 1_999);
    world.buys(1, "e2", 2_500);
    world.refund("e2", Some(500));
    assert_eq!(world.rewards(0), ["e2 500 500 AVAILABLE"]);
    world.refund("e2", Some(1));
    assert_eq!(world.rewards(0), ["e2 500 0 REVERSED"]);
    assert_eq!(world.refund("e2", Some(2_000)), Answer::Refused(Refusal::RefundExceeds));
}

#[test]
fn what_is_required_may_come_later() {
    let verified = Rule { requires: vec!["email_verified"], ..rule(first(), referrer(Flat::Percent(100_000))) };
    let mut world = World::chain(2, vec![verified]);
    world.buys(1, "e1", 1_000);
    world.refund("e1", Some(100));
    assert_eq!(world.outcome("e1"), None);
    world.does(1, "e2", "email_verified", None);
    assert_eq!(world.rewards(0), ["e1 90 90 AVAILABLE"]);
}

#[test]
fn tiers_go_by_completed_referrals() {
    let tier = |from, fixed| Tier { from, pay: Flat::Fixed(fixed) };
    let tiers = To::Referrer(Pay::Tiers(vec![tier(1, 100), tier(3, 300)]));
    let mut world = World::chain(1, vec![rule(first(), tiers)]);
    for person in 1..5 {
        world.sign_up(person, Some(0));
        world.buys(person, &format!("e{person}"), 1_000);
    }
    assert_eq!(world.net(0), 100 + 100 + 300 + 300);
    assert_eq!(world.model.see(0).completed, 4);
    // The tier was chosen once.
    world.refund("e1", None);
    assert_eq!((world.net(0), world.model.see(0).completed), (700, 3));
}

#[test]
fn a_paused_program_counts_and_does_not_pay() {
    let mut world = World::chain(2, vec![rule(first(), referrer(Flat::Fixed(100)))]);
    world.play(Operation::SetActive { program: 0, active: false });
    world.buys(1, "e1", 1_000);
    world.play(Operation::SetActive { program: 0, active: true });
    world.buys(1, "e2", 1_000);
    assert_eq!((world.net(0), world.model.see(0).completed), (0, 1));
    assert_eq!((world.outcome("e1"), world.outcome("e2")), (Some(Outcome::Paused), None));
    world.refund("e1", None);
    assert_eq!(world.rewards(0), ["e2 100 100 AVAILABLE"]);
}

#[test]
fn an_early_refund_is_cut() {
    let mut world = World::chain(2, vec![rule(every(), referrer(Flat::Percent(100_000)))]);
    world.refund("e1", Some(400));
    world.refund("e2", Some(9_999));
    world.buys(1, "e1", 1_000);
    world.buys(1, "e2", 1_000);
    assert_eq!(world.rewards(0), ["e1 60 60 AVAILABLE"]);
}

#[test]
fn a_new_version_is_for_events_that_come_later() {
    let mut world = World::chain(2, vec![rule(every(), referrer(Flat::Percent(100_000)))]);
    world.buys(1, "e1", 1_000);
    let next = Box::new(plan(vec![rule(every(), referrer(Flat::Percent(500_000)))]));
    world.play(Operation::UpdateProgram { program: 0, plan: next });
    world.buys(1, "e2", 1_000);
    world.refund("e1", Some(500));
    assert_eq!(world.rewards(0), ["e1 100 50 AVAILABLE", "e2 500 500 AVAILABLE"]);
}

#[test]
fn a_move_changes_what_comes_later() {
    let mut world = World::chain(3, vec![rule(every(), referrer(Flat::Fixed(100)))]);
    world.buys(2, "e1", 1_000);
    assert_eq!(world.play(Operation::Move { person: 2, referrer: 0 }), Answer::Done);
    world.buys(2, "e2", 1_000);
    assert_eq!((world.net(0), world.net(1)), (100, 100));
    assert_eq!((world.model.see(0).completed, world.model.see(1).completed), (1, 0));
    let cycle = world.play(Operation::Move { person: 1, referrer: 1 });
    assert_eq!(cycle, Answer::Refused(Refusal::Cycle));
}
