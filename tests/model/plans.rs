//! Random plans: simple ones, in which a mismatch is easy to understand, and full ones. All of them are valid.

use rand::{RngExt, rngs::StdRng};

use crate::plan::{Cap, Currency, Flat, Level, Pay, Period, Plan, Rule, Tier, To, Trigger, WHOLE, Zone};

/// What people do. The first two may have an amount, the others never have one.
pub const TYPES: [&str; 4] = ["purchase", "deposit", "email_verified", "phone_verified"];

/// Currencies with two, none and three decimal places, and a unit of the host's own.
const CURRENCIES: [Currency; 4] = [
    Currency { code: "USD", exponent: 2 },
    Currency { code: "JPY", exponent: 0 },
    Currency { code: "KWD", exponent: 3 },
    Currency { code: "POINTS", exponent: 0 },
];

/// Zones without summer time, in which midnight is elsewhere.
const ZONES: [Zone; 4] = [
    Zone { name: "UTC", ahead_minutes: 0 },
    Zone { name: "Asia/Tokyo", ahead_minutes: 9 * 60 },
    Zone { name: "Asia/Kolkata", ahead_minutes: 5 * 60 + 30 },
    Zone { name: "America/Phoenix", ahead_minutes: -7 * 60 },
];

/// Rates in ten-thousandths of a percent, with thirds, the smallest there is, and everything.
const RATES: [i64; 8] = [100_000, 50_000, 20_000, 33_333, 125_000, 1, 500_000, WHOLE];

/// In how many of a hundred full plans a rule has this.
const CAPPED: u32 = 40;
const HELD: u32 = 45;
const EXPIRING: u32 = 35;
const REQUIRING: u32 = 25;
const TIERED: u32 = 35;
/// In how many of a hundred programs there is a smallest claim.
const WITH_MINIMUM: u32 = 20;
/// In how many of a hundred new versions the referral is completed by something else.
const REQUALIFIED: u32 = 10;

/// Whether something of so many in a hundred happens.
pub fn happens(rng: &mut StdRng, percent: u32) -> bool {
    rng.random_range(0..100) < percent
}

/// One of these.
pub fn pick<T: Clone>(rng: &mut StdRng, from: &[T]) -> T {
    from[rng.random_range(0..from.len())].clone()
}

/// A few programs for one history. Programs share a currency unless one of them has a smallest claim: a claim is made
/// per currency, and which program's minimum would count for it is not said.
pub fn programs(rng: &mut StdRng, how_many: usize, full: bool) -> Vec<Plan> {
    let shared = pick(rng, &CURRENCIES);
    let minimum = full && happens(rng, WITH_MINIMUM);
    let plan = |place: usize| {
        let currency = match (minimum, happens(rng, 70)) {
            (true, _) => CURRENCIES[place],
            (false, true) => shared,
            (false, false) => pick(rng, &CURRENCIES),
        };
        let mut plan = if full { full_plan(rng, currency) } else { simple_plan(rng, currency) };
        plan.minimum_claim = minimum.then(|| unit(currency) * rng.random_range(1..20));
        plan
    };
    (0..how_many).map(plan).collect()
}

/// The first purchase, or every one, pays the people around it, at once and for good.
pub fn simple_plan(rng: &mut StdRng, currency: Currency) -> Plan {
    let qualifying = first("purchase");
    let every = Trigger { every: true, ..first("purchase") };
    let plain = |key: &str, on: Trigger, to: To| Rule {
        key: key.to_owned(),
        on,
        requires: Vec::new(),
        to,
        cap: None,
        hold_days: 0,
        expires_after_days: None,
    };
    let flat = fixed(rng, currency);
    let mut rules = vec![plain("r0", qualifying.clone(), To::Referrer(Pay::Flat(flat)))];
    if happens(rng, 50) {
        let flat = fixed(rng, currency);
        rules.push(plain("r1", qualifying.clone(), To::Referred(Pay::Flat(flat))));
    }
    let levels = levels(rng, currency, 3);
    rules.push(plain("r2", every, To::Upline { levels, compress: false }));
    Plan { currency, zone: ZONES[0], qualifying, rules, minimum_claim: None }
}

/// Everything that a plan can be.
pub fn full_plan(rng: &mut StdRng, currency: Currency) -> Plan {
    let qualifying = if happens(rng, 60) { first("purchase") } else { trigger(rng, currency) };
    let mut plan = Plan { currency, zone: pick(rng, &ZONES), qualifying, rules: Vec::new(), minimum_claim: None };
    for number in 0..rng.random_range(2..=4) {
        let rule = rule(rng, &plan, number);
        plan.rules.push(rule);
    }
    plan
}

/// A new version: other amounts and rates, another rule, one less. What a cap is of stays, only how much it is changes:
/// the rules do not say what a cap of another kind starts with.
pub fn next_version(rng: &mut StdRng, plan: &Plan, number: usize) -> Plan {
    let mut next = plan.clone();
    for rule in &mut next.rules {
        rule.to = match &rule.to {
            To::Referred(_) => To::Referred(pay(rng, plan.currency)),
            To::Referrer(_) => To::Referrer(pay(rng, plan.currency)),
            To::Upline { compress, .. } => {
                let levels = levels(rng, plan.currency, 5);
                To::Upline { levels, compress: *compress ^ happens(rng, 30) }
            }
        };
        if let Some(cap) = &mut rule.cap {
            let other = limits(rng, plan.currency);
            cap.per_user_count = cap.per_user_count.and(other.per_user_count);
            cap.per_user_amount = cap.per_user_amount.and(other.per_user_amount);
            cap.budget = cap.budget.and(other.budget);
        }
        if happens(rng, 30) {
            rule.on = trigger(rng, plan.currency);
        }
        rule.hold_days = hold_days(rng);
    }
    if next.rules.len() > 1 && happens(rng, 25) {
        let dropped = rng.random_range(0..next.rules.len());
        next.rules.remove(dropped);
    }
    if next.rules.len() < 5 && happens(rng, 40) {
        let rule = rule(rng, &next, number);
        next.rules.push(rule);
    }
    if happens(rng, REQUALIFIED) {
        next.qualifying = trigger(rng, plan.currency);
    }
    next
}

