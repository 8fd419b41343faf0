//! What was used of caps.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, time::Timestamp},
    store::{
        models::Cap,
        requests::{CountedReward, UserRange},
        schema::{caps, events, rewards},
    },
};

/// Makes rows for caps that have none yet, and locks all of them in the order of their keys.
pub async fn open_and_lock(conn: &mut Connection, rows: Vec<Cap>) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    insert_all!(conn, caps::table, rows.clone(), on_conflict_do_nothing);
    let (programs, rules, scopes, starts) = keys(rows);
    let locked = caps::table
        .filter(caps::program_id.eq_any(programs).and(caps::rule_key.eq_any(rules)))
        .filter(caps::scope.eq_any(scopes).and(caps::starts_at.eq_any(starts)))
        .order((caps::program_id, caps::rule_key, caps::scope, caps::starts_at))
        .select(caps::used_count);
    let _locked: Vec<i64> = for_update!(locked).load(conn).await?;
    Ok(())
}

/// The stored rows of these caps; there may be others among them.
pub async fn of(conn: &mut Connection, rows: Vec<Cap>) -> QueryResult<Vec<Cap>> {
    let (programs, rules, scopes, starts) = keys(rows);
    caps::table
        .filter(caps::program_id.eq_any(programs).and(caps::rule_key.eq_any(rules)))
        .filter(caps::scope.eq_any(scopes).and(caps::starts_at.eq_any(starts)))
        .select(Cap::as_select())
        .load(conn)
        .await
}

/// Rewards of these rules that a range of users was granted, with when their events were accepted.
pub async fn counted(conn: &mut Connection, range: UserRange, rules: Vec<String>) -> QueryResult<Vec<CountedReward>> {
    let granted = rewards::table.inner_join(events::table).filter(rewards::user_id.between(range.first, range.last));
    let columns = (
        rewards::user_id,
        rewards::program_id,
        rewards::program_version,
        rewards::rule_key,
        rewards::amount,
        events::received_at,
    );
    granted.filter(rewards::rule_key.eq_any(rules)).select(columns).load(conn).await
}

/// What is stored of these rules' caps of these scopes.
pub async fn of_scopes(
    conn: &mut Connection,
    (programs, rules): (Vec<Id>, Vec<String>),
    scopes: Vec<String>,
) -> QueryResult<Vec<Cap>> {
    let query = caps::table.filter(caps::program_id.eq_any(programs).and(caps::rule_key.eq_any(rules)));
    query.filter(caps::scope.eq_any(scopes)).select(Cap::as_select()).load(conn).await
}

type Keys = (BTreeSet<Id>, BTreeSet<String>, BTreeSet<String>, BTreeSet<Timestamp>);

/// The parts of the keys, each once.
fn keys(rows: Vec<Cap>) -> Keys {
    let part = |row: Cap| ((row.program_id, row.rule_key), (row.scope, row.starts_at));
    let (first, second): (Vec<_>, Vec<_>) = rows.into_iter().map(part).unzip();
    let (programs, rules) = first.into_iter().unzip();
    let (scopes, starts) = second.into_iter().unzip();
    (programs, rules, scopes, starts)
}
