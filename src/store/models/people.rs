//! People, who brought them in, and what is known of them.

use diesel::prelude::*;

use crate::{
    domain::{
        id::Id,
        keyed_hash::KeyedHash,
        time::Timestamp,
        words::{CodeKind, CodeStatus, ReferralStatus, UserStatus, Via},
    },
    store::schema::{codes, evidence, referral_moves, referrals, retired_codes, user_totals, users},
};

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
