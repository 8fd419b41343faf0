//! Reading leaderboards (rules 24 to 26): a page, its neighbours and the viewer's own entry from one state of the
//! database.
//!
//! Boards of the current and the previous periods and of all time have rows of their own; older periods are counted from
//! referrals and rewards and kept for a minute; networks are read from the users' totals.
//!
//! The version of a page is that of its board. The one of networks is the sum of the versions of all `SIGNUPS` boards:
//! a network changes only with a signup (or its rejection, or its move), each of which reaches such a board a moment
//! later, so that a network's change is always followed by a higher version.

mod entries;
mod page;
mod past;
mod rank;

use super::{
    Engine, Error, Refusal, RefusalCode,
    boards::{FIRST_VERSION, board_time, calendar_of},
};
pub use crate::store::boards::Place;
use crate::{
    domain::{
        board::Span,
        id::Id,
        program::DEFAULT_KEY,
        time::Timestamp,
        words::{Metric, Period},
    },
    store::{
        StoreError, Tx,
        boards::{BoardPeriod, CountedIn, Ranking},
        models::{Board, Program},
        run,
    },
};
pub use entries::EntriesRequest;
pub use past::PastBoards;
use rank::look_up;

/// Most entries of a page; more are not given, whatever is asked for.
pub const PAGE_MAX: usize = 100;

/// What to read of a leaderboard.
#[derive(Clone, Debug)]
pub struct BoardRequest {
    /// Whose board; the default program's when not told.
    pub program: Option<Id>,
    /// What is counted.
    pub metric: Metric,
    /// Over which time.
    pub period: Period,
    /// An instant within that time; now when not told.
    pub at: Option<Timestamp>,
    /// Only what comes after this place.
    pub after: Option<Place>,
    /// Only what comes before this place.
    pub before: Option<Place>,
    /// How many entries, 1 to [`PAGE_MAX`].
    pub limit: usize,
    /// The last ones instead of the first; highest place first all the same.
    pub from_end: bool,
    /// Whose own entry to add.
    pub viewer: Option<Id>,
}

/// Whose entry of which leaderboard to read.
#[derive(Clone, Copy, Debug)]
pub struct EntryRequest {
    /// Whose board; the default program's when not told.
    pub program: Option<Id>,
    /// What is counted.
    pub metric: Metric,
    /// Over which time.
    pub period: Period,
    /// An instant within that time; now when not told.
    pub at: Option<Timestamp>,
    /// Whose entry.
    pub user: Id,
}

/// One line of a leaderboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoardEntry {
    /// 1 and how many have a higher score: 1, 1, 3.
    pub rank: i64,
    /// 1 and how many higher scores there are: 1, 1, 2. Nothing beyond the first 10,000.
    pub dense_rank: Option<i64>,
    /// The line's number; ties stand in the order in which they got there, then by id.
    pub row_number: i64,
    /// A count, or minor units for rewards.
    pub score: i64,
    /// When the newest of what is counted happened.
    pub reached_at: Timestamp,
    /// Whose line.
    pub user: Id,
}

impl BoardEntry {
    /// Where the entry stands, for asking for what comes after or before it.
    pub const fn place(&self) -> Place {
        Place { score: self.score, reached_at: self.reached_at, user: self.user }
    }
}

/// A piece of a leaderboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoardPage {
    /// Version of the board, above zero.
    pub version: i64,
    /// Its lines, highest place first.
    pub entries: Vec<BoardEntry>,
    /// Whether lines follow.
    pub has_next: bool,
    /// Whether lines come before.
    pub has_previous: bool,
    /// The viewer's own line, on the page or not.
    pub viewer: Option<BoardEntry>,
}

impl Engine {
    /// Reads a page of a leaderboard; nothing when there is no such program.
    ///
    /// # Errors
    /// `INVALID_INPUT` at `period` for networks over anything but all time, and at `at` for a time long ago that has more
    /// rows than are counted for one request.
    pub async fn leaderboard(&self, request: BoardRequest) -> Result<Option<BoardPage>, Error> {
        let target = Target::of(request.metric, request.period, (request.program, request.at))?;
        let now = self.context.now();
        let found = self.store.read(async |tx: &mut Tx| match target.source(tx, now).await? {
            None => Ok(Found::Nothing),
            Some(Source::Past(counted)) => Ok(Found::Past(counted)),
            Some(Source::Stored { version, ranking }) => {
                page::read(tx, ranking, (&request, version)).await.map(Found::Value)
            }
        });
        match found.await? {
            Found::Nothing => Ok(None),
            Found::Value(page) => Ok(Some(page)),
            Found::Past(counted) => Ok(Some(self.past_board(counted).await?.page(&request))),
        }
    }

