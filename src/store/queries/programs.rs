//! Programs and their versions.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        fanout::Window,
        models::{Program, ProgramVersion},
        schema::{program_versions, programs},
    },
};

/// The program of this name.
pub async fn by_key(conn: &mut Connection, key: &str) -> QueryResult<Option<Program>> {
    programs::table.filter(programs::key.eq(key)).select(Program::as_select()).first(conn).await.optional()
}

/// Several programs, in no order.
pub async fn by_ids(conn: &mut Connection, ids: &[Id]) -> QueryResult<Vec<Program>> {
    programs::table.filter(programs::id.eq_any(ids.to_vec())).select(Program::as_select()).load(conn).await
}

/// A page of all programs.
pub async fn page(conn: &mut Connection, window: Window) -> QueryResult<Vec<Program>> {
    let mut query = programs::table.select(Program::as_select()).into_boxed();
    query = window.after.into_iter().fold(query, |query, id| query.filter(programs::id.gt(id)));
    query = window.before.into_iter().fold(query, |query, id| query.filter(programs::id.lt(id)));
    let query = if window.from_end { query.order(programs::id.desc()) } else { query.order(programs::id.asc()) };
    query.limit(window.limit).load(conn).await
}

/// Every program; there are few.
pub async fn all(conn: &mut Connection) -> QueryResult<Vec<Program>> {
    programs::table.select(Program::as_select()).order(programs::id).load(conn).await
}

/// Every version of every program; there are few.
pub async fn all_versions(conn: &mut Connection) -> QueryResult<Vec<ProgramVersion>> {
    let key = (program_versions::program_id, program_versions::version);
    program_versions::table.select(ProgramVersion::as_select()).order(key).load(conn).await
}

/// The version in force of every program; there are few.
pub async fn in_force(conn: &mut Connection) -> QueryResult<Vec<ProgramVersion>> {
    let query = program_versions::table.inner_join(programs::table);
    let query = query.filter(program_versions::version.eq(programs::version));
    query.select(ProgramVersion::as_select()).load(conn).await
}

/// Several versions of one program.
pub async fn versions(conn: &mut Connection, program: Id, versions: Vec<i32>) -> QueryResult<Vec<ProgramVersion>> {
    let query = program_versions::table.filter(program_versions::program_id.eq(program));
    query.filter(program_versions::version.eq_any(versions)).select(ProgramVersion::as_select()).load(conn).await
}

/// The newest versions of one program, newest first.
pub async fn newest_versions(conn: &mut Connection, program: Id, limit: i64) -> QueryResult<Vec<ProgramVersion>> {
    let query = program_versions::table.filter(program_versions::program_id.eq(program));
    query.order(program_versions::version.desc()).limit(limit).select(ProgramVersion::as_select()).load(conn).await
}

/// A program, locked against other changes of it.
pub async fn lock(conn: &mut Connection, id: Id) -> QueryResult<Option<Program>> {
    for_update!(programs::table.find(id).select(Program::as_select())).first(conn).await.optional()
}

/// Writes what may change of a program.
pub async fn change(conn: &mut Connection, program: Program) -> QueryResult<()> {
    diesel::update(programs::table.find(program.id))
        .set((
            programs::name.eq(program.name),
            programs::currency.eq(program.currency),
            programs::time_zone.eq(program.time_zone),
            programs::status.eq(program.status),
            programs::version.eq(program.version),
            programs::starts_at.eq(program.starts_at),
            programs::ends_at.eq(program.ends_at),
            programs::was_active.eq(program.was_active),
            programs::landing_url.eq(program.landing_url),
            programs::ref_parameter.eq(program.ref_parameter),
            programs::click_parameter.eq(program.click_parameter),
        ))
        .execute(conn)
        .await
        .map(drop)
}

/// Adds a program unless its key is taken; says whether it did.
pub async fn insert(conn: &mut Connection, program: Program) -> QueryResult<bool> {
    let insert = diesel::insert_into(programs::table).values(program).on_conflict_do_nothing();
    insert.execute(conn).await.map(|rows| rows == 1)
}

/// Adds a version.
pub async fn insert_version(conn: &mut Connection, version: ProgramVersion) -> QueryResult<()> {
    diesel::insert_into(program_versions::table).values(version).execute(conn).await.map(drop)
}

/// Definitions of several programs: every combination of these ids and versions that there is.
pub async fn versions_of(conn: &mut Connection, ids: &[Id], versions: &[i32]) -> QueryResult<Vec<ProgramVersion>> {
    let query = program_versions::table.filter(program_versions::program_id.eq_any(ids.to_vec()));
    let query = query.filter(program_versions::version.eq_any(versions.to_vec()));
    query.select(ProgramVersion::as_select()).load(conn).await
}
