//! Claiming what is available (rule 18).

use std::collections::{BTreeMap, HashSet};

use super::{
    Engine, Error, Refusal, RefusalCode, input, ledger::Ledger, programs::definition_of, record_event::conflict,
};
use crate::{
    domain::{
        id::{Id, Noun},
        keyed_hash::{self, KeyedHash},
        money::Currency,
        reward::{AccountKind, RewardStatus},
        time::Timestamp,
        words::{ClaimStatus, UserStatus},
    },
    live::{Hint, Topic},
    store::{StoreError, Tx, models, requests::RewardChange, run},
};

/// Most rewards that one request may name.
pub const NAMED_REWARDS_MAX: usize = 1_000;

/// What to claim.
#[derive(Clone, Debug)]
pub struct ClaimRewards {
    /// Whose rewards.
    pub user: Id,
    /// Which ones; all that are available, unless told.
    pub rewards: Option<Vec<Id>>,
    /// Idempotency key, unique per user.
    pub key: String,
}

/// Claims, and the owner's version that they raised; none when they were there already.
type Claimed = (Vec<models::Claim>, Option<i64>);

impl Engine {
    /// Claims rewards: one claim per currency. The same key and request gives the same claims.
    pub async fn claim_rewards(&self, request: ClaimRewards) -> Result<Vec<models::Claim>, Error> {
        input::idempotency_key("idempotencyKey", &request.key)?;
        if request.rewards.as_ref().is_some_and(|rewards| rewards.len() > NAMED_REWARDS_MAX) {
            let message = format!("at most {NAMED_REWARDS_MAX} rewards can be named");
            return Err(Refusal::new(RefusalCode::InvalidInput, "rewardIds", message).into());
        }
        let now = self.context.now();
        let work = async |tx: &mut Tx| self.claim_in(tx, &request, now).await;
        let (claims, version) = match self.store.write(work).await {
            // The loser of a race between twins finds what the winner left.
            Err(Error::Failed(failure))
                if failure.is_duplicate_of("claim_requests.id")
                    || failure.is_duplicate_of("claim_requests.user_id") =>
            {
                self.store.write(work).await?
            }
            done => done?,
        };
        if let Some(version) = version {
            self.live.publish(vec![Hint::new(Topic::User(request.user.uuid()), version)]);
        }
        Ok(claims)
    }

    async fn claim_in(&self, tx: &mut Tx, request: &ClaimRewards, now: Timestamp) -> Result<Claimed, Error> {
        let user = run!(tx, users::by_id(request.user))?.filter(|user| user.status != UserStatus::Erased);
        let user = user.ok_or_else(|| Refusal::new(RefusalCode::UserNotFound, "userId", "there is no such user"))?;
        let fingerprint = fingerprint(request);
        if let Some(known) = run!(tx, claims::request(user.id, &request.key))? {
            if known.fingerprint != fingerprint {
                return Err(conflict("idempotencyKey", "claim").into());
            }
            return Ok((run!(tx, claims::of_request(user.id, &request.key))?, None));
        }
        if user.status == UserStatus::Suspended {
            let message = "this user is suspended and cannot claim";
            return Err(Refusal::new(RefusalCode::UserInactive, "userId", message).into());
        }
        let row = models::ClaimRequest { user_id: user.id, key: request.key.clone(), fingerprint, created_at: now };
        run!(tx, claims::insert_request(row))?;
        // From here on this user's totals are ours: neither another claim nor a fold can touch these rewards.
        let version = run!(tx, totals::bump(user.id))?;
        let rewards = chosen(run!(tx, rewards::claimable(user.id, now))?, request.rewards.as_deref())?;
        let debts = run!(tx, accounts::lock(vec![user.id]))?;
        let mut claims = Vec::new();
        let mut ledger = Ledger::default();
        for (currency, rewards) in by_currency(rewards) {
            let debt = debts.iter().find(|account| account.currency == currency).map_or(0, |account| account.debt);
            let claim = new_claim(self.context.new_id_at(now), request, &rewards, debt, now)?;
            check_minimum(&claim, minimum(tx, &rewards).await?)?;
            run!(tx, claims::insert(claim.clone()))?;
            take_rewards(tx, &mut ledger, &claim, (rewards, version)).await?;
            claims.push(claim);
        }
        if claims.is_empty() {
            return Err(Refusal::new(RefusalCode::NothingToClaim, "userId", "there is nothing to claim").into());
        }
        ledger.write(tx).await?;
        Ok((claims, Some(version)))
    }
}

/// What must be equal for two requests under one key to be the same.
fn fingerprint(request: &ClaimRewards) -> KeyedHash {
    let mut named: Vec<String> = request.rewards.iter().flatten().map(|id| id.typed(Noun::Reward)).collect();
    named.sort_unstable();
    named.dedup();
    let named = request.rewards.as_ref().map(|_| named.join(" "));
    KeyedHash(keyed_hash::fingerprint(&[Some(&request.user.typed(Noun::User)), named.as_deref()]))
}

