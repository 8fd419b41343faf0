//! SQL types that both databases share, and how our values become them.
//!
//! Two of PostgreSQL's types have no twin in SQLite; ours stand in their place: [`Uuid`] is a `uuid` or a BLOB of 16
//! bytes, [`Timestamptz`] a `timestamptz` or a whole number of microseconds since the Unix epoch. One schema, one set of
//! models and one text of each query serve both.

pub use diesel::sql_types::{Bool, Bytea, Float8, Int4, Int8, Nullable, Text};
use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, FromStaticSqlRow, Queryable},
    expression::AsExpression,
    internal::derives::as_expression::Bound,
    pg::Pg,
    query_builder::QueryId,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{Binary, SqlType},
    sqlite::Sqlite,
};

use crate::domain::{
    fraud::Signal,
    id::Id,
    keyed_hash::KeyedHash,
    reward::RewardStatus,
    time::Timestamp,
    words::{
        ClaimStatus, CodeKind, CodeStatus, KeyRole, ListingEffect, ListingSubject, Metric, Period, ProgramStatus,
        ReferralStatus, ReviewStatus, Standing, UserStatus, Via,
    },
};

/// PostgreSQL's `uuid`; 16 bytes in SQLite.
#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct Uuid;

/// PostgreSQL's `timestamptz`; microseconds since the Unix epoch in SQLite.
#[derive(Debug, Clone, Copy, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Long"))]
pub struct Timestamptz;

// `table!` makes every column of a type called `Timestamptz` addable; ours is a number of microseconds.
impl diesel::sql_types::ops::Add for Timestamptz {
    type Rhs = Int8;
    type Output = Self;
}

impl diesel::sql_types::ops::Sub for Timestamptz {
    type Rhs = Int8;
    type Output = Self;
}

impl diesel::sql_types::SqlOrd for Timestamptz {}

/// Microseconds from 1970-01-01 to 2000-01-01, where PostgreSQL counts from.
const POSTGRES_EPOCH_MICROS: i64 = 946_684_800_000_000;

/// Lets a value be bound as a parameter of a SQL type and read from a column of it: what diesel's derives of the same
/// names would write, for types of a room that knows no SQL.
macro_rules! sql_value {
    ($($value:ty => $sql_type:ty),+ $(,)?) => { $(
        sql_value!(@bind $value, $sql_type, $sql_type, Nullable<$sql_type>);
        impl<DB: Backend> Queryable<$sql_type, DB> for $value
        where
            $value: FromStaticSqlRow<$sql_type, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
        impl<DB: Backend> ToSql<Nullable<$sql_type>, DB> for $value
        where
            $value: ToSql<$sql_type, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                ToSql::<$sql_type, DB>::to_sql(self, out)
            }
        }
    )+ };
    (@bind $value:ty, $inner:ty, $($sql_type:ty),+) => { $(
        impl AsExpression<$sql_type> for $value {
            type Expression = Bound<$sql_type, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
        impl<'a> AsExpression<$sql_type> for &'a $value {
            type Expression = Bound<$sql_type, Self>;
            fn as_expression(self) -> Self::Expression {
                Bound::new(self)
            }
        }
    )+ };
}

sql_value!(Id => Uuid, Timestamp => Timestamptz, KeyedHash => Binary);

impl ToSql<Uuid, Pg> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        std::io::Write::write_all(out, self.uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Uuid, Sqlite> for Id {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().as_bytes().to_vec());
        Ok(IsNull::No)
    }
}

impl FromSql<Uuid, Pg> for Id {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(uuid::Uuid::from_slice(value.as_bytes())?))
    }
}

impl FromSql<Uuid, Sqlite> for Id {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self::from_uuid(uuid::Uuid::from_slice(&bytes)?))
    }
}

impl ToSql<Timestamptz, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        let micros = self.micros().saturating_sub(POSTGRES_EPOCH_MICROS);
        std::io::Write::write_all(out, &micros.to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl ToSql<Timestamptz, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.micros());
        Ok(IsNull::No)
    }
}

impl FromSql<Timestamptz, Pg> for Timestamp {
    fn from_sql(value: diesel::pg::PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        Ok(Self::from_micros(micros.saturating_add(POSTGRES_EPOCH_MICROS)))
    }
}

impl FromSql<Timestamptz, Sqlite> for Timestamp {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <i64 as FromSql<Int8, Sqlite>>::from_sql(value).map(Self::from_micros)
    }
}

impl<DB: Backend> ToSql<Binary, DB> for KeyedHash
where
    [u8]: ToSql<Binary, DB>,
{
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
        <[u8] as ToSql<Binary, DB>>::to_sql(&self.0, out)
    }
}

impl<DB: Backend> FromSql<Binary, DB> for KeyedHash
where
    Vec<u8>: FromSql<Binary, DB>,
{
    fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, DB>>::from_sql(value)?;
        Ok(Self(bytes.as_slice().try_into()?))
    }
}

/// Stores a closed list as its words; an unknown word in the database is an error, not a default.
macro_rules! sql_words {
    ($($words:ty),+ $(,)?) => { $(
        sql_value!($words => Text);
        impl<DB: Backend> ToSql<Text, DB> for $words
        where
            str: ToSql<Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <str as ToSql<Text, DB>>::to_sql(self.word(), out)
            }
        }
        impl<DB: Backend> FromSql<Text, DB> for $words
        where
            String: FromSql<Text, DB>,
        {
            fn from_sql(value: DB::RawValue<'_>) -> deserialize::Result<Self> {
                let word = <String as FromSql<Text, DB>>::from_sql(value)?;
                Self::from_word(&word).ok_or_else(|| format!("unknown word `{word}`").into())
            }
        }
    )+ };
}

sql_words!(
    UserStatus,
    ProgramStatus,
    ReferralStatus,
    Via,
    CodeStatus,
    CodeKind,
    ClaimStatus,
    KeyRole,
    Metric,
    Period,
    RewardStatus,
    Standing,
    ReviewStatus,
    ListingEffect,
    ListingSubject,
    Signal,
);
