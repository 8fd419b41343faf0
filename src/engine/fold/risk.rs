//! What becomes of a referral that may be fraud: by its score, or because somebody decided.

use super::decide::ACTOR;
use crate::{
    domain::{
        fraud::{Ruling, Weighed},
        id::Id,
        time::Timestamp,
        words::{ReviewStatus, Standing},
    },
    engine::{Context, Error, move_user::newest},
    store::{
        Tx,
        fraud::{Review, ReviewEnd, Risk},
        run,
    },
};

/// What is known of fraud on one person's referral, and what becomes of it in this batch.
#[derive(Clone, Debug)]
pub(super) struct RiskState {
    /// As it was weighed last.
    pub(super) before: Weighed,
    /// The score now.
    pub(super) score: u32,
    /// The version of the program whose policy was applied.
    pub(super) version: i32,
    /// What the score makes of it.
    pub(super) ruling: Option<Ruling>,
    /// What somebody decided.
    pub(super) verdict: Option<Verdict>,
    /// How it stands, as the batch goes.
    pub(super) standing: Standing,
    /// The place of an earlier rejection, which stays.
    pub(super) rejected_no: Option<i64>,
}

impl Default for RiskState {
    fn default() -> Self {
        Self {
            before: Weighed::CLEAR,
            score: 0,
            version: 0,
            ruling: None,
            verdict: None,
            standing: Standing::Clear,
            rejected_no: None,
        }
    }
}

/// What somebody decided about a referral.
#[derive(Clone, Debug)]
pub(in crate::engine) struct Verdict {
    pub(in crate::engine) decision: Decision,
    pub(in crate::engine) reason: String,
    pub(in crate::engine) actor: String,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine) enum Decision {
    /// It passes.
    Approve,
    /// It is rejected.
    Deny {
        /// Whether it is in the counters: an imported one may not be yet.
        is_counted: bool,
    },
}

/// Something to write about the risk of a referral.
pub(super) struct RiskChange {
    pub(super) referred: Id,
    state: RiskState,
}

impl RiskState {
    /// What of it has to be written, if anything changed.
    pub(super) fn change(self, referred: Id) -> Option<RiskChange> {
        let same = self.before == Weighed { standing: self.standing, score: self.score };
        (!same || self.verdict.is_some()).then_some(RiskChange { referred, state: self })
    }
}

impl RiskChange {
    /// Writes the risk and what follows for its review. `numbers` are the places that its steps took in the order of
    /// decisions. The referrer's totals are locked wherever the referral itself changes.
    pub(super) async fn write(
        self,
        tx: &mut Tx,
        numbers: &[i64],
        (context, now): (&Context, Timestamp),
    ) -> Result<(), Error> {
        let Self { referred, state } = self;
        let last = numbers.last().copied();
        let rejected_no = match state.standing {
            Standing::Blocked | Standing::Denied => state.rejected_no.or(last),
            Standing::Clear | Standing::Held | Standing::Approved => None,
        };
        let score = i32::try_from(state.score).unwrap_or(i32::MAX);
        let (standing, program_version) = (state.standing, state.version);
        let row = Risk { referred_id: referred, standing, score, program_version, rejected_no, changed_at: now };
        run!(tx, risks::keep(row))?;
        if state.score != state.before.score {
            run!(tx, referrals::set_risk_score(referred, score))?;
        }
        let open = |seq| Review {
            id: context.new_id_at(now),
            referred_id: referred,
            status: ReviewStatus::Pending,
            score,
            seq,
            reason: None,
            actor: None,
            created_at: now,
            decided_at: None,
            decided_no: None,
        };
        if let (Some(Ruling::Hold), Some(seq)) = (state.ruling, numbers.first()) {
            run!(tx, reviews::insert(open(*seq)))?;
        }
        let end = state.end(referred, (last.unwrap_or(0), now));
        if let Some(end) = end
            && !run!(tx, reviews::close(end.clone()))?
        {
            // Nobody was asked before: somebody found the fraud by themselves, or its signs left nothing to ask.
            run!(tx, reviews::insert(open(end.decided_no)))?;
            run!(tx, reviews::close(end))?;
        }
        Ok(())
    }
}

impl RiskState {
    fn end(&self, referred_id: Id, (decided_no, decided_at): (i64, Timestamp)) -> Option<ReviewEnd> {
        let (status, reason, actor) = match (&self.verdict, self.ruling) {
            (Some(verdict), _) => {
                let status = match verdict.decision {
                    Decision::Approve => ReviewStatus::Approved,
                    Decision::Deny { .. } => ReviewStatus::Denied,
                };
                (status, verdict.reason.clone(), verdict.actor.clone())
            }
            (None, Some(Ruling::Reject)) => {
                (ReviewStatus::Denied, format!("the score reached {}", self.score), ACTOR.to_owned())
            }
            (None, Some(Ruling::Hold) | None) => return None,
        };
        Some(ReviewEnd { referred_id, status, reason, actor, decided_at, decided_no })
    }
}

/// Networks that lost somebody who had signed up at an instant.
pub(super) struct Shrunk {
    /// Whose, nearest first.
    pub(super) above: Vec<Id>,
    pub(super) lost: Timestamp,
}

impl Shrunk {
    /// Where the newest of a network is gone, the newest of the others takes their place.
    pub(super) async fn write(self, tx: &mut Tx) -> Result<(), Error> {
        let totals = run!(tx, totals::of_users(&self.above))?;
        let has_later = |user: &Id| {
            let totals = totals.iter().find(|totals| totals.user_id == *user);
            totals.is_none_or(|totals| totals.network_at.is_some_and(|newest| newest > self.lost))
        };
        newest::correct(tx, self.above.iter().copied().filter(|user| !has_later(user))).await.map_err(Error::from)
    }
}
