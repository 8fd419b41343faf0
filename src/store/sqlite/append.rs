//! Rows that a fold appends: one hop to the connection's thread a table, then a prepared statement a row.
//!
//! Columns are set one by one with `eq`, so that the text is the same for every row and is prepared once; see `load`.

use diesel::{QueryResult, RunQueryDsl, prelude::*};

use super::Connection;
use crate::store::{
    models::{NewBoardDelta, NewRewardMove, NewTransfer, Reward},
    schema::{board_deltas as delta, reward_moves as moved, rewards as reward, transfers as transfer},
};

/// Adds rewards.
pub async fn rewards(conn: &mut Connection, rows: Vec<Reward>) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    conn.spawn_blocking(move |conn| {
        rows.into_iter().try_for_each(|row| {
            let insert = diesel::insert_into(reward::table).values((
                reward::id.eq(row.id),
                reward::user_id.eq(row.user_id),
                reward::event_id.eq(row.event_id),
                reward::referred_id.eq(row.referred_id),
                reward::program_id.eq(row.program_id),
                reward::program_version.eq(row.program_version),
                reward::rule_key.eq(row.rule_key),
                reward::kind.eq(row.kind),
                reward::level.eq(row.level),
                reward::currency.eq(row.currency),
                reward::amount.eq(row.amount),
                reward::net.eq(row.net),
                reward::taken.eq(row.taken),
                reward::status.eq(row.status),
                reward::explanation.eq(row.explanation),
                reward::available_at.eq(row.available_at),
                reward::expires_at.eq(row.expires_at),
                reward::claim_id.eq(row.claim_id),
                reward::changed_version.eq(row.changed_version),
                reward::created_at.eq(row.created_at),
            ));
            insert.execute(conn).map(drop)
        })
    })
    .await
}

/// Adds movements to the ledger.
pub async fn transfers(conn: &mut Connection, rows: Vec<NewTransfer>) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    conn.spawn_blocking(move |conn| {
        rows.into_iter().try_for_each(|row| {
            let insert = diesel::insert_into(transfer::table).values((
                transfer::user_id.eq(row.user_id),
                transfer::currency.eq(row.currency),
                transfer::from_account.eq(row.from_account),
                transfer::to_account.eq(row.to_account),
                transfer::amount.eq(row.amount),
                transfer::reward_id.eq(row.reward_id),
                transfer::claim_id.eq(row.claim_id),
                transfer::reason.eq(row.reason),
                transfer::created_at.eq(row.created_at),
            ));
            insert.execute(conn).map(drop)
        })
    })
    .await
}

/// Adds moves to the history of rewards.
pub async fn reward_moves(conn: &mut Connection, rows: Vec<NewRewardMove>) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    conn.spawn_blocking(move |conn| {
        rows.into_iter().try_for_each(|row| diesel::insert_into(moved::table).values(row).execute(conn).map(drop))
    })
    .await
}

/// Adds changes for boards to take in.
pub async fn board_deltas(conn: &mut Connection, rows: Vec<NewBoardDelta>) -> QueryResult<()> {
    if rows.is_empty() {
        return Ok(());
    }
    conn.spawn_blocking(move |conn| {
        rows.into_iter().try_for_each(|row| diesel::insert_into(delta::table).values(row).execute(conn).map(drop))
    })
    .await
}
