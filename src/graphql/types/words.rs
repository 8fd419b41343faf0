//! Closed lists of words: the same as in the domain, described for whoever reads the schema.

use async_graphql::Enum;

use crate::{
    domain::{history, pay, plan, program, reward, words},
    engine,
};

/// Whether a user takes part.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::UserStatus")]
pub enum UserStatus {
    /// Takes part.
    Active,
    /// Keeps their place and their record, and earns nothing for now.
    Suspended,
    /// The person asked to be forgotten: an anonymous place in the tree that earns nothing.
    Erased,
}

/// The state of a program.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::ProgramStatus")]
pub enum ProgramStatus {
    /// Being written: attributes nothing and pays nothing.
    Draft,
    /// Running: attributes referrals and pays rewards.
    Active,
    /// Stopped for now: attributes nothing and pays nothing.
    Paused,
    /// Over for good.
    Ended,
}

/// The state of a referral.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::ReferralStatus")]
pub enum ReferralStatus {
    /// The referred user signed up and has not done yet what the program asks for.
    Pending,
    /// The referred user has done what the program asks for, such as a first purchase that was not refunded.
    Completed,
    /// Refused as fraud: counts nowhere and pays nothing.
    Rejected,
}

/// How a referral came about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::Via")]
pub enum AttributionVia {
    /// The code was given at signup.
    Code,
    /// A click on a referral link came before the signup.
    Link,
    /// It was imported.
    Import,
    /// An operator moved the user to another referrer.
    Move,
}

/// What the attribution of a signup came to. Only `ATTRIBUTED` makes a referral; nothing ever blocks the signup.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::Outcome")]
pub enum AttributionOutcome {
    /// A referral was made.
    Attributed,
    /// Neither a code nor a click was given.
    None,
    /// There is no such code.
    CodeUnknown,
    /// The code's time is over.
    CodeExpired,
    /// The code was switched off, or its owner does not take part at present.
    CodeDisabled,
    /// The code belongs to the person who signed up.
    SelfReferral,
    /// The click came longer ago than the program's attribution window.
    ClickExpired,
    /// There is no such click, and no other one was known.
    ClickUnknown,
    /// The code's program is not running.
    ProgramInactive,
}

/// Why a click that was known at the signup brought nobody in.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::Loss")]
pub enum LossReason {
    /// A code was given, which goes before clicks.
    CodeGiven,
    /// Another click counts, by the program's attribution model.
    OtherClick,
    /// The click came longer ago than its program's attribution window.
    ClickExpired,
    /// Its code was switched off, or the code's owner does not take part at present.
    CodeDisabled,
    /// Its code belongs to the person who signed up.
    SelfReferral,
    /// Its program is not running.
    ProgramInactive,
}

/// Whether a code can be used.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::CodeStatus")]
pub enum ReferralCodeStatus {
    /// In use.
    Active,
    /// Switched off; it is never given out again.
    Disabled,
}

/// How a code came about.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::CodeKind")]
pub enum ReferralCodeKind {
    /// Made at signup.
    Generated,
    /// Chosen by somebody.
    Vanity,
}

/// The state of a reward.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "reward::RewardStatus")]
pub enum RewardStatus {
    /// Granted, and held until `availableAt`.
    Pending,
    /// Can be claimed.
    Available,
    /// Held back while the referral is being reviewed.
    Withheld,
    /// Part of a claim that waits for its payout.
    Claimed,
    /// Paid out.
    Paid,
    /// Taken back before it was claimed, because of a refund or a denied referral.
    Reversed,
    /// Lapsed before it was claimed.
    Expired,
}

/// The state of a claim.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::ClaimStatus")]
pub enum ClaimStatus {
    /// Waiting for the payout.
    Requested,
    /// Paid out.
    Paid,
    /// The payout failed; the claim's rewards can be claimed again.
    Failed,
}

/// How a payout ended.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettlementOutcome {
    /// The money was sent.
    Paid,
    /// The money could not be sent: the rewards become available again.
    Failed,
}

impl From<SettlementOutcome> for words::ClaimStatus {
    fn from(outcome: SettlementOutcome) -> Self {
        match outcome {
            SettlementOutcome::Paid => Self::Paid,
            SettlementOutcome::Failed => Self::Failed,
        }
    }
}

