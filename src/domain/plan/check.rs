//! What can be wrong with a plan.

use std::collections::BTreeMap;

use super::{
    Beneficiary, Plan, PlannedCap, PlannedFlat, PlannedLevel, PlannedPay, PlannedRule, PlannedTier, PlannedTrigger,
    Problem, Sound, fraud,
};
use crate::domain::{
    decimal::Decimal,
    money::Currency,
    pay::{Cap, Flat, LEVELS_MAX, Pay, Payee, Percent, Tier},
    program::{DEFAULT_KIND, Definition, Rule, Trigger, is_event_type},
};

/// Most rules of a program, tiers of a rule, and required events.
const RULES_MAX: usize = 50;
const TIERS_MAX: usize = 20;
const REQUIRES_MAX: usize = 10;
/// Longest hold, expiry and attribution window, in days: ten years.
const DAYS_MAX: i64 = 3_650;
/// Highest `count` of a trigger and of a tier.
const COUNT_MAX: i64 = 1_000_000;
/// Longest name of a rule and of a reward.
const NAME_MAX: usize = 64;
/// Events that cost the person who has them nothing.
const FREE_EVENTS: [&str; 3] = ["signup", "email_verified", "phone_verified"];

pub(super) fn check(plan: &Plan, before: Definition, currency: &Currency) -> Result<Sound, Vec<Problem>> {
    let mut checker = Checker { currency, path: Vec::new(), problems: Vec::new(), warnings: Vec::new() };
    let definition = checker.definition(plan, before);
    if checker.problems.is_empty() {
        Ok(Sound { definition, warnings: checker.warnings })
    } else {
        Err(checker.problems)
    }
}

