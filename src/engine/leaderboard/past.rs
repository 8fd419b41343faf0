//! Leaderboards of periods that no rows are kept for: counted from referrals or rewards, kept for a minute.
//!
//! The work is bounded: one count at a time in a process, over a bounded number of rows, and the first 100,000 users of
//! its result. Pages of one count agree with each other, and their version is that of the board when it was counted.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{BoardEntry, BoardPage, BoardRequest, FIRST_VERSION, PAGE_MAX, rank::with_followers};
use crate::{
    domain::id::Id,
    engine::{Engine, Error, Refusal, RefusalCode},
    store::{Tx, boards::CountedIn, run},
};

/// How long a count is used: old periods hardly change.
const KEPT_FOR: Duration = Duration::from_secs(60);
/// Most counts that are kept.
const BOARDS_MAX: usize = 32;
/// Most entries of all counts that are kept, about 16 MB; the newest count is kept in any case.
const ENTRIES_MAX: usize = 200_000;
/// Most users of a count; those behind are not shown.
const USERS_MAX: i64 = 100_000;
/// Most rows that are counted.
const ROWS_MAX: i64 = 1_000_000;

/// The counts of this process.
#[derive(Clone, Default)]
pub struct PastBoards(Arc<Inner>);

#[derive(Default)]
struct Inner {
    kept: Mutex<Vec<Kept>>,
    counting: tokio::sync::Mutex<()>,
}

struct Kept {
    of: CountedIn,
    counted_at: Instant,
    board: Arc<PastBoard>,
}

impl PastBoards {
    fn fresh(&self, of: CountedIn) -> Option<Arc<PastBoard>> {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|kept| kept.counted_at.elapsed() < KEPT_FOR);
        kept.iter().find(|kept| kept.of == of).map(|kept| kept.board.clone())
    }

    /// Keeps a count and drops the oldest ones that are too many.
    fn keep(&self, of: CountedIn, board: Arc<PastBoard>) {
        let mut kept = self.0.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(Kept { of, counted_at: Instant::now(), board });
        let mut entries: usize = kept.iter().map(|kept| kept.board.entries.len()).sum();
        while kept.len() > 1 && (kept.len() > BOARDS_MAX || entries > ENTRIES_MAX) {
            entries -= kept.remove(0).board.entries.len();
        }
    }
}

impl Engine {
    /// A count that is fresh, or a new one. Who asks for the same at the same time waits and shares it.
    pub(super) async fn past_board(&self, of: CountedIn) -> Result<Arc<PastBoard>, Error> {
        if let Some(board) = self.past_boards.fresh(of) {
            return Ok(board);
        }
        let _alone = self.past_boards.0.counting.lock().await;
        if let Some(board) = self.past_boards.fresh(of) {
            return Ok(board);
        }
        let board = Arc::new(self.store.read(async |tx: &mut Tx| count(tx, of).await).await?);
        self.past_boards.keep(of, board.clone());
        Ok(board)
    }
}

async fn count(tx: &mut Tx, of: CountedIn) -> Result<PastBoard, Error> {
    if run!(tx, recount::row_count(of, ROWS_MAX + 1))? > ROWS_MAX {
        let says = format!("this period has more than {ROWS_MAX} rows, too many to count them again for one request");
        return Err(Refusal::new(RefusalCode::InvalidInput, "at", says).into());
    }
    let board = run!(tx, boards::board(of.program, of.metric))?;
    let places = run!(tx, recount::places(of, USERS_MAX))?;
    let entries = match places.split_first() {
        Some((first, rest)) => with_followers(BoardEntry::first(*first), rest),
        None => Vec::new(),
    };
    Ok(PastBoard { version: board.map_or(FIRST_VERSION, |board| board.version), entries })
}

/// A whole board in memory.
#[derive(Debug)]
pub(super) struct PastBoard {
    version: i64,
    entries: Vec<BoardEntry>,
}

impl PastBoard {
    pub(super) fn entry_of(&self, user: Id) -> Option<BoardEntry> {
        self.entries.iter().find(|entry| entry.user == user).copied()
    }

    pub(super) fn page(&self, request: &BoardRequest) -> BoardPage {
        let Self { version, entries } = self;
        let limit = request.limit.clamp(1, PAGE_MAX);
        let start =
            request.after.map_or(0, |place| entries.partition_point(|entry| entry.place().order() <= place.order()));
        let end = request
            .before
            .map_or(entries.len(), |place| entries.partition_point(|entry| entry.place().order() < place.order()));
        let end = end.max(start);
        let (start, end) = if request.from_end {
            (start.max(end.saturating_sub(limit)), end)
        } else {
            (start, end.min(start + limit))
        };
        BoardPage {
            version: *version,
            entries: entries[start..end].to_vec(),
            has_next: end < entries.len(),
            has_previous: start > 0,
            viewer: request.viewer.and_then(|viewer| self.entry_of(viewer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        time::Timestamp,
        words::{Metric, Period},
    };
    use crate::store::boards::Place;

    fn board(users: u128) -> PastBoard {
        let place = |number: u128| Place {
            score: i64::try_from(users - number).unwrap() / 2,
            reached_at: Timestamp::EPOCH,
            user: Id::from_uuid(uuid::Uuid::from_u128(number)),
        };
        let places: Vec<Place> = (0..users).map(place).collect();
        PastBoard { version: 1, entries: with_followers(BoardEntry::first(places[0]), &places[1..]) }
    }

    fn request(after: Option<Place>, from_end: bool) -> BoardRequest {
        BoardRequest {
            program: None,
            metric: Metric::Signups,
            period: Period::Day,
            at: None,
            after,
            before: None,
            limit: 4,
            from_end,
            viewer: None,
        }
    }

    #[test]
    fn pages_follow_each_other() {
        let board = board(10);
        let (mut after, mut seen) = (None, Vec::new());
        loop {
            let page = board.page(&request(after, false));
            assert_eq!(page.has_previous, !seen.is_empty());
            after = page.entries.last().map(BoardEntry::place);
            seen.extend(page.entries);
            if !page.has_next {
                break;
            }
        }
        assert_eq!(seen, board.entries);
        assert_eq!(board.page(&request(None, true)).entries, board.entries[6..]);
    }

    #[test]
    fn only_so_much_is_kept() {
        let boards = PastBoards::default();
        let of = |day: i64| CountedIn {
            program: Id::from_uuid(uuid::Uuid::nil()),
            metric: Metric::Signups,
            from: Timestamp::from_micros(day),
            to: Timestamp::from_micros(day + 1),
        };
        for day in 0..40 {
            boards.keep(of(day), Arc::new(board(10)));
        }
        assert!(boards.fresh(of(7)).is_none() && boards.fresh(of(8)).is_some());
        boards.keep(of(40), Arc::new(board(300_000)));
        assert!(boards.fresh(of(39)).is_none() && boards.fresh(of(40)).is_some());
    }
}
