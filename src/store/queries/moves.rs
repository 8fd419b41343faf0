//! Moves of users to other referrers.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::store::{models::NewReferralMove, schema::referral_moves};

/// Notes a move.
pub async fn insert(conn: &mut Connection, row: NewReferralMove) -> QueryResult<()> {
    diesel::insert_into(referral_moves::table).values(row).execute(conn).await.map(drop)
}
