//! What waits to be folded.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        models::{NewOutbox, Outbox, Parked},
        schema::{events, outbox},
    },
};

/// Most characters of an error that are kept with a parked row.
const ERROR_MAX_CHARS: usize = 500;

/// Rows that name a user, or an event of the user.
macro_rules! concerns {
    ($user:expr) => {
        outbox::user_id.eq($user).or(outbox::event_key
            .eq_any(events::table.filter(events::user_id.eq($user)).select(events::key.nullable()))
            .assume_not_null())
    };
}

/// Adds a row and gives its place in the insert sequence.
pub async fn insert(conn: &mut Connection, row: NewOutbox) -> QueryResult<i64> {
    diesel::insert_into(outbox::table).values(row).returning(outbox::seq).get_result(conn).await
}

/// Takes rows that nobody else has from a place of the insert sequence on, oldest first, and locks them.
pub async fn claim(conn: &mut Connection, from: i64, limit: i64) -> QueryResult<Vec<Outbox>> {
    let query = outbox::table.filter(outbox::parked.eq(false)).filter(outbox::seq.ge(from));
    let query = query.order(outbox::seq).limit(limit).select(Outbox::as_select());
    skip_locked!(query).load(conn).await
}

/// Takes all rows of these users, as far as nobody else has them, and gives their places.
pub async fn claim_all_of(conn: &mut Connection, users: Vec<Id>) -> QueryResult<Vec<i64>> {
    let query = outbox::table.filter(outbox::user_id.eq_any(users)).filter(outbox::parked.eq(false));
    skip_locked!(query.select(outbox::seq)).load(conn).await
}

/// Takes the rows of one user, as far as nobody else has them.
pub async fn claim_of(conn: &mut Connection, user: Id) -> QueryResult<Vec<Outbox>> {
    let query = outbox::table.filter(outbox::user_id.eq(user)).order(outbox::seq).select(Outbox::as_select());
    skip_locked!(query).load(conn).await
}

/// The same with those that name one of the user's events, for which all rows are looked through.
pub async fn claim_about(conn: &mut Connection, user: Id) -> QueryResult<Vec<Outbox>> {
    let query = outbox::table.filter(concerns!(user)).order(outbox::seq).select(Outbox::as_select());
    skip_locked!(query).load(conn).await
}

/// Whose events have these keys.
pub async fn owners(conn: &mut Connection, event_keys: Vec<String>) -> QueryResult<Vec<Id>> {
    events::table.filter(events::key.eq_any(event_keys)).select(events::user_id).load(conn).await
}

/// Removes what was folded.
pub async fn delete(conn: &mut Connection, seqs: Vec<i64>) -> QueryResult<usize> {
    diesel::delete(outbox::table.filter(outbox::seq.eq_any(seqs))).execute(conn).await
}

/// Notes a failed attempt; after `max_attempts` of them the rows are parked.
pub async fn note_failure(conn: &mut Connection, user: Id, error: &str, max_attempts: i32) -> QueryResult<usize> {
    let error: String = error.chars().take(ERROR_MAX_CHARS).collect();
    let update = diesel::update(outbox::table.filter(concerns!(user))).set((
        outbox::attempts.eq(outbox::attempts + 1),
        outbox::parked.eq(outbox::attempts.ge(max_attempts - 1)),
        outbox::last_error.eq(error),
    ));
    update.execute(conn).await
}

/// Rows that are parked, oldest first, with the error of the last attempt.
pub async fn parked(conn: &mut Connection, limit: i64) -> QueryResult<Vec<Parked>> {
    let query = outbox::table.filter(outbox::parked.eq(true)).order(outbox::seq).limit(limit);
    query.select(Parked::as_select()).load(conn).await
}

/// Gives every parked row one more attempt; says how many there were.
pub async fn release(conn: &mut Connection) -> QueryResult<usize> {
    diesel::update(outbox::table.filter(outbox::parked.eq(true))).set(outbox::parked.eq(false)).execute(conn).await
}

/// Adds many rows.
pub async fn insert_new(conn: &mut Connection, rows: Vec<NewOutbox>) -> QueryResult<()> {
    insert_all!(conn, outbox::table, rows);
    Ok(())
}