/// One unit of a currency in minor units.
pub fn unit(currency: Currency) -> i64 {
    (0..currency.exponent).fold(1, |unit, _| unit * 10)
}

/// The first event of a type.
fn first(event: &'static str) -> Trigger {
    Trigger { event, min_amount: None, count: 1, every: false }
}

fn rule(rng: &mut StdRng, plan: &Plan, number: usize) -> Rule {
    let on = if happens(rng, 30) { plan.qualifying.clone() } else { trigger(rng, plan.currency) };
    let to = match rng.random_range(0..10) {
        0..2 => To::Referred(pay(rng, plan.currency)),
        2..5 => To::Referrer(pay(rng, plan.currency)),
        _ => To::Upline { levels: levels(rng, plan.currency, 5), compress: happens(rng, 50) },
    };
    Rule {
        key: format!("r{number}"),
        on,
        requires: if happens(rng, REQUIRING) { requires(rng) } else { Vec::new() },
        to,
        cap: happens(rng, CAPPED).then(|| cap(rng, plan.currency)),
        hold_days: hold_days(rng),
        expires_after_days: happens(rng, EXPIRING).then(|| pick(rng, &[1, 2, 10])),
    }
}

fn trigger(rng: &mut StdRng, currency: Currency) -> Trigger {
    let event =
        pick(rng, &["purchase", "purchase", "purchase", "purchase", "purchase", "deposit", "email_verified", "signup"]);
    let has_amount = event == "purchase" || event == "deposit";
    let min_amount = (has_amount && happens(rng, 35)).then(|| unit(currency) * pick(rng, &[1, 20, 50, 100]));
    let every = happens(rng, 60);
    let count = if every || event == "signup" { 1 } else { pick(rng, &[1, 1, 2, 2, 3]) };
    Trigger { event, min_amount, count, every }
}

fn requires(rng: &mut StdRng) -> Vec<&'static str> {
    match rng.random_range(0..4) {
        0 => vec!["email_verified", "phone_verified"],
        1 => vec!["phone_verified"],
        _ => vec!["email_verified"],
    }
}

fn hold_days(rng: &mut StdRng) -> i64 {
    if happens(rng, HELD) { pick(rng, &[1, 3, 14]) } else { 0 }
}

fn pay(rng: &mut StdRng, currency: Currency) -> Pay {
    if !happens(rng, TIERED) {
        return Pay::Flat(flat(rng, currency));
    }
    let mut from = rng.random_range(0..=1);
    let mut tiers = Vec::new();
    for _ in 0..rng.random_range(1..=3) {
        tiers.push(Tier { from, pay: flat(rng, currency) });
        from += rng.random_range(1..=2);
    }
    Pay::Tiers(tiers)
}

fn flat(rng: &mut StdRng, currency: Currency) -> Flat {
    if happens(rng, 40) { fixed(rng, currency) } else { Flat::Percent(pick(rng, &RATES)) }
}

fn fixed(rng: &mut StdRng, currency: Currency) -> Flat {
    let amounts = [unit(currency) * 10, unit(currency) * 5, unit(currency) * 7 + 1, 1, unit(currency) * 100];
    Flat::Fixed(pick(rng, &amounts))
}

/// Levels from 1 on, now and then with a gap; their rates together are at most everything.
fn levels(rng: &mut StdRng, currency: Currency, most: usize) -> Vec<Level> {
    let mut left = WHOLE;
    let mut levels = Vec::new();
    let mut level = 1;
    for _ in 0..rng.random_range(1..=most) {
        let pay = match flat(rng, currency) {
            Flat::Percent(rate) if rate > left => Flat::Percent(1.min(left)),
            other => other,
        };
        if let Flat::Percent(rate) = pay {
            left -= rate;
        }
        if pay != Flat::Percent(0) {
            levels.push(Level { level, pay });
        }
        level += if happens(rng, 15) { 2 } else { 1 };
    }
    levels
}

/// A cap of one to three kinds, small enough to be used up.
fn cap(rng: &mut StdRng, currency: Currency) -> Cap {
    let mut cap = limits(rng, currency);
    match rng.random_range(0..5) {
        0 => (cap.per_user_amount, cap.budget) = (None, None),
        1 => (cap.per_user_count, cap.budget) = (None, None),
        2 => (cap.per_user_count, cap.per_user_amount) = (None, None),
        3 => cap.per_user_count = None,
        _ => {}
    }
    cap
}

fn limits(rng: &mut StdRng, currency: Currency) -> Cap {
    let unit = unit(currency);
    Cap {
        per_user_count: Some(rng.random_range(1..=4)),
        per_user_amount: Some(unit * pick(rng, &[7, 12, 25, 40]) + rng.random_range(0..2)),
        budget: Some(unit * pick(rng, &[10, 30, 55]) + rng.random_range(0..2)),
        period: pick(rng, &[Period::Day, Period::Week, Period::Month, Period::Ever]),
    }
}
