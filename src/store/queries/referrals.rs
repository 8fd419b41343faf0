//! The edges of the tree.

use diesel::prelude::*;
use diesel_async::{AsyncConnectionCore, RunQueryDsl};

use super::Connection;
use crate::{
    domain::{id::Id, words::Via},
    store::{
        fanout::FirstOfEach,
        models::Referral,
        requests::{Around, Arrival, Completed},
        schema::{referrals, uncounted},
        sql_types,
    },
};

/// The referrals that brought these users.
pub async fn of_referred(conn: &mut Connection, users: &[Id]) -> QueryResult<Vec<Referral>> {
    let query = referrals::table.filter(referrals::referred_id.eq_any(users.to_vec()));
    query.select(Referral::as_select()).load(conn).await
}

/// The programs in which these users were referred.
pub async fn programs_of(conn: &mut Connection, users: Vec<Id>) -> QueryResult<Vec<(Id, Id)>> {
    let query = referrals::table.filter(referrals::referred_id.eq_any(users));
    query.select((referrals::referred_id, referrals::program_id)).load(conn).await
}

/// How many direct referrals of each user are completed in a program; counting stops at `limit`.
pub async fn completed(conn: &mut Connection, of: Vec<(Id, Id)>, limit: i64) -> QueryResult<Vec<Completed>> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let listed: Vec<String> = (0..of.len()).map(|row| format!("(${}, ${})", row * 2 + 1, row * 2 + 2)).collect();
    let text = format!(
        "SELECT v.referrer_id, v.program_id, (SELECT count(*) FROM (SELECT 1 FROM referrals AS r \
         WHERE r.referrer_id = v.referrer_id AND r.program_id = v.program_id AND r.status = 'COMPLETED' \
         LIMIT {limit}) AS bounded) AS completed \
         FROM (SELECT p.column1 AS referrer_id, p.column2 AS program_id FROM (VALUES {}) AS p) AS v",
        listed.join(", ")
    );
    let query = diesel::sql_query(text).into_boxed::<<Connection as AsyncConnectionCore>::Backend>();
    let query = of.into_iter().fold(query, |query, (user, program)| {
        query.bind::<sql_types::Uuid, _>(user).bind::<sql_types::Uuid, _>(program)
    });
    query.load(conn).await
}

/// Referrals that users made: the first of each.
pub async fn made_by(conn: &mut Connection, fan: FirstOfEach) -> QueryResult<Vec<Referral>> {
    referrals::table.filter(fan).select(Referral::as_select()).load(conn).await
}

/// Adds a referral.
pub async fn insert(conn: &mut Connection, referral: Referral) -> QueryResult<()> {
    diesel::insert_into(referrals::table).values(referral).execute(conn).await.map(drop)
}

/// Imported referrals that no counter knows yet, locked; those of one referrer together.
pub async fn claim_uncounted(conn: &mut Connection, limit: i64) -> QueryResult<Vec<Id>> {
    let marks = uncounted::table.order((uncounted::referrer_id, uncounted::user_id)).limit(limit);
    skip_locked!(marks.select(uncounted::user_id)).load(conn).await
}

/// Gives a referral to another referrer; says whether it was the first one's. How it came about is forgotten here: the
/// move keeps it.
pub async fn change_referrer(conn: &mut Connection, referred: Id, from: Id, to: Id) -> QueryResult<bool> {
    let row = referrals::table.find(referred).filter(referrals::referrer_id.eq(from));
    let update = diesel::update(row).set((
        referrals::referrer_id.eq(to),
        referrals::via.eq(Via::Move),
        referrals::code.eq(None::<String>),
        referrals::click_id.eq(None::<Id>),
    ));
    update.execute(conn).await.map(|rows| rows == 1)
}

/// The mark of an imported referral that waits to be counted goes along to another referrer; says whether there was one.
pub async fn move_mark(conn: &mut Connection, referred: Id, from: Id, to: Id) -> QueryResult<bool> {
    let update = diesel::update(uncounted::table.find((from, referred))).set(uncounted::referrer_id.eq(to));
    update.execute(conn).await.map(|rows| rows == 1)
}

/// Whether imported referrals wait to be counted.
pub async fn any_uncounted(conn: &mut Connection) -> QueryResult<bool> {
    let first: Option<Id> = uncounted::table.select(uncounted::user_id).first(conn).await.optional()?;
    Ok(first.is_some())
}

/// Sets the risk score of a referral.
pub async fn set_risk_score(conn: &mut Connection, referred: Id, score: i32) -> QueryResult<()> {
    let update = diesel::update(referrals::table.find(referred)).set(referrals::risk_score.eq(score));
    update.execute(conn).await.map(drop)
}

/// Who signed up by a code or a link around newcomers: `near` of them before the first and after the last, and at most
/// `limit` in all, the newest.
pub async fn arrivals(conn: &mut Connection, around: Vec<Around>, near: i64, limit: i64) -> QueryResult<Vec<Arrival>> {
    const COLUMNS: usize = 5;
    if around.is_empty() {
        return Ok(Vec::new());
    }
    // In the order in which they are bound: SQLite numbers parameters as they come.
    let row = |row: usize| {
        let places: Vec<String> = (1..=COLUMNS).map(|column| format!("${}", row * COLUMNS + column)).collect();
        format!("({})", places.join(", "))
    };
    let listed: Vec<String> = (0..around.len()).map(row).collect();
    let furthest = |beyond: &str, order: &str| {
        format!(
            "(SELECT b.referred_id FROM referrals AS b WHERE b.referrer_id = p.column1 AND b.referred_id {beyond} \
             AND b.via IN ('CODE', 'LINK') ORDER BY b.referred_id {order} LIMIT 1 OFFSET {})",
            near - 1
        )
    };
    // Where it ends is found once for each referrer, not once for each row.
    let text = format!(
        "WITH bounds(referrer, lowest, highest) AS MATERIALIZED (\
         SELECT p.column1, coalesce({}, p.column4), coalesce({}, p.column5) FROM (VALUES {}) AS p) \
         SELECT r.referrer_id, r.created_at, r.referred_id, r.program_id FROM bounds JOIN referrals AS r \
         ON r.referrer_id = bounds.referrer AND r.referred_id BETWEEN bounds.lowest AND bounds.highest \
         WHERE r.via IN ('CODE', 'LINK') \
         ORDER BY r.referred_id DESC LIMIT {limit}",
        furthest(">= p.column4 AND b.referred_id < p.column2", "DESC"),
        furthest("<= p.column5 AND b.referred_id > p.column3", "ASC"),
        listed.join(", "),
    );
    let query = diesel::sql_query(text).into_boxed::<<Connection as AsyncConnectionCore>::Backend>();
    let query = around.into_iter().fold(query, |query, Around { referrer, first, last, from, until }| {
        [referrer, first, last, from, until].into_iter().fold(query, |query, id| query.bind::<sql_types::Uuid, _>(id))
    });
    query.load(conn).await
}

/// Takes an imported referral off the list of those to be counted; says whether it stood there.
pub async fn leave_uncounted(conn: &mut Connection, edge: &Referral) -> QueryResult<bool> {
    let mark = uncounted::table.find((edge.referrer_id, edge.referred_id));
    diesel::delete(mark).execute(conn).await.map(|rows| rows == 1)
}
