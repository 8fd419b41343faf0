//! Watching a user's counts and rewards.

use std::sync::Arc;

use async_graphql::ID;
use futures_util::{Stream, StreamExt};

use super::delivery::{Due, deliver};
use crate::{
    domain::id::{Id, Noun},
    engine::Engine,
    graphql::{
        caller::{Known, Sight},
        errors::ApiError,
        scalars::id_argument,
        scope::Scope,
        types::{network::ReferralCount, reward::Reward, user::User},
    },
    live::{Change, Changes, Topic, Versioned, WatchKey},
    store::{StoreError, Tx, models, run},
};

/// Changed rewards that are read at once.
const CHANGES_PER_READ: i64 = 200;

fn not_there() -> ApiError {
    ApiError::bad_input("there is no such user")
}

/// The user that is watched, and how the caller sees them; somebody not in sight is not there.
async fn watched(scope: &Scope, user: &ID) -> Result<User, ApiError> {
    scope.caller_as::<Known>()?;
    let user = User::find(scope, id_argument(Noun::User, user)?).await?;
    user.ok_or_else(not_there)
}

/// What is told of a user as long as the caller may watch them, asked anew before each message: the user may be moved out of
/// the caller's network, and the caller may be erased. It ends with the refusal.
fn while_in_sight<T: Clone + Send + 'static>(
    scope: Arc<Scope>,
    user: Id,
    due: Due,
    messages: impl Stream<Item = Result<T, Arc<StoreError>>> + Send + 'static,
) -> impl Stream<Item = Result<(Sight, T), ApiError>> {
    let messages = messages.map(|message| message.map_err(|failure| ApiError::of_store(&failure)));
    deliver(messages.boxed(), due, move |message| {
        let scope = scope.clone();
        async move {
            scope.loaders.renew();
            let sight = scope.anew().sight_of(user).await?;
            Ok((sight.ok_or_else(not_there)?, message))
        }
    })
}

/// See [`Subscription`](super::Subscription).
pub(super) async fn referral_count(
    scope: Arc<Scope>,
    user: ID,
) -> Result<impl Stream<Item = Result<ReferralCount, ApiError>> + use<>, ApiError> {
    let id = watched(&scope, &user).await?.row.id;
    let engine = scope.engine.clone();
    let read = move || read_totals(engine.clone(), id);
    let values = scope.engine.live.watch(WatchKey::new(Topic::User(id.uuid()), "counts"), read);
    Ok(while_in_sight(scope, id, Due::Newest, values).map(move |message| {
        let (_, totals) = message?;
        Ok(ReferralCount::of(id, totals.as_ref().as_ref()))
    }))
}

async fn read_totals(engine: Arc<Engine>, user: Id) -> Result<Versioned<Option<models::Totals>>, StoreError> {
    let rows = engine.store.look(async |tx: &mut Tx| run!(tx, totals::of_users(&[user]))).await?;
    let totals = rows.into_iter().next();
    Ok(Versioned::new(totals.as_ref().map_or(0, |totals| totals.version), totals))
}

/// See [`Subscription`](super::Subscription).
pub(super) async fn reward_updated(
    scope: Arc<Scope>,
    user: ID,
) -> Result<impl Stream<Item = Result<Reward, ApiError>> + use<>, ApiError> {
    let owner = watched(&scope, &user).await?;
    if !owner.sight.is_private() {
        return Err(ApiError::Forbidden);
    }
    let (engine, id) = (scope.engine.clone(), owner.row.id);
    let read = move |seen| read_changes(engine.clone(), id, seen);
    let changes = scope.engine.live.follow(WatchKey::new(Topic::User(id.uuid()), "rewards"), read);
    Ok(while_in_sight(scope, id, Due::Each, changes).map(|message| {
        let (sight, change) = message?;
        if !sight.is_private() {
            return Err(ApiError::Forbidden);
        }
        Ok(Reward { row: change.item, sight })
    }))
}

/// The rewards of the newest version, or what is newer than a version, never splitting a version over two pages.
async fn read_changes(engine: Arc<Engine>, user: Id, seen: Option<i64>) -> Result<Changes<models::Reward>, StoreError> {
    let seen = match seen {
        Some(seen) => seen,
        None => match engine.store.look(async |tx: &mut Tx| run!(tx, rewards::newest_change(user))).await? {
            Some(newest) => newest.changed_version - 1,
            None => return Ok(Changes::all(Vec::new())),
        },
    };
    let mut limit = CHANGES_PER_READ;
    loop {
        let rows = engine.store.look(async |tx: &mut Tx| run!(tx, rewards::changed_since(user, seen, limit))).await?;
        let is_full = i64::try_from(rows.len()).unwrap_or(i64::MAX) == limit;
        if !is_full {
            return Ok(Changes::all(changes(rows)));
        }
        let last = rows.last().map_or(seen, |row| row.changed_version);
        let whole: Vec<_> = rows.into_iter().filter(|row| row.changed_version < last).collect();
        if !whole.is_empty() {
            return Ok(Changes::page(changes(whole)));
        }
        limit *= 2; // one version holds more than that
    }
}

fn changes(rows: Vec<models::Reward>) -> Vec<Change<models::Reward>> {
    rows.into_iter().map(|row| Change::new(row.changed_version, row)).collect()
}
