//! Boards counted again from the rows that they stand for: referrals and rewards.
//!
//! Signups that are not counted yet are left out, for their change comes later: imported referrals that wait for their
//! counting, and signups whose event is not decided. Completions and rewards are counted by the fold that makes them.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Int8, Text},
};
use diesel_async::{AsyncConnectionCore, RunQueryDsl};

use super::Connection;
use crate::{
    domain::{board, id::Id, time::Timestamp, words::Metric},
    store::{
        boards::{BoardPeriod, CountedIn, Place},
        models::Board,
        schema::{board_deltas, board_histogram, board_scores},
        sql_types::{Timestamptz, Uuid},
    },
};

/// Rows that count for a metric: `$p`, `$f` and `$t` stand for program, first instant and end, `{only}` for more.
const SIGNUPS: &str = "SELECT r.referrer_id AS user_id, count(*) AS score, max(r.created_at) AS reached_at \
    FROM referrals AS r WHERE r.program_id = $p AND r.created_at >= $f AND r.created_at < $t \
    AND r.status <> 'REJECTED' {only} AND NOT EXISTS (SELECT 1 FROM uncounted AS u \
    WHERE u.referrer_id = r.referrer_id AND u.user_id = r.referred_id) \
    AND NOT EXISTS (SELECT 1 FROM outbox AS o JOIN events AS e ON e.user_id = o.user_id WHERE o.user_id = r.referred_id \
    AND e.decided_no IS NULL AND e.event_type = 'signup' AND e.key LIKE 'signup:%') GROUP BY r.referrer_id";
const REFERRALS: &str = "SELECT r.referrer_id AS user_id, count(*) AS score, max(r.completed_at) AS reached_at \
    FROM referrals AS r WHERE r.program_id = $p AND r.completed_at >= $f AND r.completed_at < $t {only} \
    GROUP BY r.referrer_id";
const REWARDS: &str = "SELECT r.user_id AS user_id, CAST(sum(r.net) AS bigint) AS score, max(r.created_at) AS reached_at \
    FROM rewards AS r WHERE r.program_id = $p AND r.created_at >= $f AND r.created_at < $t AND r.net > 0 {only} \
    GROUP BY r.user_id";

/// The counting text of a metric with numbered parameters.
fn counted(metric: Metric, [program, from, to]: [usize; 3], only: &str) -> String {
    let text = match metric {
        Metric::Referrals => REFERRALS,
        Metric::Rewards => REWARDS,
        Metric::Signups | Metric::Network => SIGNUPS,
    };
    let number = |number: usize| format!("${number}");
    text.replace("$p", &number(program)).replace("$f", &number(from)).replace("$t", &number(to)).replace("{only}", only)
}

#[derive(QueryableByName)]
struct CountedRow {
    #[diesel(sql_type = Uuid)]
    user_id: Id,
    #[diesel(sql_type = Int8)]
    score: i64,
    #[diesel(sql_type = Timestamptz)]
    reached_at: Timestamp,
}

impl From<CountedRow> for Place {
    fn from(row: CountedRow) -> Self {
        Self { score: row.score, reached_at: row.reached_at, user: row.user_id }
    }
}

/// What the rows say about these users, each of whom has at least one row that counts.
pub async fn places_of(conn: &mut Connection, of: CountedIn, users: Vec<Id>) -> QueryResult<Vec<Place>> {
    let owner = if of.metric == Metric::Rewards { "r.user_id" } else { "r.referrer_id" };
    let numbers: Vec<String> = (4..4 + users.len()).map(|number| format!("${number}")).collect();
    let only = format!("AND {owner} IN ({})", numbers.join(", "));
    let query = sql_query(counted(of.metric, [1, 2, 3], &only))
        .into_boxed::<<Connection as AsyncConnectionCore>::Backend>()
        .bind::<Uuid, _>(of.program)
        .bind::<Timestamptz, _>(of.from)
        .bind::<Timestamptz, _>(of.to);
    let query = users.into_iter().fold(query, |query, user| query.bind::<Uuid, _>(user));
    let rows: Vec<CountedRow> = query.load(conn).await?;
    Ok(rows.into_iter().map(Place::from).collect())
}

