//! Rankings as they are read: stretches along the index, and how many come before a place.
//!
//! Boards and networks are read by the same texts. Parameters are numbered in the order in which they first stand in the
//! text: SQLite takes `$2` for a name, not for a number.

use diesel::{
    prelude::*,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_query,
    sql_types::{Int8, Nullable, Text},
};
use diesel_async::{AsyncConnectionCore, RunQueryDsl};

use super::Connection;
use crate::{
    domain::{id::Id, time::Timestamp},
    store::{
        boards::{BeforePlace, BoardPeriod, Direction, Place, Ranking, Stretch},
        schema::board_histogram,
        sql_types::{Timestamptz, Uuid},
    },
};

type Query = BoxedSqlQuery<'static, <Connection as AsyncConnectionCore>::Backend, SqlQuery>;

/// Names of a ranking in SQL.
struct Names {
    /// Table and condition.
    from: &'static str,
    score: &'static str,
    at: &'static str,
    /// Number of the first parameter after those of `from`.
    next: usize,
}

const fn names(ranking: Ranking) -> Names {
    match ranking {
        Ranking::Board(_) => Names {
            from: "board_scores WHERE program_id = $1 AND metric = $2 AND period = $3 AND starts_at = $4",
            score: "score",
            at: "reached_at",
            next: 5,
        },
        Ranking::Networks => {
            Names { from: "user_totals WHERE network > 0", score: "network", at: "network_at", next: 1 }
        }
    }
}

fn query(text: String, ranking: Ranking) -> Query {
    let query = sql_query(text).into_boxed();
    match ranking {
        Ranking::Board(of) => query
            .bind::<Uuid, _>(of.program)
            .bind::<Text, _>(of.metric)
            .bind::<Text, _>(of.period)
            .bind::<Timestamptz, _>(of.starts_at),
        Ranking::Networks => query,
    }
}

#[derive(QueryableByName)]
struct PlaceRow {
    #[diesel(sql_type = Int8)]
    score: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    reached_at: Option<Timestamp>,
    #[diesel(sql_type = Uuid)]
    user_id: Id,
}

impl From<PlaceRow> for Place {
    fn from(row: PlaceRow) -> Self {
        Self { score: row.score, reached_at: row.reached_at.unwrap_or(Timestamp::EPOCH), user: row.user_id }
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Int8)]
    number: i64,
}

/// The first places of a stretch, from one of its ends.
pub async fn walk(
    conn: &mut Connection,
    ranking: Ranking,
    (stretch, direction): (Stretch, Direction),
    limit: i64,
) -> QueryResult<Vec<Place>> {
    let Names { from, score, at, next } = names(ranking);
    let (down, up) = match direction {
        Direction::Down => ("DESC", "ASC"),
        Direction::Up => ("ASC", "DESC"),
    };
    let select = format!("SELECT CAST({score} AS bigint) AS score, {at} AS reached_at, user_id FROM {from}");
    let text = match stretch {
        Stretch::Tied { .. } => format!(
            "{select} AND {score} = ${next} AND ({at}, user_id) > (${}, ${}) AND ({at}, user_id) < (${}, ${}) \
             ORDER BY {at} {up}, user_id {up} LIMIT ${}",
            next + 1,
            next + 2,
            next + 3,
            next + 4,
            next + 5
        ),
        Stretch::Scores { .. } => format!(
            "{select} AND {score} < ${next} AND {score} > ${} ORDER BY {score} {down}, {at} {up}, user_id {up} LIMIT ${}",
            next + 1,
            next + 2
        ),
    };
    let query = match stretch {
        Stretch::Tied { score, after, before } => {
            let after = after.unwrap_or((Timestamp::EPOCH, Id::from_uuid(uuid::Uuid::nil())));
            let before = before.unwrap_or((Timestamp::LAST, Id::from_uuid(uuid::Uuid::max())));
            query(text, ranking)
                .bind::<Int8, _>(score)
                .bind::<Timestamptz, _>(after.0)
                .bind::<Uuid, _>(after.1)
                .bind::<Timestamptz, _>(before.0)
                .bind::<Uuid, _>(before.1)
        }
        Stretch::Scores { below, above } => {
            query(text, ranking).bind::<Int8, _>(below.unwrap_or(i64::MAX)).bind::<Int8, _>(above.unwrap_or(0))
        }
    };
    let rows: Vec<PlaceRow> = query.bind::<Int8, _>(limit).load(conn).await?;
    Ok(rows.into_iter().map(Place::from).collect())
}

