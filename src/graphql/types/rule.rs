//! Rules of programs, as they are shown.

use async_graphql::SimpleObject;

use super::{
    money::major,
    words::{Beneficiary, CapPeriod},
};
use crate::{
    domain::{
        pay::{Cap, Flat, Pay, Payee, Tier},
        plan,
        program::{Rule, Trigger},
    },
    graphql::scalars::Decimal,
};

/// One promise of a program.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardRule {
    /// Name of the rule, unique in its program.
    pub key: String,
    /// What the reward is called on screens, such as `referral_bonus`.
    pub kind: String,
    /// What it is paid for.
    pub on: RewardTrigger,
    /// Events that the person must have had besides; the rule waits for the last of them.
    pub requires: Vec<String>,
    /// Who is paid.
    pub to: Beneficiary,
    /// How much; null for `UPLINE`.
    pub pay: Option<RewardPay>,
    /// How much on each level; empty unless `UPLINE`.
    pub levels: Vec<RewardLevel>,
    /// Whether levels count over those only who can be paid.
    pub compress: bool,
    /// How much at most; null without a limit.
    pub cap: Option<RewardCap>,
    /// Days of 24 hours before the reward can be claimed.
    pub hold_days: u32,
    /// Days of 24 hours after which a reward that was not claimed lapses; null when it never does.
    pub expires_after_days: Option<u32>,
}

/// When an event counts.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardTrigger {
    /// The type of the event, such as `purchase`.
    pub event: String,
    /// The smallest amount that counts, in major units, after refunds. Null: events without an amount count as well.
    pub min_amount: Option<Decimal>,
    /// Which of the user's events that count: 1 for the first.
    pub count: i32,
    /// Whether every such event counts.
    pub every: bool,
}

/// How much a rule pays: one of the three.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardPay {
    /// The same each time, in major units of the program's currency.
    pub fixed: Option<Decimal>,
    /// A percentage of what is left of the event, rounded down to minor units.
    pub percent: Option<Decimal>,
    /// By how many direct referrals the beneficiary has completed, this one included; ascending.
    pub tiers: Option<Vec<RewardTier>>,
}

/// One step of a staircase.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardTier {
    /// From how many completed direct referrals on.
    pub from_referrals: u32,
    /// What is paid then.
    pub pay: RewardFlatPay,
}

/// What one level of the chain above is paid.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardLevel {
    /// The level, from 1 on.
    pub level: i32,
    /// What it is paid.
    pub pay: RewardFlatPay,
}

/// An amount that does not depend on who is paid: one of the two.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardFlatPay {
    /// The same each time, in major units of the program's currency.
    pub fixed: Option<Decimal>,
    /// A percentage of what is left of the event, rounded down to minor units.
    pub percent: Option<Decimal>,
}

/// How much a rule pays at most, over all its levels and versions. The last reward is cut to what is left.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardCap {
    /// Rewards of one person.
    pub per_user_count: Option<u32>,
    /// Amount of one person, in major units.
    pub per_user_amount: Option<Decimal>,
    /// Amount of everybody together, in major units.
    pub budget: Option<Decimal>,
    /// Over which time.
    pub period: CapPeriod,
}

impl RewardTrigger {
    /// Shows a trigger of a program with this currency.
    pub fn of(trigger: &Trigger, currency: &str) -> Self {
        Self {
            event: trigger.event.clone(),
            min_amount: trigger.min_amount.map(|minor| major(minor, currency)),
            count: i32::try_from(trigger.count).unwrap_or(i32::MAX),
            every: trigger.every,
        }
    }
}

impl RewardRule {
    /// Shows a rule of a program with this currency.
    pub fn of(rule: &Rule, currency: &str) -> Self {
        let (to, pay, levels, compress) = match &rule.to {
            Payee::Referred(pay) => (plan::Beneficiary::Referred, Some(pay), None, false),
            Payee::Referrer(pay) => (plan::Beneficiary::Referrer, Some(pay), None, false),
            Payee::Upline { levels, compress } => (plan::Beneficiary::Upline, None, Some(levels), *compress),
        };
        let level =
            |(level, flat): (&i32, &Flat)| RewardLevel { level: *level, pay: RewardFlatPay::of(*flat, currency) };
        Self {
            key: rule.key.clone(),
            kind: rule.kind.clone(),
            on: RewardTrigger::of(&rule.on, currency),
            requires: rule.requires.clone(),
            to: to.into(),
            pay: pay.map(|pay| RewardPay::of(pay, currency)),
            levels: levels.into_iter().flatten().map(level).collect(),
            compress,
            cap: rule.cap.map(|cap| RewardCap::of(cap, currency)),
            hold_days: rule.hold_days,
            expires_after_days: rule.expires_after_days,
        }
    }
}

impl RewardPay {
    fn of(pay: &Pay, currency: &str) -> Self {
        match pay {
            Pay::Flat(flat) => {
                let RewardFlatPay { fixed, percent } = RewardFlatPay::of(*flat, currency);
                Self { fixed, percent, tiers: None }
            }
            Pay::Tiers(tiers) => {
                let tier = |Tier { from_referrals, pay }: &Tier| RewardTier {
                    from_referrals: *from_referrals,
                    pay: RewardFlatPay::of(*pay, currency),
                };
                Self { fixed: None, percent: None, tiers: Some(tiers.iter().map(tier).collect()) }
            }
        }
    }
}

impl RewardFlatPay {
    fn of(flat: Flat, currency: &str) -> Self {
        match flat {
            Flat::Fixed(minor) => Self { fixed: Some(major(minor, currency)), percent: None },
            Flat::Percent(percent) => Self { fixed: None, percent: Some(Decimal(percent.number())) },
        }
    }
}

impl RewardCap {
    fn of(cap: Cap, currency: &str) -> Self {
        Self {
            per_user_count: cap.per_user_count,
            per_user_amount: cap.per_user_amount.map(|minor| major(minor, currency)),
            budget: cap.budget.map(|minor| major(minor, currency)),
            period: cap.period.into(),
        }
    }
}
