//! Folding: what was appended becomes rewards, counters, board deltas and balances.
//!
//! One transaction takes a batch of outbox rows, locks the state rows of the people they name, decides everything
//! undecided about these people in the order of the insert sequence, writes what follows and removes the outbox rows:
//! delivered at least once, in effect exactly once. Locks are taken in one order everywhere: fold gate, users, totals,
//! accounts, each sorted by id.

mod arrivals;
mod cap_check;
mod decide;
mod judge;
mod kin;
mod people;
mod replay;
mod risk;
mod rulings;
mod suspects;
mod terms;
mod write;

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures_util::FutureExt;

pub(super) use self::{
    cap_check::cap_scopes,
    decide::ACTOR,
    people::refunded,
    risk::{Decision, Verdict},
    terms::Terms,
};
use super::{Engine, Error, floor::Look, pace::Pace};
use crate::{
    domain::{id::Id, time::SECOND_MICROS},
    failpoint::{self, Point},
    live::Hint,
    store::{StoreError, Tx, models::Outbox, run},
};

/// What came of one attempt to fold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Folded {
    /// Nothing waited.
    Nothing,
    /// Somebody wants the fold gate alone: pause.
    Paused,
    /// This many outbox rows were folded.
    Rows(usize),
}

/// Which outbox rows to take.
#[derive(Clone, Copy, Debug)]
enum Pick {
    Oldest(i64),
    Of(Id),
}

/// Attempts after which a person's rows are parked, until somebody releases them.
const MAX_ATTEMPTS: i32 = 10;

impl Engine {
    /// Folds the oldest outbox rows, at most `limit` of them. When the batch fails its people are folded one by one, so
    /// that only those who fail alone are left behind; after ten attempts their rows are parked with the error, and get
    /// one more with each [`release_parked`](Self::release_parked).
    pub async fn fold(&self, limit: i64) -> Result<Folded, Error> {
        let done = self.fold_picked(Pick::Oldest(limit)).await;
        self.or_one_by_one(done.map(|(folded, _)| folded), limit).await
    }

    /// Folds as [`fold`](Self::fold) does, as many rows as a pace says, which learns from how long that took.
    pub async fn fold_at(&self, pace: &mut Pace) -> Result<Folded, Error> {
        let limit = i64::try_from(pace.rows()).unwrap_or(i64::MAX);
        let done = self.fold_picked(Pick::Oldest(limit)).await;
        if let Ok((Folded::Rows(rows), took)) = done {
            pace.learn(rows.min(pace.rows()), took);
        }
        self.or_one_by_one(done.map(|(folded, _)| folded), limit).await
    }

    async fn or_one_by_one(&self, done: Result<Folded, Error>, limit: i64) -> Result<Folded, Error> {
        match done {
            Err(Error::Failed(failure)) if !matches!(failure, StoreError::Unavailable(_)) => {
                tracing::warn!(%failure, "a batch failed; folding its people one by one");
                self.fold_one_by_one(limit).await
            }
            done => done,
        }
    }

    /// Folds what waits for one person.
    pub async fn fold_person(&self, user: Id) -> Result<Folded, Error> {
        self.fold_picked(Pick::Of(user)).await.map(|(folded, _)| folded)
    }

    /// Fails when nobody could be folded, so that whoever asks pauses before the next attempt.
    async fn fold_one_by_one(&self, limit: i64) -> Result<Folded, Error> {
        let people = self.store.write(async |tx: &mut Tx| {
            let rows = run!(tx, outbox::claim(i64::MIN, limit))?;
            named_users(tx, &rows).await
        });
        let (mut folded, mut failed) = (0, None);
        for user in people.await? {
            match self.fold_person(user).await {
                Ok(Folded::Rows(rows)) => folded += rows,
                Ok(Folded::Nothing | Folded::Paused) => {}
                // Nobody's own failure: counted against them, ten looks at a full disk would give them up.
                Err(Error::Failed(failure @ StoreError::Unavailable(_))) => return Err(failure.into()),
                Err(error) => {
                    self.note_failure(user, &error).await?;
                    failed = Some(error);
                }
            }
        }
        match failed {
            Some(error) if folded == 0 => Err(error),
            _ => Ok(Folded::Rows(folded)),
        }
    }

    /// Gives everybody whose rows were parked one more attempt: what stood in the way may be gone. Says how many rows.
    pub async fn release_parked(&self) -> Result<usize, Error> {
        let released = self.store.write(async |tx: &mut Tx| run!(tx, outbox::release())).await?;
        if released > 0 {
            tracing::warn!(rows = released, "trying again to fold what was given up; `banyan verify` names it");
        }
        Ok(released)
    }

    async fn note_failure(&self, user: Id, error: &Error) -> Result<(), Error> {
        tracing::error!(%user, %error, "folding failed");
        let text = error.to_string();
        self.store.write(async |tx: &mut Tx| run!(tx, outbox::note_failure(user, &text, MAX_ATTEMPTS))).await?;
        Ok(())
    }

