//! Referral codes.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, words::CodeStatus},
    store::{
        models::{Code, Link, Program, User},
        schema::{codes, program_versions, programs, users},
    },
};

/// The code with this folded key.
pub async fn by_key(conn: &mut Connection, key: &str) -> QueryResult<Option<Code>> {
    codes::table.find(key).select(Code::as_select()).first(conn).await.optional()
}

/// What is behind each of these codes.
pub async fn links(conn: &mut Connection, keys: Vec<String>) -> QueryResult<Vec<Link>> {
    let promised = programs::table.inner_join(program_versions::table);
    let query = codes::table.inner_join(users::table).inner_join(promised).filter(codes::key.eq_any(keys));
    let query = query.filter(program_versions::version.eq(programs::version));
    let parts = (Code::as_select(), User::as_select(), Program::as_select(), program_versions::definition);
    query.select(parts).load(conn).await
}

/// Switches a code off; says whether it was on.
pub async fn disable(conn: &mut Connection, key: &str) -> QueryResult<bool> {
    let row = codes::table.find(key).filter(codes::status.eq(CodeStatus::Active));
    diesel::update(row).set(codes::status.eq(CodeStatus::Disabled)).execute(conn).await.map(|rows| rows == 1)
}

/// Codes of these users, oldest first.
pub async fn of_users(conn: &mut Connection, users: &[Id]) -> QueryResult<Vec<Code>> {
    let query = codes::table.filter(codes::user_id.eq_any(users.to_vec())).select(Code::as_select());
    query.order((codes::created_at, codes::key)).load(conn).await
}

/// Adds a code; says whether its key was free.
pub async fn insert(conn: &mut Connection, code: Code) -> QueryResult<bool> {
    let insert = diesel::insert_into(codes::table).values(code).on_conflict_do_nothing();
    insert.execute(conn).await.map(|rows| rows == 1)
}

/// Adds many codes; a taken key is a duplicate of `codes.key`.
pub async fn insert_new(conn: &mut Connection, rows: Vec<Code>) -> QueryResult<()> {
    insert_all!(conn, codes::table, rows);
    Ok(())
}

/// Which of these keys are taken.
pub async fn taken(conn: &mut Connection, keys: Vec<String>) -> QueryResult<Vec<String>> {
    codes::table.filter(codes::key.eq_any(keys)).select(codes::key).load(conn).await
}
