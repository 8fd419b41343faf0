//! The log of what operators did.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        fanout::Window,
        models::{Audit, NewAudit},
        schema::audit_log,
    },
};

/// Notes a deed.
pub async fn insert(conn: &mut Connection, row: NewAudit) -> QueryResult<()> {
    diesel::insert_into(audit_log::table).values(row).execute(conn).await.map(drop)
}

/// A page of all deeds, or of those done to one subject, newest first. The ids of a window hold the rows' numbers.
pub async fn page(conn: &mut Connection, subject: Option<String>, window: Window) -> QueryResult<Vec<Audit>> {
    let number = |id: Id| i64::try_from(id.uuid().as_u128()).unwrap_or(i64::MAX);
    let mut query = audit_log::table.select(Audit::as_select()).into_boxed();
    query = subject.into_iter().fold(query, |query, subject| query.filter(audit_log::subject.eq(subject)));
    query = window.after.into_iter().fold(query, |query, id| query.filter(audit_log::id.lt(number(id))));
    query = window.before.into_iter().fold(query, |query, id| query.filter(audit_log::id.gt(number(id))));
    let query = if window.from_end { query.order(audit_log::id.asc()) } else { query.order(audit_log::id.desc()) };
    query.limit(window.limit).load(conn).await
}
