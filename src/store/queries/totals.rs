//! Counters of networks.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, time::Timestamp},
    store::{models::Totals, schema::user_totals},
};

/// Counters of these users.
pub async fn of_users(conn: &mut Connection, users: &[Id]) -> QueryResult<Vec<Totals>> {
    user_totals::table.filter(user_totals::user_id.eq_any(users.to_vec())).select(Totals::as_select()).load(conn).await
}

/// Locks the counters of these users in the order of their ids and gives their versions.
pub async fn lock(conn: &mut Connection, users: Vec<Id>) -> QueryResult<Vec<(Id, i64)>> {
    let query = user_totals::table.filter(user_totals::user_id.eq_any(users)).order(user_totals::user_id);
    for_update!(query.select((user_totals::user_id, user_totals::version))).load(conn).await
}

/// Adds empty counters for new users.
pub async fn insert_empty(conn: &mut Connection, users: Vec<Id>) -> QueryResult<()> {
    let rows: Vec<Empty> = users.into_iter().map(|user_id| Empty { user_id }).collect();
    insert_all!(conn, user_totals::table, rows);
    Ok(())
}

/// Raises the version of one user's totals and gives the new one.
pub async fn bump(conn: &mut Connection, user: Id) -> QueryResult<i64> {
    let update = diesel::update(user_totals::table.find(user)).set(user_totals::version.eq(user_totals::version + 1));
    update.returning(user_totals::version).get_result(conn).await
}

/// Sets the size of a user's network and when the newest of it came.
pub async fn set_network(conn: &mut Connection, user: Id, network: i32, newest: Option<Timestamp>) -> QueryResult<()> {
    let update = diesel::update(user_totals::table.find(user));
    update.set((user_totals::network.eq(network), user_totals::network_at.eq(newest))).execute(conn).await.map(drop)
}

/// Sets when the newest of a user's network came.
pub async fn set_newest(conn: &mut Connection, user: Id, newest: Option<Timestamp>) -> QueryResult<()> {
    let update = diesel::update(user_totals::table.find(user)).set(user_totals::network_at.eq(newest));
    update.execute(conn).await.map(drop)
}

/// Counters of users in the order of their ids, from after one on.
pub async fn page(conn: &mut Connection, after: Option<Id>, limit: i64) -> QueryResult<Vec<Totals>> {
    let mut query = user_totals::table.select(Totals::as_select()).into_boxed();
    if let Some(after) = after {
        query = query.filter(user_totals::user_id.gt(after));
    }
    query.order(user_totals::user_id).limit(limit).load(conn).await
}

/// One place on the board of networks.
pub type NetworkPlace = (Id, i32, Option<Timestamp>);

/// Users with the largest networks, from after a place on.
pub async fn network_page(
    conn: &mut Connection,
    after: Option<NetworkPlace>,
    limit: i64,
) -> QueryResult<Vec<NetworkPlace>> {
    let mut query = user_totals::table.filter(user_totals::network.gt(0)).into_boxed();
    if let Some((user, network, at)) = after {
        query = query.filter(
            user_totals::network
                .lt(network)
                .or(user_totals::network.eq(network).and(user_totals::network_at.gt(at)))
                .or(user_totals::network
                    .eq(network)
                    .and(user_totals::network_at.eq(at))
                    .and(user_totals::user_id.gt(user))),
        );
    }
    query
        .order((user_totals::network.desc(), user_totals::network_at.asc(), user_totals::user_id.asc()))
        .select((user_totals::user_id, user_totals::network, user_totals::network_at))
        .limit(limit)
        .load(conn)
        .await
}

#[derive(Insertable)]
#[diesel(table_name = user_totals)]
struct Empty {
    user_id: Id,
}
