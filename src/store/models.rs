//! Rows as they are read and written, the same for both databases.

use diesel::prelude::*;

use super::schema::*;
use crate::domain::{
    id::Id,
    keyed_hash::KeyedHash,
    reward::RewardStatus,
    time::Timestamp,
    words::{
        ClaimStatus, CodeKind, CodeStatus, KeyRole, Metric, Period, ProgramStatus, ReferralStatus, UserStatus, Via,
    },
};

/// Declares a row that is read and written whole.
macro_rules! row {
    ($(#[$meta:meta])* $name:ident in $table:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Queryable, QueryableByName, Selectable, Insertable)]
        #[diesel(table_name = $table)]
        #[expect(missing_docs, reason = "a field is a column; the migration says what it holds")]
        pub struct $name { $($(#[$field_meta])* pub $field: $type),+ }
    };
}

mod clicks;

pub use clicks::{Click, Link};

row! {
    /// A person of the host product.
    User in users {
        id: Id,
        external_id: String,
        display_name: Option<String>,
        status: UserStatus,
        email_hash: Option<KeyedHash>,
        phone_hash: Option<KeyedHash>,
        created_at: Timestamp,
    }
}

row! {
    /// A named set of rules.
    Program in programs {
        id: Id,
        key: String,
        name: String,
        currency: String,
        time_zone: String,
        status: ProgramStatus,
        version: i32,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
        was_active: bool,
        created_at: Timestamp,
        landing_url: Option<String>,
        ref_parameter: String,
        click_parameter: String,
    }
}

row! {
    /// What one version of a program promises.
    ProgramVersion in program_versions {
        program_id: Id,
        version: i32,
        definition: String,
        actor: String,
        created_at: Timestamp,
    }
}

row! {
    /// What was used of a cap: one person's or everybody's, over one period.
    Cap in caps {
        program_id: Id,
        rule_key: String,
        scope: String,
        starts_at: Timestamp,
        used_count: i64,
        used_amount: i64,
    }
}

row! {
    /// What a user shares.
    Code in codes {
        key: String,
        shown: String,
        user_id: Id,
        program_id: Id,
        kind: CodeKind,
        status: CodeStatus,
        expires_at: Option<Timestamp>,
        created_at: Timestamp,
    }
}

row! {
    /// An edge of the tree.
    Referral in referrals {
        referred_id: Id,
        referrer_id: Id,
        program_id: Id,
        status: ReferralStatus,
        via: Via,
        code: Option<String>,
        click_id: Option<Id>,
        risk_score: i32,
        created_at: Timestamp,
        completed_at: Option<Timestamp>,
        rejected_at: Option<Timestamp>,
    }
}

row! {
    /// Something a user did.
    Event in events {
        id: Id,
        user_id: Id,
        seq: i64,
        event_type: String,
        amount: Option<i64>,
        currency: Option<String>,
        key: String,
        fingerprint: KeyedHash,
        metadata: Option<String>,
        occurred_at: Timestamp,
        received_at: Timestamp,
        program_id: Option<Id>,
        program_version: Option<i32>,
        program_active: bool,
        pays: bool,
        remaining: Option<i64>,
        decided_no: Option<i64>,
        decisions: Option<String>,
    }
}

row! {
    /// Money taken back from an event.
    Refund in refunds {
        id: Id,
        event_key: String,
        event_id: Option<Id>,
        seq: i64,
        amount: Option<i64>,
        currency: Option<String>,
        key: String,
        fingerprint: KeyedHash,
        received_at: Timestamp,
        applied: Option<i64>,
        decided_no: Option<i64>,
    }
}

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

row! {
    /// What came with a signup, as keyed hashes.
    Evidence in evidence {
        user_id: Id,
        ip_hash: Option<KeyedHash>,
        network_hash: Option<KeyedHash>,
        device_hash: Option<KeyedHash>,
        user_agent_hash: Option<KeyedHash>,
        created_at: Timestamp,
        referrer_id: Option<Id>,
        email_hash: Option<KeyedHash>,
        alias_hash: Option<KeyedHash>,
        domain_hash: Option<KeyedHash>,
        disposable: bool,
        former_ip_hash: Option<KeyedHash>,
        former_network_hash: Option<KeyedHash>,
        former_device_hash: Option<KeyedHash>,
        former_alias_hash: Option<KeyedHash>,
        former_domain_hash: Option<KeyedHash>,
    }
}

row! {
    /// A credential of the host.
    ApiKey in api_keys {
        id: Id,
        name: String,
        role: KeyRole,
        prefix: String,
        hash: KeyedHash,
        created_at: Timestamp,
        expires_at: Option<Timestamp>,
        revoked_at: Option<Timestamp>,
        last_used_at: Option<Timestamp>,
        scopes: Option<String>,
        cost_per_second: Option<i32>,
    }
}

row! {
    /// One user's place in one period of a board.
    BoardScore in board_scores {
        program_id: Id,
        metric: Metric,
        period: Period,
        starts_at: Timestamp,
        user_id: Id,
        score: i64,
        reached_at: Timestamp,
    }
}

row! {
    /// The version of a board.
    Board in boards {
        program_id: Id,
        metric: Metric,
        version: i64,
        day_starts_at: Timestamp,
    }
}

/// A change that a board has still to take in.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = board_deltas)]
pub struct NewBoardDelta {
    /// The program of the board.
    pub program_id: Id,
    /// Its metric.
    pub metric: Metric,
    /// Whose score changes.
    pub user_id: Id,
    /// By how much.
    pub amount: i64,
    /// When what is counted happened; says which periods it belongs to.
    pub at: Timestamp,
}

/// A stored [`NewBoardDelta`].
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = board_deltas)]
pub struct BoardDelta {
    /// Its number.
    pub id: i64,
    /// Whose score changes.
    pub user_id: Id,
    /// By how much.
    pub amount: i64,
    /// When what is counted happened.
    pub at: Timestamp,
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

/// A user went to another referrer, with everybody below.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = referral_moves)]
pub struct NewReferralMove {
    /// Who was moved.
    pub user_id: Id,
    /// Whose they were before; nobody's, for a root.
    pub from_referrer_id: Option<Id>,
    /// Whose they are now.
    pub to_referrer_id: Id,
    /// Why.
    pub reason: String,
    /// Who did it.
    pub actor: String,
    /// When.
    pub created_at: Timestamp,
    /// How the referral had come about.
    pub from_via: Option<Via>,
    /// The code by which it had come about.
    pub from_code: Option<String>,
    /// The click by which it had come about.
    pub from_click_id: Option<Id>,
}

row! {
    /// A move, as it was noted.
    ReferralMove in referral_moves {
        id: i64,
        user_id: Id,
        from_referrer_id: Option<Id>,
        to_referrer_id: Id,
        reason: String,
        actor: String,
        created_at: Timestamp,
        from_via: Option<Via>,
        from_code: Option<String>,
        from_click_id: Option<Id>,
    }
}

row! {
    /// A code that somebody who was erased had chosen.
    RetiredCode in retired_codes {
        hash: KeyedHash,
        created_at: Timestamp,
    }
}

row! {
    /// Something that an operator did, as it was noted.
    Audit in audit_log {
        id: i64,
        actor: String,
        action: String,
        subject: String,
        reason: Option<String>,
        created_at: Timestamp,
    }
}

/// Something that an operator did.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = audit_log)]
pub struct NewAudit {
    /// Who.
    pub actor: String,
    /// What: the name of the mutation.
    pub action: String,
    /// To what, by its public id.
    pub subject: String,
    /// Why, where a reason was asked for.
    pub reason: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// Something for the worker to fold.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = outbox)]
pub struct NewOutbox {
    /// Whose history has something new.
    pub user_id: Option<Id>,
    /// The event that a refund waits for.
    pub event_key: Option<String>,
    /// When.
    pub created_at: Timestamp,
}

/// A claimed row of the outbox.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub struct Outbox {
    /// Its place in the insert sequence.
    pub seq: i64,
    /// Whose history has something new.
    pub user_id: Option<Id>,
    /// The event that a refund waits for.
    pub event_key: Option<String>,
}

row! {
    /// Counters of one user's network.
    Totals in user_totals {
        user_id: Id,
        version: i64,
        network: i32,
        network_at: Option<Timestamp>,
        signups_1: i32,
        signups_2: i32,
        signups_3: i32,
        signups_4: i32,
        signups_5: i32,
        signups_6: i32,
        signups_7: i32,
        signups_8: i32,
        signups_9: i32,
        signups_10: i32,
        completed_1: i32,
        completed_2: i32,
        completed_3: i32,
        completed_4: i32,
        completed_5: i32,
        completed_6: i32,
        completed_7: i32,
        completed_8: i32,
        completed_9: i32,
        completed_10: i32,
    }
}

impl Totals {
    /// People on each level below, from level 1 on, whose referrals are not rejected.
    pub fn signups(&self) -> [i32; 10] {
        [
            self.signups_1,
            self.signups_2,
            self.signups_3,
            self.signups_4,
            self.signups_5,
            self.signups_6,
            self.signups_7,
            self.signups_8,
            self.signups_9,
            self.signups_10,
        ]
    }

    /// Completed referrals on each level below, from level 1 on.
    pub fn completed(&self) -> [i32; 10] {
        [
            self.completed_1,
            self.completed_2,
            self.completed_3,
            self.completed_4,
            self.completed_5,
            self.completed_6,
            self.completed_7,
            self.completed_8,
            self.completed_9,
            self.completed_10,
        ]
    }
}
