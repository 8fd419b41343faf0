//! Telling that a claim was paid, or that its payout failed (rule 18).

use std::collections::{BTreeSet, HashSet};

use super::{Engine, Error, Refusal, RefusalCode, audit::Deed, fold, input, ledger::Ledger};
use crate::{
    domain::{
        id::{Id, Noun},
        reward::{AccountKind, RewardStatus},
        time::{DAY_MICROS, Timestamp},
        words::{ClaimStatus, Standing},
    },
    failpoint::{self, Point},
    live::{Hint, Topic},
    store::{
        StoreError, Tx, models,
        requests::{RewardChange, Settlement},
        run,
    },
};

/// Who is named as the actor of a settlement.
const ACTOR: &str = "admin";

/// How a claim ended.
#[derive(Clone, Debug)]
pub struct SettleClaim {
    /// The claim.
    pub claim: Id,
    /// Paid or failed.
    pub outcome: ClaimStatus,
    /// The payout's reference, unique.
    pub reference: Option<String>,
}

impl Engine {
    /// Settles a claim. The same outcome and reference again gives the same answer.
    pub async fn settle_claim(&self, request: SettleClaim, actor: &str) -> Result<models::Claim, Error> {
        if request.outcome == ClaimStatus::Requested {
            return Err(Refusal::new(RefusalCode::InvalidInput, "outcome", "a claim ends PAID or FAILED").into());
        }
        if let Some(reference) = &request.reference {
            input::text("reference", reference, input::KEY_MAX_CHARS)?;
        }
        let now = self.context.now();
        let settled = self.store.write(async |tx: &mut Tx| settle_in(tx, &request, (actor, now)).await).await;
        let (claim, version) = match settled {
            Err(Error::Failed(failure)) if failure.is_duplicate_of("claims.reference") => {
                let message = "this reference belongs to another claim";
                return Err(Refusal::new(RefusalCode::ReferenceTaken, "reference", message).into());
            }
            done => done?,
        };
        if let Some(version) = version {
            failpoint::reach(Point::SettleCommitted);
            self.live.publish(vec![Hint::new(Topic::User(claim.user_id.uuid()), version)]);
            failpoint::reach(Point::SettlePublished);
        }
        Ok(claim)
    }
}

/// Settles, and says which version of the owner's totals that is; none when it was settled so already.
async fn settle_in(
    tx: &mut Tx,
    request: &SettleClaim,
    (actor, now): (&str, Timestamp),
) -> Result<(models::Claim, Option<i64>), Error> {
    let not_found = || Refusal::new(RefusalCode::ClaimNotFound, "claimId", "there is no such claim");
    let claim = run!(tx, claims::by_ids(&[request.claim]))?.pop().ok_or_else(not_found)?;
    let held = match request.outcome {
        ClaimStatus::Failed => held_referrals(tx, &claim).await?,
        ClaimStatus::Paid | ClaimStatus::Requested => HashSet::new(),
    };
    // Totals are locked before anything else of the user; the claim is read again under that lock.
    let version = run!(tx, totals::bump(claim.user_id))?;
    let claim = run!(tx, claims::lock(request.claim))?.ok_or_else(not_found)?;
    if claim.status != ClaimStatus::Requested {
        return match claim.status == request.outcome && claim.reference == request.reference {
            true => Ok((claim, None)),
            false => Err(settled_otherwise(&claim).into()),
        };
    }
    failpoint::reach(Point::SettleBegun);
    let settlement =
        Settlement { claim: claim.id, status: request.outcome, reference: request.reference.clone(), at: now };
    if !run!(tx, claims::settle(settlement))? {
        return Err(StoreError::Transient("a claim changed under its lock".to_owned()).into());
    }
    failpoint::reach(Point::SettleMarked);
    let claim =
        models::Claim { status: request.outcome, reference: request.reference.clone(), settled_at: Some(now), ..claim };
    let mut ledger = Ledger::default();
    let rewards = run!(tx, rewards::of_claims(&[claim.id]))?;
    for reward in rewards {
        let change = match request.outcome {
            ClaimStatus::Paid => pay(&mut ledger, &reward, now),
            ClaimStatus::Failed | ClaimStatus::Requested => {
                give_back(&mut ledger, &reward, held.contains(&reward.referred_id), now)
            }
        };
        if !run!(tx, rewards::change(RewardChange { changed_version: version, ..change }))? {
            return Err(StoreError::Transient("a reward changed meanwhile".to_owned()).into());
        }
    }
    book_claim(&mut ledger, &claim, now);
    ledger.write(tx).await?;
    let deed = Deed { actor, action: "settleClaim", at: now };
    run!(tx, audit::insert(deed.to_because(claim.id.typed(Noun::Claim), claim.status.word())))?;
    failpoint::reach(Point::SettleBooked);
    Ok((claim, Some(version)))
}

