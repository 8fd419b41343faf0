//! Why a reward was granted and how its amount came about, kept with the reward.

use serde::{Deserialize, Serialize};

use super::{money::Currency, pay::Flat};

/// How the amount of one reward came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// What was left of the event then, in minor units; nothing for events without an amount.
    pub base: Option<i64>,
    /// What the rule pays on this level, or in the tier that was reached.
    pub pay: Flat,
    /// The tier, by the completed referrals from which on it counts.
    pub tier: Option<u32>,
    /// Completed direct referrals of the beneficiary then, where they chose the tier.
    pub completed: Option<u32>,
    /// What the rule came to before its cap, in minor units.
    pub wanted: i64,
    /// Whether a fraction of a minor unit was rounded off.
    pub rounded: bool,
}

/// Of which reward an explanation is.
#[derive(Clone, Copy, Debug)]
pub struct Explained<'a> {
    /// Key of the rule.
    pub rule: &'a str,
    /// Version of the program.
    pub version: i32,
    /// Level of the beneficiary.
    pub level: i32,
    /// What was granted, in minor units.
    pub amount: i64,
    /// In which currency.
    pub currency: &'a Currency,
}

impl Explanation {
    /// Reads the stored form.
    ///
    /// # Errors
    /// When that is not what was stored.
    pub fn stored(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The explanation in a sentence.
    pub fn sentence(&self, of: Explained<'_>) -> String {
        let Explained { rule, version, level, amount, currency } = of;
        let money = |minor: i64| format!("{} {currency}", currency.to_major(minor));
        let mut text = format!("rule `{rule}` of version {version}, level {level}: ");
        match self.pay {
            Flat::Fixed(minor) => text.push_str(&format!("fixed {}", money(minor))),
            Flat::Percent(percent) => {
                text.push_str(&format!("{percent} of {}", money(self.base.unwrap_or(0))));
                if self.rounded {
                    text.push_str(&format!(", rounded down to {}", money(self.wanted)));
                }
            }
        }
        if let (Some(tier), Some(completed)) = (self.tier, self.completed) {
            text.push_str(&format!("; tier from {tier} completed referrals on, reached with {completed}"));
        }
        if amount < self.wanted {
            text.push_str(&format!("; cut to {} by the cap", money(amount)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::pay::Percent;

    #[test]
    fn says_how_it_came_about() {
        let currency = Currency::parse("USD").unwrap();
        let of = |amount| Explained { rule: "upline", version: 3, level: 2, amount, currency: &currency };
        let percent = Percent::new("3.3333".parse().unwrap()).unwrap();
        let explanation = Explanation {
            base: Some(10_000),
            pay: Flat::Percent(percent),
            tier: None,
            completed: None,
            wanted: 333,
            rounded: true,
        };
        assert_eq!(
            explanation.sentence(of(333)),
            "rule `upline` of version 3, level 2: 3.3333 % of 100.00 USD, rounded down to 3.33 USD"
        );
        let fixed = Explanation {
            pay: Flat::Fixed(1_000),
            tier: Some(5),
            completed: Some(7),
            wanted: 1_000,
            rounded: false,
            ..explanation
        };
        assert_eq!(
            fixed.sentence(of(400)),
            "rule `upline` of version 3, level 2: fixed 10.00 USD; tier from 5 completed referrals on, reached with 7; \
             cut to 4.00 USD by the cap"
        );
        let text = serde_json::to_string(&fixed).unwrap();
        assert_eq!(serde_json::from_str::<Explanation>(&text).unwrap(), fixed);
    }
}
