//! Human decisions on referrals, and those that are waited for.

use diesel::{
    dsl::exists,
    prelude::*,
    sql_query,
    sql_types::{Int8, Text},
};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, words::ReviewStatus},
    store::{
        fanout::Window,
        fraud::{Review, ReviewEnd, ReviewFilter, ReviewGroup},
        schema::{referrals, reviews, signals},
    },
};

/// Adds a review.
pub async fn insert(conn: &mut Connection, row: Review) -> QueryResult<()> {
    diesel::insert_into(reviews::table).values(row).execute(conn).await.map(drop)
}

/// Ends the review of a referral that is waited for; says whether there was one.
pub async fn close(conn: &mut Connection, end: ReviewEnd) -> QueryResult<bool> {
    let open = reviews::referred_id.eq(end.referred_id).and(reviews::status.eq(ReviewStatus::Pending));
    let update = diesel::update(reviews::table.filter(open)).set((
        reviews::status.eq(end.status),
        reviews::reason.eq(end.reason),
        reviews::actor.eq(end.actor),
        reviews::decided_at.eq(end.decided_at),
        reviews::decided_no.eq(end.decided_no),
    ));
    update.execute(conn).await.map(|rows| rows == 1)
}

/// Reviews of these referrals, oldest first.
pub async fn of_referrals(conn: &mut Connection, of: &[Id]) -> QueryResult<Vec<Review>> {
    let query =
        reviews::table.filter(reviews::referred_id.eq_any(of.to_vec())).order((reviews::referred_id, reviews::id));
    query.select(Review::as_select()).load(conn).await
}

/// Several reviews, in no order.
pub async fn by_ids(conn: &mut Connection, ids: &[Id]) -> QueryResult<Vec<Review>> {
    reviews::table.filter(reviews::id.eq_any(ids.to_vec())).select(Review::as_select()).load(conn).await
}

/// A page of reviews, oldest first.
pub async fn page(conn: &mut Connection, filter: ReviewFilter, window: Window) -> QueryResult<Vec<Review>> {
    let mut query = reviews::table.select(Review::as_select()).into_boxed();
    if let Some(status) = filter.status {
        query = query.filter(reviews::status.eq(status));
    }
    if let Some(referrer) = filter.referrer {
        let edge = referrals::table.filter(referrals::referred_id.eq(reviews::referred_id));
        query = query.filter(exists(edge.filter(referrals::referrer_id.eq(referrer))));
    }
    if let Some(signal) = filter.signal {
        let sign = signals::table.filter(signals::referred_id.eq(reviews::referred_id));
        query = query.filter(exists(sign.filter(signals::signal.eq(signal))));
    }
    query = window.after.into_iter().fold(query, |query, id| query.filter(reviews::id.gt(id)));
    query = window.before.into_iter().fold(query, |query, id| query.filter(reviews::id.lt(id)));
    let query = if window.from_end { query.order(reviews::id.desc()) } else { query.order(reviews::id.asc()) };
    query.limit(window.limit).load(conn).await
}

/// Reviews in a state, by referrer and sign: those with most reviews first.
pub async fn groups(conn: &mut Connection, status: ReviewStatus, limit: i64) -> QueryResult<Vec<ReviewGroup>> {
    const TEXT: &str = "SELECT e.referrer_id AS referrer_id, s.signal AS signal, count(*) AS reviews, \
        max(r.score) AS score FROM reviews AS r JOIN referrals AS e ON e.referred_id = r.referred_id \
        JOIN signals AS s ON s.referred_id = r.referred_id WHERE r.status = $1 \
        GROUP BY e.referrer_id, s.signal ORDER BY 3 DESC, 4 DESC, 1, 2 LIMIT $2";
    sql_query(TEXT).bind::<Text, _>(status).bind::<Int8, _>(limit).load(conn).await
}
