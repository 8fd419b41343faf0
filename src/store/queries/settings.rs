//! Facts about this installation.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::store::schema::settings;

/// A stored fact.
pub async fn get(conn: &mut Connection, key: &str) -> QueryResult<Option<String>> {
    settings::table.find(key).select(settings::value).first(conn).await.optional()
}

/// Stores a fact unless there is one, and gives the one that is there.
pub async fn keep(conn: &mut Connection, key: &str, value: &str) -> QueryResult<String> {
    let insert = diesel::insert_into(settings::table).values((settings::key.eq(key), settings::value.eq(value)));
    insert.on_conflict_do_nothing().execute(conn).await?;
    settings::table.find(key).select(settings::value).first(conn).await
}
