//! Changes of many rows: one hop to the connection's thread, then a prepared statement per row.
//!
//! Written with diesel's builder throughout: what comes from `sql_query` is prepared anew for each row.

use diesel::{QueryResult, RunQueryDsl, prelude::*, query_source::Table, upsert::excluded};

use super::Connection;
use crate::store::{
    changes::{AccountChange, BucketChange, EventChange, RefundChange, ScoreChange, TotalsChange},
    schema::{accounts, board_histogram, board_scores, events, refunds, user_totals},
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

/// The assignment of columns raised by an amount each.
macro_rules! raised {
    ($table:ident: $($column:ident += $by:expr),+ $(,)?) => { ($($table::$column.eq($table::$column + $by),)+) };
}

/// Adds to counters and raises their versions.
pub async fn add_totals(conn: &mut Connection, changes: Vec<TotalsChange>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            let network = change.network();
            let TotalsChange { user, signups, completed, newest, .. } = change;
            let row = user_totals::table.find(user);
            diesel::update(row)
                .set(raised!(user_totals: version += 1, network += network, signups_1 += signups[0], signups_2 += signups[1], signups_3 += signups[2], signups_4 += signups[3], signups_5 += signups[4], signups_6 += signups[5], signups_7 += signups[6], signups_8 += signups[7], signups_9 += signups[8], signups_10 += signups[9], completed_1 += completed[0], completed_2 += completed[1], completed_3 += completed[2], completed_4 += completed[3], completed_5 += completed[4], completed_6 += completed[5], completed_7 += completed[6], completed_8 += completed[7], completed_9 += completed[8], completed_10 += completed[9]))
                .execute(conn)?;
            let Some(newest) = newest else { return Ok(()) };
            let older = user_totals::network_at.is_null().or(user_totals::network_at.lt(newest));
            diesel::update(row.filter(older)).set(user_totals::network_at.eq(newest)).execute(conn).map(drop)
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
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            let key = (accounts::user_id.eq(change.user), accounts::currency.eq(&change.currency));
            diesel::insert_into(accounts::table).values(key).on_conflict_do_nothing().execute(conn)?;
            diesel::update(accounts::table.find((change.user, &change.currency)))
                .set(raised!(accounts:
                    pending += change.pending,
                    available += change.available,
                    withheld += change.withheld,
                    claimed += change.claimed,
                    paid += change.paid,
                    debt += change.debt,
                ))
                .execute(conn)
                .map(drop)
        })
    })
    .await
}

/// Sets scores; a score of nothing leaves the board.
pub async fn set_scores(conn: &mut Connection, changes: Vec<ScoreChange>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            let ScoreChange { program, metric, period, starts_at, user, score, reached_at } = change;
            if score == 0 {
                let row = board_scores::table.find((program, metric, period, starts_at, user));
                return diesel::delete(row).execute(conn).map(drop);
            }
            diesel::insert_into(board_scores::table)
                .values((
                    board_scores::program_id.eq(program),
                    board_scores::metric.eq(metric),
                    board_scores::period.eq(period),
                    board_scores::starts_at.eq(starts_at),
                    board_scores::user_id.eq(user),
                    board_scores::score.eq(score),
                    board_scores::reached_at.eq(reached_at),
                ))
                .on_conflict(board_scores::table.primary_key())
                .do_update()
                .set((
                    board_scores::score.eq(excluded(board_scores::score)),
                    board_scores::reached_at.eq(excluded(board_scores::reached_at)),
                ))
                .execute(conn)
                .map(drop)
        })
    })
    .await
}

/// Adds to histograms.
pub async fn add_buckets(conn: &mut Connection, changes: Vec<BucketChange>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            let BucketChange { program, metric, period, starts_at, bucket, users } = change;
            diesel::insert_into(board_histogram::table)
                .values((
                    board_histogram::program_id.eq(program),
                    board_histogram::metric.eq(metric),
                    board_histogram::period.eq(period),
                    board_histogram::starts_at.eq(starts_at),
                    board_histogram::bucket.eq(bucket),
                    board_histogram::users.eq(0),
                ))
                .on_conflict_do_nothing()
                .execute(conn)?;
            diesel::update(board_histogram::table.find((program, metric, period, starts_at, bucket)))
                .set(raised!(board_histogram: users += users))
                .execute(conn)
                .map(drop)
        })
    })
    .await
}
