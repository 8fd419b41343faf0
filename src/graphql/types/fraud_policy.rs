//! What a program makes of signs of fraud.

use async_graphql::SimpleObject;

use super::fraud_words::{FraudSignal, MissingEvidence};
use crate::domain::fraud::{Policy, Signal};

/// What a program makes of signs of fraud. For the host and operators only.
#[derive(SimpleObject, Clone, Debug)]
pub struct FraudPolicy {
    /// From this score on rewards are held back until somebody has looked.
    pub hold_at: u32,
    /// From this score on the referral is rejected.
    pub block_at: u32,
    /// Over how many days a referrer's people are compared with each other.
    pub lookback_days: u32,
    /// What a signup without address and device comes to.
    pub missing_evidence: MissingEvidence,
    /// What each sign weighs.
    pub signals: Vec<FraudSignalPolicy>,
}

/// What one sign of fraud comes to.
#[derive(SimpleObject, Clone, Debug)]
pub struct FraudSignalPolicy {
    /// Which sign.
    pub signal: FraudSignal,
    /// What it adds to the score; 0: it is not looked for.
    pub weight: u32,
    /// How many it takes; more than so many where a rate is meant.
    pub threshold: u32,
    /// Within how many seconds, where it is a matter of time; 0 elsewhere.
    pub window_seconds: u32,
    /// Whether it is only reported, and not scored.
    pub shadow: bool,
}

impl From<&Policy> for FraudPolicy {
    fn from(policy: &Policy) -> Self {
        let signal = |signal: &Signal| {
            let of = policy.of(*signal);
            FraudSignalPolicy {
                signal: (*signal).into(),
                weight: of.weight,
                threshold: of.threshold,
                window_seconds: of.window_seconds,
                shadow: of.shadow,
            }
        };
        Self {
            hold_at: policy.hold_at,
            block_at: policy.block_at,
            lookback_days: policy.lookback_days,
            missing_evidence: policy.missing_evidence.into(),
            signals: Signal::ALL.iter().filter(|signal| signal.is_weighed()).map(signal).collect(),
        }
    }
}