/// The rewards that were asked for; all that can be claimed, unless some are named.
fn chosen(claimable: Vec<models::Reward>, named: Option<&[Id]>) -> Result<Vec<models::Reward>, Refusal> {
    let Some(named) = named else { return Ok(claimable) };
    let named: HashSet<Id> = named.iter().copied().collect();
    let chosen: Vec<_> = claimable.into_iter().filter(|reward| named.contains(&reward.id)).collect();
    let missing = named.iter().find(|id| chosen.iter().all(|reward| reward.id != **id));
    match missing {
        None => Ok(chosen),
        Some(id) => {
            let message = format!("{} is not a reward that this user can claim now", id.typed(Noun::Reward));
            Err(Refusal::new(RefusalCode::RewardNotAvailable, "rewardIds", message))
        }
    }
}

fn by_currency(rewards: Vec<models::Reward>) -> BTreeMap<String, Vec<models::Reward>> {
    let mut sorted: BTreeMap<String, Vec<models::Reward>> = BTreeMap::new();
    for reward in rewards {
        sorted.entry(reward.currency.clone()).or_default().push(reward);
    }
    sorted
}

/// A claim of what the rewards are worth minus what is owed; refused when that is not above zero.
fn new_claim(
    id: Id,
    request: &ClaimRewards,
    rewards: &[models::Reward],
    debt: i64,
    now: Timestamp,
) -> Result<models::Claim, Refusal> {
    let worth: i64 = rewards.iter().map(|reward| reward.net).sum();
    let currency = rewards.first().map(|reward| reward.currency.clone()).unwrap_or_default();
    if worth <= debt {
        let shown = Currency::stored(&currency);
        let message = format!(
            "{} of rewards do not cover the {} {currency} that are owed",
            shown.to_major(worth),
            shown.to_major(debt)
        );
        return Err(Refusal::new(RefusalCode::DebtOutstanding, "userId", message));
    }
    Ok(models::Claim {
        id,
        user_id: request.user,
        request_key: request.key.clone(),
        currency,
        amount: worth - debt,
        netted: debt,
        status: ClaimStatus::Requested,
        reference: None,
        created_at: now,
        settled_at: None,
    })
}

/// The smallest claim that the programs of these rewards take, in minor units: the largest of theirs.
async fn minimum(tx: &mut Tx, rewards: &[models::Reward]) -> Result<i64, Error> {
    let mut ids: Vec<Id> = rewards.iter().map(|reward| reward.program_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut most = 0;
    for program in run!(tx, programs::by_ids(&ids))? {
        for version in run!(tx, programs::versions(program.id, vec![program.version]))? {
            most = most.max(definition_of(&version)?.minimum_claim.unwrap_or(0));
        }
    }
    Ok(most)
}

fn check_minimum(claim: &models::Claim, least: i64) -> Result<(), Refusal> {
    if claim.amount >= least {
        return Ok(());
    }
    let currency = Currency::stored(&claim.currency);
    let (amount, least) = (currency.to_major(claim.amount), currency.to_major(least));
    let message = format!("{amount} {currency} can be claimed, and claims begin at {least} {currency}");
    Err(Refusal::new(RefusalCode::BelowMinimumClaim, "userId", message))
}

/// Moves rewards into a claim. What the clock has released but the sweeper has not yet seen is released on the way.
async fn take_rewards(
    tx: &mut Tx,
    ledger: &mut Ledger,
    claim: &models::Claim,
    (rewards, version): (Vec<models::Reward>, i64),
) -> Result<(), Error> {
    let now = claim.created_at;
    for mut reward in rewards {
        let before = reward.status;
        if before == RewardStatus::Pending {
            ledger.moved(&reward, RewardStatus::Available, "banyan", "the hold is over", now);
            ledger.of_reward(&reward, (AccountKind::Pending, AccountKind::Available), reward.net, "released", now);
            reward.status = RewardStatus::Available;
        }
        ledger.moved(&reward, RewardStatus::Claimed, "user", "claimed", now);
        let change = RewardChange {
            from: before,
            to: RewardStatus::Claimed,
            taken: reward.net,
            claim_id: Some(claim.id),
            ..RewardChange::of(&reward, version)
        };
        if !run!(tx, rewards::change(change))? {
            return Err(StoreError::Transient("a reward changed meanwhile".to_owned()).into());
        }
    }
    ledger.of_claim(claim, (AccountKind::Available, AccountKind::Claimed), claim.amount, "claimed", now);
    ledger.of_claim(
        claim,
        (AccountKind::Available, AccountKind::Debt),
        claim.netted,
        "netted against what is owed",
        now,
    );
    Ok(())
}