/// What the holder of an API key may do.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::KeyRole")]
pub enum ApiKeyRole {
    /// The host's back end: users, events, refunds and claims.
    Server,
    /// An operator: everything, programs, settlement and keys included.
    Admin,
}

/// What a server key may do.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::KeyScope")]
pub enum ApiKeyScope {
    /// See every user, event, reward and claim. Without it a key sees of what it writes only what it wrote.
    Read,
    /// Record events and refunds.
    EventsWrite,
    /// Sign users up, change them, make and disable their codes.
    UsersWrite,
    /// Claim rewards on behalf of users.
    ClaimsWrite,
}

/// What a leaderboard counts.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::Metric")]
pub enum LeaderboardMetric {
    /// People brought in directly, by the time of their signup; rejected referrals are not counted.
    Signups,
    /// Completed direct referrals, by the time of completion.
    Referrals,
    /// What was earned after refunds, in major units of the program's currency, by the time of grant.
    Rewards,
    /// Everybody within ten levels below; for `ALL_TIME` only.
    Network,
}

/// Over which time a leaderboard counts, in the program's time zone.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::Period")]
pub enum LeaderboardPeriod {
    /// One day, from midnight on.
    Day,
    /// One ISO week, from Monday on.
    Week,
    /// One calendar month.
    Month,
    /// Everything.
    AllTime,
}

/// Who a rule pays.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "plan::Beneficiary")]
pub enum Beneficiary {
    /// The person who was brought in (level 0).
    Referred,
    /// The person who brought them in (level 1).
    Referrer,
    /// The chain above: level 1 is the referrer, level 2 whoever brought them in, and so on.
    Upline,
}

/// Which click counts when there were several.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "program::AttributionModel")]
pub enum AttributionModel {
    /// The first that is still valid.
    FirstTouch,
    /// The last.
    LastTouch,
}

/// The time over which a cap counts, by when the event was accepted, in the program's time zone.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "pay::CapPeriod")]
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

/// What was decided about one event, one rule and one level.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "history::Decision")]
pub enum DecisionOutcome {
    /// A reward was granted.
    Granted,
    /// The program was not running when the event came, or the event was imported without rewards.
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

/// What kind of refusal a `UserError` is; more may be added.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "engine::RefusalCode")]
pub enum UserErrorCode {
    /// A value cannot be taken as it is.
    InvalidInput,
    /// There is no such user, or not one you may act for.
    UserNotFound,
    /// There is no such claim.
    ClaimNotFound,
    /// There is no such reward of that user, or it cannot be claimed now.
    RewardNotAvailable,
    /// The amount is in another currency than the program's.
    CurrencyMismatch,
    /// The idempotency key was used for another request before.
    IdempotencyConflict,
    /// More is to be refunded than is left of the event.
    RefundExceedsEvent,
    /// There is nothing to claim at present.
    NothingToClaim,
    /// What could be claimed does not cover what is owed after refunds.
    DebtOutstanding,
    /// The claim was settled with another outcome or reference before.
    ClaimAlreadySettled,
    /// The payout reference belongs to another claim.
    ReferenceTaken,
    /// There is no such program.
    ProgramNotFound,
    /// Another program has this key.
    ProgramKeyTaken,
    /// From the present state there is no way to the one that was asked for.
    InvalidTransition,
    /// A warning: levels from 2 on are paid for recruiting alone, which many countries forbid.
    PaysForRecruiting,
    /// What could be claimed is less than the program pays out at once.
    BelowMinimumClaim,
    /// The user is suspended or erased.
    UserInactive,
    /// The user would come to stand above themselves in the tree.
    WouldMakeCycle,
    /// The user has this referrer already.
    ReferrerUnchanged,
    /// There is no such code.
    CodeNotFound,
    /// Somebody has this code, or had it once: a code is never given out again.
    CodeTaken,
    /// The code is reserved, or could offend.
    CodeNotAllowed,
    /// There is no such referral.
    ReferralNotFound,
    /// There is no such entry of a list.
    ListingNotFound,
}
