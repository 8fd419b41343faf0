//! Balances and the ledger.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{super::append, Connection};
use crate::{
    domain::id::Id,
    store::{
        fanout::Window,
        models::{Account, NewTransfer, Transfer},
        schema::{accounts, transfers},
    },
};

/// Balances of these users, by currency.
pub async fn of_users(conn: &mut Connection, users: &[Id]) -> QueryResult<Vec<Account>> {
    let query = accounts::table.filter(accounts::user_id.eq_any(users.to_vec()));
    query.order((accounts::user_id, accounts::currency)).select(Account::as_select()).load(conn).await
}

/// Locks the balances of these users in the order of their keys.
pub async fn lock(conn: &mut Connection, users: Vec<Id>) -> QueryResult<Vec<Account>> {
    let query = accounts::table.filter(accounts::user_id.eq_any(users));
    for_update!(query.order((accounts::user_id, accounts::currency)).select(Account::as_select())).load(conn).await
}

/// Adds movements to the ledger.
pub async fn insert_transfers(conn: &mut Connection, rows: Vec<NewTransfer>) -> QueryResult<()> {
    append::transfers(conn, rows).await
}

/// A page of a user's transfers, newest first. The ids of a window hold the transfers' numbers.
pub async fn transfers_of(conn: &mut Connection, user: Id, window: Window) -> QueryResult<Vec<Transfer>> {
    let number = |id: Id| i64::try_from(id.uuid().as_u128()).unwrap_or(i64::MAX);
    let mut query = transfers::table.filter(transfers::user_id.eq(user)).select(Transfer::as_select()).into_boxed();
    query = window.after.into_iter().fold(query, |query, id| query.filter(transfers::id.lt(number(id))));
    query = window.before.into_iter().fold(query, |query, id| query.filter(transfers::id.gt(number(id))));
    let query = if window.from_end { query.order(transfers::id.asc()) } else { query.order(transfers::id.desc()) };
    query.limit(window.limit).load(conn).await
}
