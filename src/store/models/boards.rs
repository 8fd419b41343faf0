//! Scores, and changes that they have still to take in.

use diesel::prelude::*;

use crate::{
    domain::{
        id::Id,
        time::Timestamp,
        words::{Metric, Period},
    },
    store::schema::{board_deltas, board_scores, boards},
};

row! {
    /// One user's place in one period of a board.
    BoardScore in board_scores {
        program_id: Id,
        metric: Metric,
        period: Period,
        starts_at: Timestamp,
        user_id: Id,
        score: i64,
        reached_at: Timestamp,
    }
}

row! {
    /// The version of a board.
    Board in boards {
        program_id: Id,
        metric: Metric,
        version: i64,
        day_starts_at: Timestamp,
    }
}

/// A change that a board has still to take in.
#[derive(Clone, Debug, Insertable)]
#[diesel(table_name = board_deltas)]
pub struct NewBoardDelta {
    /// The program of the board.
    pub program_id: Id,
    /// Its metric.
    pub metric: Metric,
    /// Whose score changes.
    pub user_id: Id,
    /// By how much.
    pub amount: i64,
    /// When what is counted happened; says which periods it belongs to.
    pub at: Timestamp,
}

/// A stored [`NewBoardDelta`].
#[derive(Clone, Debug, Queryable, Selectable)]
#[diesel(table_name = board_deltas)]
pub struct BoardDelta {
    /// Its number.
    pub id: i64,
    /// Whose score changes.
    pub user_id: Id,
    /// By how much.
    pub amount: i64,
    /// When what is counted happened.
    pub at: Timestamp,
}
