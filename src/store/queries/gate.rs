//! The fold gate: shared by whoever folds, taken alone by whoever moves subtrees or recounts.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::store::schema::fold_gate;

/// The row that is locked.
const GATE: i32 = 1;
/// The row that says who waits; a row of its own, or marking it would have to wait for the sharers as well.
const MARK: i32 = 2;

/// Until which second (Unix time) somebody wants the gate alone.
pub async fn wanted_until(conn: &mut Connection) -> QueryResult<i64> {
    fold_gate::table.find(MARK).select(fold_gate::wanted_until_second).first(conn).await
}

/// Asks those who fold to pause until a second (Unix time): a lease, so that whoever asked and died stops nobody.
pub async fn want_until(conn: &mut Connection, second: i64) -> QueryResult<()> {
    let mark = diesel::update(fold_gate::table.find(MARK)).set(fold_gate::wanted_until_second.eq(second));
    mark.execute(conn).await.map(drop)
}

/// Passes the gate together with others.
pub async fn share(conn: &mut Connection) -> QueryResult<()> {
    let _passed: i32 = for_share!(fold_gate::table.find(GATE).select(fold_gate::id)).first(conn).await?;
    Ok(())
}

/// Passes the gate alone.
pub async fn take(conn: &mut Connection) -> QueryResult<()> {
    let _passed: i32 = for_update!(fold_gate::table.find(GATE).select(fold_gate::id)).first(conn).await?;
    Ok(())
}
