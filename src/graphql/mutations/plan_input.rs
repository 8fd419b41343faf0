//! What a program promises, as it is sent.

use async_graphql::{InputObject, OneofObject};

use crate::{
    domain::plan::{PlannedCap, PlannedFlat, PlannedLevel, PlannedPay, PlannedRule, PlannedTier, PlannedTrigger},
    graphql::{
        scalars::Decimal,
        types::words::{Beneficiary, CapPeriod},
    },
};

/// When an event counts.
#[derive(InputObject, Clone, Debug)]
pub struct TriggerInput {
    /// The type of the event: 1 to 64 of `a-z 0-9 _ . : -`.
    pub event: String,
    /// The smallest amount that counts, in major units, after refunds. Left out, events without an amount count as well.
    pub min_amount: Option<Decimal>,
    /// Which of the user's events that count: 1 for the first.
    #[graphql(default = 1)]
    pub count: i32,
    /// Whether every such event counts; `count` is 1 then.
    #[graphql(default = false)]
    pub every: bool,
}

/// One promise: who is paid how much for what.
#[derive(InputObject, Clone, Debug)]
pub struct RewardRuleInput {
    /// Name of the rule, unique in its program: 1 to 64 of `a-z 0-9 _ -`.
    pub key: String,
    /// What the reward is called on screens; `referral_bonus` unless told.
    pub kind: Option<String>,
    /// What it is paid for.
    pub on: TriggerInput,
    /// Event types that the user must have had besides; the rule waits for the last of them.
    pub requires: Option<Vec<String>>,
    /// Who is paid.
    pub to: Beneficiary,
    /// How much; not for `UPLINE`.
    pub pay: Option<PayInput>,
    /// How much on each level; for `UPLINE` only.
    pub levels: Option<Vec<LevelInput>>,
    /// For `UPLINE`: levels count over those only who can be paid.
    #[graphql(default = false)]
    pub compress: bool,
    /// How much at most; without a limit unless told.
    pub cap: Option<CapInput>,
    /// Days of 24 hours before the reward can be claimed.
    #[graphql(default = 0)]
    pub hold_days: i32,
    /// Days of 24 hours after which a reward that was not claimed lapses; never unless told.
    pub expires_after_days: Option<i32>,
}

/// How much is paid.
#[derive(OneofObject, Clone, Debug)]
pub enum PayInput {
    /// The same each time, in major units.
    Fixed(Decimal),
    /// A percentage of what is left of the event, with at most 4 digits after the point.
    Percent(Decimal),
    /// By how many direct referrals the beneficiary has completed, ascending; the first begins at 0 or 1.
    Tiers(Vec<TierInput>),
}

/// How much is paid, whoever it is.
#[derive(OneofObject, Clone, Debug)]
pub enum FlatPayInput {
    /// The same each time, in major units.
    Fixed(Decimal),
    /// A percentage of what is left of the event, with at most 4 digits after the point.
    Percent(Decimal),
}

/// One step of a staircase.
#[derive(InputObject, Clone, Debug)]
pub struct TierInput {
    /// From how many completed direct referrals on, the one that is paid for included.
    pub from_referrals: i32,
    /// What is paid then.
    pub pay: FlatPayInput,
}

/// What one level of the chain above is paid.
#[derive(InputObject, Clone, Debug)]
pub struct LevelInput {
    /// The level, 1 to 10; 1 is the referrer.
    pub level: i32,
    /// What it is paid.
    pub pay: FlatPayInput,
}

/// How much a rule pays at most, over all its levels and versions. The last reward is cut to what is left.
#[derive(InputObject, Clone, Debug)]
pub struct CapInput {
    /// Rewards of one person.
    pub per_user_count: Option<i32>,
    /// Amount of one person, in major units.
    pub per_user_amount: Option<Decimal>,
    /// Amount of everybody together, in major units.
    pub budget: Option<Decimal>,
    /// Over which time, by when the event was accepted.
    #[graphql(default_with = "CapPeriod::Ever")]
    pub period: CapPeriod,
}

impl From<TriggerInput> for PlannedTrigger {
    fn from(input: TriggerInput) -> Self {
        let TriggerInput { event, min_amount, count, every } = input;
        Self { event, min_amount: min_amount.map(|least| least.0), count: count.into(), every }
    }
}

impl From<FlatPayInput> for PlannedFlat {
    fn from(input: FlatPayInput) -> Self {
        match input {
            FlatPayInput::Fixed(amount) => Self::Fixed(amount.0),
            FlatPayInput::Percent(percent) => Self::Percent(percent.0),
        }
    }
}

impl From<PayInput> for PlannedPay {
    fn from(input: PayInput) -> Self {
        match input {
            PayInput::Fixed(amount) => Self::Flat(PlannedFlat::Fixed(amount.0)),
            PayInput::Percent(percent) => Self::Flat(PlannedFlat::Percent(percent.0)),
            PayInput::Tiers(tiers) => {
                let tier = |TierInput { from_referrals, pay }| PlannedTier {
                    from_referrals: from_referrals.into(),
                    pay: pay.into(),
                };
                Self::Tiers(tiers.into_iter().map(tier).collect())
            }
        }
    }
}

impl From<CapInput> for PlannedCap {
    fn from(input: CapInput) -> Self {
        Self {
            per_user_count: input.per_user_count.map(Into::into),
            per_user_amount: input.per_user_amount.map(|amount| amount.0),
            budget: input.budget.map(|amount| amount.0),
            period: input.period.into(),
        }
    }
}

impl From<RewardRuleInput> for PlannedRule {
    fn from(input: RewardRuleInput) -> Self {
        let level = |LevelInput { level, pay }| PlannedLevel { level: level.into(), pay: pay.into() };
        Self {
            key: input.key,
            kind: input.kind,
            on: input.on.into(),
            requires: input.requires.unwrap_or_default(),
            to: input.to.into(),
            pay: input.pay.map(Into::into),
            levels: input.levels.into_iter().flatten().map(level).collect(),
            compress: input.compress,
            cap: input.cap.map(Into::into),
            hold_days: input.hold_days.into(),
            expires_after_days: input.expires_after_days.map(Into::into),
        }
    }
}

/// The rules as they are planned.
pub fn planned(rules: Vec<RewardRuleInput>) -> Vec<PlannedRule> {
    rules.into_iter().map(PlannedRule::from).collect()
}
