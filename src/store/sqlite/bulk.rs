//! Changes of many rows: one hop to the connection's thread, then a prepared statement per row.

use diesel::{QueryResult, RunQueryDsl, prelude::*, sql_query};

use super::Connection;
use crate::store::{
    changes::{AccountChange, BucketChange, EventChange, RefundChange, ScoreChange, TotalsChange},
    schema::{board_scores, events, refunds},
    sql_types::{Int4, Int8, Nullable, Text, Timestamptz, Uuid},
};

/// Places in the order of decisions. There is one writer, so the next one follows the largest.
pub async fn next_decided(conn: &mut Connection, how_many: usize) -> QueryResult<Vec<i64>> {
    let largest: i64 = conn
        .spawn_blocking(|conn| {
            let in_events: Option<i64> = events::table.select(diesel::dsl::max(events::decided_no)).first(conn)?;
            let in_refunds: Option<i64> = refunds::table.select(diesel::dsl::max(refunds::decided_no)).first(conn)?;
            Ok(in_events.max(in_refunds).unwrap_or(0))
        })
        .await?;
    Ok((1..).take(how_many).map(|step| largest + step).collect())
}

/// Adds to counters and raises their versions.
pub async fn add_totals(conn: &mut Connection, changes: Vec<TotalsChange>) -> QueryResult<()> {
    const TEXT: &str = "UPDATE user_totals SET version = version + 1, network = network + ?, \
        network_at = CASE WHEN ? IS NULL THEN network_at ELSE max(coalesce(network_at, 0), ?) END, \
        signups_1 = signups_1 + ?, signups_2 = signups_2 + ?, signups_3 = signups_3 + ?, signups_4 = \
        signups_4 + ?, signups_5 = signups_5 + ?, signups_6 = signups_6 + ?, signups_7 = signups_7 + ?, \
        signups_8 = signups_8 + ?, signups_9 = signups_9 + ?, signups_10 = signups_10 + ?, completed_1 = \
        completed_1 + ?, completed_2 = completed_2 + ?, completed_3 = completed_3 + ?, completed_4 = \
        completed_4 + ?, completed_5 = completed_5 + ?, completed_6 = completed_6 + ?, completed_7 = \
        completed_7 + ?, completed_8 = completed_8 + ?, completed_9 = completed_9 + ?, completed_10 = \
        completed_10 + ? \
        WHERE user_id = ?";
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            let query = sql_query(TEXT)
                .bind::<Int4, _>(change.network())
                .bind::<Nullable<Timestamptz>, _>(change.newest)
                .bind::<Nullable<Timestamptz>, _>(change.newest)
                .into_boxed::<diesel::sqlite::Sqlite>();
            let levels = change.signups.into_iter().chain(change.completed);
            let query = levels.fold(query, |query, level| query.bind::<Int4, _>(level));
            query.bind::<Uuid, _>(change.user).execute(conn).map(drop)
        })
    })
    .await
}

/// Writes what was decided about events.
pub async fn decide_events(conn: &mut Connection, changes: Vec<EventChange>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            let row = diesel::update(events::table.find(change.id));
            row.set((
                events::remaining.eq(change.remaining),
                events::decided_no.eq(change.decided_no),
                events::decisions.eq(change.decisions),
            ))
            .execute(conn)
            .map(drop)
        })
    })
    .await
}

/// Writes what was decided about refunds.
pub async fn decide_refunds(conn: &mut Connection, changes: Vec<RefundChange>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            let row = diesel::update(refunds::table.find(change.id));
            row.set((
                refunds::event_id.eq(change.event),
                refunds::applied.eq(change.applied),
                refunds::decided_no.eq(change.decided_no),
            ))
            .execute(conn)
            .map(drop)
        })
    })
    .await
}

/// Adds to balances, opening accounts that are not there yet.
pub async fn add_accounts(conn: &mut Connection, changes: Vec<AccountChange>) -> QueryResult<()> {
    const OPEN: &str = "INSERT INTO accounts (user_id, currency) VALUES (?, ?) ON CONFLICT DO NOTHING";
    const ADD: &str = "UPDATE accounts SET pending = pending + ?, available = available + ?, withheld = withheld + ?, \
        claimed = claimed + ?, paid = paid + ?, debt = debt + ? WHERE user_id = ? AND currency = ?";
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            sql_query(OPEN).bind::<Uuid, _>(change.user).bind::<Text, _>(&change.currency).execute(conn)?;
            sql_query(ADD)
                .bind::<Int8, _>(change.pending)
                .bind::<Int8, _>(change.available)
                .bind::<Int8, _>(change.withheld)
                .bind::<Int8, _>(change.claimed)
                .bind::<Int8, _>(change.paid)
                .bind::<Int8, _>(change.debt)
                .bind::<Uuid, _>(change.user)
                .bind::<Text, _>(&change.currency)
                .execute(conn)
                .map(drop)
        })
    })
    .await
}

/// Sets scores; a score of nothing leaves the board.
pub async fn set_scores(conn: &mut Connection, changes: Vec<ScoreChange>) -> QueryResult<()> {
    const SET: &str = "INSERT INTO board_scores (program_id, metric, period, starts_at, user_id, score, reached_at) \
        VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (program_id, metric, period, starts_at, user_id) \
        DO UPDATE SET score = excluded.score, reached_at = excluded.reached_at";
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            if change.score == 0 {
                let key = (change.program, change.metric, change.period, change.starts_at, change.user);
                return diesel::delete(board_scores::table.find(key)).execute(conn).map(drop);
            }
            sql_query(SET)
                .bind::<Uuid, _>(change.program)
                .bind::<Text, _>(change.metric)
                .bind::<Text, _>(change.period)
                .bind::<Timestamptz, _>(change.starts_at)
                .bind::<Uuid, _>(change.user)
                .bind::<Int8, _>(change.score)
                .bind::<Timestamptz, _>(change.reached_at)
                .execute(conn)
                .map(drop)
        })
    })
    .await
}

/// Adds to histograms.
pub async fn add_buckets(conn: &mut Connection, changes: Vec<BucketChange>) -> QueryResult<()> {
    const OPEN: &str = "INSERT INTO board_histogram (program_id, metric, period, starts_at, bucket, users) \
        VALUES (?, ?, ?, ?, ?, 0) ON CONFLICT DO NOTHING";
    const ADD: &str = "UPDATE board_histogram SET users = users + ? \
        WHERE program_id = ? AND metric = ? AND period = ? AND starts_at = ? AND bucket = ?";
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            sql_query(OPEN)
                .bind::<Uuid, _>(change.program)
                .bind::<Text, _>(change.metric)
                .bind::<Text, _>(change.period)
                .bind::<Timestamptz, _>(change.starts_at)
                .bind::<Int8, _>(change.bucket)
                .execute(conn)?;
            sql_query(ADD)
                .bind::<Int8, _>(change.users)
                .bind::<Uuid, _>(change.program)
                .bind::<Text, _>(change.metric)
                .bind::<Text, _>(change.period)
                .bind::<Timestamptz, _>(change.starts_at)
                .bind::<Int8, _>(change.bucket)
                .execute(conn)
                .map(drop)
        })
    })
    .await
}
