//! What the signs of one referral come to.

use std::collections::BTreeMap;

use super::{
    policy::Policy,
    signal::{Fact, Signal},
};
use crate::domain::words::Standing;

/// A sign with what it weighed when it was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sign {
    /// Which.
    pub signal: Signal,
    /// What it adds.
    pub weight: u32,
    /// Whether it is only reported.
    pub shadow: bool,
}

/// A referral as it was weighed last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// What it came to.
    pub standing: Standing,
    /// With which score.
    pub score: u32,
}

/// What becomes of a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ruling {
    /// Its rewards are held back until somebody has looked.
    Hold,
    /// It is rejected, and all that it brought is taken back.
    Reject,
}

impl Weighed {
    /// Before anything is known.
    pub const CLEAR: Self = Self { standing: Standing::Clear, score: 0 };
}

/// The score: the heaviest sign of each fact, added up.
pub fn score(signs: impl IntoIterator<Item = Sign>) -> u32 {
    let mut facts: BTreeMap<Fact, u32> = BTreeMap::new();
    for sign in signs.into_iter().filter(|sign| !sign.shadow) {
        let heaviest = facts.entry(sign.signal.fact()).or_default();
        *heaviest = sign.weight.max(*heaviest);
    }
    facts.into_values().fold(0, u32::saturating_add)
}

/// What a new score makes of a referral: only a higher one changes anything, and only upwards. What somebody has looked
/// at, and what is rejected, stays.
pub fn rule(before: Weighed, score: u32, policy: &Policy) -> Option<Ruling> {
    let open = match before.standing {
        Standing::Clear | Standing::Held => score > before.score,
        Standing::Blocked | Standing::Approved | Standing::Denied => false,
    };
    if !open {
        None
    } else if score >= policy.block_at {
        Some(Ruling::Reject)
    } else if score >= policy.hold_at && before.standing == Standing::Clear {
        Some(Ruling::Hold)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(signal: Signal, weight: u32) -> Sign {
        Sign { signal, weight, shadow: false }
    }

    #[test]
    fn signs_of_one_fact_count_once() {
        let home = [sign(Signal::SameIp, 30), sign(Signal::SameNetwork, 10), sign(Signal::SameDevice, 60)];
        assert_eq!(score(home), 90);
        assert_eq!(score(home.into_iter().chain([sign(Signal::Ring, 60)])), 90);
        assert_eq!(score([sign(Signal::Ring, 60), sign(Signal::AliasEmail, 60)]), 120);
    }

    #[test]
    fn what_is_only_reported_is_not_scored() {
        assert_eq!(score([Sign { shadow: true, ..sign(Signal::Velocity, 1_000) }]), 0);
    }

    #[test]
    fn a_score_decides_only_upwards() {
        let policy = Policy::default();
        let before = |standing, score| Weighed { standing, score };
        for (weighed, score, ruling) in [
            (Weighed::CLEAR, 0, None),
            (Weighed::CLEAR, 49, None),
            (Weighed::CLEAR, 50, Some(Ruling::Hold)),
            (Weighed::CLEAR, 100, Some(Ruling::Reject)),
            (before(Standing::Clear, 40), 50, Some(Ruling::Hold)),
            (before(Standing::Held, 60), 90, None),
            (before(Standing::Held, 60), 100, Some(Ruling::Reject)),
            (before(Standing::Held, 60), 50, None),
            (before(Standing::Approved, 60), 500, None),
            (before(Standing::Denied, 60), 500, None),
        ] {
            assert_eq!(rule(weighed, score, &policy), ruling, "{weighed:?} {score}");
        }
    }
}