/// Walks down a plan. What is wrong is noted and stands for something harmless meanwhile.
struct Checker<'a> {
    currency: &'a Currency,
    path: Vec<String>,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Checker<'_> {
    fn at<T>(&mut self, part: impl Into<String>, check: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(part.into());
        let checked = check(self);
        self.path.pop();
        checked
    }

    fn wrong(&mut self, message: impl Into<String>) {
        self.problems.push(Problem { path: self.path.clone(), message: message.into() });
    }

    fn definition(&mut self, plan: &Plan, mut definition: Definition) -> Definition {
        if let Some(days) = plan.attribution_window_days {
            definition.attribution_window_days =
                self.at("attributionWindowDays", |checker| checker.number(days, 1, DAYS_MAX));
        }
        definition.attribution = plan.attribution.unwrap_or(definition.attribution);
        if let Some(trigger) = &plan.qualifying {
            definition.qualifying = self.at("qualifying", |checker| checker.trigger(trigger));
        }
        if let Some(rules) = &plan.rules {
            definition.rules = self.at("rules", |checker| checker.rules(rules));
        }
        if let Some(least) = plan.minimum_claim {
            definition.minimum_claim = least.map(|least| self.at("minimumClaim", |checker| checker.positive(least)));
        }
        match plan.fraud.as_ref().map(|fraud| fraud::check(fraud, &definition.fraud)) {
            None => {}
            Some(Ok(policy)) => definition.fraud = policy,
            Some(Err(problems)) => self.problems.extend(problems),
        }
        definition
    }

    fn rules(&mut self, rules: &[PlannedRule]) -> Vec<Rule> {
        if rules.len() > RULES_MAX {
            self.wrong(format!("a program has at most {RULES_MAX} rules"));
            return Vec::new();
        }
        let mut checked: Vec<Rule> = Vec::new();
        for (place, rule) in rules.iter().enumerate() {
            let rule = self.at(place.to_string(), |checker| {
                if checked.iter().any(|other| other.key == rule.key) {
                    checker.at("key", |checker| checker.wrong("another rule of this program has this key"));
                }
                checker.rule(rule)
            });
            checked.push(rule);
        }
        checked
    }

    fn rule(&mut self, rule: &PlannedRule) -> Rule {
        let key = self.at("key", |checker| checker.name(&rule.key));
        let kind = rule.kind.as_ref().map_or_else(|| DEFAULT_KIND.to_owned(), |kind| self.at("kind", |c| c.name(kind)));
        let on = self.at("on", |checker| checker.trigger(&rule.on));
        self.at("requires", |checker| checker.requires(&rule.requires));
        let to = self.payee(rule);
        if let Payee::Upline { levels, .. } = &to
            && levels.keys().any(|level| *level >= 2)
            && std::iter::once(&rule.on.event).chain(&rule.requires).all(|event| FREE_EVENTS.contains(&event.as_str()))
        {
            let message = "level 2 and above are paid for recruiting alone, without anything being bought: in many \
                countries that is a pyramid scheme";
            self.warnings.push(Problem { path: self.path.clone(), message: message.to_owned() });
        }
        let cap = rule.cap.as_ref().map(|cap| self.at("cap", |checker| checker.cap(cap)));
        let hold_days = self.at("holdDays", |checker| checker.number(rule.hold_days, 0, DAYS_MAX));
        let expires = rule.expires_after_days;
        let expires_after_days =
            expires.map(|days| self.at("expiresAfterDays", |checker| checker.number(days, 1, DAYS_MAX)));
        Rule { key, kind, on, requires: rule.requires.clone(), to, cap, hold_days, expires_after_days }
    }

    fn requires(&mut self, events: &[String]) {
        if events.len() > REQUIRES_MAX {
            self.wrong(format!("a rule requires at most {REQUIRES_MAX} events"));
        }
        for (place, event) in events.iter().take(REQUIRES_MAX).enumerate() {
            self.at(place.to_string(), |checker| checker.event_type(event));
        }
    }

    fn trigger(&mut self, trigger: &PlannedTrigger) -> Trigger {
        self.at("event", |checker| checker.event_type(&trigger.event));
        let min_amount = trigger.min_amount.map(|least| self.at("minAmount", |checker| checker.positive(least)));
        let count = self.at("count", |checker| {
            if trigger.every && trigger.count != 1 {
                checker.wrong("with `every` each event counts: leave `count` out");
            }
            checker.number(trigger.count, 1, COUNT_MAX)
        });
        Trigger { event: trigger.event.clone(), min_amount, count, every: trigger.every }
    }

    fn payee(&mut self, rule: &PlannedRule) -> Payee {
        if rule.to == Beneficiary::Upline {
            if rule.pay.is_some() {
                self.at("pay", |checker| checker.wrong("an UPLINE rule pays by `levels`, not by `pay`"));
            }
            let levels = self.at("levels", |checker| checker.levels(&rule.levels));
            return Payee::Upline { levels, compress: rule.compress };
        }
        if !rule.levels.is_empty() {
            self.at("levels", |checker| checker.wrong("only UPLINE rules have levels; use `pay`"));
        }
        if rule.compress {
            self.at("compress", |checker| checker.wrong("only UPLINE rules have levels to compress"));
        }
        let pay = self.at("pay", |checker| match &rule.pay {
            Some(PlannedPay::Flat(flat)) => Pay::Flat(checker.flat(*flat)),
            Some(PlannedPay::Tiers(tiers)) => Pay::Tiers(checker.at("tiers", |checker| checker.tiers(tiers))),
            None => {
                checker.wrong("say how much is paid");
                Pay::Flat(Flat::Fixed(1))
            }
        });
        if rule.to == Beneficiary::Referred { Payee::Referred(pay) } else { Payee::Referrer(pay) }
    }

    fn levels(&mut self, planned: &[PlannedLevel]) -> BTreeMap<i32, Flat> {
        if planned.is_empty() {
            self.wrong("an UPLINE rule names at least one level");
        }
        let mut levels = BTreeMap::new();
        for (place, PlannedLevel { level, pay }) in planned.iter().enumerate().take(2 * LEVELS_MAX as usize) {
            self.at(place.to_string(), |checker| {
                let pay = checker.at("pay", |checker| checker.flat(*pay));
                checker.at("level", |checker| match i32::try_from(*level) {
                    Ok(level) if (1..=LEVELS_MAX).contains(&level) => {
                        if levels.insert(level, pay).is_some() {
                            checker.wrong(format!("level {level} is there twice"));
                        }
                    }
                    _ => checker.wrong(format!("a level is 1 to {LEVELS_MAX}")),
                });
            });
        }
        let share = |flat: &Flat| match flat {
            Flat::Percent(percent) => u64::from(percent.units()),
            Flat::Fixed(_) => 0,
        };
        if levels.values().map(share).sum::<u64>() > u64::from(Percent::HUNDRED.units()) {
            self.wrong("the levels together pay more than 100 % of the event");
        }
        levels
    }

    fn tiers(&mut self, planned: &[PlannedTier]) -> Vec<Tier> {
        if planned.is_empty() || planned.len() > TIERS_MAX {
            self.wrong(format!("a rule has 1 to {TIERS_MAX} tiers"));
            return Vec::new();
        }
        let mut before = None;
        let mut tiers = Vec::new();
        for (place, PlannedTier { from_referrals, pay }) in planned.iter().enumerate() {
            let tier = self.at(place.to_string(), |checker| {
                let from_referrals = checker.at("fromReferrals", |checker| {
                    if before.is_none() && *from_referrals > 1 {
                        checker.wrong("the first tier begins at 0 or 1, or nobody would be paid before it");
                    }
                    if before.is_some_and(|before| before >= *from_referrals) {
                        checker.wrong("tiers ascend");
                    }
                    checker.number(*from_referrals, 0, COUNT_MAX)
                });
                Tier { from_referrals, pay: checker.at("pay", |checker| checker.flat(*pay)) }
            });
            before = Some(*from_referrals);
            tiers.push(tier);
        }
        tiers
    }

    fn cap(&mut self, cap: &PlannedCap) -> Cap {
        let PlannedCap { per_user_count, per_user_amount, budget, period } = *cap;
        if per_user_count.is_none() && per_user_amount.is_none() && budget.is_none() {
            self.wrong("a cap limits something: `perUserCount`, `perUserAmount` or `budget`");
        }
        Cap {
            per_user_count: per_user_count.map(|count| self.at("perUserCount", |c| c.number(count, 1, COUNT_MAX))),
            per_user_amount: per_user_amount.map(|amount| self.at("perUserAmount", |c| c.positive(amount))),
            budget: budget.map(|amount| self.at("budget", |c| c.positive(amount))),
            period,
        }
    }

    fn flat(&mut self, flat: PlannedFlat) -> Flat {
        match flat {
            PlannedFlat::Fixed(amount) => Flat::Fixed(self.at("fixed", |checker| checker.positive(amount))),
            PlannedFlat::Percent(number) => self.at("percent", |checker| {
                let percent = Percent::new(number).filter(|percent| !percent.is_zero());
                if percent.is_none() {
                    checker.wrong("a percentage is above 0 and at most 100, with at most 4 digits after the point");
                }
                Flat::Percent(percent.unwrap_or(Percent::HUNDRED))
            }),
        }
    }

    /// An amount above zero, in minor units.
    fn positive(&mut self, amount: Decimal) -> i64 {
        match self.currency.to_minor(amount) {
            Ok(minor) if minor > 0 => minor,
            Ok(_) => {
                self.wrong("an amount is above zero");
                1
            }
            Err(error) => {
                self.wrong(error.to_string());
                1
            }
        }
    }

    fn number(&mut self, number: i64, least: i64, most: i64) -> u32 {
        if !(least..=most).contains(&number) {
            self.wrong(format!("a number from {least} to {most}"));
        }
        u32::try_from(number.clamp(least, most)).unwrap_or(u32::MAX)
    }

    fn name(&mut self, name: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
        if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(plain) {
            self.wrong(format!("1 to {NAME_MAX} of a-z, 0-9, _ and -"));
        }
        name.to_owned()
    }

    fn event_type(&mut self, event: &str) {
        if !is_event_type(event) {
            self.wrong("an event type is 1 to 64 of a-z, 0-9, _, ., : and -");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{pay::CapPeriod, program::AttributionModel};

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn trigger(event: &str) -> PlannedTrigger {
        PlannedTrigger { event: event.to_owned(), min_amount: None, count: 1, every: false }
    }

    fn rule(key: &str) -> PlannedRule {
        PlannedRule {
            key: key.to_owned(),
            kind: None,
            on: trigger("purchase"),
            requires: Vec::new(),
            to: Beneficiary::Referrer,
            pay: Some(PlannedPay::Flat(PlannedFlat::Fixed(decimal("10.00")))),
            levels: Vec::new(),
            compress: false,
            cap: None,
            hold_days: 0,
            expires_after_days: None,
        }
    }

    fn upline(rates: &[(i64, &str)]) -> PlannedRule {
        let level =
            |(level, rate): &(i64, &str)| PlannedLevel { level: *level, pay: PlannedFlat::Percent(decimal(rate)) };
        PlannedRule { to: Beneficiary::Upline, pay: None, levels: rates.iter().map(level).collect(), ..rule("upline") }
    }

    fn checked(rules: Vec<PlannedRule>) -> Result<Sound, Vec<Problem>> {
        let plan = Plan { rules: Some(rules), ..Plan::default() };
        plan.check(Definition::default_program(), &Currency::parse("USD").unwrap())
    }

    /// Paths of what is wrong, joined by dots.
    fn wrong(rules: Vec<PlannedRule>) -> Vec<String> {
        checked(rules).unwrap_err().into_iter().map(|problem| problem.path.join(".")).collect()
    }

    #[test]
    fn every_problem_has_its_path() {
        let tier = |from_referrals| PlannedTier { from_referrals, pay: PlannedFlat::Fixed(decimal("1")) };
        let cap = PlannedCap { per_user_count: None, per_user_amount: None, budget: None, period: CapPeriod::Ever };
        for (mut broken, path) in [
            (PlannedRule { on: trigger("Purchase"), ..rule("r") }, "rules.0.on.event"),
            (PlannedRule { pay: None, ..rule("r") }, "rules.0.pay"),
            (upline(&[(1, "60"), (2, "40.0001")]), "rules.0.levels"),
            (upline(&[(0, "10")]), "rules.0.levels.0.level"),
            (upline(&[(1, "10"), (11, "10")]), "rules.0.levels.1.level"),
            (upline(&[(1, "10"), (1, "5")]), "rules.0.levels.1.level"),
            (upline(&[(1, "0.00001")]), "rules.0.levels.0.pay.percent"),
            (
                PlannedRule { pay: Some(PlannedPay::Flat(PlannedFlat::Fixed(decimal("1.005")))), ..rule("r") },
                "rules.0.pay.fixed",
            ),
            (
                PlannedRule { on: PlannedTrigger { every: true, count: 2, ..trigger("x") }, ..rule("r") },
                "rules.0.on.count",
            ),
            (
                PlannedRule { pay: Some(PlannedPay::Tiers(vec![tier(2)])), ..rule("r") },
                "rules.0.pay.tiers.0.fromReferrals",
            ),
            (
                PlannedRule { pay: Some(PlannedPay::Tiers(vec![tier(1), tier(1)])), ..rule("r") },
                "rules.0.pay.tiers.1.fromReferrals",
            ),
            (PlannedRule { cap: Some(cap), ..rule("r") }, "rules.0.cap"),
            (PlannedRule { hold_days: -1, ..rule("r") }, "rules.0.holdDays"),
            (PlannedRule { compress: true, ..rule("r") }, "rules.0.compress"),
        ] {
            assert_eq!(wrong(vec![broken.clone()]), [path]);
            broken.key = "Not a name".to_owned();
            assert_eq!(wrong(vec![broken]).len(), 2, "{path} and the key");
        }
        assert_eq!(wrong(vec![rule("r"), rule("r")]), ["rules.1.key"]);
    }

    #[test]
    fn what_is_left_out_stays() {
        let currency = Currency::parse("USD").unwrap();
        let before = Definition { attribution: AttributionModel::FirstTouch, ..Definition::default_program() };
        let plan = Plan { minimum_claim: Some(Some(decimal("20"))), ..Plan::default() };
        let after = plan.check(before.clone(), &currency).unwrap().definition;
        assert_eq!(after, Definition { minimum_claim: Some(2_000), ..before });
    }

    #[test]
    fn recruiting_alone_is_warned_of_from_level_two_on() {
        let on_signup = |rates: &[(i64, &str)]| PlannedRule { on: trigger("signup"), ..upline(rates) };
        assert_eq!(checked(vec![on_signup(&[(1, "10"), (2, "5")])]).unwrap().warnings.len(), 1);
        assert_eq!(checked(vec![on_signup(&[(1, "10")])]).unwrap().warnings, []);
        assert_eq!(checked(vec![upline(&[(1, "10"), (2, "5")])]).unwrap().warnings, []);
        let after_purchase = PlannedRule { requires: vec!["purchase".to_owned()], ..on_signup(&[(2, "5")]) };
        assert_eq!(checked(vec![after_purchase]).unwrap().warnings, []);
    }
}
