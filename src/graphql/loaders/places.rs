//! Places of users on boards: one reading of the board for all users that are asked for.

use std::{collections::HashMap, sync::Arc};

use super::batched::Found;
use crate::{
    domain::{
        id::Id,
        words::{Metric, Period},
    },
    engine::{Engine, leaderboard::BoardEntry},
    graphql::types::leaderboard::read_entries,
};

/// The present period of one board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BoardKey {
    /// The program; the default one, unless told.
    pub program: Option<Id>,
    /// What is counted.
    pub metric: Metric,
    /// Over which time.
    pub period: Period,
}

pub(super) async fn places(
    engine: Arc<Engine>,
    keys: Vec<(BoardKey, Id)>,
) -> Found<(BoardKey, Id), Option<BoardEntry>> {
    let mut boards: HashMap<BoardKey, Vec<Id>> = HashMap::new();
    for (board, user) in keys {
        boards.entry(board).or_default().push(user);
    }
    let mut places = HashMap::new();
    for (board, users) in boards {
        let entries = read_entries(&engine, board, users).await?;
        places.extend(entries.into_iter().map(|entry| ((board, entry.user), Some(entry))));
    }
    Ok(places)
}
