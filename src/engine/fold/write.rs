//! Writes what a batch decided, in the one order of locks.

use std::collections::HashMap;

use super::decide::{Decided, Ordered};
use crate::{
    domain::{id::Id, time::Timestamp},
    engine::{Context, Error},
    failpoint::{self, Point},
    live::{Hint, Topic},
    store::{
        StoreError, Tx,
        changes::{EventChange, RefundChange, TotalsChange},
        requests::{RewardChange, StatusChange},
        run,
    },
};

/// Writes everything and says what to tell the subscribers after the commit.
///
/// What concerns the people of the batch alone, whose locks are held, comes first: the totals of people whom many batches
/// pay are locked as late as possible, since the next batch waits for them until this one has committed.
pub(super) async fn write(tx: &mut Tx, mut decided: Decided, at: (&Context, Timestamp)) -> Result<Vec<Hint>, Error> {
    let numbers = number(tx, &mut decided).await?;
    change_referrals(tx, std::mem::take(&mut decided.referrals)).await?;
    std::mem::take(&mut decided.judged).write(tx, at.1).await?;
    for change in std::mem::take(&mut decided.risks) {
        let numbers = numbers.get(&change.referred).map_or(&[][..], Vec::as_slice);
        change.write(tx, numbers, at).await?;
    }
    run!(tx, boards::insert_deltas(std::mem::take(&mut decided.deltas)))?;
    let versions = lock_totals(tx, &decided).await?;
    let version_of = |user: Id| versions.get(&user).map_or(1, |version| version + 1);
    for reward in &mut decided.granted {
        reward.changed_version = version_of(reward.user_id);
    }
    run!(tx, rewards::insert(decided.granted))?;
    for (before, reward) in decided.changed {
        let change = RewardChange { from: before, ..RewardChange::of(&reward, version_of(reward.user_id)) };
        if !run!(tx, rewards::change(change))? {
            return Err(StoreError::Transient("a reward changed meanwhile".to_owned()).into());
        }
    }
    if !decided.caps.is_empty() {
        run!(tx, bulk::set_caps(decided.caps))?;
    }
    decided.ledger.write(tx).await?;
    failpoint::reach(Point::FoldBooked);
    let hints = decided.totals.keys().map(|user| Hint::new(Topic::User(user.uuid()), version_of(*user))).collect();
    let totals: Vec<TotalsChange> = decided.totals.into_values().collect();
    if !totals.is_empty() {
        run!(tx, bulk::add_totals(totals))?;
    }
    for shrunk in decided.shrunk {
        shrunk.write(tx).await?;
    }
    Ok(hints)
}

async fn change_referrals(tx: &mut Tx, changes: Vec<StatusChange>) -> Result<(), Error> {
    let changed = changes.len();
    if changed == 0 || run!(tx, bulk::change_referrals(changes))? == changed {
        return Ok(());
    }
    Err(StoreError::Corrupt("a referral changed under its lock".to_owned()).into())
}

async fn lock_totals(tx: &mut Tx, decided: &Decided) -> Result<HashMap<Id, i64>, Error> {
    if decided.totals.is_empty() {
        return Ok(HashMap::new());
    }
    let locked = run!(tx, totals::lock(decided.totals.keys().copied().collect()))?;
    if locked.len() == decided.totals.len() {
        return Ok(locked.into_iter().collect());
    }
    Err(StoreError::Corrupt("a user has no totals".to_owned()).into())
}

/// Places in the order of decisions that what becomes of a referral took, in order.
type Steps = HashMap<Id, Vec<i64>>;

/// Gives everything decided its place in the order of decisions, under the locks on which decisions depend, and writes it.
async fn number(tx: &mut Tx, decided: &mut Decided) -> Result<Steps, Error> {
    let mut steps = Steps::new();
    if decided.order.is_empty() {
        return Ok(steps);
    }
    let numbers = run!(tx, bulk::next_decided(decided.order.len()))?;
    let (mut events, mut refunds) = (Vec::new(), Vec::new());
    for (item, decided_no) in decided.order.drain(..).zip(numbers) {
        match item {
            Ordered::Event(state) => events.push((decided_no, state)),
            Ordered::Refund { refund, event, applied } => {
                refunds.push(RefundChange { id: refund, event, applied, decided_no });
            }
            Ordered::Risk(referred) => steps.entry(referred).or_default().push(decided_no),
        }
    }
    events.append(&mut decided.revised);
    let events: Vec<EventChange> = events
        .into_iter()
        .map(|(decided_no, state)| EventChange {
            id: state.id,
            remaining: state.remaining,
            decided_no,
            decisions: state.decisions,
        })
        .collect();
    if !events.is_empty() {
        run!(tx, bulk::decide_events(events))?;
    }
    if !refunds.is_empty() {
        run!(tx, bulk::decide_refunds(refunds))?;
    }
    Ok(steps)
}
