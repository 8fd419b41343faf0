//! Leaderboards as they are written: changes that wait, scores, versions, and periods that are forgotten.

use diesel::{
    prelude::*,
    sql_query,
    sql_types::{Int8, Text},
};
use diesel_async::RunQueryDsl;

use super::{super::append, Connection};
use crate::{
    domain::{
        id::Id,
        time::Timestamp,
        words::{Metric, Period},
    },
    store::{
        boards::{BoardPeriod, BoardState},
        models::{Board, BoardDelta, BoardScore, NewBoardDelta},
        schema::{board_deltas, board_histogram, board_scores, boards},
        sql_types::{Timestamptz, Uuid},
    },
};

/// Adds changes for boards to take in.
pub async fn insert_deltas(conn: &mut Connection, rows: Vec<NewBoardDelta>) -> QueryResult<()> {
    append::board_deltas(conn, rows).await
}

/// Adds a board unless it is there.
pub async fn insert_board(conn: &mut Connection, board: Board) -> QueryResult<()> {
    diesel::insert_into(boards::table).values(board).on_conflict_do_nothing().execute(conn).await.map(drop)
}

/// Takes a board to itself; nothing when another worker has it.
pub async fn claim_board(conn: &mut Connection, program: Id, metric: Metric) -> QueryResult<Option<Board>> {
    let query = boards::table.filter(boards::program_id.eq(program)).filter(boards::metric.eq(metric));
    skip_locked!(query.select(Board::as_select())).first(conn).await.optional()
}

/// Takes a board to itself, after whoever has it.
pub async fn lock_board(conn: &mut Connection, program: Id, metric: Metric) -> QueryResult<Board> {
    let query = boards::table.filter(boards::program_id.eq(program)).filter(boards::metric.eq(metric));
    for_update!(query.select(Board::as_select())).first(conn).await
}

/// A board as it is, without taking it.
pub async fn board(conn: &mut Connection, program: Id, metric: Metric) -> QueryResult<Option<Board>> {
    boards::table.find((program, metric)).select(Board::as_select()).first(conn).await.optional()
}

/// Versions of all boards of one metric, one for each program that has any; there are few.
pub async fn versions(conn: &mut Connection, metric: Metric) -> QueryResult<Vec<i64>> {
    boards::table.filter(boards::metric.eq(metric)).select(boards::version).load(conn).await
}

/// The boards of all programs, and whether changes wait for them, from a number on. It looks one change up for each board.
pub async fn states(conn: &mut Connection, from: i64) -> QueryResult<Vec<BoardState>> {
    let metrics: Vec<String> = Metric::STORED.iter().map(|metric| format!("('{}')", metric.word())).collect();
    let text = format!(
        "SELECT programs.*, kinds.column1 AS metric, boards.day_starts_at, EXISTS (SELECT 1 FROM board_deltas AS d \
         WHERE d.program_id = programs.id AND d.metric = kinds.column1 AND d.id >= $1) AS waiting \
         FROM programs CROSS JOIN (VALUES {}) AS kinds \
         LEFT JOIN boards ON boards.program_id = programs.id AND boards.metric = kinds.column1 \
         ORDER BY programs.id, kinds.column1",
        metrics.join(", ")
    );
    sql_query(text).bind::<Int8, _>(from).load(conn).await
}

/// Oldest waiting changes of a board, from a number on.
pub async fn deltas(
    conn: &mut Connection,
    (program, metric): (Id, Metric),
    from: i64,
    limit: i64,
) -> QueryResult<Vec<BoardDelta>> {
    let query = board_deltas::table.filter(board_deltas::program_id.eq(program).and(board_deltas::metric.eq(metric)));
    let query = query.filter(board_deltas::id.ge(from));
    query.order(board_deltas::id).limit(limit).select(BoardDelta::as_select()).load(conn).await
}

/// Removes changes that were taken in.
pub async fn delete_deltas(conn: &mut Connection, ids: Vec<i64>) -> QueryResult<usize> {
    diesel::delete(board_deltas::table.filter(board_deltas::id.eq_any(ids))).execute(conn).await
}

/// Raises the version of a board and notes the day that it is at.
pub async fn bump(conn: &mut Connection, board: &Board, day_starts_at: Timestamp) -> QueryResult<i64> {
    let row = boards::table.find((board.program_id, board.metric));
    let update =
        diesel::update(row).set((boards::version.eq(boards::version + 1), boards::day_starts_at.eq(day_starts_at)));
    update.returning(boards::version).get_result(conn).await
}

/// Scores of these users in one period.
pub async fn scores_of(conn: &mut Connection, of: BoardPeriod, users: Vec<Id>) -> QueryResult<Vec<BoardScore>> {
    let query = board_scores::table
        .filter(board_scores::program_id.eq(of.program).and(board_scores::metric.eq(of.metric)))
        .filter(board_scores::period.eq(of.period).and(board_scores::starts_at.eq(of.starts_at)))
        .filter(board_scores::user_id.eq_any(users));
    query.select(BoardScore::as_select()).load(conn).await
}

/// Removes up to `limit` scores of periods that began before an instant, and says how many; the histograms with the
/// last of them.
pub async fn forget_before(
    conn: &mut Connection,
    board: &Board,
    (period, before): (Period, Timestamp),
    limit: i64,
) -> QueryResult<i64> {
    const TEXT: &str = "DELETE FROM board_scores WHERE (program_id, metric, period, starts_at, user_id) IN \
        (SELECT program_id, metric, period, starts_at, user_id FROM board_scores \
        WHERE program_id = $1 AND metric = $2 AND period = $3 AND starts_at < $4 LIMIT $5)";
    let scores = sql_query(TEXT)
        .bind::<Uuid, _>(board.program_id)
        .bind::<Text, _>(board.metric)
        .bind::<Text, _>(period)
        .bind::<Timestamptz, _>(before)
        .bind::<Int8, _>(limit);
    let forgotten = i64::try_from(scores.execute(conn).await?).unwrap_or(i64::MAX);
    if forgotten < limit {
        let buckets = board_histogram::table
            .filter(board_histogram::program_id.eq(board.program_id).and(board_histogram::metric.eq(board.metric)))
            .filter(board_histogram::period.eq(period).and(board_histogram::starts_at.lt(before)));
        diesel::delete(buckets).execute(conn).await?;
    }
    Ok(forgotten)
}

/// Whether changes wait for any board.
pub async fn any_deltas(conn: &mut Connection) -> QueryResult<bool> {
    let first: Option<i64> = board_deltas::table.select(board_deltas::id).first(conn).await.optional()?;
    Ok(first.is_some())
}
