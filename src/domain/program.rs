//! Programs: what is promised to whom (rules 7 to 10).
//!
//! A definition is stored as JSON, one immutable row per version. Amounts are minor units of the program's currency.

use serde::{Deserialize, Serialize};

use super::{
    fraud,
    pay::{Cap, Flat, Pay, Payee},
};

/// Key of the program that a fresh database holds.
pub const DEFAULT_KEY: &str = "default";
/// What rewards are called unless a rule says otherwise.
pub const DEFAULT_KIND: &str = "referral_bonus";
/// How long a click counts unless a program says otherwise, in days of 24 hours.
pub const DEFAULT_WINDOW_DAYS: u32 = 7;
/// Longest name of an event type.
pub const EVENT_TYPE_MAX_LEN: usize = 64;

/// What one version of a program promises.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// While an event of the referred user satisfies this, the referral is completed.
    pub qualifying: Trigger,
    /// Who is paid for what.
    pub rules: Vec<Rule>,
    /// How long a click counts, in days of 24 hours.
    pub attribution_window_days: u32,
    /// Which click counts when there were several.
    pub attribution: AttributionModel,
    /// Smallest claim, in minor units.
    pub minimum_claim: Option<i64>,
    /// What is made of signs of fraud.
    #[serde(default)]
    pub fraud: fraud::Policy,
}

/// Which click counts when there were several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AttributionModel {
    /// The first that is still valid.
    FirstTouch,
    /// The last.
    #[default]
    LastTouch,
}

/// When an event counts: the `count`-th event of a type that still qualifies, or every one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// The event type.
    pub event: String,
    /// Smallest amount that qualifies; events without an amount qualify only where this is absent.
    pub min_amount: Option<i64>,
    /// Which of the qualifying events, from 1 on.
    pub count: u32,
    /// Every qualifying event; `count` is 1 then.
    pub every: bool,
}

/// One promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Name of the rule, unique in its program.
    pub key: String,
    /// What the reward is called on screens.
    pub kind: String,
    /// What it is paid for.
    pub on: Trigger,
    /// Event types that the person must have had besides; the rule waits for the last of them.
    pub requires: Vec<String>,
    /// Who is paid, and how much.
    pub to: Payee,
    /// How much at most.
    pub cap: Option<Cap>,
    /// Days of 24 hours before the reward can be claimed.
    pub hold_days: u32,
    /// Days of 24 hours after which an available reward lapses.
    pub expires_after_days: Option<u32>,
}

impl Trigger {
    /// The first event of a type, whatever its amount.
    pub fn first(event: &str) -> Self {
        Self { event: event.to_owned(), min_amount: None, count: 1, every: false }
    }

    /// Whether an event with this much left of it can count (rule 8).
    pub fn admits(&self, event_type: &str, remaining: Option<i64>) -> bool {
        self.event == event_type
            && match remaining {
                Some(left) => left > 0 && self.min_amount.is_none_or(|least| left >= least),
                None => self.min_amount.is_none(),
            }
    }
}

impl Definition {
    /// What a new program begins with: nothing is promised, and a referral is completed by the first purchase.
    pub fn without_rules() -> Self {
        Self { rules: Vec::new(), ..Self::default_program() }
    }

    /// What a fresh database promises: 10.00 to the referrer and 5.00 to the referred user on the first purchase.
    pub fn default_program() -> Self {
        let rule = |key: &str, to| Rule {
            key: key.to_owned(),
            kind: DEFAULT_KIND.to_owned(),
            on: Trigger::first("purchase"),
            requires: Vec::new(),
            to,
            cap: None,
            hold_days: 0,
            expires_after_days: None,
        };
        let fixed = |minor| Pay::Flat(Flat::Fixed(minor));
        Self {
            qualifying: Trigger::first("purchase"),
            rules: vec![
                rule("referrer_bonus", Payee::Referrer(fixed(1_000))),
                rule("welcome_bonus", Payee::Referred(fixed(500))),
            ],
            attribution_window_days: DEFAULT_WINDOW_DAYS,
            attribution: AttributionModel::default(),
            minimum_claim: None,
            fraud: fraud::Policy::default(),
        }
    }
}

/// Whether a text can name an event type: `[a-z0-9_.:-]{1,64}`.
pub fn is_event_type(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.:-".contains(&byte);
    (1..=EVENT_TYPE_MAX_LEN).contains(&text.len()) && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_counts_only_with_something_left_of_it() {
        let any = Trigger::first("purchase");
        let large = Trigger { min_amount: Some(100), ..any.clone() };
        for (remaining, any_admits, large_admits) in
            [(None, true, false), (Some(0), false, false), (Some(1), true, false), (Some(100), true, true)]
        {
            assert_eq!(any.admits("purchase", remaining), any_admits, "{remaining:?}");
            assert_eq!(large.admits("purchase", remaining), large_admits, "{remaining:?}");
        }
        assert!(!any.admits("signup", None));
    }

    #[test]
    fn a_definition_survives_storage() {
        let definition = Definition::default_program();
        let text = serde_json::to_string(&definition).unwrap();
        assert_eq!(serde_json::from_str::<Definition>(&text).unwrap(), definition);
    }

    #[test]
    fn event_types_are_plain() {
        assert!(is_event_type("shop:order.paid-2"));
        for bad in ["", "Purchase", "a b", "é", &"a".repeat(65)] {
            assert!(!is_event_type(bad), "{bad}");
        }
    }
}
