//! Signs of fraud on referrals and what they came to, and the locks under which they are weighed.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        fraud::{FoundSignal, Risk},
        schema::{fraud_rows, risks, signals},
    },
};

/// Locks the fraud rows of these referrers in the order of their ids; whoever has none yet gets one. Rows are made before
/// any is locked, so that two who make and lock some of the same never wait for each other in a circle.
pub async fn lock(conn: &mut Connection, referrers: Vec<Id>) -> QueryResult<()> {
    let there = fraud_rows::table.filter(fraud_rows::user_id.eq_any(referrers.clone())).select(fraud_rows::user_id);
    let there: Vec<Id> = there.load(conn).await?;
    let there: HashSet<Id> = there.into_iter().collect();
    let missing = referrers.iter().filter(|referrer| !there.contains(referrer));
    let missing: Vec<_> = missing.map(|referrer| fraud_rows::user_id.eq(*referrer)).collect();
    insert_all!(conn, fraud_rows::table, missing, on_conflict_do_nothing);
    let rows = fraud_rows::table.filter(fraud_rows::user_id.eq_any(referrers)).order(fraud_rows::user_id);
    let _locked: Vec<Id> = for_update!(rows.select(fraud_rows::user_id)).load(conn).await?;
    Ok(())
}

/// Signs that were found on these referrals, by sign.
pub async fn signals_of(conn: &mut Connection, referrals: &[Id]) -> QueryResult<Vec<FoundSignal>> {
    let query = signals::table.filter(signals::referred_id.eq_any(referrals.to_vec()));
    query.order((signals::referred_id, signals::signal)).select(FoundSignal::as_select()).load(conn).await
}

/// Adds signs, in one order, and not those that another worker found meanwhile: a ring in a tree may show on people of
/// several referrers, whose fraud rows are not all locked.
pub async fn insert_signals(conn: &mut Connection, mut rows: Vec<FoundSignal>) -> QueryResult<()> {
    rows.sort_unstable_by_key(|row| (row.referred_id, row.signal));
    insert_all!(conn, signals::table, rows, on_conflict_do_nothing);
    Ok(())
}

/// What the signs against these referrals came to; nothing where there were none.
pub async fn of_referrals(conn: &mut Connection, referrals: &[Id]) -> QueryResult<Vec<Risk>> {
    risks::table.filter(risks::referred_id.eq_any(referrals.to_vec())).select(Risk::as_select()).load(conn).await
}

/// Writes what the signs against a referral came to.
pub async fn keep(conn: &mut Connection, row: Risk) -> QueryResult<()> {
    let change = (
        risks::standing.eq(row.standing),
        risks::score.eq(row.score),
        risks::program_version.eq(row.program_version),
        risks::rejected_no.eq(row.rejected_no),
        risks::changed_at.eq(row.changed_at),
    );
    let insert = diesel::insert_into(risks::table).values(row).on_conflict(risks::referred_id).do_update();
    insert.set(change).execute(conn).await.map(drop)
}
