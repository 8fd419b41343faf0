//! Networks counted again from the referrals.
//!
//! What the fold has not counted yet is left out, for its change comes later: imported referrals that wait for their
//! counting, and signups whose event is not decided.

use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, time::Timestamp},
    store::{
        requests::{LevelCount, NewestBelow, UserRange},
        sql_types::{Int4, Nullable, Timestamptz, Uuid},
    },
};

/// Whether a referral `r` stands in no counter.
macro_rules! is_left_out {
    () => {
        "r.status = 'REJECTED' \
        OR EXISTS (SELECT 1 FROM uncounted AS u WHERE u.referrer_id = r.referrer_id AND u.user_id = r.referred_id) \
        OR EXISTS (SELECT 1 FROM events AS e WHERE e.user_id = r.referred_id AND e.decided_no IS NULL \
        AND e.event_type = 'signup' AND e.key LIKE 'signup:%')"
    };
}

const LEVELS: &str = concat!(
    "WITH RECURSIVE down(root_id, id, level) AS (\
    SELECT r.referrer_id, r.referred_id, 1 FROM referrals AS r WHERE r.referrer_id >= $1 AND r.referrer_id <= $2 \
    UNION ALL SELECT down.root_id, r.referred_id, down.level + 1 FROM down \
    JOIN referrals AS r ON r.referrer_id = down.id WHERE down.level < $3), \
    seen AS (SELECT down.root_id, down.level, r.status, r.created_at, CASE WHEN ",
    is_left_out!(),
    " THEN 0 ELSE 1 END AS counted FROM down JOIN referrals AS r ON r.referred_id = down.id) \
    SELECT root_id, level, CAST(sum(counted) AS integer) AS signups, \
    CAST(sum(CASE WHEN status = 'COMPLETED' THEN 1 ELSE 0 END) AS integer) AS completed, \
    max(CASE WHEN counted = 1 THEN created_at END) AS newest FROM seen GROUP BY root_id, level"
);

const NEWEST_BY_CHILDREN: &str = concat!(
    "SELECT max(CASE WHEN ",
    is_left_out!(),
    " THEN NULL ELSE r.created_at END) AS direct, \
    max(CASE WHEN t.signups_10 = 0 THEN t.network_at END) AS certain, \
    max(CASE WHEN t.signups_10 > 0 THEN t.network_at END) AS at_most \
    FROM referrals AS r JOIN user_totals AS t ON t.user_id = r.referred_id WHERE r.referrer_id = $1"
);

/// Goes down only where a network is newer than what is known: nobody newer can stand elsewhere.
const NEWEST_AFTER: &str = concat!(
    "WITH RECURSIVE down(id, level) AS (\
    SELECT r.referred_id, 1 FROM referrals AS r JOIN user_totals AS t ON t.user_id = r.referred_id \
    WHERE r.referrer_id = $1 AND ($2 IS NULL OR t.network_at > $2) \
    UNION ALL SELECT r.referred_id, down.level + 1 FROM down JOIN referrals AS r ON r.referrer_id = down.id \
    JOIN user_totals AS t ON t.user_id = r.referred_id \
    WHERE ($2 IS NULL OR t.network_at > $2) AND down.level + 1 < $3) \
    SELECT max(CASE WHEN ",
    is_left_out!(),
    " THEN NULL ELSE r.created_at END) AS newest FROM down JOIN referrals AS r ON r.referrer_id = down.id"
);

#[derive(QueryableByName)]
struct Newest {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    newest: Option<Timestamp>,
}

/// People below each user of a range, by level; users with nobody below are left out.
pub async fn levels(conn: &mut Connection, range: UserRange, depth: i32) -> QueryResult<Vec<LevelCount>> {
    let query = sql_query(LEVELS).bind::<Uuid, Id>(range.first).bind::<Uuid, Id>(range.last);
    query.bind::<Int4, _>(depth).load(conn).await
}

/// When the newest people below somebody came, as far as their direct ones tell.
pub async fn newest_by_children(conn: &mut Connection, user: Id) -> QueryResult<NewestBelow> {
    sql_query(NEWEST_BY_CHILDREN).bind::<Uuid, Id>(user).get_result(conn).await
}

/// When the newest person came who stands on levels 2 to `depth` below somebody, if that was after an instant. The
/// networks of everybody below must not be older in the counters than they are.
pub async fn newest_after(
    conn: &mut Connection,
    user: Id,
    after: Option<Timestamp>,
    depth: i32,
) -> QueryResult<Option<Timestamp>> {
    let query = sql_query(NEWEST_AFTER).bind::<Uuid, Id>(user).bind::<Nullable<Timestamptz>, _>(after);
    let row: Newest = query.bind::<Int4, _>(depth).get_result(conn).await?;
    Ok(row.newest)
}
