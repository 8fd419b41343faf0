//! Claims and their idempotency keys.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, words::ClaimStatus},
    store::{
        fanout::{FirstOfEach, Window},
        models::{Claim, ClaimRequest},
        requests::Settlement,
        schema::{claim_requests, claims},
    },
};

/// Several claims, in no order.
pub async fn by_ids(conn: &mut Connection, ids: &[Id]) -> QueryResult<Vec<Claim>> {
    claims::table.filter(claims::id.eq_any(ids.to_vec())).select(Claim::as_select()).load(conn).await
}

/// One claim, locked.
pub async fn lock(conn: &mut Connection, id: Id) -> QueryResult<Option<Claim>> {
    for_update!(claims::table.find(id).select(Claim::as_select())).first(conn).await.optional()
}

/// Claims of users: the first of each.
pub async fn first_of_each(conn: &mut Connection, fan: FirstOfEach) -> QueryResult<Vec<Claim>> {
    claims::table.filter(fan).select(Claim::as_select()).load(conn).await
}

/// A page of all claims, of one state or any, newest first.
pub async fn page(conn: &mut Connection, status: Option<ClaimStatus>, window: Window) -> QueryResult<Vec<Claim>> {
    let mut query = claims::table.select(Claim::as_select()).into_boxed();
    query = status.into_iter().fold(query, |query, status| query.filter(claims::status.eq(status)));
    query = window.after.into_iter().fold(query, |query, id| query.filter(claims::id.lt(id)));
    query = window.before.into_iter().fold(query, |query, id| query.filter(claims::id.gt(id)));
    let query = if window.from_end { query.order(claims::id.asc()) } else { query.order(claims::id.desc()) };
    query.limit(window.limit).load(conn).await
}

/// What was asked under a key.
pub async fn request(conn: &mut Connection, user: Id, key: &str) -> QueryResult<Option<ClaimRequest>> {
    claim_requests::table.find((user, key)).select(ClaimRequest::as_select()).first(conn).await.optional()
}

/// Keeps a key.
pub async fn insert_request(conn: &mut Connection, request: ClaimRequest) -> QueryResult<()> {
    diesel::insert_into(claim_requests::table).values(request).execute(conn).await.map(drop)
}

/// Claims that were made under a key, by currency.
pub async fn of_request(conn: &mut Connection, user: Id, key: &str) -> QueryResult<Vec<Claim>> {
    let query = claims::table.filter(claims::user_id.eq(user)).filter(claims::request_key.eq(key));
    query.order(claims::currency).select(Claim::as_select()).load(conn).await
}

/// Adds a claim.
pub async fn insert(conn: &mut Connection, claim: Claim) -> QueryResult<()> {
    diesel::insert_into(claims::table).values(claim).execute(conn).await.map(drop)
}

/// Settles a claim that waits; says whether it did wait. A taken reference is a duplicate of `claims.reference`.
pub async fn settle(conn: &mut Connection, settlement: Settlement) -> QueryResult<bool> {
    let waiting = claims::table.find(settlement.claim).filter(claims::status.eq(ClaimStatus::Requested));
    let update = diesel::update(waiting).set((
        claims::status.eq(settlement.status),
        claims::reference.eq(settlement.reference),
        claims::settled_at.eq(settlement.at),
    ));
    update.execute(conn).await.map(|rows| rows == 1)
}
