//! The first rows of each of many parents, in one statement: what keeps a level of a GraphQL query at one statement
//! whatever its width.
//!
//! PostgreSQL looks each parent's rows up with a lateral join, SQLite with a correlated subquery; both read no more rows
//! than are asked for, however many a parent has. Names of tables and columns come from [`List`], values are bound.

use diesel::{
    backend::Backend,
    expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping, is_aggregate},
    query_builder::{AstPass, QueryFragment, QueryId},
    result::QueryResult,
    serialize::ToSql,
    sql_types::{BigInt, Bool, HasSqlType, Text},
};

use super::sql_types::Uuid;
use crate::domain::id::Id;

/// A piece of a list that is ordered by id: what lies between two ids, from one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Only what comes after this one, in the order of the list.
    pub after: Option<Id>,
    /// Only what comes before this one, in the order of the list.
    pub before: Option<Id>,
    /// How many rows.
    pub limit: i64,
    /// Take them from the end of the list, last one first.
    pub from_end: bool,
}

/// A list that hangs below a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum List {
    /// Referrals that a user made, oldest first.
    Referrals,
    /// Rewards of a user, newest first.
    Rewards,
    /// Claims of a user, newest first.
    Claims,
    /// Events of a user, newest first.
    Events,
}

/// Names of a list in SQL.
struct Names {
    table: &'static str,
    id: &'static str,
    parent: &'static str,
    newest_first: bool,
}

impl List {
    const fn names(self) -> Names {
        match self {
            Self::Referrals => {
                Names { table: "referrals", id: "referred_id", parent: "referrer_id", newest_first: false }
            }
            Self::Rewards => Names { table: "rewards", id: "id", parent: "user_id", newest_first: true },
            Self::Claims => Names { table: "claims", id: "id", parent: "user_id", newest_first: true },
            Self::Events => Names { table: "events", id: "id", parent: "user_id", newest_first: true },
        }
    }

    /// Whether the list begins with its largest id.
    pub const fn newest_first(self) -> bool {
        self.names().newest_first
    }
}

/// A condition that holds for the first rows of each parent.
#[derive(Clone, Debug)]
pub struct FirstOfEach {
    /// Which list.
    pub list: List,
    /// Whose.
    pub parents: Vec<Id>,
    /// Only rows in this state.
    pub status: Option<&'static str>,
    /// Which piece of each parent's list.
    pub window: Window,
}

impl FirstOfEach {
    /// `SELECT id FROM table WHERE parent = <outer> AND ... ORDER BY id LIMIT n`
    fn walk_one<'b, DB>(&'b self, out: &mut AstPass<'_, 'b, DB>, outer: &str) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<Uuid> + HasSqlType<BigInt> + HasSqlType<Text>,
        Id: ToSql<Uuid, DB>,
        i64: ToSql<BigInt, DB>,
        str: ToSql<Text, DB>,
    {
        let Names { table, id, parent, newest_first } = self.list.names();
        out.push_sql(&format!("SELECT {id} FROM {table} WHERE {parent} = {outer}"));
        if let Some(status) = self.status {
            out.push_sql(" AND status = ");
            out.push_bind_param::<Text, str>(status)?;
        }
        let (behind, ahead) = if newest_first { ("<", ">") } else { (">", "<") };
        for (bound, sign) in [(&self.window.after, behind), (&self.window.before, ahead)] {
            if let Some(bound) = bound {
                out.push_sql(&format!(" AND {id} {sign} "));
                out.push_bind_param::<Uuid, Id>(bound)?;
            }
        }
        let direction = if newest_first == self.window.from_end { "ASC" } else { "DESC" };
        out.push_sql(&format!(" ORDER BY {id} {direction} LIMIT "));
        out.push_bind_param::<BigInt, i64>(&self.window.limit)
    }

    fn walk<'b, DB>(&'b self, mut out: AstPass<'_, 'b, DB>, join: &Join) -> QueryResult<()>
    where
        DB: Backend + HasSqlType<Uuid> + HasSqlType<BigInt> + HasSqlType<Text>,
        Id: ToSql<Uuid, DB>,
        i64: ToSql<BigInt, DB>,
        str: ToSql<Text, DB>,
    {
        // Texts differ by the number of parents: kept, they would fill the cache of prepared statements.
        out.unsafe_to_cache_prepared();
        let Names { table, id, .. } = self.list.names();
        out.push_sql(&format!("{table}.{id} IN (SELECT chosen.{id} FROM (VALUES "));
        for (place, parent) in self.parents.iter().enumerate() {
            out.push_sql(if place == 0 { "(" } else { "), (" });
            out.push_bind_param::<Uuid, Id>(parent)?;
        }
        out.push_sql(&format!(")) AS parents {}", join.before.replace("{table}", table).replace("{id}", id)));
        self.walk_one(&mut out, "parents.column1")?;
        out.push_sql(join.after);
        out.push_sql(")");
        Ok(())
    }
}

/// How a database joins a list to each parent.
struct Join {
    before: &'static str,
    after: &'static str,
}

impl QueryFragment<diesel::pg::Pg> for FirstOfEach {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        self.walk(out, &Join { before: "CROSS JOIN LATERAL (", after: ") AS chosen" })
    }
}

impl QueryFragment<diesel::sqlite::Sqlite> for FirstOfEach {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> QueryResult<()> {
        self.walk(out, &Join { before: "CROSS JOIN {table} AS chosen ON chosen.{id} IN (", after: ")" })
    }
}

impl Expression for FirstOfEach {
    type SqlType = Bool;
}

impl<Source> AppearsOnTable<Source> for FirstOfEach {}
impl<Source> SelectableExpression<Source> for FirstOfEach {}

impl<GroupBy> ValidGrouping<GroupBy> for FirstOfEach {
    type IsAggregate = is_aggregate::Never;
}

impl QueryId for FirstOfEach {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}
