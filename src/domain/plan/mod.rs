//! A program as an operator describes it, with amounts in major units, and what is wrong with it.
//!
//! Everything is looked at before anything is refused: each problem is named with its path from the input down.

mod check;
mod fraud;

use super::{
    decimal::Decimal,
    fraud::{MissingEvidence, Signal},
    money::Currency,
    pay::CapPeriod,
    program::{AttributionModel, Definition},
};

/// What of a program is to be set; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// How long a click counts, in days.
    pub attribution_window_days: Option<i64>,
    /// Which click counts when there were several.
    pub attribution: Option<AttributionModel>,
    /// What completes a referral.
    pub qualifying: Option<PlannedTrigger>,
    /// Who is paid for what.
    pub rules: Option<Vec<PlannedRule>>,
    /// Smallest claim; the inner `None` lifts it.
    pub minimum_claim: Option<Option<Decimal>>,
    /// What is made of signs of fraud.
    pub fraud: Option<PlannedPolicy>,
}

/// What of a fraud policy is to be set; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct PlannedPolicy {
    /// The score from which on rewards are held back.
    pub hold_at: Option<i64>,
    /// The score from which on referrals are rejected.
    pub block_at: Option<i64>,
    /// Over how many days a referrer's people are compared.
    pub lookback_days: Option<i64>,
    /// What a signup without evidence comes to.
    pub missing_evidence: Option<MissingEvidence>,
    /// What signs weigh.
    pub signals: Vec<PlannedSignal>,
}

/// What of one sign is to be set.
#[derive(Clone, Copy, Debug)]
pub struct PlannedSignal {
    /// Which.
    pub signal: Signal,
    /// What it adds to the score.
    pub weight: Option<i64>,
    /// How many it takes.
    pub threshold: Option<i64>,
    /// Within how many seconds.
    pub window_seconds: Option<i64>,
    /// Whether it is only reported.
    pub shadow: Option<bool>,
}

/// When an event counts.
#[derive(Clone, Debug)]
pub struct PlannedTrigger {
    /// The event type.
    pub event: String,
    /// Smallest amount that qualifies.
    pub min_amount: Option<Decimal>,
    /// Which of the qualifying events.
    pub count: i64,
    /// Every one of them.
    pub every: bool,
}

/// One promise.
#[derive(Clone, Debug)]
pub struct PlannedRule {
    /// Name of the rule.
    pub key: String,
    /// What the reward is called.
    pub kind: Option<String>,
    /// What it is paid for.
    pub on: PlannedTrigger,
    /// Events that the person must have had besides.
    pub requires: Vec<String>,
    /// Who is paid.
    pub to: Beneficiary,
    /// How much, unless the chain above is paid.
    pub pay: Option<PlannedPay>,
    /// How much on each level of the chain above.
    pub levels: Vec<PlannedLevel>,
    /// Whether levels count over those only who can be paid.
    pub compress: bool,
    /// How much at most.
    pub cap: Option<PlannedCap>,
    /// Days before the reward can be claimed.
    pub hold_days: i64,
    /// Days after which it lapses.
    pub expires_after_days: Option<i64>,
}

/// Who a rule pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beneficiary {
    /// The person who was brought in (level 0).
    Referred,
    /// The person who brought them in (level 1).
    Referrer,
    /// The chain above, level by level.
    Upline,
}

/// What somebody is paid.
#[derive(Clone, Debug)]
pub enum PlannedPay {
    /// The same for everybody.
    Flat(PlannedFlat),
    /// By completed referrals of the beneficiary.
    Tiers(Vec<PlannedTier>),
}

/// An amount.
#[derive(Clone, Copy, Debug)]
pub enum PlannedFlat {
    /// In major units.
    Fixed(Decimal),
    /// A share of the event.
    Percent(Decimal),
}

/// One step of a staircase.
#[derive(Clone, Copy, Debug)]
pub struct PlannedTier {
    /// From how many completed direct referrals on.
    pub from_referrals: i64,
    /// What is paid then.
    pub pay: PlannedFlat,
}

/// What one level of the chain above is paid.
#[derive(Clone, Copy, Debug)]
pub struct PlannedLevel {
    /// The level, from 1 on.
    pub level: i64,
    /// What it is paid.
    pub pay: PlannedFlat,
}

/// How much a rule pays at most.
#[derive(Clone, Copy, Debug)]
pub struct PlannedCap {
    /// Rewards of one person.
    pub per_user_count: Option<i64>,
    /// Amount of one person.
    pub per_user_amount: Option<Decimal>,
    /// Amount of everybody together.
    pub budget: Option<Decimal>,
    /// Over which time.
    pub period: CapPeriod,
}

/// Something that is wrong with a plan, or worth thinking about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Names of input fields and places in lists, from the input down.
    pub path: Vec<String>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// A plan that can be kept, and what its maker should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sound {
    /// What the program promises from now on.
    pub definition: Definition,
    /// What is allowed but may not be wise.
    pub warnings: Vec<Problem>,
}

impl Plan {
    /// What a program promises after this, on top of what it promised before, if nothing is wrong with it.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the input.
    pub fn check(&self, before: Definition, currency: &Currency) -> Result<Sound, Vec<Problem>> {
        check::check(self, before, currency)
    }
}
