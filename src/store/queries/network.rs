//! Networks counted again from the referrals.
//!
//! What the fold has not counted yet is left out, for its change comes later: imported referrals that wait for their
//! counting, and signups whose event is not decided.

use diesel::{QueryResult, sql_query};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        requests::{LevelCount, UserRange},
        sql_types::{Int4, Uuid},
    },
};

const LEVELS: &str = "WITH RECURSIVE down(root_id, id, level) AS (\
    SELECT r.referrer_id, r.referred_id, 1 FROM referrals AS r WHERE r.referrer_id >= $1 AND r.referrer_id <= $2 \
    UNION ALL SELECT down.root_id, r.referred_id, down.level + 1 FROM down \
    JOIN referrals AS r ON r.referrer_id = down.id WHERE down.level < $3), \
    seen AS (SELECT down.root_id, down.level, r.status, r.created_at, CASE WHEN r.status = 'REJECTED' \
    OR EXISTS (SELECT 1 FROM uncounted AS u WHERE u.referrer_id = r.referrer_id AND u.user_id = r.referred_id) \
    OR EXISTS (SELECT 1 FROM events AS e WHERE e.user_id = r.referred_id AND e.decided_no IS NULL \
    AND e.event_type = 'signup' AND e.key LIKE 'signup:%') THEN 0 ELSE 1 END AS counted \
    FROM down JOIN referrals AS r ON r.referred_id = down.id) \
    SELECT root_id, level, CAST(sum(counted) AS integer) AS signups, \
    CAST(sum(CASE WHEN status = 'COMPLETED' THEN 1 ELSE 0 END) AS integer) AS completed, \
    max(CASE WHEN counted = 1 THEN created_at END) AS newest FROM seen GROUP BY root_id, level";

/// People below each user of a range, by level; users with nobody below are left out.
pub async fn levels(conn: &mut Connection, range: UserRange, depth: i32) -> QueryResult<Vec<LevelCount>> {
    let query = sql_query(LEVELS).bind::<Uuid, Id>(range.first).bind::<Uuid, Id>(range.last);
    query.bind::<Int4, _>(depth).load(conn).await
}
