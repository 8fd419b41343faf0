//! Visits through links.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, keyed_hash::KeyedHash},
    store::{
        models::{Click, Code, Link, Program, User},
        schema::{clicks, codes, program_versions, programs, users},
    },
};

/// Adds clicks, leaving out those whose visit is there already.
pub async fn insert(conn: &mut Connection, rows: Vec<Click>) -> QueryResult<()> {
    insert_all!(conn, clicks::table, rows, on_conflict_do_nothing);
    Ok(())
}

/// Several clicks, in no order.
pub async fn by_ids(conn: &mut Connection, ids: &[Id]) -> QueryResult<Vec<Click>> {
    clicks::table.filter(clicks::id.eq_any(ids.to_vec())).select(Click::as_select()).load(conn).await
}

/// Several clicks with what is behind their links now, in no order.
pub async fn with_links(conn: &mut Connection, ids: Vec<Id>) -> QueryResult<Vec<(Click, Link)>> {
    let promised = programs::table.inner_join(program_versions::table);
    let links = codes::table.inner_join(users::table).inner_join(promised);
    let query = clicks::table.inner_join(links).filter(clicks::id.eq_any(ids));
    let query = query.filter(program_versions::version.eq(programs::version));
    let parts = (Code::as_select(), User::as_select(), Program::as_select(), program_versions::definition);
    query.select((Click::as_select(), parts)).load(conn).await
}

/// The clicks of these visits.
pub async fn of_visits(conn: &mut Connection, visits: Vec<KeyedHash>) -> QueryResult<Vec<Click>> {
    clicks::table.filter(clicks::visit_key.eq_any(visits)).select(Click::as_select()).load(conn).await
}
