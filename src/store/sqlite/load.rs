//! Bulk load: one hop to the connection's thread a table, then a prepared statement a row.
//!
//! Columns are set one by one with `eq`: a derived `Insertable` row leaves absent values out of its text, and a text
//! that differs from row to row is prepared again for each.

use std::collections::HashMap;

use diesel::{QueryResult, RunQueryDsl, connection::SimpleConnection, prelude::*, sql_query};

use super::{Connection, queries::tree::Step};
use crate::{
    domain::{
        id::Id,
        words::{CodeStatus, ReferralStatus, Via},
    },
    store::{
        models::{Code, Referral, User},
        schema::{codes, referrals, uncounted, user_totals, users},
        sql_types::Int8,
    },
};

/// Adds users and gives the ids of those who were really added: the others' external ids are taken.
pub async fn insert_users(conn: &mut Connection, rows: Vec<User>) -> QueryResult<Vec<Id>> {
    conn.spawn_blocking(move |conn| {
        let mut added = Vec::with_capacity(rows.len());
        for row in rows {
            let insert = diesel::insert_into(users::table).values((
                users::id.eq(row.id),
                users::external_id.eq(row.external_id),
                users::display_name.eq(row.display_name),
                users::status.eq(row.status),
                users::created_at.eq(row.created_at),
            ));
            if insert.on_conflict_do_nothing().execute(conn)? == 1 {
                added.push(row.id);
            }
        }
        Ok(added)
    })
    .await
}

/// Adds active codes without an end. A taken key is a duplicate of `codes`.
pub async fn insert_codes(conn: &mut Connection, rows: Vec<Code>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        rows.into_iter().try_for_each(|row| {
            let insert = diesel::insert_into(codes::table).values((
                codes::key.eq(row.key),
                codes::shown.eq(row.shown),
                codes::user_id.eq(row.user_id),
                codes::program_id.eq(row.program_id),
                codes::kind.eq(row.kind),
                codes::status.eq(CodeStatus::Active),
                codes::created_at.eq(row.created_at),
            ));
            insert.execute(conn).map(drop)
        })
    })
    .await
}

/// Adds empty counters.
pub async fn insert_totals(conn: &mut Connection, users: Vec<Id>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        users.into_iter().try_for_each(|user| {
            diesel::insert_into(user_totals::table).values(user_totals::user_id.eq(user)).execute(conn).map(drop)
        })
    })
    .await
}

/// Adds imported, pending referrals and marks them as not counted yet.
pub async fn insert_referrals(conn: &mut Connection, rows: Vec<Referral>) -> QueryResult<()> {
    conn.spawn_blocking(move |conn| {
        rows.into_iter().try_for_each(|row| {
            let insert = diesel::insert_into(referrals::table).values((
                referrals::referred_id.eq(row.referred_id),
                referrals::referrer_id.eq(row.referrer_id),
                referrals::program_id.eq(row.program_id),
                referrals::status.eq(ReferralStatus::Pending),
                referrals::via.eq(Via::Import),
                referrals::created_at.eq(row.created_at),
            ));
            insert.execute(conn)?;
            let mark = (uncounted::referrer_id.eq(row.referrer_id), uncounted::user_id.eq(row.referred_id));
            diesel::insert_into(uncounted::table).values(mark).execute(conn).map(drop)
        })
    })
    .await
}

/// Marks referrals as counted; says how many were not yet.
pub async fn mark_counted(conn: &mut Connection, edges: &[Referral]) -> QueryResult<usize> {
    let marks: Vec<(Id, Id)> = edges.iter().map(|edge| (edge.referrer_id, edge.referred_id)).collect();
    conn.spawn_blocking(move |conn| {
        marks.into_iter().try_fold(0, |counted, mark| {
            diesel::delete(uncounted::table.find(mark)).execute(conn).map(|rows| counted + rows)
        })
    })
    .await
}

/// The ancestors of very many users within `levels`. Neighbours share most of their chains: each edge is read once.
pub async fn ancestors(conn: &mut Connection, starts: Vec<Id>, levels: i32) -> QueryResult<Vec<Step>> {
    conn.spawn_blocking(move |conn| {
        let mut edges = HashMap::new();
        let mut steps = Vec::with_capacity(starts.len());
        for start in starts {
            let mut from = start;
            for level in 1..=levels {
                let Some(above) = referrer(conn, &mut edges, from)? else { break };
                steps.push((start, above, level));
                from = above;
            }
        }
        Ok(steps)
    })
    .await
}

fn referrer(conn: &mut SqliteConnection, edges: &mut HashMap<Id, Option<Id>>, of: Id) -> QueryResult<Option<Id>> {
    if let Some(known) = edges.get(&of) {
        return Ok(*known);
    }
    let above = referrals::table.find(of).select(referrals::referrer_id).first(conn).optional()?;
    edges.insert(of, above);
    Ok(above)
}

/// Reserves places in the insert sequence, rising, without adding rows to the outbox: SQLite keeps the last one it gave
/// in a table of its own, which is an ordinary table to whoever writes (sqlite.org/autoinc.html).
pub async fn reserve_seqs(conn: &mut Connection, how_many: usize) -> QueryResult<Vec<i64>> {
    const OPEN: &str = "INSERT INTO sqlite_sequence (name, seq) SELECT 'outbox', 0 \
        WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'outbox')";
    #[derive(QueryableByName)]
    struct Number {
        #[diesel(sql_type = Int8)]
        number: i64,
    }
    let how_many = i64::try_from(how_many).unwrap_or(i64::MAX);
    conn.spawn_blocking(move |conn| {
        conn.batch_execute(OPEN)?;
        let query = sql_query("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'outbox' RETURNING seq AS number");
        let last: Number = query.bind::<Int8, _>(how_many).get_result(conn)?;
        Ok((last.number - how_many + 1..=last.number).collect())
    })
    .await
}

/// Nothing to tell: queries say themselves in which order tables are read.
pub async fn refresh_statistics(_: &mut Connection) -> QueryResult<()> {
    Ok(())
}
