//! Rows that a fold appends: one statement a table, its rows passed as arrays.
//!
//! A statement with a parameter for each value is as long as its rows are many: building, sending and parsing it costs
//! more than the rows do.

use diesel::{
    QueryResult, sql_query,
    sql_types::{Array, Nullable},
};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::store::{
    models::{NewBoardDelta, NewRewardMove, NewTransfer, Reward},
    sql_types::{Int4, Int8, Text, Timestamptz, Uuid},
};

/// One column of all rows.
fn column<'r, R, T>(rows: &'r [R], of: impl Fn(&'r R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Adds rewards.
pub async fn rewards(conn: &mut Connection, rows: Vec<Reward>) -> QueryResult<()> {
    const TEXT: &str = "INSERT INTO rewards (id, user_id, event_id, referred_id, program_id, program_version, rule_key, \
        kind, level, currency, amount, net, taken, status, explanation, available_at, expires_at, claim_id, \
        changed_version, created_at) \
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::int[], $7::text[], \
        $8::text[], $9::int[], $10::text[], $11::bigint[], $12::bigint[], $13::bigint[], $14::text[], $15::text[], \
        $16::timestamptz[], $17::timestamptz[], $18::uuid[], $19::bigint[], $20::timestamptz[])";
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.id))
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.user_id))
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.event_id))
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.referred_id))
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.program_id))
        .bind::<Array<Int4>, _>(column(&rows, |row| row.program_version))
        .bind::<Array<Text>, _>(column(&rows, |row| row.rule_key.as_str()))
        .bind::<Array<Text>, _>(column(&rows, |row| row.kind.as_str()))
        .bind::<Array<Int4>, _>(column(&rows, |row| row.level))
        .bind::<Array<Text>, _>(column(&rows, |row| row.currency.as_str()))
        .bind::<Array<Int8>, _>(column(&rows, |row| row.amount))
        .bind::<Array<Int8>, _>(column(&rows, |row| row.net))
        .bind::<Array<Int8>, _>(column(&rows, |row| row.taken))
        .bind::<Array<Text>, _>(column(&rows, |row| row.status))
        .bind::<Array<Text>, _>(column(&rows, |row| row.explanation.as_str()))
        .bind::<Array<Timestamptz>, _>(column(&rows, |row| row.available_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(&rows, |row| row.expires_at))
        .bind::<Array<Nullable<Uuid>>, _>(column(&rows, |row| row.claim_id))
        .bind::<Array<Int8>, _>(column(&rows, |row| row.changed_version))
        .bind::<Array<Timestamptz>, _>(column(&rows, |row| row.created_at))
        .execute(conn)
        .await
        .map(drop)
}

/// Adds movements to the ledger.
pub async fn transfers(conn: &mut Connection, rows: Vec<NewTransfer>) -> QueryResult<()> {
    const TEXT: &str = "INSERT INTO transfers (user_id, currency, from_account, to_account, amount, reward_id, claim_id, \
        reason, created_at) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::uuid[], $7::uuid[], \
        $8::text[], $9::timestamptz[])";
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.user_id))
        .bind::<Array<Text>, _>(column(&rows, |row| row.currency.as_str()))
        .bind::<Array<Text>, _>(column(&rows, |row| row.from_account.as_str()))
        .bind::<Array<Text>, _>(column(&rows, |row| row.to_account.as_str()))
        .bind::<Array<Int8>, _>(column(&rows, |row| row.amount))
        .bind::<Array<Nullable<Uuid>>, _>(column(&rows, |row| row.reward_id))
        .bind::<Array<Nullable<Uuid>>, _>(column(&rows, |row| row.claim_id))
        .bind::<Array<Text>, _>(column(&rows, |row| row.reason.as_str()))
        .bind::<Array<Timestamptz>, _>(column(&rows, |row| row.created_at))
        .execute(conn)
        .await
        .map(drop)
}

/// Adds moves to the history of rewards.
pub async fn reward_moves(conn: &mut Connection, rows: Vec<NewRewardMove>) -> QueryResult<()> {
    const TEXT: &str = "INSERT INTO reward_moves (reward_id, from_status, to_status, net, actor, reason, created_at) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[])";
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.reward_id))
        .bind::<Array<Text>, _>(column(&rows, |row| row.from_status))
        .bind::<Array<Text>, _>(column(&rows, |row| row.to_status))
        .bind::<Array<Int8>, _>(column(&rows, |row| row.net))
        .bind::<Array<Text>, _>(column(&rows, |row| row.actor.as_str()))
        .bind::<Array<Text>, _>(column(&rows, |row| row.reason.as_str()))
        .bind::<Array<Timestamptz>, _>(column(&rows, |row| row.created_at))
        .execute(conn)
        .await
        .map(drop)
}

/// Adds changes for boards to take in.
pub async fn board_deltas(conn: &mut Connection, rows: Vec<NewBoardDelta>) -> QueryResult<()> {
    const TEXT: &str = "INSERT INTO board_deltas (program_id, metric, user_id, amount, at) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::timestamptz[])";
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.program_id))
        .bind::<Array<Text>, _>(column(&rows, |row| row.metric))
        .bind::<Array<Uuid>, _>(column(&rows, |row| row.user_id))
        .bind::<Array<Int8>, _>(column(&rows, |row| row.amount))
        .bind::<Array<Timestamptz>, _>(column(&rows, |row| row.at))
        .execute(conn)
        .await
        .map(drop)
}
