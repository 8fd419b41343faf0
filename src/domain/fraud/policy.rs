//! What a program makes of signs of fraud: data of its definition, versioned with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::signal::Signal;
use crate::domain::time::{DAY_MICROS, SECOND_MICROS, Timestamp};

/// Days over which a referrer's people are compared with each other, unless a policy says otherwise.
const LOOKBACK_DAYS: u32 = 30;
/// Longest window of a sign, in seconds: a day.
pub const WINDOW_MAX_SECONDS: u32 = 86_400;
/// One hour, in seconds.
const HOUR_SECONDS: u32 = 3_600;

/// What a program makes of signs of fraud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Policy {
    /// From this score on rewards are held back until somebody has looked.
    pub hold_at: u32,
    /// From this score on the referral is rejected.
    pub block_at: u32,
    /// Over how many days a referrer's people are compared with each other.
    pub lookback_days: u32,
    /// What a signup without address and device comes to.
    pub missing_evidence: MissingEvidence,
    /// What differs from the usual weights.
    pub signals: BTreeMap<Signal, SignalPolicy>,
}

/// What a signup without address and device comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MissingEvidence {
    /// It is taken as it is.
    #[default]
    Accept,
    /// Its rewards are held back.
    Hold,
}

/// What one sign comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignalPolicy {
    /// What it adds to the score.
    pub weight: u32,
    /// How many it takes; more than so many where a rate is meant.
    pub threshold: u32,
    /// Within how many seconds.
    pub window_seconds: u32,
    /// Whether it is only reported.
    pub shadow: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            hold_at: 50,
            block_at: 100,
            lookback_days: LOOKBACK_DAYS,
            missing_evidence: MissingEvidence::Accept,
            signals: BTreeMap::new(),
        }
    }
}

impl Policy {
    /// What a sign comes to under this policy.
    pub fn of(&self, signal: Signal) -> SignalPolicy {
        match signal {
            Signal::SelfReferral | Signal::BlockListed => SignalPolicy::weighing(self.block_at),
            Signal::MissingEvidence => SignalPolicy::weighing(self.hold_at),
            weighed => self.signals.get(&weighed).copied().unwrap_or_else(|| SignalPolicy::usual(weighed)),
        }
    }

    /// From when on people are compared with somebody who signed up at an instant.
    pub const fn since(&self, at: Timestamp) -> Timestamp {
        at.plus_micros(-(self.lookback_days as i64) * DAY_MICROS)
    }
}

impl SignalPolicy {
    const fn weighing(weight: u32) -> Self {
        Self { weight, threshold: 1, window_seconds: 0, shadow: false }
    }

    /// What a sign comes to unless a policy says otherwise (rule 20).
    pub const fn usual(signal: Signal) -> Self {
        match signal {
            Signal::SameIp | Signal::DisposableEmail => Self::weighing(30),
            Signal::SameNetwork => Self::weighing(10),
            Signal::SameDevice | Signal::AliasEmail => Self::weighing(60),
            Signal::Ring => Self { threshold: 3, ..Self::weighing(60) },
            Signal::Velocity => Self { weight: 30, threshold: 200, window_seconds: HOUR_SECONDS, shadow: true },
            Signal::NetworkBurst => Self { weight: 30, threshold: 20, window_seconds: HOUR_SECONDS, shadow: false },
            Signal::TooFast => Self { weight: 20, threshold: 1, window_seconds: 60, shadow: true },
            Signal::MissingEvidence | Signal::SelfReferral | Signal::BlockListed => Self::weighing(0),
        }
    }

    /// The window, in microseconds.
    pub const fn window_micros(self) -> i64 {
        self.window_seconds as i64 * SECOND_MICROS
    }

    /// Whether it is looked for at all.
    pub const fn is_wanted(self) -> bool {
        self.weight > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_survives_storage_and_may_be_left_out() {
        let mut policy = Policy { hold_at: 40, ..Policy::default() };
        policy.signals.insert(Signal::Ring, SignalPolicy { threshold: 5, ..SignalPolicy::usual(Signal::Ring) });
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<Policy>(&text).unwrap(), policy);
        assert_eq!(serde_json::from_str::<Policy>("{}").unwrap(), Policy::default());
    }

    #[test]
    fn what_leads_to_a_decision_weighs_as_much_as_it_takes() {
        let policy = Policy { hold_at: 7, block_at: 9, ..Policy::default() };
        assert_eq!(policy.of(Signal::SelfReferral).weight, 9);
        assert_eq!(policy.of(Signal::MissingEvidence).weight, 7);
        assert_eq!(policy.of(Signal::SameDevice).weight, 60);
    }
}
