//! What can come of asking the engine for something: refusals, which are the caller's business, and failures.

use crate::store::{Failure, StoreError};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request asks for something that the rules do not allow: told to the caller as it is.
    #[error("{0}")]
    Refused(Refusal),
    /// Something broke: told to the log.
    #[error(transparent)]
    Failed(#[from] StoreError),
}

impl Failure for Error {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.is_transient())
    }

    fn ends_connection(&self) -> bool {
        matches!(self, Self::Failed(failure) if failure.ends_connection())
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// One refusal, as a caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What kind of refusal.
    pub code: RefusalCode,
    /// What is wrong and, where it helps, what would be right.
    pub message: String,
    /// Path of the input field that it is about, from the input down.
    pub field: Vec<String>,
}

impl Refusal {
    /// A refusal that is about one field of the input.
    pub fn new(code: RefusalCode, field: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: vec![field.to_owned()] }
    }
}

/// Kinds of refusals; the closed list behind `UserErrorCode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusalCode {
    /// A value that cannot be taken as it is.
    InvalidInput,
    /// No such user.
    UserNotFound,
    /// No such claim.
    ClaimNotFound,
    /// No such reward, or not one that can be claimed.
    RewardNotAvailable,
    /// The amount is in another currency than the program's.
    CurrencyMismatch,
    /// The idempotency key was used for another request.
    IdempotencyConflict,
    /// More is to be refunded than is left of the event.
    RefundExceedsEvent,
    /// There is nothing to claim.
    NothingToClaim,
    /// What could be claimed does not cover what is owed.
    DebtOutstanding,
    /// The claim was settled otherwise already.
    ClaimAlreadySettled,
    /// The payout reference belongs to another claim.
    ReferenceTaken,
    /// No such program.
    ProgramNotFound,
    /// Another program has this key.
    ProgramKeyTaken,
    /// From the present state there is no way to the one that was asked for.
    InvalidTransition,
    /// A warning: levels from 2 on are paid for recruiting alone.
    PaysForRecruiting,
    /// What could be claimed is less than the program pays out at once.
    BelowMinimumClaim,
    /// The user does not take part.
    UserInactive,
    /// The user would stand above themselves.
    WouldMakeCycle,
    /// The user stands there already.
    ReferrerUnchanged,
    /// No such code.
    CodeNotFound,
    /// Somebody has this code, or had it once.
    CodeTaken,
    /// A code that may not be chosen.
    CodeNotAllowed,
    /// No such referral.
    ReferralNotFound,
    /// No such entry of a list.
    ListingNotFound,
}
