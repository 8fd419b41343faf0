//! Rows by a key of theirs: one statement for all keys.

use std::{collections::HashMap, sync::Arc};

use super::batched::Found;
use crate::{
    domain::{id::Id, program::Definition},
    engine::Engine,
    graphql::caller::NETWORK_LEVELS,
    store::{
        StoreError, Tx,
        fraud::{FoundSignal, Review, Risk},
        models::{Account, Claim, Click, Code, Event, NewRewardMove, Program, Referral, Reward, Totals, User},
        run,
    },
};

/// What is found under a key of its own, if anything.
type One<T> = Found<Id, Option<Arc<T>>>;
/// What is found under a key that several share.
type Many<T> = Found<Id, Arc<Vec<Arc<T>>>>;

fn by_key<T>(rows: Vec<T>, key: impl Fn(&T) -> Id) -> HashMap<Id, Option<Arc<T>>> {
    rows.into_iter().map(|row| (key(&row), Some(Arc::new(row)))).collect()
}

/// Keeps the order of the rows within each key.
fn grouped<T>(rows: Vec<T>, key: impl Fn(&T) -> Option<Id>) -> HashMap<Id, Arc<Vec<Arc<T>>>> {
    let mut groups: HashMap<Id, Vec<Arc<T>>> = HashMap::new();
    for row in rows {
        if let Some(key) = key(&row) {
            groups.entry(key).or_default().push(Arc::new(row));
        }
    }
    groups.into_iter().map(|(key, rows)| (key, Arc::new(rows))).collect()
}

/// Defines fetches that read rows by their keys with one query.
macro_rules! fetches {
    ($($name:ident: $answer:ident<$row:ty> = $module:ident::$query:ident, $collect:ident by $key:expr;)+) => { $(
        pub(super) async fn $name(engine: Arc<Engine>, keys: Vec<Id>) -> $answer<$row> {
            let rows = engine.store.look(async |tx: &mut Tx| run!(tx, $module::$query(&keys))).await?;
            Ok($collect(rows, $key))
        }
    )+ };
}

fetches! {
    users: One<User> = users::by_ids, by_key by |row: &User| row.id;
    programs: One<Program> = programs::by_ids, by_key by |row: &Program| row.id;
    referral_of: One<Referral> = referrals::of_referred, by_key by |row: &Referral| row.referred_id;
    risk_of: One<Risk> = risks::of_referrals, by_key by |row: &Risk| row.referred_id;
    signals_of: Many<FoundSignal> = risks::signals_of, grouped by |row: &FoundSignal| Some(row.referred_id);
    reviews_of: Many<Review> = reviews::of_referrals, grouped by |row: &Review| Some(row.referred_id);
    totals: One<Totals> = totals::of_users, by_key by |row: &Totals| row.user_id;
    codes: Many<Code> = codes::of_users, grouped by |row: &Code| Some(row.user_id);
    accounts: Many<Account> = accounts::of_users, grouped by |row: &Account| Some(row.user_id);
    events: One<Event> = events::by_ids, by_key by |row: &Event| row.id;
    rewards: One<Reward> = rewards::by_ids, by_key by |row: &Reward| row.id;
    claims: One<Claim> = claims::by_ids, by_key by |row: &Claim| row.id;
    clicks: One<Click> = clicks::by_ids, by_key by |row: &Click| row.id;
    rewards_of_event: Many<Reward> = rewards::of_events, grouped by |row: &Reward| Some(row.event_id);
    rewards_of_claim: Many<Reward> = rewards::of_claims, grouped by |row: &Reward| row.claim_id;
    history: Many<NewRewardMove> = rewards::moves_of, grouped by |row: &NewRewardMove| Some(row.reward_id);
}

pub(super) async fn definitions(
    engine: Arc<Engine>,
    keys: Vec<(Id, i32)>,
) -> Found<(Id, i32), Option<Arc<Definition>>> {
    let (ids, versions): (Vec<_>, Vec<_>) = keys.into_iter().unzip();
    let look = engine.store.look(async |tx: &mut Tx| run!(tx, programs::versions_of(&ids, &versions)));
    let read = look.await?.into_iter().map(|row| {
        let definition = serde_json::from_str(&row.definition).map_err(|error| {
            StoreError::Corrupt(format!("version {} of program {}: {error}", row.version, row.program_id))
        })?;
        Ok(((row.program_id, row.version), Some(Arc::new(definition))))
    });
    read.collect()
}

pub(super) async fn uplines(engine: Arc<Engine>, users: Vec<Id>) -> Found<Id, Arc<Vec<Id>>> {
    let levels = i32::from(NETWORK_LEVELS);
    let steps = engine.store.look(async |tx: &mut Tx| run!(tx, tree::uplines(users.clone(), levels))).await?;
    let mut chains: HashMap<Id, Vec<Id>> = HashMap::new();
    for (start, above, _level) in steps {
        chains.entry(start).or_default().push(above);
    }
    Ok(chains.into_iter().map(|(start, chain)| (start, Arc::new(chain))).collect())
}