/// The first places that the rows of a time give, in order.
pub async fn places(conn: &mut Connection, of: CountedIn, limit: i64) -> QueryResult<Vec<Place>> {
    let text = format!("{} ORDER BY score DESC, reached_at, user_id LIMIT $4", counted(of.metric, [1, 2, 3], ""));
    let rows: Vec<CountedRow> = sql_query(text)
        .bind::<Uuid, _>(of.program)
        .bind::<Timestamptz, _>(of.from)
        .bind::<Timestamptz, _>(of.to)
        .bind::<Int8, _>(limit)
        .load(conn)
        .await?;
    Ok(rows.into_iter().map(Place::from).collect())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Int8)]
    number: i64,
}

/// How many rows of any state a time has; counting stops at `limit`.
pub async fn row_count(conn: &mut Connection, of: CountedIn, limit: i64) -> QueryResult<i64> {
    let (table, at) = match of.metric {
        Metric::Rewards => ("rewards", "created_at"),
        Metric::Referrals => ("referrals", "completed_at"),
        Metric::Signups | Metric::Network => ("referrals", "created_at"),
    };
    let text = format!(
        "SELECT count(*) AS number FROM (SELECT 1 FROM {table} \
         WHERE program_id = $1 AND {at} >= $2 AND {at} < $3 LIMIT $4) AS bounded"
    );
    let row: Number = sql_query(text)
        .bind::<Uuid, _>(of.program)
        .bind::<Timestamptz, _>(of.from)
        .bind::<Timestamptz, _>(of.to)
        .bind::<Int8, _>(limit)
        .get_result(conn)
        .await?;
    Ok(row.number)
}

/// Removes all that a board holds, and the changes that wait for it.
pub async fn clear_board(conn: &mut Connection, of: &Board) -> QueryResult<()> {
    let (program, metric) = (of.program_id, of.metric);
    let scores = board_scores::table.filter(board_scores::program_id.eq(program).and(board_scores::metric.eq(metric)));
    diesel::delete(scores).execute(conn).await?;
    let buckets =
        board_histogram::table.filter(board_histogram::program_id.eq(program).and(board_histogram::metric.eq(metric)));
    diesel::delete(buckets).execute(conn).await?;
    let deltas = board_deltas::table.filter(board_deltas::program_id.eq(program).and(board_deltas::metric.eq(metric)));
    diesel::delete(deltas).execute(conn).await.map(drop)
}

/// Fills one period of a board, which is empty, from the rows.
pub async fn fill_period(conn: &mut Connection, of: BoardPeriod, to: Timestamp) -> QueryResult<usize> {
    let text = format!(
        "INSERT INTO board_scores (program_id, metric, period, starts_at, user_id, score, reached_at) \
         SELECT $1, $2, $3, $4, counted.user_id, counted.score, counted.reached_at FROM ({}) AS counted",
        counted(of.metric, [1, 4, 5], "")
    );
    sql_query(text)
        .bind::<Uuid, _>(of.program)
        .bind::<Text, _>(of.metric)
        .bind::<Text, _>(of.period)
        .bind::<Timestamptz, _>(of.starts_at)
        .bind::<Timestamptz, _>(to)
        .execute(conn)
        .await
}

/// Fills the histograms of a board, which are empty, from its scores.
pub async fn fill_histogram(conn: &mut Connection, of: &Board) -> QueryResult<usize> {
    let text = format!(
        "INSERT INTO board_histogram (program_id, metric, period, starts_at, bucket, users) \
         SELECT $1, $2, period, starts_at, {}, count(*) FROM board_scores WHERE program_id = $1 AND metric = $2 \
         GROUP BY 3, 4, 5",
        bucket_of_score(of.metric)
    );
    sql_query(text).bind::<Uuid, _>(of.program_id).bind::<Text, _>(of.metric).execute(conn).await
}

/// [`board::bucket`] of the column `score`, in SQL.
fn bucket_of_score(metric: Metric) -> String {
    let pieces = board::pieces(metric).into_iter();
    let cases: Vec<String> = pieces
        .map(|piece| {
            let (below, shift, offset) = (piece.below, piece.shift, piece.offset);
            format!("WHEN score < {below} THEN (score >> {shift}) + {offset}")
        })
        .collect();
    if cases.is_empty() { "score".to_owned() } else { format!("CASE {} END", cases.join(" ")) }
}
