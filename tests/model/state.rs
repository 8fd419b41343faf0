//! What the model remembers.

use crate::{
    operation::{ClaimName, Person, Program, RewardName},
    plan::{Flat, Plan},
};

/// A program.
#[derive(Clone, Debug)]
pub struct ProgramState {
    /// Its versions; the last one is in force.
    pub versions: Vec<Plan>,
    /// Whether it runs.
    pub active: bool,
}

/// Somebody who signed up.
#[derive(Clone, Debug)]
pub struct PersonState {
    /// Who.
    pub person: Person,
    /// Who brought them in, and the program of the referral.
    pub referral: Option<(Person, Program)>,
    /// Whether they earn nothing for now.
    pub suspended: bool,
}

/// Something somebody did, with the facts of the moment it was accepted.
#[derive(Clone, Debug)]
pub struct Event {
    /// The host's key.
    pub key: String,
    /// Who.
    pub person: Person,
    /// What.
    pub event: &'static str,
    /// What it was worth.
    pub amount: Option<i64>,
    /// When it was accepted.
    pub received_at: i64,
    /// The program and its version then; nothing for people whom nobody brought in.
    pub version: Option<(Program, usize)>,
    /// Whether the program ran then.
    pub active: bool,
}

/// Something that was taken back.
#[derive(Clone, Debug)]
pub struct Refund {
    /// The host's key.
    pub key: String,
    /// The key of the event.
    pub event_key: String,
    /// What was asked for; everything unless told.
    pub amount: Option<i64>,
}

/// What was decided about an event and a rule, once and for all.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The place of the event.
    pub event: usize,
    /// The rule.
    pub rule: String,
    /// What came of it.
    pub outcome: Outcome,
}

/// Which rules paid, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody was paid.
    Paid,
    /// The program was paused when the event came.
    Paused,
    /// There is nobody, or nobody who takes part.
    Nobody,
    /// It came to nothing.
    Zero,
    /// The cap is used up.
    CapUsed,
}

/// What was granted.
#[derive(Clone, Debug)]
pub struct Reward {
    /// Event, rule and level.
    pub name: RewardName,
    /// The place of the event.
    pub event: usize,
    /// Whose program.
    pub program: Program,
    /// Who.
    pub beneficiary: Person,
    /// The currency.
    pub currency: &'static str,
    /// The amount or rate that was chosen.
    pub pay: Flat,
    /// What was granted.
    pub amount: i64,
    /// What still stands.
    pub net: i64,
    /// Its state.
    pub status: Status,
    /// From when on it can be claimed.
    pub available_at: i64,
    /// Until when it can be claimed.
    pub expires_at: Option<i64>,
    /// The claim that took it, and how much.
    pub taken: Option<(ClaimName, i64)>,
}

/// The state of a reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// On hold.
    Pending,
    /// Can be claimed.
    Available,
    /// In a claim that waits.
    Claimed,
    /// Paid out.
    Paid,
    /// Taken back before it was claimed.
    Reversed,
    /// Not claimed in time.
    Expired,
}

impl Status {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Available => "AVAILABLE",
            Self::Claimed => "CLAIMED",
            Self::Paid => "PAID",
            Self::Reversed => "REVERSED",
            Self::Expired => "EXPIRED",
        }
    }
}

/// What was asked for.
#[derive(Clone, Debug)]
pub struct ClaimRequest {
    /// Who.
    pub person: Person,
    /// Their key.
    pub key: String,
    /// Which rewards.
    pub rewards: Option<Vec<RewardName>>,
}

/// What is to be paid.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Person, key and currency.
    pub name: ClaimName,
    /// How much.
    pub amount: i64,
    /// What was owed and taken off.
    pub netted: i64,
    /// What had been taken off too much before and was added.
    pub credited: i64,
    /// Its state.
    pub status: ClaimStatus,
}

/// The state of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimStatus {
    /// Waits for its payout.
    Requested,
    /// Paid out.
    Paid,
    /// The payout failed.
    Failed,
}

impl ClaimStatus {
    /// The word of the contract.
    pub fn word(self) -> &'static str {
        match self {
            Self::Requested => "REQUESTED",
            Self::Paid => "PAID",
            Self::Failed => "FAILED",
        }
    }
}
