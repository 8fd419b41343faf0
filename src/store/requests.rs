//! What query functions take and give that is more than a row: one type for both compilations of the queries.

use diesel::prelude::*;

use super::{
    models::{Code, Reward, User},
    schema::users,
    sql_types::{Bool, Int4, Int8, Nullable, Text, Timestamptz, Uuid},
};
use crate::domain::{
    id::Id,
    keyed_hash::KeyedHash,
    reward::RewardStatus,
    time::Timestamp,
    words::{ClaimStatus, ReferralStatus},
};

/// What `updateUser` may change; absent fields stay as they are.
#[derive(Clone, Debug, AsChangeset)]
#[diesel(table_name = users)]
pub struct UserChanges {
    /// The name shown; the inner `None` clears it.
    pub display_name: Option<Option<String>>,
    /// Hash of the normalised e-mail address.
    pub email_hash: Option<Option<KeyedHash>>,
    /// Hash of the normalised phone number.
    pub phone_hash: Option<Option<KeyedHash>>,
}

impl UserChanges {
    /// Whether nothing is to be changed.
    pub const fn is_empty(&self) -> bool {
        self.display_name.is_none() && self.email_hash.is_none() && self.phone_hash.is_none()
    }
}

/// A move of a referral between pending, completed and rejected.
#[derive(Clone, Debug)]
pub struct StatusChange {
    /// The referral.
    pub referred_id: Id,
    /// Its state before.
    pub from: ReferralStatus,
    /// Its state afterwards.
    pub to: ReferralStatus,
    /// When it was completed, if it is.
    pub completed_at: Option<Timestamp>,
    /// When it was rejected, if it is.
    pub rejected_at: Option<Timestamp>,
}

/// What a program granted by one rule on one level.
#[derive(Clone, Debug, QueryableByName)]
pub struct PaidByRule {
    /// The rule.
    #[diesel(sql_type = Text)]
    pub rule_key: String,
    /// The level.
    #[diesel(sql_type = Int4)]
    pub level: i32,
    /// How many rewards.
    #[diesel(sql_type = Int8)]
    pub rewards: i64,
    /// What they were granted for, in minor units.
    #[diesel(sql_type = Int8)]
    pub amount: i64,
    /// What is left of it after refunds, in minor units.
    #[diesel(sql_type = Int8)]
    pub net: i64,
}

/// How many direct referrals of a user are completed in a program.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Completed {
    /// The user.
    #[diesel(sql_type = Uuid)]
    pub referrer_id: Id,
    /// The program.
    #[diesel(sql_type = Uuid)]
    pub program_id: Id,
    /// How many; counting stopped somewhere.
    #[diesel(sql_type = Int8)]
    pub completed: i64,
}

impl Completed {
    /// The count.
    pub fn completed(&self) -> u32 {
        u32::try_from(self.completed).unwrap_or(u32::MAX)
    }
}

/// The new state of a reward.
#[derive(Clone, Debug)]
pub struct RewardChange {
    /// The reward.
    pub id: Id,
    /// Its state before.
    pub from: RewardStatus,
    /// The version of its last change before: a reward that was given back and claimed again meanwhile is in the same
    /// state, and yet belongs to another claim.
    pub seen_version: i64,
    /// Its state afterwards.
    pub to: RewardStatus,
    /// What the rules grant now, in minor units.
    pub net: i64,
    /// What a claim took, in minor units.
    pub taken: i64,
    /// The claim that has it.
    pub claim_id: Option<Id>,
    /// When it lapses.
    pub expires_at: Option<Timestamp>,
    /// Version of the owner's totals with this change.
    pub changed_version: i64,
}

impl RewardChange {
    /// A change of nothing but the version.
    pub fn of(reward: &Reward, changed_version: i64) -> Self {
        Self {
            id: reward.id,
            from: reward.status,
            seen_version: reward.changed_version,
            to: reward.status,
            net: reward.net,
            taken: reward.taken,
            claim_id: reward.claim_id,
            expires_at: reward.expires_at,
            changed_version,
        }
    }
}

/// The end of a claim.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The claim.
    pub claim: Id,
    /// Paid or failed.
    pub status: ClaimStatus,
    /// The payout's reference; unique. A failed payout keeps none.
    pub reference: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// How much of a subtree is wanted.
