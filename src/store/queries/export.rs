//! Everything that is stored about one person, list by list, oldest first.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        models::{Claim, Event, Evidence, Reward, Transfer},
        schema::{claims, events, evidence, rewards, transfers},
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
