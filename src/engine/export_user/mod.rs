//! All that is stored about one person, for the person or on their behalf.

mod document;

use serde_json::Value;

use super::{Engine, Error, own_clicks::own_clicks};
use crate::{
    domain::{
        id::{Id, Noun},
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
        fanout::Window,
        fraud::{FoundSignal, Listing, Review, Risk},
        models, run,
    },
};

/// Most rows of one list; what is beyond can be paged through in the API, and `cut` of the export names the list.
pub const ROWS_MAX: i64 = 10_000;

/// For whom an export is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFor {
    /// The person: without what operators noted for each other.
    Themselves,
    /// The host and operators.
    Staff,
}

/// Everything about one person, from one state of the database.
struct Stored {
    user: models::User,
    codes: Vec<models::Code>,
    referral: Option<models::Referral>,
    moves: Vec<models::ReferralMove>,
    evidence: Option<models::Evidence>,
    risk: Option<Risk>,
    signs: Vec<FoundSignal>,
    reviews: Vec<Review>,
    clicks: Vec<models::Click>,
    totals: Option<models::Totals>,
    events: Vec<models::Event>,
    refunds: Vec<models::Refund>,
    rewards: Vec<models::Reward>,
    reward_moves: Vec<models::NewRewardMove>,
    claims: Vec<models::Claim>,
    accounts: Vec<models::Account>,
    transfers: Vec<models::Transfer>,
    listings: Vec<Listing>,
    deeds: Vec<models::Audit>,
}

impl Engine {
    /// Everything that is stored about a user as one JSON object; nothing when there is no such user. Money is in minor
    /// units, as it is stored. Of erased people it is what is left.
    pub async fn export_user(&self, user: Id, whom: ExportFor) -> Result<Option<Value>, Error> {
        let now: Timestamp = self.context.now();
        let stored = self.store.read(async |tx: &mut Tx| Stored::read(self, tx, user).await).await?;
        Ok(stored.map(|stored| stored.document(whom, now)))
    }
}

impl Stored {
    async fn read(engine: &Engine, tx: &mut Tx, id: Id) -> Result<Option<Self>, StoreError> {
        let Some(user) = run!(tx, users::by_id(id))? else { return Ok(None) };
        let clicks = own_clicks(tx, id).await?;
        let named = engine.listed_as(tx, &user, &clicks).await?;
        let deeds = Window { after: None, before: None, limit: ROWS_MAX, from_end: false };
        let events = run!(tx, export::events(id, ROWS_MAX))?;
        let keys: Vec<String> = events.iter().filter(|event| event.amount.is_some()).map(|e| e.key.clone()).collect();
        let refunds = if keys.is_empty() { Vec::new() } else { run!(tx, events::refunds_of(keys))? };
        let rewards = run!(tx, export::rewards(id, ROWS_MAX))?;
        let ids: Vec<Id> = rewards.iter().map(|reward| reward.id).collect();
        let reward_moves = if ids.is_empty() { Vec::new() } else { run!(tx, rewards::moves_of(&ids))? };
        Ok(Some(Self {
            user,
            codes: run!(tx, codes::of_users(&[id]))?,
            referral: run!(tx, referrals::of_referred(&[id]))?.pop(),
            moves: run!(tx, moves::of_user(id, ROWS_MAX))?,
            evidence: run!(tx, export::evidence(id))?,
            risk: run!(tx, risks::of_referrals(&[id]))?.pop(),
            signs: run!(tx, risks::signals_of(&[id]))?,
            reviews: run!(tx, reviews::of_referrals(&[id]))?,
            clicks: run!(tx, clicks::by_ids(&clicks))?,
            totals: run!(tx, totals::of_users(&[id]))?.pop(),
            events,
            refunds,
            rewards,
            reward_moves,
            claims: run!(tx, export::claims(id, ROWS_MAX))?,
            accounts: run!(tx, accounts::of_users(&[id]))?,
            transfers: run!(tx, export::transfers(id, ROWS_MAX))?,
            listings: run!(tx, listings::naming(named))?,
            deeds: run!(tx, audit::page(Some(id.typed(Noun::User)), deeds))?,
        }))
    }
}