    /// Reads one user's entry of a leaderboard; nothing when there is no such program or the user is not on the board.
    ///
    /// # Errors
    /// Those of [`Engine::leaderboard`].
    pub async fn board_entry(&self, request: EntryRequest) -> Result<Option<BoardEntry>, Error> {
        let target = Target::of(request.metric, request.period, (request.program, request.at))?;
        let now = self.context.now();
        let found = self.store.read(async |tx: &mut Tx| match target.source(tx, now).await? {
            None => Ok(Found::Nothing),
            Some(Source::Past(counted)) => Ok(Found::Past(counted)),
            Some(Source::Stored { ranking, .. }) => entry_of(tx, ranking, request.user).await.map(Found::Value),
        });
        match found.await? {
            Found::Nothing => Ok(None),
            Found::Value(entry) => Ok(entry),
            Found::Past(counted) => Ok(self.past_board(counted).await?.entry_of(request.user)),
        }
    }
}

/// What one read of the database came to.
enum Found<T> {
    Nothing,
    Past(CountedIn),
    Value(T),
}

async fn entry_of(tx: &mut Tx, ranking: Ranking, user: Id) -> Result<Option<BoardEntry>, StoreError> {
    match run!(tx, ranking::place_of(ranking, user))? {
        Some(place) => look_up(tx, ranking, place).await.map(Some),
        None => Ok(None),
    }
}

/// Which leaderboard is meant.
struct Target {
    program: Option<Id>,
    metric: Metric,
    period: Period,
    at: Option<Timestamp>,
}

/// Where a leaderboard is read from.
enum Source {
    /// Rows of its own, or the users' totals.
    Stored { version: i64, ranking: Ranking },
    /// Referrals or rewards.
    Past(CountedIn),
}

impl Target {
    fn of(metric: Metric, period: Period, (program, at): (Option<Id>, Option<Timestamp>)) -> Result<Self, Refusal> {
        if metric == Metric::Network && period != Period::AllTime {
            let says = "NETWORK is counted for all time only: use ALL_TIME";
            return Err(Refusal::new(RefusalCode::InvalidInput, "period", says));
        }
        Ok(Self { program, metric, period, at })
    }

    async fn source(&self, tx: &mut Tx, now: Timestamp) -> Result<Option<Source>, StoreError> {
        let Some(program) = self.program(tx).await? else { return Ok(None) };
        if self.metric == Metric::Network {
            let version = run!(tx, boards::versions(Metric::Signups))?.iter().sum::<i64>().max(FIRST_VERSION);
            return Ok(Some(Source::Stored { version, ranking: Ranking::Networks }));
        }
        let board = run!(tx, boards::board(program.id, self.metric))?;
        self.period_of(&program, board, now).map(Some)
    }

    async fn program(&self, tx: &mut Tx) -> Result<Option<Program>, StoreError> {
        match self.program {
            Some(id) => Ok(run!(tx, programs::by_ids(&[id]))?.pop()),
            None => run!(tx, programs::by_key(DEFAULT_KEY)),
        }
    }

    fn period_of(&self, program: &Program, board: Option<Board>, now: Timestamp) -> Result<Source, StoreError> {
        let calendar = calendar_of(program)?;
        let span = Span::around(&calendar, self.period, self.at.unwrap_or(now));
        let oldest = calendar.previous_start(self.period, board_time(now, board.as_ref()));
        let (program, metric) = (program.id, self.metric);
        if span.starts_at < oldest {
            return Ok(Source::Past(CountedIn { program, metric, from: span.starts_at, to: span.ends_at }));
        }
        let version = board.map_or(FIRST_VERSION, |board| board.version);
        let of = BoardPeriod { program, metric, period: self.period, starts_at: span.starts_at };
        Ok(Source::Stored { version, ranking: Ranking::Board(of) })
    }
}
