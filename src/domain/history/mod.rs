//! The history of one person, and what follows from the next thing in it (rules 7 to 14 and 16).
//!
//! Everything undecided about a person is fed in the order of the insert sequence. After each item the referral is
//! completed exactly while some event qualifies, and then events are looked at again, from the one that is new on, or that
//! lost something, or all when the new one is the first of its type: a rule that an event satisfies for the first time is
//! decided, level by level; a reward whose event no longer satisfies its rule is reversed, and one
//! that is a share of its event is cut to what is left of it.

mod deciding;
mod decisions;

pub use decisions::Decisions;

use super::{
    explanation::Explanation,
    id::Id,
    pay::{Cap, Flat},
    program::Definition,
    time::Timestamp,
    words::ReferralStatus,
};

/// How far up a rule that leaves out those who cannot be paid looks for its levels.
pub const COMPRESS_LEVELS: usize = 100;

/// One person as far as decisions about their events need them.
#[derive(Clone, Debug)]
pub struct History {
    /// Who brought the person in; nothing is paid without.
    pub referral: Option<Referral>,
    /// The chain above, nearest first, as far up as rules look.
    pub upline: Vec<Id>,
    /// Decided events, in the order in which they were decided.
    pub events: Vec<Event>,
    /// Rewards that these events brought, in any state.
    pub rewards: Vec<Granted>,
}

/// The person's referral.
#[derive(Clone, Debug)]
pub struct Referral {
    /// The program that it belongs to.
    pub program: Id,
    /// Who brought the person in.
    pub referrer: Id,
    /// Its state.
    pub status: ReferralStatus,
    /// When it was completed.
    pub completed_at: Option<Timestamp>,
}

/// One event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: Id,
    /// What happened.
    pub event_type: String,
    /// What is left of its amount after refunds, in minor units; nothing for events without an amount.
    pub remaining: Option<i64>,
    /// When it was accepted.
    pub received_at: Timestamp,
    /// The program and version in force when it was accepted, with what they promise.
    pub program: Option<InForce>,
    /// What was decided about it, by rule.
    pub decisions: Decisions,
}

/// The program version that an event falls under.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The program.
    pub program: Id,
    /// Its version.
    pub version: i32,
    /// What that version promises.
    pub definition: std::sync::Arc<Definition>,
    /// Whether the event may pay at all: the program was active and the event was not imported without rewards.
    pub pays: bool,
}

/// What was decided for one event, rule and level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Decision {
    /// A reward was granted.
    Granted,
    /// The program was paused when the event came, or the event was imported without rewards.
    NotPaying,
    /// The referral is rejected.
    ReferralRejected,
    /// Whoever would be paid is suspended or erased.
    BeneficiaryInactive,
    /// The chain above ends below this level.
    LevelMissing,
    /// The beneficiary has not completed enough referrals for the first tier.
    NoTier,
    /// The amount came to nothing.
    Zero,
    /// The rule's cap was used up.
    CapReached,
}

impl Decision {
    /// Whether it follows from how things stood at the moment of deciding, not from the event and the rule alone.
    const fn is_of_its_moment(self) -> bool {
        matches!(self, Self::BeneficiaryInactive | Self::LevelMissing | Self::NoTier | Self::CapReached)
    }
}

/// A reward that exists already.
#[derive(Clone, Debug)]
pub struct Granted {
    /// Its id.
    pub reward: Id,
    /// The event that it was granted for.
    pub event: Id,
    /// The rule that granted it.
    pub rule_key: String,
    /// What was chosen to be paid when it was granted.
    pub pay: Flat,
    /// What was granted, in minor units.
    pub amount: i64,
    /// What the rules grant now, in minor units.
    pub net: i64,
}

/// Something new in the history.
#[derive(Clone, Debug)]
pub enum Item {
    /// An event, with the refunds of it that came first: it is decided once, on what they leave of it.
    Event {
        /// The event.
        event: Event,
        /// Its refunds, in the order in which they came.
        early: Vec<EarlyRefund>,
    },
    /// A refund of an event of this person.
    Refund {
        /// The refund.
        refund: Id,
        /// The event that it takes from.
        event: Id,
        /// Minor units; nothing means all that is left.
        amount: Option<i64>,
    },
}

/// A refund that came before its event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EarlyRefund {
    /// The refund.
    pub refund: Id,
    /// Minor units; nothing means all that is left.
    pub amount: Option<i64>,
}

/// Something that follows from an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// A reward is granted.
    Grant(Grant),
    /// Some or all of what is left of a reward is taken back.
    Reverse {
        /// The reward.
        reward: Id,
        /// Minor units taken back.
        amount: i64,
    },
    /// The referral is completed at this instant.
    Complete(Timestamp),
    /// The referral is no longer completed; it was at this instant.
    Reopen(Timestamp),
    /// This much of a refund was applied to its event, in minor units.
    Refunded {
        /// The refund.
        refund: Id,
        /// Minor units; zero when nothing was left.
        applied: i64,
    },
}

/// A reward to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Id of the new reward.
    pub reward: Id,
    /// The event that is paid for.
    pub event: Id,
    /// Who is paid.
    pub user: Id,
    /// The program.
    pub program: Id,
    /// Its version.
    pub version: i32,
    /// The rule.
    pub rule_key: String,
    /// What the reward is called.
    pub kind: String,
    /// 0 for the referred user, 1 for the referrer.
    pub level: i32,
    /// Minor units of the program's currency.
    pub amount: i64,
    /// How the amount came about.
    pub explanation: Explanation,
    /// From when on it can be claimed.
    pub available_at: Timestamp,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
}

/// What a decision may ask about the rest of the world, as it stands at that moment.
pub trait World {
    /// Whether a person can be paid: neither suspended nor erased.
    fn can_earn(&self, user: Id) -> bool;
    /// How many direct referrals of a user are completed in a program.
    fn completed(&self, user: Id, program: Id) -> u32;
    /// One more of them is (1), or one no longer is (-1).
    fn completes(&mut self, referrer: Id, program: Id, step: i32);
    /// Takes from a cap what it has room for, and says how much that is.
    fn take(&mut self, from: CapTaken<'_>) -> i64;
    /// The id of a new reward.
    fn new_reward_id(&mut self) -> Id;
    /// What was decided before, when decisions are replayed.
    fn recorded(&self, _event: Id, _rule_key: &str, _level: i32) -> Option<Recorded> {
        None
    }
}

/// A reward about to be granted under a cap.
#[derive(Clone, Copy, Debug)]
pub struct CapTaken<'a> {
    /// The program.
    pub program: Id,
    /// The rule.
    pub rule_key: &'a str,
    /// Its cap.
    pub cap: &'a Cap,
    /// Who would be paid.
    pub user: Id,
    /// When the event was accepted.
    pub at: Timestamp,
    /// What the rule comes to, in minor units.
    pub wanted: i64,
}

/// What is on record of a decision: the facts of its moment, which cannot be computed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// A reward was granted.
    Granted {
        /// To whom.
        user: Id,
        /// With how many completed referrals, where they chose the tier.
        completed: Option<u32>,
        /// How much, in minor units.
        amount: i64,
    },
    /// None was, for this reason.
    Refused(Decision),
}

#[cfg(test)]
mod tests;