    /// Folds what is picked, and says how long the transaction lasted. A panic is a failure like others: whoever brings it
    /// out is left behind, and not everybody.
    async fn fold_picked(&self, pick: Pick) -> Result<(Folded, Duration), Error> {
        let done = AssertUnwindSafe(self.fold_or_panic(pick)).catch_unwind().await;
        done.unwrap_or_else(|_| Err(StoreError::Corrupt("folding panicked".to_owned()).into()))
    }

    async fn fold_or_panic(&self, pick: Pick) -> Result<(Folded, Duration), Error> {
        let fold = async |tx: &mut Tx| {
            let begun = Instant::now();
            self.fold_in(tx, pick).await.map(|(folded, hints)| (folded, hints, begun))
        };
        let (folded, hints, begun) = self.store.write_long(fold).await?;
        let took = begun.elapsed();
        if !hints.is_empty() {
            failpoint::reach(Point::FoldCommitted);
            self.live.publish(hints);
            failpoint::reach(Point::FoldPublished);
        }
        Ok((folded, took))
    }

    async fn fold_in(&self, tx: &mut Tx, pick: Pick) -> Result<(Folded, Vec<Hint>), Error> {
        if run!(tx, gate::wanted_until())? > self.context.now().micros() / SECOND_MICROS {
            return Ok((Folded::Paused, Vec::new()));
        }
        run!(tx, gate::share())?;
        failpoint::reach(Point::FoldBegun);
        let rows = match pick {
            Pick::Oldest(limit) => self.claim_oldest(tx, limit).await?,
            Pick::Of(user) => run!(tx, outbox::claim_about(user))?,
        };
        if rows.is_empty() {
            return Ok((Folded::Nothing, Vec::new()));
        }
        failpoint::reach(Point::FoldClaimed);
        let users = named_users(tx, &rows).await?;
        let folded = delete(tx, &rows, &users).await?;
        let hints = self.fold_users(tx, users).await?;
        failpoint::reach(Point::FoldWritten);
        Ok((Folded::Rows(folded), hints))
    }

    /// Takes the oldest rows above the floor; where there are none, the oldest of all.
    async fn claim_oldest(&self, tx: &mut Tx, limit: i64) -> Result<Vec<Outbox>, StoreError> {
        let look = self.outbox.look();
        let rows = self.claim_from(tx, look, limit).await?;
        if look.at_all() || !rows.is_empty() {
            return Ok(rows);
        }
        self.claim_from(tx, Look::at_everything(), limit).await
    }

    async fn claim_from(&self, tx: &mut Tx, look: Look, limit: i64) -> Result<Vec<Outbox>, StoreError> {
        let rows = run!(tx, outbox::claim(look.from(), limit))?;
        self.outbox.over(look);
        self.outbox.mark(look, rows.first().map(|row| row.seq));
        Ok(rows)
    }

    /// Decides and writes everything undecided about these people; their outbox rows are the caller's.
    pub(crate) async fn fold_users(&self, tx: &mut Tx, users: Vec<Id>) -> Result<Vec<Hint>, Error> {
        self.fold_with(tx, users, None).await
    }

    /// The same for one person, and then carries out what was decided about their referral.
    pub(super) async fn fold_reviewed(&self, tx: &mut Tx, user: Id, verdict: &Verdict) -> Result<Vec<Hint>, Error> {
        self.fold_with(tx, vec![user], Some(verdict)).await
    }

    async fn fold_with(&self, tx: &mut Tx, users: Vec<Id>, verdict: Option<&Verdict>) -> Result<Vec<Hint>, Error> {
        let people = self.load_people(tx, users, verdict).await?;
        let now = self.context.now();
        let decided = decide::decide(people, &self.context, now);
        write::write(tx, decided, (&self.context, now)).await
    }
}

/// Removes claimed rows, and all others of the same people, which this fold decides as well; says how many those were.
///
/// Before the events are read: of a row that is seen here, the event is seen then.
async fn delete(tx: &mut Tx, rows: &[Outbox], users: &[Id]) -> Result<usize, StoreError> {
    let mut seqs: Vec<i64> = rows.iter().map(|row| row.seq).collect();
    seqs.extend(run!(tx, outbox::claim_all_of(users.to_vec()))?);
    seqs.sort_unstable();
    seqs.dedup();
    run!(tx, outbox::delete(seqs))
}

/// The people that outbox rows name, sorted. A refund whose event is not there yet names nobody: the event's own row,
/// which is committed after the refund, will find it.
async fn named_users(tx: &mut Tx, rows: &[Outbox]) -> Result<Vec<Id>, Error> {
    let keys: Vec<String> = rows.iter().filter_map(|row| row.event_key.clone()).collect();
    let mut users: Vec<Id> = rows.iter().filter_map(|row| row.user_id).collect();
    if !keys.is_empty() {
        users.extend(run!(tx, outbox::owners(keys))?);
    }
    users.sort_unstable();
    users.dedup();
    Ok(users)
}
