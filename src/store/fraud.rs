//! Rows about fraud: signs, what they come to, reviews and lists.

use diesel::prelude::*;

use super::{
    schema::{listings, reviews, risks, signals},
    sql_types::{Int4, Int8, Text, Uuid},
};
use crate::domain::{
    fraud::Signal,
    id::Id,
    keyed_hash::KeyedHash,
    time::Timestamp,
    words::{ListingEffect, ListingSubject, ReviewStatus, Standing},
};

/// A sign that was found on a referral. `evidence` is JSON that names no personal data.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = signals)]
#[expect(missing_docs, reason = "a field is a column; the migration says what it holds")]
pub struct FoundSignal {
    pub referred_id: Id,
    pub signal: Signal,
    pub weight: i32,
    pub shadow: bool,
    pub evidence: String,
    pub program_version: i32,
    pub created_at: Timestamp,
}

/// What the signs against a referral came to.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = risks)]
#[expect(missing_docs, reason = "a field is a column; the migration says what it holds")]
pub struct Risk {
    pub referred_id: Id,
    pub standing: Standing,
    pub score: i32,
    pub program_version: i32,
    pub rejected_no: Option<i64>,
    pub changed_at: Timestamp,
}

/// A human decision on a referral, or that one is waited for.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = reviews)]
#[expect(missing_docs, reason = "a field is a column; the migration says what it holds")]
pub struct Review {
    pub id: Id,
    pub referred_id: Id,
    pub status: ReviewStatus,
    pub score: i32,
    pub seq: i64,
    pub reason: Option<String>,
    pub actor: Option<String>,
    pub created_at: Timestamp,
    pub decided_at: Option<Timestamp>,
    pub decided_no: Option<i64>,
}

/// The end of a review.
#[derive(Clone, Debug)]
pub struct ReviewEnd {
    /// Of which referral.
    pub referred_id: Id,
    /// How it ended.
    pub status: ReviewStatus,
    /// Why.
    pub reason: String,
    /// Who decided.
    pub actor: String,
    /// When.
    pub decided_at: Timestamp,
    /// Its place in the order of decisions.
    pub decided_no: i64,
}

/// An entry of the allow list or the block list.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = listings)]
#[expect(missing_docs, reason = "a field is a column; the migration says what it holds")]
pub struct Listing {
    pub id: Id,
    pub effect: ListingEffect,
    pub subject: ListingSubject,
    pub subject_hash: KeyedHash,
    pub reason: String,
    pub actor: String,
    pub expires_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Which reviews are asked for.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReviewFilter {
    /// Only those in this state.
    pub status: Option<ReviewStatus>,
    /// Only those of people whom this user brought in.
    pub referrer: Option<Id>,
    /// Only those with this sign.
    pub signal: Option<Signal>,
}

/// Reviews of one referrer with one sign.
#[derive(Clone, Debug, QueryableByName)]
pub struct ReviewGroup {
    /// The referrer.
    #[diesel(sql_type = Uuid)]
    pub referrer_id: Id,
    /// The sign.
    #[diesel(sql_type = Text)]
    pub signal: Signal,
    /// How many reviews.
    #[diesel(sql_type = Int8)]
    pub reviews: i64,
    /// The highest score among them.
    #[diesel(sql_type = Int4)]
    pub score: i32,
}
