//! The edges of the tree.

use diesel::prelude::*;
use diesel_async::{AsyncConnectionCore, RunQueryDsl};

use super::Connection;
use crate::{
    domain::{id::Id, time::Timestamp, words::Via},
    store::{
        fanout::FirstOfEach,
        models::Referral,
        requests::Completed,
        schema::{referrals, uncounted},
        sql_types,
    },
};

/// The referrals that brought these users.
pub async fn of_referred(conn: &mut Connection, users: &[Id]) -> QueryResult<Vec<Referral>> {
    let query = referrals::table.filter(referrals::referred_id.eq_any(users.to_vec()));
    query.select(Referral::as_select()).load(conn).await
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

/// Who signed up, when, by whose code or link, from an id on (ids sort by the time they were made); the newest first.
pub async fn arrivals(
    conn: &mut Connection,
    referrers: Vec<Id>,
    from: Id,
    limit: i64,
) -> QueryResult<Vec<(Id, Timestamp, Id)>> {
    let query = referrals::table.filter(referrals::referrer_id.eq_any(referrers).and(referrals::referred_id.ge(from)));
    let query = query.filter(referrals::via.eq_any([Via::Code, Via::Link]));
    let query = query.order(referrals::referred_id.desc()).limit(limit);
    query.select((referrals::referrer_id, referrals::created_at, referrals::referred_id)).load(conn).await
}

/// Takes an imported referral off the list of those to be counted; says whether it stood there.
pub async fn leave_uncounted(conn: &mut Connection, edge: &Referral) -> QueryResult<bool> {
    let mark = uncounted::table.find((edge.referrer_id, edge.referred_id));
    diesel::delete(mark).execute(conn).await.map(|rows| rows == 1)
}
