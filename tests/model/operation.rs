//! What can happen in a history, and what the house answers.

use crate::plan::Plan;

/// Somebody, by their place in the history. The house knows them as `p0`, `p1` and so on.
pub type Person = usize;
/// A program, by its place in the history.
pub type Program = usize;

/// One thing that happens, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The instant, in seconds since 1970.
    pub at: i64,
    /// What happens.
    pub operation: Operation,
}

/// What happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Somebody signs up with the code that somebody has for a program, or without one.
    SignUp {
        /// Who.
        person: Person,
        /// Whose code, and for which program.
        code: Option<(Person, Program)>,
    },
    /// Somebody did something.
    RecordEvent {
        /// The host's key.
        key: String,
        /// Who.
        person: Person,
        /// What.
        event: &'static str,
        /// What it was worth.
        amount: Option<i64>,
    },
    /// An event was taken back, in part or with all that is left of it; it may come later.
    RecordRefund {
        /// The host's key of the refund.
        key: String,
        /// The key of the event.
        event_key: String,
        /// How much; all that is left unless told.
        amount: Option<i64>,
    },
    /// Somebody asks for their rewards.
    Claim {
        /// Who.
        person: Person,
        /// Their key.
        key: String,
        /// Which rewards; all that are available unless told.
        rewards: Option<Vec<RewardName>>,
    },
    /// A payout ended.
    Settle {
        /// Which claim.
        claim: ClaimName,
        /// Whether the money was sent.
        paid: bool,
    },
    /// Time passes.
    Wait,
    /// Somebody is suspended.
    Suspend(Person),
    /// Somebody takes part again.
    Reinstate(Person),
    /// A program is stopped or goes on.
    SetActive {
        /// Which.
        program: Program,
        /// Whether it runs from now on.
        active: bool,
    },
    /// A program gets a new version.
    UpdateProgram {
        /// Which.
        program: Program,
        /// What it promises from now on.
        plan: Box<Plan>,
    },
    /// Somebody gets another referrer.
    Move {
        /// Who.
        person: Person,
        /// Below whom.
        referrer: Person,
    },
}

/// The name of a reward: there is one per event, rule and level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RewardName {
    /// Key of the event.
    pub event_key: String,
    /// Key of the rule.
    pub rule: String,
    /// The level.
    pub level: usize,
}

/// The name of a claim: one request makes one in each currency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimName {
    /// Whose.
    pub person: Person,
    /// Key of the request.
    pub key: String,
    /// The currency.
    pub currency: &'static str,
}

/// What is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is done.
    Done,
    /// It was done before, and nothing changes.
    Repeated,
    /// It is refused, and nothing changes.
    Refused(Refusal),
    /// The rules do not say what happens, or it makes no sense now: it is not asked for, and nothing changes.
    NotPlayed,
}

/// Why something is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such user.
    UserNotFound,
    /// The key belongs to another request.
    Conflict,
    /// More than is left.
    RefundExceeds,
    /// There is nothing to claim.
    NothingToClaim,
    /// As much is owed as could be claimed, or more.
    DebtOutstanding,
    /// The claim is below the program's minimum.
    BelowMinimum,
    /// One of the rewards cannot be claimed.
    RewardNotAvailable,
    /// The claim ended otherwise before.
    AlreadySettled,
    /// Somebody would be above themselves.
    Cycle,
    /// Somebody is below them already.
    SameReferrer,
}

impl Refusal {
    /// The code of the refusal, where the contract names one.
    pub fn code(self) -> Option<&'static str> {
        match self {
            Self::UserNotFound => Some("USER_NOT_FOUND"),
            Self::Conflict => Some("IDEMPOTENCY_CONFLICT"),
            Self::RefundExceeds => Some("REFUND_EXCEEDS_EVENT"),
            Self::NothingToClaim => Some("NOTHING_TO_CLAIM"),
            Self::DebtOutstanding => Some("DEBT_OUTSTANDING"),
            Self::RewardNotAvailable => Some("REWARD_NOT_AVAILABLE"),
            Self::AlreadySettled => Some("CLAIM_ALREADY_SETTLED"),
            Self::BelowMinimum => Some("BELOW_MINIMUM_CLAIM"),
            Self::Cycle => Some("WOULD_MAKE_CYCLE"),
            Self::SameReferrer => None,
        }
    }
}
