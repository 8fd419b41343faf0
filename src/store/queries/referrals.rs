//! The edges of the tree.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        fanout::FirstOfEach,
        models::Referral,
        requests::StatusChange,
        schema::{referrals, uncounted},
    },
};

/// The referrals that brought these users.
pub async fn of_referred(conn: &mut Connection, users: &[Id]) -> QueryResult<Vec<Referral>> {
    let query = referrals::table.filter(referrals::referred_id.eq_any(users.to_vec()));
    query.select(Referral::as_select()).load(conn).await
}

/// Referrals that users made: the first of each.
pub async fn made_by(conn: &mut Connection, fan: FirstOfEach) -> QueryResult<Vec<Referral>> {
    referrals::table.filter(fan).select(Referral::as_select()).load(conn).await
}

/// Adds a referral.
pub async fn insert(conn: &mut Connection, referral: Referral) -> QueryResult<()> {
    diesel::insert_into(referrals::table).values(referral).execute(conn).await.map(drop)
}

/// Adds many referrals that are counted later.
pub async fn insert_uncounted(conn: &mut Connection, rows: Vec<Referral>) -> QueryResult<()> {
    let marks: Vec<Uncounted> = rows.iter().map(|row| Uncounted { user_id: row.referred_id }).collect();
    insert_all!(conn, referrals::table, rows);
    insert_all!(conn, uncounted::table, marks);
    Ok(())
}

/// Imported referrals that no counter knows yet, locked.
pub async fn claim_uncounted(conn: &mut Connection, limit: i64) -> QueryResult<Vec<Id>> {
    skip_locked!(uncounted::table.order(uncounted::user_id).limit(limit).select(uncounted::user_id)).load(conn).await
}

/// Marks referrals as counted.
pub async fn mark_counted(conn: &mut Connection, users: Vec<Id>) -> QueryResult<usize> {
    diesel::delete(uncounted::table.filter(uncounted::user_id.eq_any(users))).execute(conn).await
}

/// Whether imported referrals wait to be counted.
pub async fn any_uncounted(conn: &mut Connection) -> QueryResult<bool> {
    let first: Option<Id> = uncounted::table.select(uncounted::user_id).first(conn).await.optional()?;
    Ok(first.is_some())
}

/// Moves a referral from one state to another; says whether it was in the first.
pub async fn change_status(conn: &mut Connection, change: StatusChange) -> QueryResult<bool> {
    let row = referrals::table.find(change.referred_id).filter(referrals::status.eq(change.from));
    let update =
        diesel::update(row).set((referrals::status.eq(change.to), referrals::completed_at.eq(change.completed_at)));
    update.execute(conn).await.map(|rows| rows == 1)
}

#[derive(Insertable)]
#[diesel(table_name = uncounted)]
struct Uncounted {
    user_id: Id,
}
