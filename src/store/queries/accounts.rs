//! Balances and the ledger.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        models::{Account, NewTransfer},
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
    insert_all!(conn, transfers::table, rows);
    Ok(())
}