#[derive(Clone, Copy, Debug)]
pub struct TreeRequest {
    /// The root, at level 0.
    pub root: Id,
    /// How many levels below it.
    pub depth: i32,
    /// How many children of each node, oldest first.
    pub first: i64,
    /// How many nodes in all.
    pub limit: i64,
}

/// One node of a subtree.
#[derive(Clone, Debug, QueryableByName)]
pub struct TreeRow {
    /// The node's parent; none for the root.
    #[diesel(sql_type = Nullable<Uuid>)]
    pub parent_id: Option<Id>,
    /// Levels below the root.
    #[diesel(sql_type = Int4)]
    pub level: i32,
    /// Whether the node has children that are not in the answer.
    #[diesel(sql_type = Bool)]
    pub more: bool,
    /// The person.
    #[diesel(embed)]
    pub user: User,
}

/// Arrivals around newcomers whom one referrer brought in. Ids sort by the time at which they were made.
#[derive(Clone, Copy, Debug)]
pub struct Around {
    /// Whose they are.
    pub referrer: Id,
    /// The first newcomer.
    pub first: Id,
    /// The last one.
    pub last: Id,
    /// Nobody before this is looked at,
    pub from: Id,
    /// and nobody after this.
    pub until: Id,
}

impl Around {
    /// The same with other newcomers of the same referrer.
    pub fn take_in(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        self.from = self.from.min(other.from);
        self.until = self.until.max(other.until);
    }
}

/// Somebody who arrived by a code or a link.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct Arrival {
    /// Whose that was.
    #[diesel(sql_type = Uuid)]
    pub referrer_id: Id,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: Timestamp,
    /// Who.
    #[diesel(sql_type = Uuid)]
    pub referred_id: Id,
    /// In which program.
    #[diesel(sql_type = Uuid)]
    pub program_id: Id,
}

/// Users between two ids, both included.
#[derive(Clone, Copy, Debug)]
pub struct UserRange {
    /// The smallest id.
    pub first: Id,
    /// The largest id.
    pub last: Id,
}

impl UserRange {
    /// From the first to the last of sorted ids; nothing when there are none.
    pub fn of(sorted: &[Id]) -> Option<Self> {
        Some(Self { first: *sorted.first()?, last: *sorted.last()? })
    }
}

/// A reward by what a cap goes by.
#[derive(Clone, Debug, Queryable)]
pub struct CountedReward {
    /// Whose.
    pub user_id: Id,
    /// The program.
    pub program_id: Id,
    /// The version that granted it.
    pub program_version: i32,
    /// The rule.
    pub rule_key: String,
    /// What was granted, in minor units.
    pub amount: i64,
    /// When the event was accepted.
    pub received_at: Timestamp,
}

/// One level of one user's network.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct LevelCount {
    /// Whose network.
    #[diesel(sql_type = Uuid)]
    pub root_id: Id,
    /// Levels below, from 1 on.
    #[diesel(sql_type = Int4)]
    pub level: i32,
    /// People whose referrals are not rejected.
    #[diesel(sql_type = Int4)]
    pub signups: i32,
    /// People whose referrals are completed.
    #[diesel(sql_type = Int4)]
    pub completed: i32,
    /// When the newest of them came.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub newest: Option<Timestamp>,
}

/// When the newest people came that stand below somebody, by what is known of the direct ones.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct NewestBelow {
    /// The newest direct one.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub direct: Option<Timestamp>,
    /// The newest below direct ones whose networks do not reach down to level 10: all of these stand within level 10 here.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub certain: Option<Timestamp>,
    /// The newest below the other direct ones, some of whom stand deeper.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub at_most: Option<Timestamp>,
}

/// A code that somebody who is erased had chosen, and what stands in its place.
#[derive(Clone, Debug)]
pub struct ReplacedCode {
    /// The code as it was.
    pub old: Code,
    /// What it is called from now on; says nothing.
    pub new: String,
    /// What it is remembered by, so that nobody gets it again.
    pub hash: KeyedHash,
    /// When.
    pub at: Timestamp,
}

/// Deeds of one kind, as the audit log knows them.
#[derive(Clone, Debug)]
pub struct DeedsAt {
    /// The name of the mutation.
    pub action: &'static str,
    /// What they were done to, by public ids.
    pub subjects: Vec<String>,
    /// When they were done.
    pub instants: Vec<Timestamp>,
}
