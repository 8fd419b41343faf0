//! People.

use diesel::{
    define_sql_function,
    prelude::*,
    sql_types::{Nullable, SingleValue, SqlType, Text},
};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, words::UserStatus},
    store::{
        fanout::{FirstOfEach, Window},
        models::User,
        requests::UserChanges,
        schema::users,
    },
};

/// One user.
pub async fn by_id(conn: &mut Connection, id: Id) -> QueryResult<Option<User>> {
    users::table.find(id).select(User::as_select()).first(conn).await.optional()
}

/// One user, who is not erased before the transaction ends: what is added about them until then, an erasure finds.
pub async fn hold(conn: &mut Connection, id: Id) -> QueryResult<Option<User>> {
    for_reference!(users::table.find(id).select(User::as_select())).first(conn).await.optional()
}

/// The same by the host's name for them.
pub async fn hold_by_external_id(conn: &mut Connection, external_id: &str) -> QueryResult<Option<User>> {
    let query = users::table.filter(users::external_id.eq(external_id)).select(User::as_select());
    for_reference!(query).first(conn).await.optional()
}

/// States of several users, none of whom is erased from now on before the transaction ends. Locked in the order of ids.
pub async fn hold_all(conn: &mut Connection, ids: Vec<Id>) -> QueryResult<Vec<(Id, UserStatus)>> {
    let query = users::table.filter(users::id.eq_any(ids)).order(users::id).select((users::id, users::status));
    for_reference!(query).load(conn).await
}

/// One user, once nobody is adding anything about them any more.
pub async fn lock_alone(conn: &mut Connection, id: Id) -> QueryResult<Option<User>> {
    for_erasure!(users::table.find(id).select(User::as_select())).first(conn).await.optional()
}

/// Several users, in no order.
pub async fn by_ids(conn: &mut Connection, ids: &[Id]) -> QueryResult<Vec<User>> {
    users::table.filter(users::id.eq_any(ids.to_vec())).select(User::as_select()).load(conn).await
}

/// The user whom the host calls so.
pub async fn by_external_id(conn: &mut Connection, external_id: &str) -> QueryResult<Option<User>> {
    users::table.filter(users::external_id.eq(external_id)).select(User::as_select()).first(conn).await.optional()
}

/// Ids of the users whom the host calls so, with those names.
pub async fn ids_by_external_ids(conn: &mut Connection, external_ids: Vec<String>) -> QueryResult<Vec<(String, Id)>> {
    let query = users::table.filter(users::external_id.eq_any(external_ids)).select((users::external_id, users::id));
    query.load(conn).await
}

define_sql_function! {
    /// A text in small letters: on SQLite of ASCII only.
    fn lower<T: SqlType + SingleValue>(text: T) -> T;
}

/// A page of all users, or of those whose external id or name begins with a text, in small or capital letters.
pub async fn page(conn: &mut Connection, search: Option<String>, window: Window) -> QueryResult<Vec<User>> {
    let mut query = users::table.select(User::as_select()).into_boxed();
    if let Some(text) = search {
        let pattern = format!("{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        let is_called = lower(users::external_id).like(lower::<Text, _>(pattern.clone())).escape('\\');
        let is_named = lower(users::display_name).like(lower::<Nullable<Text>, _>(pattern)).escape('\\');
        query = query.filter(is_called.or(is_named));
    }
    query = window.after.into_iter().fold(query, |query, id| query.filter(users::id.gt(id)));
    query = window.before.into_iter().fold(query, |query, id| query.filter(users::id.lt(id)));
    let query = if window.from_end { query.order(users::id.desc()) } else { query.order(users::id.asc()) };
    query.limit(window.limit).load(conn).await
}

/// Users whom others brought in: the first of each parent, with that parent.
pub async fn referred_by(conn: &mut Connection, fan: FirstOfEach) -> QueryResult<Vec<(Id, User)>> {
    use crate::store::schema::referrals;
    users::table
        .inner_join(referrals::table.on(referrals::referred_id.eq(users::id)))
        .filter(fan)
        .select((referrals::referrer_id, User::as_select()))
        .load(conn)
        .await
}

/// Adds a user. A taken external id is a duplicate of `users.external_id`.
pub async fn insert(conn: &mut Connection, user: User) -> QueryResult<()> {
    diesel::insert_into(users::table).values(user).execute(conn).await.map(drop)
}

/// Changes a user and gives the new row; nothing when there is no such user.
pub async fn update(conn: &mut Connection, id: Id, changes: UserChanges) -> QueryResult<Option<User>> {
    let update = diesel::update(users::table.find(id)).set(changes).returning(User::as_returning());
    update.get_result(conn).await.optional()
}

/// Locks the state rows of these users, in the order of their ids, and gives their ids and states.
pub async fn lock(conn: &mut Connection, ids: Vec<Id>) -> QueryResult<Vec<(Id, UserStatus)>> {
    let query = users::table.filter(users::id.eq_any(ids)).order(users::id).select((users::id, users::status));
    for_update!(query).load(conn).await
}

/// States of these users.
pub async fn statuses(conn: &mut Connection, ids: Vec<Id>) -> QueryResult<Vec<(Id, UserStatus)>> {
    users::table.filter(users::id.eq_any(ids)).select((users::id, users::status)).load(conn).await
}

/// Sets a user's standing.
pub async fn set_status(conn: &mut Connection, id: Id, status: UserStatus) -> QueryResult<()> {
    diesel::update(users::table.find(id)).set(users::status.eq(status)).execute(conn).await.map(drop)
}

/// Adds many users in one go, leaving out those whose external id is taken.
pub async fn insert_new(conn: &mut Connection, rows: Vec<User>) -> QueryResult<()> {
    insert_all!(conn, users::table, rows);
    Ok(())
}
