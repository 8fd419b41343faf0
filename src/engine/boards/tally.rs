//! What a slice of changes makes of the scores of one period.

use std::collections::BTreeMap;

use crate::{
    domain::{
        board::{self, Span},
        id::Id,
        time::Timestamp,
    },
    store::{
        StoreError, Tx,
        boards::{BoardPeriod, CountedIn},
        changes::{BucketChange, ScoreChange},
        models::{Board, BoardDelta},
        run,
    },
};

/// What a slice changes of one user's score in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Share {
    amount: i64,
    /// When the newest of what was added happened.
    added: Option<Timestamp>,
    /// When the newest of what was taken away happened.
    taken: Option<Timestamp>,
}

impl Share {
    fn add(&mut self, delta: &BoardDelta) {
        self.amount = self.amount.saturating_add(delta.amount);
        let newest = if delta.amount < 0 { &mut self.taken } else { &mut self.added };
        *newest = (*newest).max(Some(delta.at));
    }

    fn applied_to(&self, before: Option<Standing>) -> Applied {
        let score = before.map_or(0, |before| before.score).saturating_add(self.amount);
        let newest = before.map(|before| before.reached_at).max(self.added);
        // Taking an older row away leaves the newest one where it is.
        let is_open = self.taken.is_some() && self.taken >= newest;
        Applied { score, reached_at: newest.or(self.taken).unwrap_or(Timestamp::EPOCH), is_open: is_open && score > 0 }
    }
}

/// A user's score in a period, and when its newest row happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    score: i64,
    reached_at: Timestamp,
}

#[derive(Debug, PartialEq, Eq)]
struct Applied {
    score: i64,
    reached_at: Timestamp,
    /// The newest row may be gone: only the rows know which one is the newest now.
    is_open: bool,
}

/// The shares of a slice, by period and user; only periods that have any.
pub(super) fn shares(spans: &[Span], deltas: &[BoardDelta]) -> Vec<(Span, BTreeMap<Id, Share>)> {
    let share_in = |span: &Span| {
        let mut shares: BTreeMap<Id, Share> = BTreeMap::new();
        for delta in deltas.iter().filter(|delta| span.holds(delta.at)) {
            shares.entry(delta.user_id).or_default().add(delta);
        }
        (*span, shares)
    };
    spans.iter().map(share_in).filter(|(_, shares)| !shares.is_empty()).collect()
}

/// What a slice writes.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// New scores.
    pub(super) scores: Vec<ScoreChange>,
    /// Users who enter and leave buckets, by period and bucket.
    buckets: BTreeMap<(Timestamp, &'static str, i64), BucketChange>,
}

impl Changes {
    /// Moves between buckets, each bucket once.
    pub(super) fn moves(&self) -> Vec<BucketChange> {
        self.buckets.values().filter(|change| change.users != 0).copied().collect()
    }

    fn set(&mut self, of: BoardPeriod, user: Id, (old, new): (Option<Standing>, Standing)) {
        let BoardPeriod { program, metric, period, starts_at } = of;
        if old == Some(new) || (old.is_none() && new.score == 0) {
            return;
        }
        let Standing { score, reached_at } = new;
        self.scores.push(ScoreChange { program, metric, period, starts_at, user, score, reached_at });
        for (score, users) in [(old.map_or(0, |old| old.score), -1), (score, 1)] {
            if score > 0 {
                let bucket = board::bucket(metric, score);
                let none = BucketChange { program, metric, period, starts_at, bucket, users: 0 };
                self.buckets.entry((starts_at, period.word(), bucket)).or_insert(none).users += users;
            }
        }
    }
}

/// Applies the shares of one period to the scores that are stored.
pub(super) async fn take_in(
    tx: &mut Tx,
    of: &Board,
    (span, shares): (Span, BTreeMap<Id, Share>),
    changes: &mut Changes,
) -> Result<(), StoreError> {
    let (program, metric) = (of.program_id, of.metric);
    let board = BoardPeriod { program, metric, period: span.period, starts_at: span.starts_at };
    let stored = run!(tx, boards::scores_of(board, shares.keys().copied().collect()))?;
    let before = |row: crate::store::models::BoardScore| {
        (row.user_id, Standing { score: row.score, reached_at: row.reached_at })
    };
    let before: BTreeMap<Id, Standing> = stored.into_iter().map(before).collect();
    let applied: Vec<(Id, Applied)> =
        shares.iter().map(|(user, share)| (*user, share.applied_to(before.get(user).copied()))).collect();
    let open: Vec<Id> = applied.iter().filter(|(_, applied)| applied.is_open).map(|(user, _)| *user).collect();
    let newest = newest_rows(tx, CountedIn { program, metric, from: span.starts_at, to: span.ends_at }, open).await?;
    for (user, applied) in applied {
        let score = not_below_zero(&board, user, applied.score);
        let reached_at = newest.get(&user).copied().unwrap_or(applied.reached_at);
        changes.set(board, user, (before.get(&user).copied(), Standing { score, reached_at }));
    }
    Ok(())
}

/// When the newest row of each of these users happened. A user whose rows are gone already, though not all their changes
/// are taken in, is left out: the next slice settles it.
async fn newest_rows(tx: &mut Tx, of: CountedIn, users: Vec<Id>) -> Result<BTreeMap<Id, Timestamp>, StoreError> {
    if users.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = run!(tx, recount::places_of(of, users.clone()))?;
    Ok(rows.into_iter().map(|place| (place.user, place.reached_at)).collect())
}

/// A score below zero says that something was taken away which never was added: a fault of whoever appended. Stopping
/// would keep everybody else's board from moving, so it is held at zero, loudly; a rebuild puts it right.
fn not_below_zero(board: &BoardPeriod, user: Id, score: i64) -> i64 {
    debug_assert!(score >= 0, "a score below zero: {board:?}, user {user}, {score}");
    if score < 0 {
        tracing::error!(?board, %user, score, "a score fell below zero and is held there; run `banyan rebuild`");
    }
    score.max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn share(deltas: &[(i64, i64)]) -> Share {
        let mut share = Share::default();
        for (amount, micros) in deltas {
            let user_id = Id::from_uuid(uuid::Uuid::nil());
            share.add(&BoardDelta { id: 0, user_id, amount: *amount, at: at(*micros) });
        }
        share
    }

    #[test]
    fn only_a_loss_of_the_newest_row_needs_a_look_at_the_rows() {
        let before = Some(Standing { score: 3, reached_at: at(10) });
        for (deltas, score, reached_at, is_open) in [
            (vec![(1, 12)], 4, 12, false),
            (vec![(1, 8)], 4, 10, false),
            (vec![(-1, 8)], 2, 10, false),
            (vec![(-1, 10)], 2, 10, true),
            (vec![(1, 12), (-1, 10)], 3, 12, false),
            (vec![(1, 12), (-1, 12)], 3, 12, true),
            (vec![(-3, 10)], 0, 10, false),
        ] {
            let applied = share(&deltas).applied_to(before);
            assert_eq!(applied, Applied { score, reached_at: at(reached_at), is_open }, "{deltas:?}");
        }
    }
}
