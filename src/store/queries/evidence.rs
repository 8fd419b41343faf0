//! What came with signups and clicks, as keyed hashes.

use diesel::{prelude::*, sql_query};
use diesel_async::{AsyncConnectionCore, RunQueryDsl};

use super::Connection;
use crate::{
    domain::{id::Id, keyed_hash::KeyedHash, time::Timestamp},
    store::{
        models::Evidence,
        schema::{clicks, evidence},
        sql_types,
    },
};

/// Adds what came with a signup.
pub async fn insert(conn: &mut Connection, row: Evidence) -> QueryResult<()> {
    diesel::insert_into(evidence::table).values(row).execute(conn).await.map(drop)
}

/// Credits a signup to another referrer, with whose people it is compared from now on.
pub async fn credit(conn: &mut Connection, user: Id, referrer: Id) -> QueryResult<()> {
    let row = diesel::update(evidence::table.find(user)).set(evidence::referrer_id.eq(referrer));
    row.execute(conn).await.map(drop)
}

/// What came with the signups of these users.
pub async fn of_users(conn: &mut Connection, users: Vec<Id>) -> QueryResult<Vec<Evidence>> {
    evidence::table.filter(evidence::user_id.eq_any(users)).select(Evidence::as_select()).load(conn).await
}

/// Signups that are credited to a referrer and came from a network, for each of these pairs; the newest first.
pub async fn near(
    conn: &mut Connection,
    pairs: Vec<(Id, KeyedHash)>,
    since: Timestamp,
    limit: i64,
) -> QueryResult<Vec<Evidence>> {
    if pairs.is_empty() {
        return Ok(Vec::new());
    }
    // In the order in which they are bound: SQLite numbers parameters as they come.
    let listed: Vec<String> = (0..pairs.len()).map(|row| format!("(${}, ${})", row * 2 + 1, row * 2 + 2)).collect();
    let text = format!(
        "SELECT e.* FROM (VALUES {}) AS p JOIN evidence AS e ON e.referrer_id = p.column1 AND e.network_hash = p.column2 \
         WHERE e.created_at >= ${} ORDER BY e.user_id DESC LIMIT {limit}",
        listed.join(", "),
        pairs.len() * 2 + 1
    );
    let query = sql_query(text).into_boxed::<<Connection as AsyncConnectionCore>::Backend>();
    let query = pairs.into_iter().fold(query, |query, (referrer, network)| {
        query.bind::<sql_types::Uuid, _>(referrer).bind::<diesel::sql_types::Binary, _>(network)
    });
    let query = query.bind::<sql_types::Timestamptz, _>(since);
    query.load(conn).await
}

/// Signups on these devices, whoever is credited with them; the newest first.
pub async fn on_devices(
    conn: &mut Connection,
    devices: Vec<KeyedHash>,
    since: Timestamp,
    limit: i64,
) -> QueryResult<Vec<Evidence>> {
    let query = evidence::table.filter(evidence::device_hash.eq_any(devices).and(evidence::created_at.ge(since)));
    query.order(evidence::user_id.desc()).limit(limit).select(Evidence::as_select()).load(conn).await
}

/// Signups from these networks, whoever is credited with them; the newest first.
pub async fn in_networks(
    conn: &mut Connection,
    networks: Vec<KeyedHash>,
    since: Timestamp,
    limit: i64,
) -> QueryResult<Vec<Evidence>> {
    let query = evidence::table.filter(evidence::network_hash.eq_any(networks).and(evidence::created_at.ge(since)));
    query.order(evidence::created_at.desc()).limit(limit).select(Evidence::as_select()).load(conn).await
}

/// Signups with these mailboxes, whoever is credited with them and however long ago; the oldest first.
pub async fn with_mailboxes(
    conn: &mut Connection,
    mailboxes: Vec<KeyedHash>,
    limit: i64,
) -> QueryResult<Vec<Evidence>> {
    let query = evidence::table.filter(evidence::alias_hash.eq_any(mailboxes));
    query.order(evidence::user_id).limit(limit).select(Evidence::as_select()).load(conn).await
}

/// Removes what came with signups before an instant, at most `limit` rows.
pub async fn purge(conn: &mut Connection, before: Timestamp, limit: i64) -> QueryResult<usize> {
    let old = evidence::table.filter(evidence::created_at.lt(before)).order(evidence::created_at).limit(limit);
    let old: Vec<Id> = old.select(evidence::user_id).load(conn).await?;
    diesel::delete(evidence::table.filter(evidence::user_id.eq_any(old))).execute(conn).await
}

/// Removes the hashes of clicks before an instant, at most `limit` rows; the clicks stay.
pub async fn purge_clicks(conn: &mut Connection, before: Timestamp, limit: i64) -> QueryResult<usize> {
    let hashed = clicks::ip_hash.is_not_null().or(clicks::visit_key.is_not_null());
    let old = clicks::table.filter(clicks::created_at.lt(before)).filter(hashed);
    let old: Vec<Id> = old.order(clicks::created_at).limit(limit).select(clicks::id).load(conn).await?;
    let none = None::<KeyedHash>;
    let cleared = (
        clicks::ip_hash.eq(none),
        clicks::network_hash.eq(none),
        clicks::device_hash.eq(none),
        clicks::user_agent_hash.eq(none),
        clicks::visit_key.eq(none),
    );
    diesel::update(clicks::table.filter(clicks::id.eq_any(old))).set(cleared).execute(conn).await
}
