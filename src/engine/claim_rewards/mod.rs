//! Claiming what is available (rule 18).

mod portion;

use std::collections::HashSet;

use self::portion::portions;
use super::{Engine, Error, Refusal, RefusalCode, input, ledger::Ledger, record_event::conflict};
use crate::{
    domain::{
        id::{Id, Noun},
        keyed_hash::{self, KeyedHash},
        reward::{AccountKind, RewardStatus},
        time::Timestamp,
        words::UserStatus,
    },
    failpoint::{self, Point},
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
    /// Claims rewards: one claim per currency. A currency that cannot be claimed is left out as long as another one can,
    /// unless its rewards were named. The same key and request gives the same claims.
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
            failpoint::reach(Point::ClaimCommitted);
            self.live.publish(vec![Hint::new(Topic::User(request.user.uuid()), version)]);
            failpoint::reach(Point::ClaimPublished);
        }
        Ok(claims)
    }

    async fn claim_in(&self, tx: &mut Tx, request: &ClaimRewards, now: Timestamp) -> Result<Claimed, Error> {
        let user = run!(tx, users::hold(request.user))?.filter(|user| user.status != UserStatus::Erased);
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
        failpoint::reach(Point::ClaimBegun);
        let row = models::ClaimRequest { user_id: user.id, key: request.key.clone(), fingerprint, created_at: now };
        run!(tx, claims::insert_request(row))?;
        failpoint::reach(Point::ClaimKeyed);
        // From here on this user's totals are ours: neither another claim nor a fold can touch these rewards.
        let version = run!(tx, totals::bump(user.id))?;
        let rewards = chosen(run!(tx, rewards::claimable(user.id, now))?, request.rewards.as_deref())?;
        let accounts = run!(tx, accounts::lock(vec![user.id]))?;
        let (mut claims, mut refused) = (Vec::new(), None);
        let mut ledger = Ledger::default();
        for portion in portions(rewards, &accounts, request) {
            match portion.claim(tx, request, (self.context.new_id_at(now), now)).await? {
                Ok(claim) => {
                    run!(tx, claims::insert(claim.clone()))?;
                    take_rewards(tx, &mut ledger, &claim, (portion.rewards, version)).await?;
                    claims.push(claim);
                }
                // What was asked for by name is done whole or not at all.
                Err(refusal) if request.rewards.is_some() => return Err(refusal.into()),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        if claims.is_empty() {
            let nothing = || Refusal::new(RefusalCode::NothingToClaim, "userId", "there is nothing to claim");
            return Err(refused.unwrap_or_else(nothing).into());
        }
        ledger.write(tx).await?;
        failpoint::reach(Point::ClaimBooked);
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
    ledger.of_claim(
        claim,
        (AccountKind::Debt, AccountKind::Available),
        claim.credited,
        "what was owed to the user",
        now,
    );
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
