//! Closed lists of words about fraud: the same as in the domain, described for whoever reads the schema.

use async_graphql::Enum;

use crate::{
    domain::{fraud, words},
    engine,
};

/// What the signs of fraud against a referral came to.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::Standing")]
pub enum RiskStanding {
    /// Nothing that would hold its rewards.
    Clear,
    /// Its rewards are held back until somebody has looked at it.
    Held,
    /// Rejected by the score alone.
    Blocked,
    /// Somebody looked at it and let it pass; further signs are noted and change nothing.
    Approved,
    /// Somebody looked at it and rejected it.
    Denied,
}

/// The state of a review.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::ReviewStatus")]
pub enum ReviewStatus {
    /// Waits for somebody to look.
    Pending,
    /// The referral passed.
    Approved,
    /// The referral was rejected.
    Denied,
}

/// What is decided about a referral.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "engine::review_referral::ReviewDecision")]
pub enum ReviewDecision {
    /// It passes: what was held back can be claimed when its time has come.
    Approve,
    /// It is rejected for good: all that it brought, to anybody on any level, is taken back.
    Deny,
}

/// What a list does with what it names.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::ListingEffect")]
pub enum ListingEffect {
    /// It is no sign of fraud.
    Allow,
    /// Referrals with it are rejected.
    Block,
}

/// What an entry of a list names.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "words::ListingSubject")]
pub enum ListingSubject {
    /// One address.
    Ip,
    /// The network of an address: /24 of IPv4, /56 of IPv6.
    Network,
    /// A device id.
    Device,
    /// An e-mail address and all its aliases.
    Email,
    /// Every address of an e-mail domain.
    EmailDomain,
    /// A referrer, by the host's id.
    Referrer,
}

/// What a signup without address and device comes to.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "fraud::MissingEvidence")]
pub enum MissingEvidence {
    /// It is taken as it is.
    Accept,
    /// Its rewards are held back.
    Hold,
}

/// A sign of fraud.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq)]
#[graphql(remote = "fraud::Signal")]
pub enum FraudSignal {
    /// The address of the referrer, or of another of their people. Usually 30.
    SameIp,
    /// Another address in the network of the referrer, or of another of their people. Usually 10.
    SameNetwork,
    /// The device of the referrer, or of another of their people. Usually 60.
    SameDevice,
    /// Three or more of a referrer's people on one device, on any level below. Usually 60, the shared device included.
    Ring,
    /// A throw-away mailbox. Usually 30.
    DisposableEmail,
    /// The mailbox of another account, in any spelling. Usually 60.
    AliasEmail,
    /// More signups than one person brings in: over 200 an hour. Usually 30, and only reported.
    Velocity,
    /// More signups from one network than one person brings in: over 20 an hour. Usually 30.
    NetworkBurst,
    /// Completed within 60 seconds of the signup. Usually 20, and only reported.
    TooFast,
    /// Nothing is known about where the signup came from, and the policy holds such referrals.
    MissingEvidence,
    /// Referrer and referred are one person: rejected.
    SelfReferral,
    /// Something of it is on the block list: rejected.
    BlockListed,
}
