//! Ranks: looked up for one place, derived for those that follow it.

use super::BoardEntry;
use crate::{
    domain::{board, words::Metric},
    store::{
        StoreError, Tx,
        boards::{BoardPeriod, Place, Ranking},
        run,
    },
};

/// Dense ranks are given as far as this one.
pub(super) const DENSE_RANKS_MAX: i64 = 10_000;

impl BoardEntry {
    /// The highest place of a board.
    pub(super) const fn first(place: Place) -> Self {
        let Place { score, reached_at, user } = place;
        Self { rank: 1, dense_rank: Some(1), row_number: 1, score, reached_at, user }
    }

    /// The place right after this one.
    pub(super) fn followed_by(&self, place: Place) -> Self {
        let Place { score, reached_at, user } = place;
        let row_number = self.row_number + 1;
        if score == self.score {
            return Self { row_number, reached_at, user, ..*self };
        }
        let dense_rank = self.dense_rank.and_then(|rank| shown(rank + 1));
        Self { rank: row_number, dense_rank, row_number, score, reached_at, user }
    }
}

/// This entry and those of the places that follow.
pub(super) fn with_followers(first: BoardEntry, rest: &[Place]) -> Vec<BoardEntry> {
    let follow = |last: &mut BoardEntry, place: &Place| {
        *last = last.followed_by(*place);
        Some(*last)
    };
    std::iter::once(first).chain(rest.iter().scan(first, follow)).collect()
}

/// Looks the ranks of one place up.
pub(super) async fn look_up(tx: &mut Tx, ranking: Ranking, place: Place) -> Result<BoardEntry, StoreError> {
    let (users_above, scores_above) = match ranking {
        Ranking::Board(of) => above_on_board(tx, of, place.score).await?,
        Ranking::Networks => {
            let users = run!(tx, ranking::count_between(ranking, (place.score, i64::MAX)))?;
            (users, distinct_above(tx, ranking, (place.score, users)).await?)
        }
    };
    let tied_before = run!(tx, ranking::tied_before(ranking, place))?;
    let Place { score, reached_at, user } = place;
    let rank = users_above + 1;
    Ok(BoardEntry {
        rank,
        dense_rank: shown(scores_above + 1),
        row_number: rank + tied_before,
        score,
        reached_at,
        user,
    })
}

/// How many users, and how many different scores, are above a score: whole buckets from the histogram, the rest of its
/// own bucket by counting.
async fn above_on_board(tx: &mut Tx, of: BoardPeriod, score: i64) -> Result<(i64, i64), StoreError> {
    let ranking = Ranking::Board(of);
    let bucket = board::bucket(of.metric, score);
    let (mut users, buckets) = run!(tx, ranking::above_bucket(of, bucket))?;
    let end = board::bucket_end(of.metric, bucket);
    if score + 1 < end {
        users += run!(tx, ranking::count_between(ranking, (score, end)))?;
    }
    match of.metric {
        Metric::Rewards => Ok((users, distinct_above(tx, ranking, (score, users)).await?)),
        Metric::Signups | Metric::Referrals | Metric::Network => Ok((users, buckets)),
    }
}

async fn distinct_above(tx: &mut Tx, ranking: Ranking, (score, users): (i64, i64)) -> Result<i64, StoreError> {
    match users {
        0 | 1 => Ok(users),
        _ => run!(tx, ranking::distinct_above(ranking, score, DENSE_RANKS_MAX)),
    }
}

const fn shown(dense_rank: i64) -> Option<i64> {
    if dense_rank <= DENSE_RANKS_MAX { Some(dense_rank) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{id::Id, time::Timestamp};

    fn place(score: i64) -> Place {
        Place { score, reached_at: Timestamp::EPOCH, user: Id::from_uuid(uuid::Uuid::nil()) }
    }

    #[test]
    fn ties_share_a_rank() {
        let entries = with_followers(BoardEntry::first(place(9)), &[place(9), place(7), place(7), place(1)]);
        let ranks: Vec<_> = entries.iter().map(|entry| (entry.rank, entry.dense_rank, entry.row_number)).collect();
        assert_eq!(ranks, [(1, Some(1), 1), (1, Some(1), 2), (3, Some(2), 3), (3, Some(2), 4), (5, Some(3), 5)]);
    }

    #[test]
    fn dense_ranks_end() {
        let last = BoardEntry { dense_rank: Some(DENSE_RANKS_MAX), ..BoardEntry::first(place(9)) };
        assert_eq!(last.followed_by(place(9)).dense_rank, Some(DENSE_RANKS_MAX));
        assert_eq!(last.followed_by(place(8)).dense_rank, None);
        assert_eq!(last.followed_by(place(8)).followed_by(place(7)).dense_rank, None);
    }
}
