//! All that is stored about one person, for the person or on their behalf.
//!
//! Of others it names ids only, and only where the person is concerned: whom they brought in, who brought them in. Visits
//! to their links, what was found against people whom they brought in, and what others earned by their purchases is told to
//! those others. Left out as well are fingerprints of requests, which are made of what is told; boards, which are sums of
//! it; places in the orders in which the house works; and keys of the house, which are secrets and say nothing about
//! anybody. What operators noted for each other, signs of fraud, and what was decided for people above is for staff only.
//!
//! `tests/erasure/told.rs` names where each column is told, or why it is not.

mod document;
mod rows;

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Engine, Error, fold::cap_scopes, own_clicks::own_clicks};
use crate::{
    domain::{
        id::{Id, Noun},
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
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

/// What waits to be folded: attempts, whether it was given up on for a while, the last error, since when.
type Waiting = (i32, bool, Option<String>, Timestamp);

/// Everything about one person, from one state of the database.
struct Stored {
    user: models::User,
    codes: Vec<models::Code>,
    referral: Option<models::Referral>,
    moves: Vec<models::ReferralMove>,
    referrals: Vec<models::Referral>,
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
    caps: Vec<models::Cap>,
    claims: Vec<models::Claim>,
    claim_requests: Vec<models::ClaimRequest>,
    accounts: Vec<models::Account>,
    transfers: Vec<models::Transfer>,
    waiting: Vec<Waiting>,
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
        let events = run!(tx, export::events(id, ROWS_MAX))?;
        let keys: Vec<String> = events.iter().filter(|event| event.amount.is_some()).map(|e| e.key.clone()).collect();
        let refunds = if keys.is_empty() { Vec::new() } else { run!(tx, events::refunds_of(keys))? };
        let rewards = run!(tx, export::rewards(id, ROWS_MAX))?;
        let ids: Vec<Id> = rewards.iter().map(|reward| reward.id).collect();
        let reward_moves = if ids.is_empty() { Vec::new() } else { run!(tx, rewards::moves_of(&ids))? };
        let caps = caps_of(tx, id, &rewards).await?;
        let mut stored = Self {
            user,
            codes: run!(tx, codes::of_users(&[id]))?,
            referral: run!(tx, referrals::of_referred(&[id]))?.pop(),
            moves: run!(tx, moves::of_user(id, ROWS_MAX))?,
            referrals: run!(tx, export::referrals(id, ROWS_MAX))?,
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
            caps,
            claims: run!(tx, export::claims(id, ROWS_MAX))?,
            claim_requests: run!(tx, export::claim_requests(id, ROWS_MAX))?,
            accounts: run!(tx, accounts::of_users(&[id]))?,
            transfers: run!(tx, export::transfers(id, ROWS_MAX))?,
            waiting: run!(tx, export::waiting(id, ROWS_MAX))?,
            listings: run!(tx, listings::naming(named))?,
            deeds: Vec::new(),
        };
        stored.deeds = run!(tx, export::deeds(stored.subjects(), ROWS_MAX))?;
        Ok(Some(stored))
    }

    /// What deeds of operators may have been done to: the person, how they came, and whatever is theirs or names them.
    fn subjects(&self) -> Vec<String> {
        let id = self.user.id;
        let mut subjects = vec![id.typed(Noun::User), id.typed(Noun::Referral)];
        subjects.extend(self.codes.iter().map(|code| code.shown.clone()));
        subjects.extend(self.claims.iter().map(|claim| claim.id.typed(Noun::Claim)));
        subjects.extend(self.listings.iter().map(|entry| entry.id.typed(Noun::Listing)));
        subjects
    }
}

/// What was used of a person's own caps: a cap is used by a reward, so the rules of these are all that may have some.
async fn caps_of(tx: &mut Tx, id: Id, rewards: &[models::Reward]) -> Result<Vec<models::Cap>, StoreError> {
    if rewards.is_empty() {
        return Ok(Vec::new());
    }
    let programs: BTreeSet<Id> = rewards.iter().map(|reward| reward.program_id).collect();
    let rules: BTreeSet<&String> = rewards.iter().map(|reward| &reward.rule_key).collect();
    let of_rules = (programs.into_iter().collect(), rules.into_iter().cloned().collect());
    let mut caps = run!(tx, caps::of_scopes(of_rules, cap_scopes(&id.typed(Noun::User)).to_vec()))?;
    caps.sort_by(|one, other| (&one.rule_key, one.starts_at).cmp(&(&other.rule_key, other.starts_at)));
    Ok(caps)
}
