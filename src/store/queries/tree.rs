//! Walks of the tree: up a chain, down a bounded subtree.

use diesel::{
    backend::Backend,
    prelude::*,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    serialize::ToSql,
    sql_types::{HasSqlType, Int4, Int8},
};
use diesel_async::RunQueryDsl;

use super::super::{FIRST_CHILDREN, KEPT_USERS};
use super::Connection;
use crate::{
    domain::id::Id,
    store::{
        requests::{TreeRequest, TreeRow},
        sql_types::Uuid,
    },
};

/// One step of a walk upwards: `(start, ancestor, level)`, level 1 being the direct referrer.
pub type Step = (Id, Id, i32);

/// The ancestors of several users within `levels`, nearest first.
pub async fn uplines(conn: &mut Connection, starts: Vec<Id>, levels: i32) -> QueryResult<Vec<Step>> {
    if starts.is_empty() {
        return Ok(Vec::new());
    }
    Uplines { starts, levels }.load(conn).await
}

#[derive(QueryableByName)]
struct Reached {
    #[diesel(sql_type = Uuid)]
    id: Id,
    #[diesel(sql_type = Int4)]
    level: i32,
}

/// Climbs from a user until it meets another one, stands at a root, or has gone up so many levels: whom it reached, and how
/// far above that is. Nothing when nobody stands above. Each step is a subquery of its own, as in `ancestors`.
pub async fn climb(conn: &mut Connection, (from, until): (Id, Id), levels: i32) -> QueryResult<Option<(Id, i32)>> {
    const TEXT: &str = "WITH RECURSIVE up(id, level) AS (\
        SELECT referrer_id, 1 FROM referrals WHERE referred_id = $1 \
        UNION ALL SELECT (SELECT edge.referrer_id FROM referrals AS edge WHERE edge.referred_id = up.id), up.level + 1 \
        FROM up WHERE up.id <> $2 AND up.level < $3) \
        SELECT id, level FROM up WHERE id IS NOT NULL ORDER BY level DESC LIMIT 1";
    let query = diesel::sql_query(TEXT).bind::<Uuid, _>(from).bind::<Uuid, _>(until).bind::<Int4, _>(levels);
    let reached: Option<Reached> = query.get_result(conn).await.optional()?;
    Ok(reached.map(|reached| (reached.id, reached.level)))
}

#[derive(Debug)]
struct Uplines {
    starts: Vec<Id>,
    levels: i32,
}

impl Query for Uplines {
    type SqlType = (Uuid, Uuid, Int4);
}

impl QueryId for Uplines {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> diesel::RunQueryDsl<C> for Uplines {}

impl<DB> QueryFragment<DB> for Uplines
where
    DB: Backend + HasSqlType<Uuid> + HasSqlType<Int4>,
    Id: ToSql<Uuid, DB>,
    i32: ToSql<Int4, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.unsafe_to_cache_prepared();
        out.push_sql(
            "WITH RECURSIVE up(start_id, id, level) AS (\
             SELECT referred_id, referrer_id, 1 FROM referrals WHERE referred_id IN (",
        );
        for (place, start) in self.starts.iter().enumerate() {
            if place > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<Uuid, Id>(start)?;
        }
        out.push_sql(
            ") UNION ALL SELECT up.start_id, edge.referrer_id, up.level + 1 \
             FROM up JOIN referrals AS edge ON edge.referred_id = up.id WHERE up.level < ",
        );
        out.push_bind_param::<Int4, i32>(&self.levels)?;
        out.push_sql(") SELECT start_id, id, level FROM up ORDER BY level");
        Ok(())
    }
}

/// A subtree, level by level, in one statement. The recursion reads `first` children of a node and no more, and ends with
/// the last row that is asked for: it goes level by level on both databases, so that those above come first.
///
/// Parameters are numbered by their first place in the text: for SQLite `$2` is a name, not a number.
pub async fn subtree(conn: &mut Connection, request: TreeRequest) -> QueryResult<Vec<TreeRow>> {
    let text = format!(
        "WITH RECURSIVE tree(id, parent_id, level) AS (\
         SELECT id, NULLIF(id, id), 0 FROM users WHERE id = $1 \
         UNION ALL SELECT child.referred_id, tree.id, tree.level + 1 {FIRST_CHILDREN} WHERE tree.level < $3), \
         kept(id, parent_id, level) AS (SELECT id, parent_id, level FROM tree LIMIT $4) \
         SELECT kept.parent_id, kept.level, \
         (SELECT count(*) FROM (SELECT 1 FROM referrals AS edge WHERE edge.referrer_id = kept.id LIMIT $2 + 1) AS found) \
         > CASE WHEN kept.level = $3 THEN 0 ELSE $2 END AS more, users.* \
         FROM {KEPT_USERS} ORDER BY kept.level"
    );
    diesel::sql_query(text)
        .bind::<Uuid, _>(request.root)
        .bind::<Int8, _>(request.first)
        .bind::<Int4, _>(request.depth)
        .bind::<Int8, _>(request.limit)
        .load(conn)
        .await
}
