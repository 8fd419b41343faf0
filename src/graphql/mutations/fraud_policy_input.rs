//! What a program is to make of signs of fraud, as it is sent.

use async_graphql::InputObject;

use crate::{
    domain::plan::{PlannedPolicy, PlannedSignal},
    graphql::types::fraud_words::{FraudSignal, MissingEvidence},
};

/// What a program makes of signs of fraud; what is left out stays as it was, or as usual for a new program.
#[derive(InputObject, Clone, Debug)]
pub struct FraudPolicyInput {
    /// From this score on rewards are held back until somebody has looked; usually 50.
    pub hold_at: Option<i32>,
    /// From this score on the referral is rejected; usually 100.
    pub block_at: Option<i32>,
    /// Over how many days a referrer's people are compared with each other; usually 30.
    pub lookback_days: Option<i32>,
    /// What a signup without address and device comes to; usually nothing.
    pub missing_evidence: Option<MissingEvidence>,
    /// What signs weigh: only those that change.
    pub signals: Option<Vec<FraudSignalInput>>,
}

/// What one sign of fraud comes to; what is left out stays.
#[derive(InputObject, Clone, Debug)]
pub struct FraudSignalInput {
    /// Which sign.
    pub signal: FraudSignal,
    /// What it adds to the score, 0 to 10,000; 0: it is not looked for.
    pub weight: Option<i32>,
    /// How many it takes; more than so many where a rate is meant.
    pub threshold: Option<i32>,
    /// Within how many seconds, at most a day.
    pub window_seconds: Option<i32>,
    /// Whether it is only reported, and not scored.
    pub shadow: Option<bool>,
}

impl From<FraudPolicyInput> for PlannedPolicy {
    fn from(input: FraudPolicyInput) -> Self {
        let signal = |input: FraudSignalInput| PlannedSignal {
            signal: input.signal.into(),
            weight: input.weight.map(Into::into),
            threshold: input.threshold.map(Into::into),
            window_seconds: input.window_seconds.map(Into::into),
            shadow: input.shadow,
        };
        Self {
            hold_at: input.hold_at.map(Into::into),
            block_at: input.block_at.map(Into::into),
            lookback_days: input.lookback_days.map(Into::into),
            missing_evidence: input.missing_evidence.map(Into::into),
            signals: input.signals.unwrap_or_default().into_iter().map(signal).collect(),
        }
    }
}
