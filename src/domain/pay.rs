//! How much a rule pays, to whom on which level, and how much at most (rules 10, 11, 12 and 14).

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::decimal::Decimal;

/// Levels that one rule may pay, from the referrer (1) upwards.
pub const LEVELS_MAX: i32 = 10;

/// A percentage with at most 4 digits after the point, exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(u32);

impl Percent {
    /// Digits after the point.
    pub const SCALE: u32 = 4;
    /// The whole.
    pub const HUNDRED: Self = Self(1_000_000);

    /// Reads a percentage from 0 to 100; nothing when it is outside or has more than 4 digits after the point.
    pub fn new(percent: Decimal) -> Option<Self> {
        let units = u32::try_from(percent.to_units(Self::SCALE)?).ok()?;
        (units <= Self::HUNDRED.0).then_some(Self(units))
    }

    /// The number, as in `12.5` for 12.5 %.
    pub fn number(self) -> Decimal {
        let (mut units, mut scale) = (i128::from(self.0), Self::SCALE);
        while scale > 0 && units % 10 == 0 {
            units /= 10;
            scale -= 1;
        }
        Decimal::new(units, scale)
    }

    /// Whether it is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Ten-thousandths of a percent, for sums.
    pub const fn units(self) -> u32 {
        self.0
    }

    /// `floor(minor x percent / 100)`, and whether something was rounded off.
    pub fn of(self, minor: i64) -> (i64, bool) {
        let whole = i128::from(Self::HUNDRED.0);
        let product = i128::from(minor) * i128::from(self.0);
        // A share of at most 100 % fits where the whole does.
        (i64::try_from(product.div_euclid(whole)).unwrap_or(i64::MAX), product.rem_euclid(whole) != 0)
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", self.number())
    }
}

/// An amount that does not depend on who is paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Flat {
    /// The same each time, in minor units.
    Fixed(i64),
    /// A share of what is left of the event.
    Percent(Percent),
}

impl Flat {
    /// What it comes to with so much left of the event, in minor units, and whether something was rounded off. A percent of
    /// an event without an amount is nothing.
    pub fn of(self, left: Option<i64>) -> (i64, bool) {
        match self {
            Self::Fixed(minor) => (minor, false),
            Self::Percent(percent) => percent.of(left.unwrap_or(0)),
        }
    }
}

/// What somebody is paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Pay {
    /// The same for everybody.
    Flat(Flat),
    /// By how many direct referrals of the beneficiary are completed, ascending.
    Tiers(Vec<Tier>),
}

/// One step of a staircase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tier {
    /// From how many completed direct referrals on.
    pub from_referrals: u32,
    /// What is paid then.
    pub pay: Flat,
}

/// The highest of these tiers that so many completed referrals reach.
pub fn reached(tiers: &[Tier], completed: u32) -> Option<Tier> {
    tiers.iter().rev().find(|tier| tier.from_referrals <= completed).copied()
}

/// Who is paid, and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Payee {
    /// The person who was brought in (level 0).
    Referred(Pay),
    /// The person who brought them in (level 1).
    Referrer(Pay),
    /// The chain above, each level with its own amount.
    Upline {
        /// By level, 1 to 10.
        levels: BTreeMap<i32, Flat>,
        /// Levels count over those only who can be paid.
        compress: bool,
    },
}

impl Payee {
    /// The levels that are paid, lowest first.
    pub fn levels(&self) -> Vec<i32> {
        match self {
            Self::Referred(_) => vec![0],
            Self::Referrer(_) => vec![1],
            Self::Upline { levels, .. } => levels.keys().copied().collect(),
        }
    }

    /// Tiers by which the amount is chosen, if it is.
    pub fn tiers(&self) -> Option<&[Tier]> {
        match self {
            Self::Referred(Pay::Tiers(tiers)) | Self::Referrer(Pay::Tiers(tiers)) => Some(tiers),
            _ => None,
        }
    }

