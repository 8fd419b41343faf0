//! The allow list and the block list.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{
        id::Id,
        keyed_hash::KeyedHash,
        time::Timestamp,
        words::{ListingEffect, ListingSubject},
    },
    store::{fanout::Window, fraud::Listing, schema::listings},
};

/// Entries in force at an instant that name one of these.
pub async fn in_force(conn: &mut Connection, hashes: Vec<KeyedHash>, at: Timestamp) -> QueryResult<Vec<Listing>> {
    let named = listings::table.filter(listings::subject_hash.eq_any(hashes));
    let query = named.filter(listings::expires_at.is_null().or(listings::expires_at.gt(at)));
    query.select(Listing::as_select()).load(conn).await
}

/// Entries that name one of these, in force or not.
pub async fn naming(conn: &mut Connection, hashes: Vec<KeyedHash>) -> QueryResult<Vec<Listing>> {
    listings::table.filter(listings::subject_hash.eq_any(hashes)).select(Listing::as_select()).load(conn).await
}

/// Whether there is any entry.
pub async fn any(conn: &mut Connection) -> QueryResult<bool> {
    let first: Option<Id> = listings::table.select(listings::id).first(conn).await.optional()?;
    Ok(first.is_some())
}

/// Adds an entry; one about the same is replaced and keeps its id. Gives the entry as it is now.
pub async fn keep(conn: &mut Connection, row: Listing) -> QueryResult<Listing> {
    let change = (
        listings::effect.eq(row.effect),
        listings::reason.eq(row.reason.clone()),
        listings::actor.eq(row.actor.clone()),
        listings::expires_at.eq(row.expires_at),
        listings::created_at.eq(row.created_at),
    );
    let insert = diesel::insert_into(listings::table).values(row);
    let kept = insert.on_conflict((listings::subject, listings::subject_hash)).do_update().set(change);
    kept.returning(Listing::as_returning()).get_result(conn).await
}

/// Removes an entry and gives what it was.
pub async fn remove(conn: &mut Connection, id: Id) -> QueryResult<Option<Listing>> {
    let removed = diesel::delete(listings::table.find(id)).returning(Listing::as_returning());
    removed.get_result(conn).await.optional()
}

/// Removes entries that ended before an instant, at most `limit`; not one that somebody lists again meanwhile, and none of
/// a referrer, by which an erasure finds the reasons that were given for it.
pub async fn purge(conn: &mut Connection, before: Timestamp, limit: i64) -> QueryResult<usize> {
    let ended = listings::expires_at.lt(before).and(listings::subject.ne(ListingSubject::Referrer));
    let ended = listings::table.filter(ended);
    let ids: Vec<Id> = ended.order(listings::expires_at).limit(limit).select(listings::id).load(conn).await?;
    diesel::delete(ended.filter(listings::id.eq_any(ids))).execute(conn).await
}

/// A page of entries, oldest first.
pub async fn page(conn: &mut Connection, effect: Option<ListingEffect>, window: Window) -> QueryResult<Vec<Listing>> {
    let mut query = listings::table.select(Listing::as_select()).into_boxed();
    query = effect.into_iter().fold(query, |query, effect| query.filter(listings::effect.eq(effect)));
    query = window.after.into_iter().fold(query, |query, id| query.filter(listings::id.gt(id)));
    query = window.before.into_iter().fold(query, |query, id| query.filter(listings::id.lt(id)));
    let query = if window.from_end { query.order(listings::id.desc()) } else { query.order(listings::id.asc()) };
    query.limit(window.limit).load(conn).await
}
