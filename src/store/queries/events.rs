//! Events and refunds.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, keyed_hash::KeyedHash},
    store::{
        fanout::FirstOfEach,
        models::{Event, Refund},
        schema::{events, refunds},
    },
};

/// The event with this idempotency key.
pub async fn by_key(conn: &mut Connection, key: &str) -> QueryResult<Option<Event>> {
    events::table.filter(events::key.eq(key)).select(Event::as_select()).first(conn).await.optional()
}

/// The event with this idempotency key, locked.
pub async fn lock_by_key(conn: &mut Connection, key: &str) -> QueryResult<Option<Event>> {
    let query = events::table.filter(events::key.eq(key)).select(Event::as_select());
    for_update!(query).first(conn).await.optional()
}

/// Several events, in no order.
pub async fn by_ids(conn: &mut Connection, ids: &[Id]) -> QueryResult<Vec<Event>> {
    events::table.filter(events::id.eq_any(ids.to_vec())).select(Event::as_select()).load(conn).await
}

/// Every event of these users, in the insert sequence.
pub async fn of_users(conn: &mut Connection, users: Vec<Id>) -> QueryResult<Vec<Event>> {
    events::table.filter(events::user_id.eq_any(users)).order(events::seq).select(Event::as_select()).load(conn).await
}

/// Events of users: the first of each.
pub async fn first_of_each(conn: &mut Connection, fan: FirstOfEach) -> QueryResult<Vec<Event>> {
    events::table.filter(fan).select(Event::as_select()).load(conn).await
}

/// Adds an event. A taken key is a duplicate of `events.key`.
pub async fn insert(conn: &mut Connection, event: Event) -> QueryResult<()> {
    diesel::insert_into(events::table).values(event).execute(conn).await.map(drop)
}

/// Adds an event unless its key is taken; says whether it did.
pub async fn insert_if_new(conn: &mut Connection, event: Event) -> QueryResult<bool> {
    let insert = diesel::insert_into(events::table).values(event).on_conflict(events::key).do_nothing();
    insert.execute(conn).await.map(|rows| rows == 1)
}

/// Which of these keys are taken.
pub async fn taken_keys(conn: &mut Connection, keys: Vec<String>) -> QueryResult<Vec<String>> {
    events::table.filter(events::key.eq_any(keys)).select(events::key).load(conn).await
}

/// Adds many events. A taken key is a duplicate of `events.key`.
pub async fn insert_new(conn: &mut Connection, rows: Vec<Event>) -> QueryResult<()> {
    insert_all!(conn, events::table, rows);
    Ok(())
}

/// The refund with this idempotency key.
pub async fn refund_by_key(conn: &mut Connection, key: &str) -> QueryResult<Option<Refund>> {
    refunds::table.filter(refunds::key.eq(key)).select(Refund::as_select()).first(conn).await.optional()
}

/// Refunds of the events with these keys, in the insert sequence.
pub async fn refunds_of(conn: &mut Connection, event_keys: Vec<String>) -> QueryResult<Vec<Refund>> {
    let query = refunds::table.filter(refunds::event_key.eq_any(event_keys)).order(refunds::seq);
    query.select(Refund::as_select()).load(conn).await
}

/// Adds a refund. A taken key is a duplicate of `refunds.key`.
pub async fn insert_refund(conn: &mut Connection, refund: Refund) -> QueryResult<()> {
    diesel::insert_into(refunds::table).values(refund).execute(conn).await.map(drop)
}

/// What was asked under these idempotency keys, as far as they are taken.
pub async fn fingerprints(conn: &mut Connection, keys: Vec<String>) -> QueryResult<Vec<(String, KeyedHash)>> {
    events::table.filter(events::key.eq_any(keys)).select((events::key, events::fingerprint)).load(conn).await
}
