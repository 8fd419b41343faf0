//! Credentials, and what was done with them.

use diesel::prelude::*;

use crate::{
    domain::{id::Id, keyed_hash::KeyedHash, time::Timestamp, words::KeyRole},
    store::schema::{api_keys, audit_log},
};

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
