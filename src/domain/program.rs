//! Programs: what is promised to whom (rules 7 to 10).
//!
//! A definition is stored as JSON, one immutable row per version. Amounts are minor units of the program's currency.

use serde::{Deserialize, Serialize};

/// Key of the program that a fresh database holds.
pub const DEFAULT_KEY: &str = "default";
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
    /// Who is paid.
    pub to: Beneficiary,
    /// How much.
    pub pay: Pay,
    /// Days of 24 hours before the reward can be claimed.
    pub hold_days: u32,
    /// Days of 24 hours after which an available reward lapses.
    pub expires_after_days: Option<u32>,
}

/// Who a rule pays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Beneficiary {
    /// The person who was brought in (level 0).
    Referred,
    /// The person who brought them in (level 1).
    Referrer,
}

impl Beneficiary {
    /// 0 for the referred user, 1 for the referrer.
    pub const fn level(self) -> i32 {
        match self {
            Self::Referred => 0,
            Self::Referrer => 1,
        }
    }
}

/// How much a rule pays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pay {
    /// The same each time, in minor units.
    Fixed(i64),
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
    /// What a fresh database promises: 10.00 to the referrer and 5.00 to the referred user on the first purchase.
    pub fn default_program() -> Self {
        let rule = |key: &str, to, minor| Rule {
            key: key.to_owned(),
            kind: "referral_bonus".to_owned(),
            on: Trigger::first("purchase"),
            to,
            pay: Pay::Fixed(minor),
            hold_days: 0,
            expires_after_days: None,
        };
        Self {
            qualifying: Trigger::first("purchase"),
            rules: vec![
                rule("referrer_bonus", Beneficiary::Referrer, 1_000),
                rule("welcome_bonus", Beneficiary::Referred, 500),
            ],
            attribution_window_days: 7,
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
