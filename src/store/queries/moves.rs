//! Moves of users to other referrers.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        models::{NewReferralMove, ReferralMove},
        schema::referral_moves,
    },
};

/// Notes a move.
pub async fn insert(conn: &mut Connection, row: NewReferralMove) -> QueryResult<()> {
    diesel::insert_into(referral_moves::table).values(row).execute(conn).await.map(drop)
}

/// Moves of a user, oldest first.
pub async fn of_user(conn: &mut Connection, user: Id, limit: i64) -> QueryResult<Vec<ReferralMove>> {
    let query = referral_moves::table.filter(referral_moves::user_id.eq(user)).order(referral_moves::id).limit(limit);
    query.select(ReferralMove::as_select()).load(conn).await
}
