//! What people did, what was taken back of it, and what waits to be folded.

use diesel::prelude::*;

use crate::{
    domain::{id::Id, keyed_hash::KeyedHash, time::Timestamp},
    store::schema::{events, outbox, refunds},
};

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

/// A row of the outbox that was given up on for a while.
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = outbox)]
pub struct Parked {
    /// Whose history has something new.
    pub user_id: Option<Id>,
    /// The event that a refund waits for.
    pub event_key: Option<String>,
    /// How often folding was tried.
    pub attempts: i32,
    /// What went wrong the last time.
    pub last_error: Option<String>,
}