    /// What a level is paid when it does not depend on tiers.
    pub fn flat(&self, level: i32) -> Option<Flat> {
        match self {
            Self::Referred(Pay::Flat(flat)) | Self::Referrer(Pay::Flat(flat)) => Some(*flat),
            Self::Referred(Pay::Tiers(_)) | Self::Referrer(Pay::Tiers(_)) => None,
            Self::Upline { levels, .. } => levels.get(&level).copied(),
        }
    }
}

/// How much a rule pays at most, over all its levels and versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cap {
    /// Rewards of one person.
    pub per_user_count: Option<u32>,
    /// Minor units of one person; the last reward is cut to what is left.
    pub per_user_amount: Option<i64>,
    /// Minor units of everybody together; the last reward is cut to what is left.
    pub budget: Option<i64>,
    /// Over which time, by when the event was accepted, in the program's time zone.
    pub period: CapPeriod,
}

/// The time over which a cap counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum CapPeriod {
    /// A day.
    Day,
    /// A week from Monday on.
    Week,
    /// A month.
    Month,
    /// For ever.
    Ever,
}

/// What was used of a cap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Rewards.
    pub count: i64,
    /// Minor units.
    pub amount: i64,
}

impl Cap {
    /// Whether it limits what one person gets.
    pub const fn is_personal(&self) -> bool {
        self.per_user_count.is_some() || self.per_user_amount.is_some()
    }

    /// How much of `wanted` may be granted when so much was used by the person and by everybody.
    pub fn room(&self, wanted: i64, person: Used, everybody: Used) -> i64 {
        if self.per_user_count.is_some_and(|most| person.count >= i64::from(most)) {
            return 0;
        }
        let left = |most: Option<i64>, used: Used| most.map_or(wanted, |most| (most - used.amount).max(0));
        wanted.min(left(self.per_user_amount, person)).min(left(self.budget, everybody))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn percent(text: &str) -> Percent {
        Percent::new(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn percentages_are_exact_and_rounded_down() {
        for (text, minor, expected) in [
            ("10", 5_000, (500, false)),
            ("3.3333", 10_000, (333, true)),
            ("0.0001", 999_999, (0, true)),
            ("0.0001", 1_000_000, (1, false)),
            ("100", i64::MAX, (i64::MAX, false)),
            ("0", 10, (0, false)),
        ] {
            assert_eq!(percent(text).of(minor), expected, "{text} % of {minor}");
        }
        for bad in ["100.0001", "-1", "1.00001"] {
            assert_eq!(Percent::new(bad.parse().unwrap()), None, "{bad}");
        }
        assert_eq!(percent("12.50").to_string(), "12.5 %");
    }

    #[test]
    fn tiers_are_reached_from_below() {
        let tier = |from_referrals, minor| Tier { from_referrals, pay: Flat::Fixed(minor) };
        let tiers = [tier(1, 100), tier(5, 200), tier(10, 300)];
        for (completed, expected) in [(0, None), (1, Some(100)), (4, Some(100)), (5, Some(200)), (99, Some(300))] {
            let found = reached(&tiers, completed).map(|tier| tier.pay);
            assert_eq!(found, expected.map(Flat::Fixed), "{completed}");
        }
    }

    #[test]
    fn a_cap_pays_the_remainder() {
        let cap =
            Cap { per_user_count: Some(3), per_user_amount: Some(250), budget: Some(1_000), period: CapPeriod::Ever };
        let used = |count, amount| Used { count, amount };
        for (person, everybody, room) in [
            (used(0, 0), used(0, 0), 100),
            (used(2, 200), used(9, 200), 50),
            (used(2, 250), used(9, 250), 0),
            (used(3, 10), used(9, 10), 0),
            (used(0, 0), used(9, 990), 10),
            (used(0, 0), used(9, 1_000), 0),
        ] {
            assert_eq!(cap.room(100, person, everybody), room, "{person:?} {everybody:?}");
        }
    }
}
