//! Changes of many rows: one hop to the connection's thread, then one statement over all of them.

use diesel::{
    QueryResult, RunQueryDsl, SqliteConnection, prelude::*, query_source::Table, sql_query, sql_types::Text,
    upsert::excluded,
};
use serde_json::{Value, json};

use super::Connection;
use crate::{
    domain::{id::Id, time::Timestamp},
    store::{
        changes::{AccountChange, BucketChange, CapChange, EventChange, RefundChange, ScoreChange, TotalsChange},
        requests::StatusChange,
        schema::{board_scores, caps, events, refunds, reviews, risks},
    },
};

/// Places in the order of decisions. There is one writer, so the next one follows the largest.
pub async fn next_decided(conn: &mut Connection, how_many: usize) -> QueryResult<Vec<i64>> {
    let largest: i64 = conn
        .spawn_blocking(|conn| {
            let in_events: Option<i64> = events::table.select(diesel::dsl::max(events::decided_no)).first(conn)?;
            let in_refunds: Option<i64> = refunds::table.select(diesel::dsl::max(refunds::decided_no)).first(conn)?;
            let in_risks: Option<i64> = risks::table.select(diesel::dsl::max(risks::rejected_no)).first(conn)?;
            let held: Option<i64> = reviews::table.select(diesel::dsl::max(reviews::seq)).first(conn)?;
            let in_reviews: Option<i64> = reviews::table.select(diesel::dsl::max(reviews::decided_no)).first(conn)?;
            Ok([in_events, in_refunds, in_risks, held, in_reviews].into_iter().flatten().max().unwrap_or(0))
        })
        .await?;
    Ok((1..).take(how_many).map(|step| largest + step).collect())
}

/// Runs one statement over many rows, which it reads as JSON arrays from its only parameter: diesel never keeps an UPDATE
/// prepared, and preparing one for each row costs more than the change.
fn over(conn: &mut SqliteConnection, text: &'static str, rows: Vec<Value>) -> QueryResult<()> {
    sql_query(text).bind::<Text, _>(Value::Array(rows).to_string()).execute(conn).map(drop)
}

/// An id as SQLite's `unhex` reads it.
fn hex(id: Id) -> String {
    id.uuid().simple().to_string()
}

/// Adds to counters and raises their versions.
pub async fn add_totals(conn: &mut Connection, changes: Vec<TotalsChange>) -> QueryResult<()> {
    const TEXT: &str = "UPDATE user_totals AS t SET version = t.version + 1, network = t.network + (d.v ->> 2), \
        network_at = coalesce(max(t.network_at, d.v ->> 1), t.network_at, d.v ->> 1), signups_1 = t.signups_1 + (d.v ->> 3), signups_2 = t.signups_2 + (d.v ->> 4), \
        signups_3 = t.signups_3 + (d.v ->> 5), signups_4 = t.signups_4 + (d.v ->> 6), \
        signups_5 = t.signups_5 + (d.v ->> 7), signups_6 = t.signups_6 + (d.v ->> 8), \
        signups_7 = t.signups_7 + (d.v ->> 9), signups_8 = t.signups_8 + (d.v ->> 10), \
        signups_9 = t.signups_9 + (d.v ->> 11), signups_10 = t.signups_10 + (d.v ->> 12), \
        completed_1 = t.completed_1 + (d.v ->> 13), completed_2 = t.completed_2 + (d.v ->> 14), \
        completed_3 = t.completed_3 + (d.v ->> 15), completed_4 = t.completed_4 + (d.v ->> 16), \
        completed_5 = t.completed_5 + (d.v ->> 17), completed_6 = t.completed_6 + (d.v ->> 18), \
        completed_7 = t.completed_7 + (d.v ->> 19), completed_8 = t.completed_8 + (d.v ->> 20), \
        completed_9 = t.completed_9 + (d.v ->> 21), completed_10 = t.completed_10 + (d.v ->> 22) \
        FROM (SELECT value AS v FROM json_each(?)) AS d WHERE t.user_id = unhex(d.v ->> 0)";
    let row = |change: TotalsChange| {
        let newest = change.newest.map(Timestamp::micros);
        let mut row = vec![json!(hex(change.user)), json!(newest), json!(change.network())];
        row.extend(change.signups.into_iter().chain(change.completed).map(Value::from));
        Value::Array(row)
    };
    let rows = changes.into_iter().map(row).collect();
    conn.spawn_blocking(move |conn| over(conn, TEXT, rows)).await
}

/// Writes what was decided about events.
pub async fn decide_events(conn: &mut Connection, changes: Vec<EventChange>) -> QueryResult<()> {
    const TEXT: &str = "UPDATE events AS t SET remaining = d.v ->> 1, decided_no = d.v ->> 2, \
        decisions = d.v ->> 3 FROM (SELECT value AS v FROM json_each(?)) AS d WHERE t.id = unhex(d.v ->> 0)";
    let row = |change: EventChange| json!([hex(change.id), change.remaining, change.decided_no, change.decisions]);
    let rows = changes.into_iter().map(row).collect();
    conn.spawn_blocking(move |conn| over(conn, TEXT, rows)).await
}

