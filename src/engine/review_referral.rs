//! Deciding about a referral (rule 21): what passes is paid, what is denied is taken back on every level. Final: a rejected
//! referral stays rejected, since what its events pay is decided once (rule 13).

use super::{
    Engine, Error, Refusal, RefusalCode,
    audit::Deed,
    fold::{Decision, Verdict},
    input,
};
use crate::{
    domain::{
        id::{Id, Noun},
        words::{ReferralStatus, Standing, Via},
    },
    live::Hint,
    store::{StoreError, Tx, models, run},
};

/// What somebody decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewDecision {
    /// The referral passes, and its rewards are let go.
    Approve,
    /// The referral is rejected, and all that it brought is taken back.
    Deny,
}

/// A decision about a referral.
#[derive(Clone, Debug)]
pub struct ReviewReferral {
    /// Which: the id of a referral is that of its referred user.
    pub referral: Id,
    /// What was decided.
    pub decision: ReviewDecision,
    /// Why, for the review and the audit log; never shown to members.
    pub reason: String,
}

impl Engine {
    /// Decides about a referral. What waits about its person is folded first, in the same transaction. The same decision
    /// again changes nothing.
    pub async fn review_referral(&self, request: ReviewReferral, actor: &str) -> Result<models::Referral, Error> {
        input::reason(&request.reason)?;
        let work = async |tx: &mut Tx| self.review_in(tx, &request, actor).await;
        let (referral, hints) = self.store.write_long(work).await?;
        self.live.publish(hints);
        Ok(referral)
    }

    async fn review_in(
        &self,
        tx: &mut Tx,
        request: &ReviewReferral,
        actor: &str,
    ) -> Result<(models::Referral, Vec<Hint>), Error> {
        let person = request.referral;
        run!(tx, gate::share())?;
        run!(tx, users::lock(vec![person]))?;
        let Some(referral) = run!(tx, referrals::of_referred(&[person]))?.pop() else { return Err(unknown().into()) };
        let standing = run!(tx, risks::of_referrals(&[person]))?.pop().map_or(Standing::Clear, |risk| risk.standing);
        if !check(request.decision, standing, referral.status)? {
            return Ok((referral, Vec::new()));
        }
        let decision = match request.decision {
            ReviewDecision::Approve => Decision::Approve,
            ReviewDecision::Deny => {
                let waits = referral.via == Via::Import && run!(tx, referrals::leave_uncounted(&referral))?;
                Decision::Deny { is_counted: !waits }
            }
        };
        let rows = run!(tx, outbox::claim_of(person))?;
        let verdict = Verdict { decision, reason: request.reason.clone(), actor: actor.to_owned() };
        let hints = self.fold_reviewed(tx, person, &verdict).await?;
        run!(tx, outbox::delete(rows.iter().map(|row| row.seq).collect()))?;
        let deed = Deed { actor, action: "reviewReferral", at: self.context.now() };
        run!(tx, audit::insert(deed.to_because(person.typed(Noun::Referral), &request.reason)))?;
        let referral = run!(tx, referrals::of_referred(&[person]))?.pop();
        let referral = referral.ok_or_else(|| StoreError::Corrupt("a referral vanished under its lock".to_owned()))?;
        Ok((referral, hints))
    }
}

/// Whether there is something to do; refused where there is no way from here to there.
fn check(decision: ReviewDecision, standing: Standing, status: ReferralStatus) -> Result<bool, Refusal> {
    let refused = |message: &str| Err(Refusal::new(RefusalCode::InvalidTransition, "decision", message));
    match (decision, standing) {
        (ReviewDecision::Deny, Standing::Denied) | (ReviewDecision::Approve, Standing::Approved) => Ok(false),
        (ReviewDecision::Deny, Standing::Blocked) => refused("this referral is rejected already"),
        (ReviewDecision::Deny, _) if status == ReferralStatus::Rejected => refused("this referral is rejected already"),
        (ReviewDecision::Deny, Standing::Clear | Standing::Held | Standing::Approved) => Ok(true),
        (ReviewDecision::Approve, Standing::Held) => Ok(true),
        (ReviewDecision::Approve, Standing::Clear) => refused("nothing of this referral is held back"),
        (ReviewDecision::Approve, Standing::Blocked | Standing::Denied) => {
            refused("this referral is rejected; what its events pay was decided and stays so")
        }
    }
}

fn unknown() -> Refusal {
    Refusal::new(RefusalCode::ReferralNotFound, "referralId", "there is no such referral")
}