/// Whose referrals wait for a review, of those whose events brought the rewards of a claim. They are locked, so that what
/// becomes of their referrals is decided before or after and never beside; in the one order of locks that is before totals.
async fn held_referrals(tx: &mut Tx, claim: &models::Claim) -> Result<HashSet<Id>, StoreError> {
    let rewards = run!(tx, rewards::of_claims(&[claim.id]))?;
    let referred: BTreeSet<Id> = rewards.iter().map(|reward| reward.referred_id).collect();
    let referred: Vec<Id> = referred.into_iter().collect();
    run!(tx, users::lock(referred.clone()))?;
    let held = run!(tx, risks::of_referrals(&referred))?.into_iter().filter(|risk| risk.standing == Standing::Held);
    Ok(held.map(|risk| risk.referred_id).collect())
}

fn settled_otherwise(claim: &models::Claim) -> Refusal {
    let reference =
        claim.reference.as_deref().map_or(String::new(), |reference| format!(" with reference {reference}"));
    let message = format!("this claim was settled as {}{reference} already", claim.status.word());
    Refusal::new(RefusalCode::ClaimAlreadySettled, "claimId", message)
}

fn pay(ledger: &mut Ledger, reward: &models::Reward, now: Timestamp) -> RewardChange {
    ledger.moved(reward, RewardStatus::Paid, ACTOR, "paid out", now);
    RewardChange { to: RewardStatus::Paid, ..RewardChange::of(reward, 0) }
}

/// A failed payout makes a reward available again, for at least a day. What was taken back from it while it was claimed
/// is netted against the debt that this had left, or, when another claim has netted that debt meanwhile, it is owed to the
/// user; when nothing remains, the reward is reversed. While its referral waits for a review, it is held back again.
fn give_back(ledger: &mut Ledger, reward: &models::Reward, is_held: bool, now: Timestamp) -> RewardChange {
    ledger.moved(reward, RewardStatus::Available, ACTOR, "the payout failed", now);
    let owed = reward.taken - reward.net;
    ledger.of_reward(reward, (AccountKind::Available, AccountKind::Debt), owed, "taken back while claimed", now);
    let (to, reason) = match (reward.net, is_held) {
        (0, _) => (RewardStatus::Reversed, "taken back while claimed"),
        (_, true) => (RewardStatus::Withheld, "held for review"),
        (_, false) => (RewardStatus::Available, ""),
    };
    if to != RewardStatus::Available {
        let available = models::Reward { status: RewardStatus::Available, ..reward.clone() };
        ledger.moved(&available, to, fold::ACTOR, reason, now);
    }
    if to == RewardStatus::Withheld {
        ledger.of_reward(reward, (AccountKind::Available, AccountKind::Withheld), reward.net, reason, now);
    }
    let a_day_on = now.plus_micros(DAY_MICROS);
    let expires_at = reward.expires_at.map(|expires_at| expires_at.max(a_day_on));
    RewardChange { to, taken: 0, claim_id: None, expires_at, ..RewardChange::of(reward, 0) }
}

fn book_claim(ledger: &mut Ledger, claim: &models::Claim, now: Timestamp) {
    if claim.status == ClaimStatus::Paid {
        ledger.of_claim(claim, (AccountKind::Claimed, AccountKind::Paid), claim.amount, "paid out", now);
    } else {
        ledger.of_claim(claim, (AccountKind::Claimed, AccountKind::Available), claim.amount, "the payout failed", now);
        ledger.of_claim(claim, (AccountKind::Debt, AccountKind::Available), claim.netted, "the payout failed", now);
        ledger.of_claim(claim, (AccountKind::Available, AccountKind::Debt), claim.credited, "the payout failed", now);
    }
}
