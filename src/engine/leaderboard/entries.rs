//! The entries of several users at once, for as many statements as for one.

use std::collections::HashMap;

use super::{BoardEntry, Found, Source, Target, rank::DENSE_RANKS_MAX};
use crate::{
    domain::{
        board,
        id::Id,
        time::Timestamp,
        words::{Metric, Period},
    },
    engine::{Engine, Error},
    store::{
        StoreError, Tx,
        boards::{BoardPeriod, Place, Ranking},
        run,
    },
};

/// Whose entries of which leaderboard to read.
#[derive(Clone, Debug)]
pub struct EntriesRequest {
    /// Whose board; the default program's when not told.
    pub program: Option<Id>,
    /// What is counted.
    pub metric: Metric,
    /// Over which time.
    pub period: Period,
    /// An instant within that time; now when not told.
    pub at: Option<Timestamp>,
    /// Whose entries.
    pub users: Vec<Id>,
}

impl Engine {
    /// Reads the entries of several users, in no order; users who are not on the board are left out.
    ///
    /// # Errors
    /// Those of [`Engine::leaderboard`].
    pub async fn board_entries(&self, request: EntriesRequest) -> Result<Vec<BoardEntry>, Error> {
        let target = Target::of(request.metric, request.period, (request.program, request.at))?;
        let (now, users) = (self.context.now(), &request.users);
        let found = self.store.read(async |tx: &mut Tx| match target.source(tx, now).await? {
            None => Ok(Found::Nothing),
            Some(Source::Past(counted)) => Ok(Found::Past(counted)),
            Some(Source::Stored { ranking, .. }) => entries_of(tx, ranking, users).await.map(Found::Value),
        });
        match found.await? {
            Found::Nothing => Ok(Vec::new()),
            Found::Value(entries) => Ok(entries),
            Found::Past(counted) => {
                let board = self.past_board(counted).await?;
                Ok(users.iter().filter_map(|user| board.entry_of(*user)).collect())
            }
        }
    }
}

async fn entries_of(tx: &mut Tx, ranking: Ranking, users: &[Id]) -> Result<Vec<BoardEntry>, StoreError> {
    if users.is_empty() {
        return Ok(Vec::new());
    }
    let places = run!(tx, ranking::places_of(ranking, users))?;
    let Some(least) = places.iter().map(|place| place.score).min() else { return Ok(Vec::new()) };
    let buckets = match ranking {
        Ranking::Board(of) => run!(tx, ranking::histogram(of))?,
        Ranking::Networks => Vec::new(),
    };
    let bounded: Vec<_> = places.iter().map(|place| (*place, bucket_end(ranking, place.score))).collect();
    let before = run!(tx, ranking::counts_before(ranking, &bounded))?;
    let before: HashMap<_, _> = before.into_iter().map(|row| (row.user_id, row)).collect();
    let scores = run!(tx, ranking::top_scores(ranking, least, DENSE_RANKS_MAX))?;
    let entry = |place: Place| {
        let row = before.get(&place.user)?;
        let rank = users_in_buckets_above(ranking, &buckets, place.score) + row.above + 1;
        let dense_rank = dense_rank(&scores, place.score);
        let Place { score, reached_at, user } = place;
        Some(BoardEntry { rank, dense_rank, row_number: rank + row.tied, score, reached_at, user })
    };
    Ok(places.into_iter().filter_map(entry).collect())
}

/// The first score that the histogram counts as a whole bucket above a score.
const fn bucket_end(ranking: Ranking, score: i64) -> i64 {
    match ranking {
        Ranking::Board(BoardPeriod { metric, .. }) => board::bucket_end(metric, board::bucket(metric, score)),
        Ranking::Networks => i64::MAX,
    }
}

fn users_in_buckets_above(ranking: Ranking, buckets: &[(i64, i64)], score: i64) -> i64 {
    let Ranking::Board(of) = ranking else { return 0 };
    let bucket = board::bucket(of.metric, score);
    let first_above = buckets.partition_point(|(other, _)| *other <= bucket);
    buckets[first_above..].iter().map(|(_, users)| users).sum()
}

/// The place of a score among the different scores, highest first; nothing beyond the last of them.
fn dense_rank(scores: &[i64], score: i64) -> Option<i64> {
    let above = scores.partition_point(|other| *other > score);
    scores.get(above).filter(|found| **found == score)?;
    i64::try_from(above + 1).ok()
}
