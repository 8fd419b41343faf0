//! API keys: only their hashes are stored.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, keyed_hash::KeyedHash, time::Timestamp},
    store::{models::ApiKey, schema::api_keys},
};

/// The key with this hash, whatever its state.
pub async fn by_hash(conn: &mut Connection, hash: KeyedHash) -> QueryResult<Option<ApiKey>> {
    api_keys::table.filter(api_keys::hash.eq(hash)).select(ApiKey::as_select()).first(conn).await.optional()
}

/// Every key, oldest first.
pub async fn all(conn: &mut Connection) -> QueryResult<Vec<ApiKey>> {
    api_keys::table.order(api_keys::id).select(ApiKey::as_select()).load(conn).await
}

/// Adds a key; says whether its hash was new.
pub async fn insert(conn: &mut Connection, key: ApiKey) -> QueryResult<bool> {
    let insert = diesel::insert_into(api_keys::table).values(key).on_conflict_do_nothing();
    insert.execute(conn).await.map(|rows| rows == 1)
}

/// Notes when a key was last used, unless that was noted after `earlier`.
pub async fn note_use(conn: &mut Connection, id: Id, at: Timestamp, earlier: Timestamp) -> QueryResult<bool> {
    let unnoted = api_keys::last_used_at.is_null().or(api_keys::last_used_at.le(earlier));
    let key = diesel::update(api_keys::table.find(id).filter(unnoted));
    key.set(api_keys::last_used_at.eq(at)).execute(conn).await.map(|rows| rows == 1)
}

/// Whether a key was revoked; one that is not there is as good as revoked.
pub async fn is_revoked(conn: &mut Connection, id: Id) -> QueryResult<bool> {
    let live = api_keys::table.find(id).filter(api_keys::revoked_at.is_null()).select(api_keys::id);
    live.first::<Id>(conn).await.optional().map(|live| live.is_none())
}

/// Revokes a key that is not revoked yet, and gives it with whether this was it; nothing when there is no such key.
pub async fn revoke(conn: &mut Connection, id: Id, at: Timestamp) -> QueryResult<(Option<ApiKey>, bool)> {
    let live = api_keys::table.find(id).filter(api_keys::revoked_at.is_null());
    let revoked = diesel::update(live).set(api_keys::revoked_at.eq(at)).execute(conn).await? == 1;
    let key = api_keys::table.find(id).select(ApiKey::as_select()).first(conn).await.optional()?;
    Ok((key, revoked))
}
