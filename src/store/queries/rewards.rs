//! Rewards.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{super::append, Connection};
use crate::{
    domain::{id::Id, reward::RewardStatus, time::Timestamp},
    store::{
        fanout::{FirstOfEach, Window},
        models::{NewRewardMove, Reward},
        requests::RewardChange,
        schema::{reward_moves, rewards},
    },
};

/// Several rewards, in no order.
pub async fn by_ids(conn: &mut Connection, ids: &[Id]) -> QueryResult<Vec<Reward>> {
    rewards::table.filter(rewards::id.eq_any(ids.to_vec())).select(Reward::as_select()).load(conn).await
}

/// Rewards that these events brought.
pub async fn of_events(conn: &mut Connection, events: &[Id]) -> QueryResult<Vec<Reward>> {
    let query = rewards::table.filter(rewards::event_id.eq_any(events.to_vec())).select(Reward::as_select());
    query.order((rewards::event_id, rewards::rule_key, rewards::level)).load(conn).await
}

/// Rewards that these claims took.
pub async fn of_claims(conn: &mut Connection, claims: &[Id]) -> QueryResult<Vec<Reward>> {
    let query = rewards::table.filter(rewards::claim_id.eq_any(claims.to_vec())).order(rewards::id);
    query.select(Reward::as_select()).load(conn).await
}

/// Rewards of users: the first of each.
pub async fn first_of_each(conn: &mut Connection, fan: FirstOfEach) -> QueryResult<Vec<Reward>> {
    rewards::table.filter(fan).select(Reward::as_select()).load(conn).await
}

/// A page of all rewards, of one state or any.
pub async fn page(conn: &mut Connection, status: Option<RewardStatus>, window: Window) -> QueryResult<Vec<Reward>> {
    let mut query = rewards::table.select(Reward::as_select()).into_boxed();
    query = status.into_iter().fold(query, |query, status| query.filter(rewards::status.eq(status)));
    query = window.after.into_iter().fold(query, |query, id| query.filter(rewards::id.lt(id)));
    query = window.before.into_iter().fold(query, |query, id| query.filter(rewards::id.gt(id)));
    let query = if window.from_end { query.order(rewards::id.asc()) } else { query.order(rewards::id.desc()) };
    query.limit(window.limit).load(conn).await
}

/// What of a user's rewards changed after a version of the user's totals, oldest change first.
pub async fn changed_since(conn: &mut Connection, user: Id, version: i64, limit: i64) -> QueryResult<Vec<Reward>> {
    let query = rewards::table.filter(rewards::user_id.eq(user)).filter(rewards::changed_version.gt(version));
    query.order((rewards::changed_version, rewards::id)).limit(limit).select(Reward::as_select()).load(conn).await
}

/// The reward of a user that changed last.
pub async fn newest_change(conn: &mut Connection, user: Id) -> QueryResult<Option<Reward>> {
    let query =
        rewards::table.filter(rewards::user_id.eq(user)).order((rewards::changed_version.desc(), rewards::id.desc()));
    query.select(Reward::as_select()).first(conn).await.optional()
}

/// Adds rewards.
pub async fn insert(conn: &mut Connection, rows: Vec<Reward>) -> QueryResult<()> {
    append::rewards(conn, rows).await
}

/// Adds moves to the history of rewards.
pub async fn insert_moves(conn: &mut Connection, rows: Vec<NewRewardMove>) -> QueryResult<()> {
    append::reward_moves(conn, rows).await
}

/// What a user could claim at an instant, locked: available by the clock, whatever the sweeper has done yet.
pub async fn claimable(conn: &mut Connection, user: Id, now: Timestamp) -> QueryResult<Vec<Reward>> {
    let query = rewards::table
        .filter(rewards::user_id.eq(user))
        .filter(rewards::status.eq_any([RewardStatus::Available, RewardStatus::Pending]))
        .filter(rewards::available_at.le(now))
        .filter(rewards::expires_at.is_null().or(rewards::expires_at.gt(now)))
        .filter(rewards::net.gt(0))
        .order(rewards::id)
        .select(Reward::as_select());
    for_update!(query).load(conn).await
}

/// Moves one reward from a state to another; says whether it was in the first, and unchanged since it was read.
pub async fn change(conn: &mut Connection, change: RewardChange) -> QueryResult<bool> {
    let row = rewards::table.find(change.id).filter(rewards::status.eq(change.from));
    let row = row.filter(rewards::changed_version.eq(change.seen_version));
    let update = diesel::update(row).set((
        rewards::status.eq(change.to),
        rewards::net.eq(change.net),
        rewards::taken.eq(change.taken),
        rewards::claim_id.eq(change.claim_id),
        rewards::expires_at.eq(change.expires_at),
        rewards::changed_version.eq(change.changed_version),
    ));
    update.execute(conn).await.map(|rows| rows == 1)
}

/// Rewards whose time has come, with their owners: held ones that can be claimed now, available ones that lapse now.
pub async fn due(conn: &mut Connection, now: Timestamp, limit: i64) -> QueryResult<Vec<(Id, Id)>> {
    let released: Vec<(Id, Id)> = rewards::table
        .filter(rewards::status.eq(RewardStatus::Pending).and(rewards::available_at.le(now)))
        .order(rewards::available_at)
        .limit(limit)
        .select((rewards::user_id, rewards::id))
        .load(conn)
        .await?;
    let lapsed: Vec<(Id, Id)> = rewards::table
        .filter(rewards::status.eq(RewardStatus::Available).and(rewards::expires_at.le(now)))
        .order(rewards::expires_at)
        .limit(limit)
        .select((rewards::user_id, rewards::id))
        .load(conn)
        .await?;
    Ok(released.into_iter().chain(lapsed).collect())
}

/// Several rewards, locked in the order of their ids.
pub async fn lock(conn: &mut Connection, ids: Vec<Id>) -> QueryResult<Vec<Reward>> {
    let query = rewards::table.filter(rewards::id.eq_any(ids)).order(rewards::id).select(Reward::as_select());
    for_update!(query).load(conn).await
}

/// Moves of these rewards from state to state, oldest first.
pub async fn moves_of(conn: &mut Connection, ids: &[Id]) -> QueryResult<Vec<NewRewardMove>> {
    let query = reward_moves::table.filter(reward_moves::reward_id.eq_any(ids.to_vec())).order(reward_moves::id);
    query.select(NewRewardMove::as_select()).load(conn).await
}
