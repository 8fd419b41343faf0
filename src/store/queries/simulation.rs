//! What a simulation of a program reads: recorded events and refunds in the order in which they were decided.

use std::ops::RangeInclusive;

use diesel::{prelude::*, sql_query};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::{id::Id, time::Timestamp, words::UserStatus},
    store::{
        models::{Event, Refund},
        requests::PaidByRule,
        schema::{events, refunds, users},
        sql_types::{Timestamptz, Uuid},
    },
};

/// The last place in the order of decisions that an event or a refund has; 0 when there is none.
pub async fn last_decided(conn: &mut Connection) -> QueryResult<i64> {
    let in_events: Option<i64> = events::table.select(diesel::dsl::max(events::decided_no)).first(conn).await?;
    let in_refunds: Option<i64> = refunds::table.select(diesel::dsl::max(refunds::decided_no)).first(conn).await?;
    Ok(in_events.max(in_refunds).unwrap_or(0))
}

/// Events of a program that were decided at these places and accepted before an instant, in their order.
pub async fn events_at(
    conn: &mut Connection,
    program: Id,
    places: RangeInclusive<i64>,
    before: Timestamp,
) -> QueryResult<Vec<Event>> {
    events::table
        .filter(events::decided_no.between(*places.start(), *places.end()))
        .filter(events::program_id.eq(program).and(events::received_at.lt(before)))
        .order(events::decided_no)
        .select(Event::as_select())
        .load(conn)
        .await
}

/// Refunds that were decided at these places, in their order; also those that came after the time that is looked at, since
/// what was really paid is less by them too.
pub async fn refunds_at(conn: &mut Connection, places: RangeInclusive<i64>) -> QueryResult<Vec<Refund>> {
    refunds::table
        .filter(refunds::decided_no.between(*places.start(), *places.end()))
        .order(refunds::decided_no)
        .select(Refund::as_select())
        .load(conn)
        .await
}

/// Everybody who does not take part.
pub async fn inactive_users(conn: &mut Connection) -> QueryResult<Vec<Id>> {
    users::table.filter(users::status.ne(UserStatus::Active)).select(users::id).load(conn).await
}

/// What a program granted for events that were accepted in a time, half-open, by rule and level.
pub async fn paid_by_rule(
    conn: &mut Connection,
    program: Id,
    (from, to): (Timestamp, Timestamp),
) -> QueryResult<Vec<PaidByRule>> {
    const TEXT: &str = "SELECT r.rule_key, r.level, count(*) AS rewards, CAST(sum(r.amount) AS bigint) AS amount, \
        CAST(sum(r.net) AS bigint) AS net FROM rewards AS r JOIN events AS e ON e.id = r.event_id \
        WHERE r.program_id = $1 AND e.received_at >= $2 AND e.received_at < $3 \
        GROUP BY r.rule_key, r.level ORDER BY r.rule_key, r.level";
    let query = sql_query(TEXT).bind::<Uuid, _>(program);
    query.bind::<Timestamptz, _>(from).bind::<Timestamptz, _>(to).load(conn).await
}
