//! What the queries of leaderboards take and give.

use diesel::prelude::*;

use super::{
    models::Program,
    sql_types::{Bool, Int8, Nullable, Text, Timestamptz, Uuid},
};
use crate::domain::{
    id::Id,
    time::Timestamp,
    words::{Metric, Period},
};

/// One period of one board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BoardPeriod {
    /// The program.
    pub program: Id,
    /// What is counted.
    pub metric: Metric,
    /// Over which time.
    pub period: Period,
    /// First instant of that time.
    pub starts_at: Timestamp,
}

/// Where the scores of a ranking are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranking {
    /// Rows of a board.
    Board(BoardPeriod),
    /// The networks in the users' totals.
    Networks,
}

/// The place of an entry in the order of a board: highest score first, then who got there first, then the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The score.
    pub score: i64,
    /// When it was reached.
    pub reached_at: Timestamp,
    /// Whose.
    pub user: Id,
}

impl Place {
    /// What places sort by.
    pub fn order(&self) -> impl Ord + use<> {
        (std::cmp::Reverse(self.score), self.reached_at, self.user)
    }
}

/// What comes before a place, apart from whole buckets of its board.
#[derive(Clone, Copy, Debug, QueryableByName)]
pub struct BeforePlace {
    /// Whose place.
    #[diesel(sql_type = Uuid)]
    pub user_id: Id,
    /// How many users have a score above it and below the other one that was named.
    #[diesel(sql_type = Int8)]
    pub above: i64,
    /// How many users with the same score come before it.
    #[diesel(sql_type = Int8)]
    pub tied: i64,
}

/// A stretch of a ranking that one walk along the index reads, without passing over what is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// Users of one score, between two of its places.
    Tied {
        /// Their score.
        score: i64,
        /// Only what comes after this.
        after: Option<(Timestamp, Id)>,
        /// Only what comes before this.
        before: Option<(Timestamp, Id)>,
    },
    /// All users whose score is between two others.
    Scores {
        /// Only lower scores than this.
        below: Option<i64>,
        /// Only higher scores than this.
        above: Option<i64>,
    },
}

/// From which end a stretch is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the highest place on.
    Down,
    /// From the lowest place on.
    Up,
}

/// The stretches between two places, highest first: the rest of the first place's ties, the scores between, and what
/// comes before the second place among its ties.
pub fn stretches(after: Option<Place>, before: Option<Place>) -> Vec<Stretch> {
    let key = |place: Place| (place.reached_at, place.user);
    if let (Some(upper), Some(lower)) = (after, before) {
        if upper.score == lower.score {
            return vec![Stretch::Tied { score: upper.score, after: Some(key(upper)), before: Some(key(lower)) }];
        }
        if upper.score < lower.score {
            return Vec::new();
        }
    }
    let head = after.map(|place| Stretch::Tied { score: place.score, after: Some(key(place)), before: None });
    let middle = Stretch::Scores { below: after.map(|place| place.score), above: before.map(|place| place.score) };
    let tail = before.map(|place| Stretch::Tied { score: place.score, after: None, before: Some(key(place)) });
    head.into_iter().chain([middle]).chain(tail).collect()
}

/// A time in which base rows are counted, half-open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CountedIn {
    /// Of which program.
    pub program: Id,
    /// By which metric; only those that have rows of their own.
    pub metric: Metric,
    /// From this instant on.
    pub from: Timestamp,
    /// Until before this one.
    pub to: Timestamp,
}

/// A board that may have something to do.
#[derive(Clone, Debug, QueryableByName)]
pub struct BoardState {
    /// Its program.
    #[diesel(embed)]
    pub program: Program,
    /// Its metric.
    #[diesel(sql_type = Text)]
    pub metric: Metric,
    /// Whether changes wait for it.
    #[diesel(sql_type = Bool)]
    pub waiting: bool,
    /// The day that it is at; nothing when it has no row yet.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub day_starts_at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(score: i64, micros: i64) -> Place {
        let user = Id::from_uuid(uuid::Uuid::from_u128(7));
        Place { score, reached_at: Timestamp::from_micros(micros), user }
    }

    #[test]
    fn two_places_of_one_score_have_one_stretch_between_them() {
        let (upper, lower) = (place(5, 1), place(5, 9));
        let between = Stretch::Tied {
            score: 5,
            after: Some((upper.reached_at, upper.user)),
            before: Some((lower.reached_at, lower.user)),
        };
        assert_eq!(stretches(Some(upper), Some(lower)), [between]);
        assert_eq!(stretches(None, None), [Stretch::Scores { below: None, above: None }]);
    }

    #[test]
    fn places_in_the_wrong_order_have_nothing_between_them() {
        assert_eq!(stretches(Some(place(3, 1)), Some(place(4, 1))), []);
        assert_eq!(stretches(Some(place(4, 1)), Some(place(3, 1))).len(), 3);
    }
}