/// Moves referrals from one state to another; says how many were in the first.
pub async fn change_referrals(conn: &mut Connection, changes: Vec<StatusChange>) -> QueryResult<usize> {
    const TEXT: &str = "UPDATE referrals AS t SET status = d.v ->> 2, completed_at = d.v ->> 3, \
        rejected_at = d.v ->> 4 \
        FROM (SELECT value AS v FROM json_each(?)) AS d WHERE t.referred_id = unhex(d.v ->> 0) AND t.status = d.v ->> 1";
    let row = |change: StatusChange| {
        let StatusChange { referred_id, from, to, completed_at, rejected_at } = change;
        let (completed_at, rejected_at) = (completed_at.map(Timestamp::micros), rejected_at.map(Timestamp::micros));
        json!([hex(referred_id), from.word(), to.word(), completed_at, rejected_at])
    };
    let rows = Value::Array(changes.into_iter().map(row).collect()).to_string();
    conn.spawn_blocking(move |conn| sql_query(TEXT).bind::<Text, _>(rows).execute(conn)).await
}

/// Writes what was decided about refunds.
pub async fn decide_refunds(conn: &mut Connection, changes: Vec<RefundChange>) -> QueryResult<()> {
    const TEXT: &str = "UPDATE refunds AS t SET event_id = unhex(d.v ->> 1), applied = d.v ->> 2, \
        decided_no = d.v ->> 3 FROM (SELECT value AS v FROM json_each(?)) AS d WHERE t.id = unhex(d.v ->> 0)";
    let row = |change: RefundChange| json!([hex(change.id), hex(change.event), change.applied, change.decided_no]);
    let rows = changes.into_iter().map(row).collect();
    conn.spawn_blocking(move |conn| over(conn, TEXT, rows)).await
}

/// Adds to balances, opening accounts that are not there yet.
pub async fn add_accounts(conn: &mut Connection, changes: Vec<AccountChange>) -> QueryResult<()> {
    const OPEN: &str = "INSERT INTO accounts (user_id, currency) \
        SELECT unhex(value ->> 0), value ->> 1 FROM json_each(?) WHERE true ON CONFLICT DO NOTHING";
    const ADD: &str = "UPDATE accounts AS t SET pending = t.pending + (d.v ->> 2), \
        available = t.available + (d.v ->> 3), withheld = t.withheld + (d.v ->> 4), \
        claimed = t.claimed + (d.v ->> 5), paid = t.paid + (d.v ->> 6), debt = t.debt + (d.v ->> 7) \
        FROM (SELECT value AS v FROM json_each(?)) AS d \
        WHERE t.user_id = unhex(d.v ->> 0) AND t.currency = d.v ->> 1";
    let row = |change: AccountChange| {
        let AccountChange { user, currency, pending, available, withheld, claimed, paid, debt } = change;
        json!([hex(user), currency, pending, available, withheld, claimed, paid, debt])
    };
    let rows: Vec<Value> = changes.into_iter().map(row).collect();
    conn.spawn_blocking(move |conn| {
        over(conn, OPEN, rows.clone())?;
        over(conn, ADD, rows)
    })
    .await
}

/// Sets what was used of caps.
pub async fn set_caps(conn: &mut Connection, changes: Vec<CapChange>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        changes.into_iter().try_for_each(|change| {
            diesel::insert_into(caps::table)
                .values(change)
                .on_conflict(caps::table.primary_key())
                .do_update()
                .set((
                    caps::used_count.eq(excluded(caps::used_count)),
                    caps::used_amount.eq(excluded(caps::used_amount)),
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
    const OPEN: &str = "INSERT INTO board_histogram (program_id, metric, period, starts_at, bucket, users) \
        SELECT unhex(value ->> 0), value ->> 1, value ->> 2, value ->> 3, value ->> 4, 0 FROM json_each(?) \
        WHERE true ON CONFLICT DO NOTHING";
    const ADD: &str = "UPDATE board_histogram AS t SET users = t.users + (d.v ->> 5) \
        FROM (SELECT value AS v FROM json_each(?)) AS d WHERE t.program_id = unhex(d.v ->> 0) \
        AND t.metric = d.v ->> 1 AND t.period = d.v ->> 2 AND t.starts_at = d.v ->> 3 AND t.bucket = d.v ->> 4";
    let row = |change: BucketChange| {
        let BucketChange { program, metric, period, starts_at, bucket, users } = change;
        json!([hex(program), metric.word(), period.word(), starts_at.micros(), bucket, users])
    };
    let rows: Vec<Value> = changes.into_iter().map(row).collect();
    conn.spawn_blocking(move |conn| {
        over(conn, OPEN, rows.clone())?;
        over(conn, ADD, rows)
    })
    .await
}
