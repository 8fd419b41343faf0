//! What a program promises, as plain data, and how it is told to the house.
//!
//! Amounts are whole minor units of the program's currency, percentages whole ten-thousandths of a percent.

use serde_json::{Value, json};

/// Ten-thousandths of a percent in everything: 100 %.
pub const WHOLE: i64 = 1_000_000;

/// One version of a program.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The currency of events and rewards.
    pub currency: Currency,
    /// Where days, weeks and months begin.
    pub zone: Zone,
    /// What completes a referral.
    pub qualifying: Trigger,
    /// Who is paid what for what.
    pub rules: Vec<Rule>,
    /// The smallest claim.
    pub minimum_claim: Option<i64>,
}

/// A currency and the decimal places of its minor unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Currency {
    /// Its code.
    pub code: &'static str,
    /// How many decimal places it has.
    pub exponent: usize,
}

/// A time zone that is always as far from UTC.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zone {
    /// Its IANA name.
    pub name: &'static str,
    /// How far it is ahead of UTC.
    pub ahead_minutes: i64,
}

/// When an event counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    /// The type of the event.
    pub event: &'static str,
    /// How much of it has to be left.
    pub min_amount: Option<i64>,
    /// Which one counts: 1 is the first.
    pub count: usize,
    /// Whether all count.
    pub every: bool,
}

/// One promise.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, unique in the program.
    pub key: String,
    /// What it is paid for.
    pub on: Trigger,
    /// Types of events that the user must have had.
    pub requires: Vec<&'static str>,
    /// Who is paid, and what.
    pub to: To,
    /// How much at most.
    pub cap: Option<Cap>,
    /// How long a reward waits.
    pub hold_days: i64,
    /// How long a reward can be claimed.
    pub expires_after_days: Option<i64>,
}

/// Who is paid, and what.
#[derive(Clone, Debug, PartialEq)]
pub enum To {
    /// Whoever was brought in: level 0.
    Referred(Pay),
    /// Whoever brought them in: level 1.
    Referrer(Pay),
    /// The chain above.
    Upline {
        /// Each level with its own pay, ascending.
        levels: Vec<Level>,
        /// Whether those who are inactive are passed over.
        compress: bool,
    },
}

/// What is paid.
#[derive(Clone, Debug, PartialEq)]
pub enum Pay {
    /// Always the same.
    Flat(Flat),
    /// By the number of completed referrals of whoever is paid, ascending.
    Tiers(Vec<Tier>),
}

/// One amount or one rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Flat {
    /// So many minor units.
    Fixed(i64),
    /// So many ten-thousandths of a percent of what is left of the event.
    Percent(i64),
}

/// What is paid from so many completed referrals on.
#[derive(Clone, Debug, PartialEq)]
pub struct Tier {
    /// From how many on.
    pub from: usize,
    /// What is paid then.
    pub pay: Flat,
}

/// What one level is paid.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// The level: 1 is the referrer.
    pub level: usize,
    /// What it is paid.
    pub pay: Flat,
}

/// How much a rule pays at most.
#[derive(Clone, Debug, PartialEq)]
pub struct Cap {
    /// Rewards of one user.
    pub per_user_count: Option<usize>,
    /// The sum of one user.
    pub per_user_amount: Option<i64>,
    /// The sum of everybody.
    pub budget: Option<i64>,
    /// Within which time.
    pub period: Period,
}

/// Within which time a cap holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// From midnight on.
    Day,
    /// From Monday on.
    Week,
    /// From the first on.
    Month,
    /// For all time.
    Ever,
}

impl Plan {
    /// The plan as `CreateProgramInput`, to be active at once.
    pub fn create_input(&self, key: &str) -> Value {
        let mut input = self.changes();
        input["key"] = json!(key);
        input["currencyCode"] = json!(self.currency.code);
        input["timeZone"] = json!(self.zone.name);
        input["activate"] = json!(true);
        input["name"] = json!(format!("Program {key}"));
        input
    }

    /// The plan as `UpdateProgramInput`: everything that a new version may change.
    pub fn update_input(&self, program_id: &str) -> Value {
        let mut input = self.changes();
        input["programId"] = json!(program_id);
        input
    }

    fn changes(&self) -> Value {
        let rules: Vec<Value> = self.rules.iter().map(|rule| self.rule(rule)).collect();
        let minimum = self.minimum_claim.map(|minor| self.amount(minor));
        json!({"qualifying": self.trigger(&self.qualifying), "rules": rules, "minimumClaim": minimum})
    }

    fn rule(&self, rule: &Rule) -> Value {
        let mut input = json!({
            "key": rule.key,
            "on": self.trigger(&rule.on),
            "requires": rule.requires,
            "holdDays": rule.hold_days,
            "expiresAfterDays": rule.expires_after_days,
            "cap": rule.cap.as_ref().map(|cap| self.cap(cap)),
        });
        match &rule.to {
            To::Referred(pay) => {
                input["to"] = json!("REFERRED");
                input["pay"] = self.pay(pay);
            }
            To::Referrer(pay) => {
                input["to"] = json!("REFERRER");
                input["pay"] = self.pay(pay);
            }
            To::Upline { levels, compress } => {
                let level = |level: &Level| json!({"level": level.level, "pay": self.flat(level.pay)});
                input["to"] = json!("UPLINE");
                input["levels"] = levels.iter().map(level).collect();
                input["compress"] = json!(compress);
            }
        }
        input
    }

    fn trigger(&self, trigger: &Trigger) -> Value {
        let min_amount = trigger.min_amount.map(|minor| self.amount(minor));
        json!({"event": trigger.event, "minAmount": min_amount, "count": trigger.count, "every": trigger.every})
    }

    fn pay(&self, pay: &Pay) -> Value {
        let tier = |tier: &Tier| json!({"fromReferrals": tier.from, "pay": self.flat(tier.pay)});
        match pay {
            Pay::Flat(flat) => self.flat(*flat),
            Pay::Tiers(tiers) => json!({"tiers": tiers.iter().map(tier).collect::<Vec<Value>>()}),
        }
    }

    fn flat(&self, flat: Flat) -> Value {
        match flat {
            Flat::Fixed(minor) => json!({"fixed": self.amount(minor)}),
            Flat::Percent(rate) => json!({"percent": decimal(rate, 4)}),
        }
    }

    fn cap(&self, cap: &Cap) -> Value {
        let period = match cap.period {
            Period::Day => "DAY",
            Period::Week => "WEEK",
            Period::Month => "MONTH",
            Period::Ever => "EVER",
        };
        json!({
            "perUserCount": cap.per_user_count,
            "perUserAmount": cap.per_user_amount.map(|minor| self.amount(minor)),
            "budget": cap.budget.map(|minor| self.amount(minor)),
            "period": period,
        })
    }

    fn amount(&self, minor: i64) -> String {
        decimal(minor, self.currency.exponent)
    }
}

/// A number with so many decimal places: `1250` with two is `12.50`.
pub fn decimal(minor: i64, places: usize) -> String {
    let digits = format!("{minor:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    if places == 0 { whole.to_owned() } else { format!("{whole}.{fraction}") }
}
