//! The log of what operators did.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::store::{models::NewAudit, schema::audit_log};

/// Notes a deed.
pub async fn insert(conn: &mut Connection, row: NewAudit) -> QueryResult<()> {
    diesel::insert_into(audit_log::table).values(row).execute(conn).await.map(drop)
}
