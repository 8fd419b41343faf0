//! Bulk load: one statement a table, its rows passed as arrays, so that a row costs microseconds and no parameter.

use diesel::{
    QueryResult, QueryableByName, sql_query,
    sql_types::{Array, Nullable},
};
use diesel_async::RunQueryDsl;

use super::{Connection, queries::tree::Step};
use crate::{
    domain::id::Id,
    store::{
        models::{Code, Referral, User},
        sql_types::{Int4, Int8, Text, Timestamptz, Uuid},
    },
};

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    id: Id,
}

/// Adds users and gives the ids of those who were really added: the others' external ids are taken.
pub async fn insert_users(conn: &mut Connection, rows: Vec<User>) -> QueryResult<Vec<Id>> {
    const TEXT: &str = "INSERT INTO users (id, external_id, display_name, status, created_at) \
        SELECT d.id, d.external_id, d.display_name, d.status, d.created_at \
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[]) \
        AS d(id, external_id, display_name, status, created_at) ON CONFLICT DO NOTHING RETURNING id";
    let added: Vec<Row> = sql_query(TEXT)
        .bind::<Array<Uuid>, _>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.external_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(rows.iter().map(|row| row.display_name.as_deref()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.status).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.created_at).collect::<Vec<_>>())
        .load(conn)
        .await?;
    Ok(added.into_iter().map(|row| row.id).collect())
}

/// Adds active codes without an end. A taken key is a duplicate of `codes`.
pub async fn insert_codes(conn: &mut Connection, rows: Vec<Code>) -> QueryResult<()> {
    const TEXT: &str = "INSERT INTO codes (key, shown, user_id, program_id, kind, status, created_at) \
        SELECT d.key, d.shown, d.user_id, d.program_id, d.kind, 'ACTIVE', d.created_at \
        FROM unnest($1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[]) \
        AS d(key, shown, user_id, program_id, kind, created_at)";
    sql_query(TEXT)
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.key.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.shown.as_str()).collect::<Vec<_>>())
        .bind::<Array<Uuid>, _>(rows.iter().map(|row| row.user_id).collect::<Vec<_>>())
        .bind::<Array<Uuid>, _>(rows.iter().map(|row| row.program_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(rows.iter().map(|row| row.kind).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.created_at).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Adds empty counters.
pub async fn insert_totals(conn: &mut Connection, users: Vec<Id>) -> QueryResult<()> {
    let query = sql_query("INSERT INTO user_totals (user_id) SELECT * FROM unnest($1::uuid[])");
    query.bind::<Array<Uuid>, _>(users).execute(conn).await.map(drop)
}

/// Adds imported, pending referrals and marks them as not counted yet.
pub async fn insert_referrals(conn: &mut Connection, rows: Vec<Referral>) -> QueryResult<()> {
    const EDGES: &str = "INSERT INTO referrals (referred_id, referrer_id, program_id, status, via, created_at) \
        SELECT d.referred_id, d.referrer_id, d.program_id, 'PENDING', 'IMPORT', d.created_at \
        FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[]) \
        AS d(referred_id, referrer_id, program_id, created_at)";
    let referred: Vec<Id> = rows.iter().map(|row| row.referred_id).collect();
    let referrers: Vec<Id> = rows.iter().map(|row| row.referrer_id).collect();
    sql_query(EDGES)
        .bind::<Array<Uuid>, _>(&referred)
        .bind::<Array<Uuid>, _>(&referrers)
        .bind::<Array<Uuid>, _>(rows.iter().map(|row| row.program_id).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(rows.iter().map(|row| row.created_at).collect::<Vec<_>>())
        .execute(conn)
        .await?;
    let marks = sql_query("INSERT INTO uncounted (referrer_id, user_id) SELECT * FROM unnest($1::uuid[], $2::uuid[])");
    marks.bind::<Array<Uuid>, _>(&referrers).bind::<Array<Uuid>, _>(&referred).execute(conn).await.map(drop)
}

#[derive(QueryableByName)]
struct StepRow {
    #[diesel(sql_type = Uuid)]
    start_id: Id,
    #[diesel(sql_type = Uuid)]
    id: Id,
    #[diesel(sql_type = Int4)]
    level: i32,
}

/// Marks referrals as counted; says how many were not yet. Two lists of ids would be looked up in every combination.
pub async fn mark_counted(conn: &mut Connection, edges: &[Referral]) -> QueryResult<usize> {
    const TEXT: &str = "DELETE FROM uncounted AS u USING unnest($1::uuid[], $2::uuid[]) AS d(referrer_id, user_id) \
        WHERE u.referrer_id = d.referrer_id AND u.user_id = d.user_id";
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(edges.iter().map(|edge| edge.referrer_id).collect::<Vec<_>>())
        .bind::<Array<Uuid>, _>(edges.iter().map(|edge| edge.referred_id).collect::<Vec<_>>())
        .execute(conn)
        .await
}

/// The ancestors of very many users within `levels`. Each step is a subquery of its own: a join would make the planner
/// read the whole table once a level.
pub async fn ancestors(conn: &mut Connection, starts: Vec<Id>, levels: i32) -> QueryResult<Vec<Step>> {
    const TEXT: &str = "WITH RECURSIVE up(start_id, id, level) AS (\
        SELECT s.id, (SELECT edge.referrer_id FROM referrals AS edge WHERE edge.referred_id = s.id), 1 \
        FROM unnest($1::uuid[]) AS s(id) \
        UNION ALL SELECT up.start_id, \
        (SELECT edge.referrer_id FROM referrals AS edge WHERE edge.referred_id = up.id), up.level + 1 \
        FROM up WHERE up.level < $2 AND up.id IS NOT NULL) \
        SELECT start_id, id, level FROM up WHERE id IS NOT NULL";
    let rows: Vec<StepRow> = sql_query(TEXT).bind::<Array<Uuid>, _>(starts).bind::<Int4, _>(levels).load(conn).await?;
    Ok(rows.into_iter().map(|row| (row.start_id, row.id, row.level)).collect())
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Int8)]
    number: i64,
}

/// Reserves places in the insert sequence, rising, without adding rows to the outbox.
pub async fn reserve_seqs(conn: &mut Connection, how_many: usize) -> QueryResult<Vec<i64>> {
    const TEXT: &str = "SELECT nextval(pg_get_serial_sequence('outbox', 'seq')) AS number FROM generate_series(1, $1)";
    let how_many = i64::try_from(how_many).unwrap_or(i64::MAX);
    let numbers: Vec<Number> = sql_query(TEXT).bind::<Int8, _>(how_many).load(conn).await?;
    let mut numbers: Vec<i64> = numbers.into_iter().map(|row| row.number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// Tells the planner how large the tables are that an import filled: it would find out by itself, but minutes later.
pub async fn refresh_statistics(conn: &mut Connection) -> QueryResult<()> {
    const TEXT: &str = "ANALYZE users, codes, referrals, user_totals, events, board_scores, board_histogram";
    sql_query(TEXT).execute(conn).await.map(drop)
}
