//! Everything that is stored about one person, list by list, oldest first.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, time::Timestamp},
    store::{
        models::{Audit, Claim, ClaimRequest, Event, Evidence, Referral, Reward, Transfer},
        schema::{audit_log, claim_requests, claims, events, evidence, outbox, referrals, rewards, transfers},
    },
};

/// Where a user signed up from.
pub async fn evidence(conn: &mut Connection, user: Id) -> QueryResult<Option<Evidence>> {
    evidence::table.find(user).select(Evidence::as_select()).first(conn).await.optional()
}

/// What a user did.
pub async fn events(conn: &mut Connection, user: Id, limit: i64) -> QueryResult<Vec<Event>> {
    let query = events::table.filter(events::user_id.eq(user)).order(events::seq).limit(limit);
    query.select(Event::as_select()).load(conn).await
}

/// What a user was granted.
pub async fn rewards(conn: &mut Connection, user: Id, limit: i64) -> QueryResult<Vec<Reward>> {
    let query = rewards::table.filter(rewards::user_id.eq(user)).order(rewards::id).limit(limit);
    query.select(Reward::as_select()).load(conn).await
}

/// What a user asked to be paid.
pub async fn claims(conn: &mut Connection, user: Id, limit: i64) -> QueryResult<Vec<Claim>> {
    let query = claims::table.filter(claims::user_id.eq(user)).order(claims::id).limit(limit);
    query.select(Claim::as_select()).load(conn).await
}

/// Movements of a user's money.
pub async fn transfers(conn: &mut Connection, user: Id, limit: i64) -> QueryResult<Vec<Transfer>> {
    let query = transfers::table.filter(transfers::user_id.eq(user)).order(transfers::id).limit(limit);
    query.select(Transfer::as_select()).load(conn).await
}

/// Keys under which a user asked to be paid.
pub async fn claim_requests(conn: &mut Connection, user: Id, limit: i64) -> QueryResult<Vec<ClaimRequest>> {
    let query = claim_requests::table.filter(claim_requests::user_id.eq(user));
    let query = query.order((claim_requests::created_at, claim_requests::key)).limit(limit);
    query.select(ClaimRequest::as_select()).load(conn).await
}

/// Referrals that a user made.
pub async fn referrals(conn: &mut Connection, referrer: Id, limit: i64) -> QueryResult<Vec<Referral>> {
    let query = referrals::table.filter(referrals::referrer_id.eq(referrer)).order(referrals::referred_id).limit(limit);
    query.select(Referral::as_select()).load(conn).await
}

/// Rows of a user that wait to be folded: attempts, whether they were given up on for a while, the last error, since when.
pub async fn waiting(
    conn: &mut Connection,
    user: Id,
    limit: i64,
) -> QueryResult<Vec<(i32, bool, Option<String>, Timestamp)>> {
    let query = outbox::table.filter(outbox::user_id.eq(user)).order(outbox::seq).limit(limit);
    query.select((outbox::attempts, outbox::parked, outbox::last_error, outbox::created_at)).load(conn).await
}

/// What was done to any of these, by public ids.
pub async fn deeds(conn: &mut Connection, subjects: Vec<String>, limit: i64) -> QueryResult<Vec<Audit>> {
    let query = audit_log::table.filter(audit_log::subject.eq_any(subjects)).order(audit_log::id).limit(limit);
    query.select(Audit::as_select()).load(conn).await
}