/// The place of one user.
pub async fn place_of(conn: &mut Connection, ranking: Ranking, user: Id) -> QueryResult<Option<Place>> {
    let Names { from, score, at, next } = names(ranking);
    let text = format!(
        "SELECT CAST({score} AS bigint) AS score, {at} AS reached_at, user_id FROM {from} AND user_id = ${next}"
    );
    let rows: Vec<PlaceRow> = query(text, ranking).bind::<Uuid, _>(user).load(conn).await?;
    Ok(rows.into_iter().next().map(Place::from))
}

/// How many users have a score between two others, both left out.
pub async fn count_between(conn: &mut Connection, ranking: Ranking, (above, below): (i64, i64)) -> QueryResult<i64> {
    let Names { from, score, next, .. } = names(ranking);
    let text = format!("SELECT count(*) AS number FROM {from} AND {score} > ${next} AND {score} < ${}", next + 1);
    one(conn, query(text, ranking).bind::<Int8, _>(above).bind::<Int8, _>(below)).await
}

/// How many users with the same score come before a place.
pub async fn tied_before(conn: &mut Connection, ranking: Ranking, place: Place) -> QueryResult<i64> {
    let Names { from, score, at, next } = names(ranking);
    let text = format!(
        "SELECT count(*) AS number FROM {from} AND {score} = ${next} AND ({at}, user_id) < (${}, ${})",
        next + 1,
        next + 2
    );
    let query = query(text, ranking).bind::<Int8, _>(place.score);
    one(conn, query.bind::<Timestamptz, _>(place.reached_at).bind::<Uuid, _>(place.user)).await
}

/// How many different scores are above one; counting stops at `limit`. Each costs one look-up, whatever the users.
pub async fn distinct_above(conn: &mut Connection, ranking: Ranking, score: i64, limit: i64) -> QueryResult<i64> {
    let Names { from, score: column, next, .. } = names(ranking);
    let (least, limit_at) = (next, next + 1);
    let (highest, last) = highest(from, column);
    let text = format!(
        "WITH RECURSIVE seen(score, place) AS (SELECT ({highest} {last}), 1 UNION ALL \
         SELECT ({highest} AND {column} < seen.score {last}), seen.place + 1 FROM seen \
         WHERE seen.score > ${least} AND seen.place < ${limit_at}) \
         SELECT count(*) AS number FROM seen WHERE seen.score > ${least}"
    );
    one(conn, query(text, ranking).bind::<Int8, _>(score).bind::<Int8, _>(limit)).await
}

/// Beginning and end of a look-up of the highest score. Written as the first of the index: a `max` that the planner has no
/// statistics for reads all scores below.
fn highest(from: &str, column: &str) -> (String, String) {
    (format!("SELECT {column} FROM {from}"), format!("ORDER BY {column} DESC LIMIT 1"))
}

async fn one(conn: &mut Connection, query: Query) -> QueryResult<i64> {
    let row: Number = query.get_result(conn).await?;
    Ok(row.number)
}

#[derive(QueryableByName)]
struct Above {
    #[diesel(sql_type = Int8)]
    users: i64,
    #[diesel(sql_type = Int8)]
    buckets: i64,
}

