//! Rewards, claims and the ledger.

use diesel::prelude::*;

use crate::{
    domain::{id::Id, keyed_hash::KeyedHash, reward::RewardStatus, time::Timestamp, words::ClaimStatus},
    store::schema::{accounts, claim_requests, claims, reward_moves, rewards, transfers},
};

row! {
    /// What a rule granted.
    Reward in rewards {
        id: Id,
        user_id: Id,
        event_id: Id,
        referred_id: Id,
        program_id: Id,
        program_version: i32,
        rule_key: String,
        kind: String,
        level: i32,
        currency: String,
        amount: i64,
        net: i64,
        taken: i64,
        status: RewardStatus,
        explanation: String,
        available_at: Timestamp,
        expires_at: Option<Timestamp>,
        claim_id: Option<Id>,
        changed_version: i64,
        created_at: Timestamp,
    }
}

row! {
    /// A request to be paid.
    Claim in claims {
        id: Id,
        user_id: Id,
        request_key: String,
        currency: String,
        amount: i64,
        netted: i64,
        credited: i64,
        status: ClaimStatus,
        reference: Option<String>,
        created_at: Timestamp,
        settled_at: Option<Timestamp>,
    }
}

row! {
    /// The idempotency key of a claim.
    ClaimRequest in claim_requests {
        user_id: Id,
        key: String,
        fingerprint: KeyedHash,
        created_at: Timestamp,
    }
}

row! {
    /// Balances of one user in one currency.
    Account in accounts {
        user_id: Id,
        currency: String,
        pending: i64,
        available: i64,
        withheld: i64,
        claimed: i64,
        paid: i64,
        debt: i64,
    }
}

/// One double-entry movement to be written.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = transfers)]
pub struct NewTransfer {
    /// Whose money it is.
    pub user_id: Id,
    /// Its currency.
    pub currency: String,
    /// The account that it leaves.
    pub from_account: String,
    /// The account that it enters.
    pub to_account: String,
    /// Minor units.
    pub amount: i64,
    /// The reward that is moved.
    pub reward_id: Option<Id>,
    /// The claim that is moved.
    pub claim_id: Option<Id>,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: Timestamp,
}

/// A change of a reward's state, as it is written and read.
#[derive(Clone, Debug, Insertable, Queryable, Selectable)]
#[diesel(table_name = reward_moves)]
pub struct NewRewardMove {
    /// The reward.
    pub reward_id: Id,
    /// Its state before.
    pub from_status: RewardStatus,
    /// Its state afterwards.
    pub to_status: RewardStatus,
    /// Its net afterwards, in minor units.
    pub net: i64,
    /// Who did it.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: Timestamp,
}

/// A movement between two accounts of a user, or from or to the issuer.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = transfers)]
#[expect(missing_docs, reason = "a field is a column; the migration says what it holds")]
pub struct Transfer {
    pub id: i64,
    pub user_id: Id,
    pub currency: String,
    pub from_account: String,
    pub to_account: String,
    pub amount: i64,
    pub reward_id: Option<Id>,
    pub claim_id: Option<Id>,
    pub reason: String,
    pub created_at: Timestamp,
}