/// How many users have a score in a bucket above this one, and in how many buckets.
pub async fn above_bucket(conn: &mut Connection, of: BoardPeriod, bucket: i64) -> QueryResult<(i64, i64)> {
    const TEXT: &str = "SELECT CAST(coalesce(sum(users), 0) AS bigint) AS users, count(*) AS buckets \
        FROM board_histogram WHERE program_id = $1 AND metric = $2 AND period = $3 AND starts_at = $4 \
        AND bucket > $5 AND users > 0";
    let row: Above = query(TEXT.to_owned(), Ranking::Board(of)).bind::<Int8, _>(bucket).get_result(conn).await?;
    Ok((row.users, row.buckets))
}

/// A board's buckets that hold users, lowest first, with how many.
pub async fn histogram(conn: &mut Connection, of: BoardPeriod) -> QueryResult<Vec<(i64, i64)>> {
    board_histogram::table
        .filter(board_histogram::program_id.eq(of.program).and(board_histogram::metric.eq(of.metric)))
        .filter(board_histogram::period.eq(of.period).and(board_histogram::starts_at.eq(of.starts_at)))
        .filter(board_histogram::users.gt(0))
        .order(board_histogram::bucket)
        .select((board_histogram::bucket, board_histogram::users))
        .load(conn)
        .await
}

/// The places of several users, in no order.
pub async fn places_of(conn: &mut Connection, ranking: Ranking, users: &[Id]) -> QueryResult<Vec<Place>> {
    let Names { from, score, at, next } = names(ranking);
    let listed = (next..).take(users.len()).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "SELECT CAST({score} AS bigint) AS score, {at} AS reached_at, user_id FROM {from} AND user_id IN ({listed})"
    );
    let query = users.iter().fold(query(text, ranking), |query, user| query.bind::<Uuid, _>(*user));
    let rows: Vec<PlaceRow> = query.load(conn).await?;
    Ok(rows.into_iter().map(Place::from).collect())
}

/// For each of several places: how many scores are above its own and below another one, and how many of its ties come
/// before it.
pub async fn counts_before(
    conn: &mut Connection,
    ranking: Ranking,
    places: &[(Place, i64)],
) -> QueryResult<Vec<BeforePlace>> {
    let Names { from, score, at, next } = names(ranking);
    let row = |place: usize| {
        let first = next + place * 4;
        format!("(${first}, ${}, ${}, ${})", first + 1, first + 2, first + 3)
    };
    let listed = (0..places.len()).map(row).collect::<Vec<_>>().join(", ");
    let text = format!(
        "SELECT p.column1 AS user_id, \
         (SELECT count(*) FROM {from} AND {score} > p.column2 AND {score} < p.column4) AS above, \
         (SELECT count(*) FROM {from} AND {score} = p.column2 AND ({at}, user_id) < (p.column3, p.column1)) AS tied \
         FROM (VALUES {listed}) AS p"
    );
    let bound = places.iter().fold(query(text, ranking), |query, (place, below)| {
        let query = query.bind::<Uuid, _>(place.user).bind::<Int8, _>(place.score);
        query.bind::<Timestamptz, _>(place.reached_at).bind::<Int8, _>(*below)
    });
    bound.load(conn).await
}

#[derive(QueryableByName)]
struct Score {
    #[diesel(sql_type = Nullable<Int8>)]
    score: Option<i64>,
}

/// The different scores from the top of a ranking, down to `least`; at most `limit` of them.
pub async fn top_scores(conn: &mut Connection, ranking: Ranking, least: i64, limit: i64) -> QueryResult<Vec<i64>> {
    let Names { from, score: column, next, .. } = names(ranking);
    let (highest, last) = highest(from, column);
    let text = format!(
        "WITH RECURSIVE seen(score, place) AS (SELECT ({highest} {last}), 1 UNION ALL \
         SELECT ({highest} AND {column} < seen.score {last}), seen.place + 1 FROM seen \
         WHERE seen.score > ${next} AND seen.place < ${}) SELECT CAST(score AS bigint) AS score FROM seen",
        next + 1
    );
    let rows: Vec<Score> = query(text, ranking).bind::<Int8, _>(least).bind::<Int8, _>(limit).load(conn).await?;
    Ok(rows.into_iter().filter_map(|row| row.score).collect())
}
