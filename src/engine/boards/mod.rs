//! Summing: what the fold appended becomes scores, histograms and versions of leaderboards (rules 24 and 26).
//!
//! One worker at a time sums a board (a program and a metric), in slices that are one transaction each. The rows of a
//! board are written by nobody else, so no lock is ever waited for.

mod rebuild;
mod tally;
mod verify;

use super::{Engine, Error, floor::Look};
use crate::{
    domain::{
        board::{self, Span},
        id::Id,
        period::Calendar,
        time::Timestamp,
        words::{Metric, Period},
    },
    failpoint::{self, Point},
    live::{BoardMetric, Hint, Topic},
    store::{
        BackendKind, Store, StoreError, Tx,
        boards::BoardState,
        models::{Board, Program},
        run,
    },
};
pub use rebuild::Rebuilt;
use tally::{Changes, take_in};

/// Changes that one slice takes in on PostgreSQL, and old scores that it forgets. A score costs more than a change: of
/// many changes together most concern somebody who is among them already.
const SLICE_POSTGRES: i64 = 50_000;
/// The same on SQLite, whose one writer must be free again within about 20 ms.
const SLICE_SQLITE: i64 = 200;
/// Version of a board before its first change.
pub(super) const FIRST_VERSION: i64 = 1;

impl Engine {
    /// Takes in a slice of what waits for each board, and turns the page of boards whose local day is over. Says whether
    /// anything was done: then there may be more. A board that fails does not keep the others waiting.
    pub async fn sum_boards(&self) -> Result<bool, Error> {
        let look = self.board_deltas.look();
        let worked = self.sum_from(look).await?;
        if worked || look.at_all() {
            return Ok(worked);
        }
        self.sum_from(Look::at_everything()).await
    }

    async fn sum_from(&self, look: Look) -> Result<bool, Error> {
        let states = self.store.look(async |tx: &mut Tx| run!(tx, boards::states(look.from()))).await?;
        self.board_deltas.over(look);
        let now = self.context.now();
        let (mut worked, mut failed, mut first) = (false, None, None);
        for state in states {
            match self.sum_board(&state, look, now).await {
                Ok(Summed::Nothing) => {}
                Ok(Summed::Hidden) => worked = true,
                Ok(Summed::Visible { first_delta, .. }) => {
                    worked = true;
                    first = first.into_iter().chain(first_delta).min();
                }
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        self.board_deltas.mark(look, first);
        failed.map_or(Ok(worked), Err)
    }

    async fn sum_board(&self, state: &BoardState, look: Look, now: Timestamp) -> Result<Summed, Error> {
        let (program, metric) = (state.program.id, state.metric);
        let calendar = calendar_of(&state.program)?;
        let slice = Slice { program, metric, calendar, now, from: look.from(), limit: limit(&self.store) };
        let is_over = state.day_starts_at.is_some_and(|day| slice.today() > day);
        if !state.waiting && !is_over {
            return Ok(Summed::Nothing);
        }
        if state.day_starts_at.is_none() {
            let board = new_board(program, metric, slice.today());
            self.store.write_long(async |tx: &mut Tx| run!(tx, boards::insert_board(board.clone()))).await?;
        }
        let summed = self.store.write_long(async |tx: &mut Tx| slice.sum(tx).await).await?;
        if let Summed::Visible { version, .. } = summed {
            failpoint::reach(Point::BoardCommitted);
            self.publish_board(program, metric, version);
            failpoint::reach(Point::BoardPublished);
        }
        Ok(summed)
    }

    /// Tells watchers of a board, and those of networks, which change with signups, that there is something new.
    fn publish_board(&self, program: Id, metric: Metric, version: i64) {
        let own = Hint::new(board_topic(program, metric), version);
        let networks = Hint::new(board_topic(program, Metric::Network), Hint::UNKNOWN);
        self.live.publish(if metric == Metric::Signups { vec![own, networks] } else { vec![own] });
    }
}

/// What to watch for changes of a board. Networks do not belong to a program: all programs share one topic.
pub fn board_topic(program: Id, metric: Metric) -> Topic {
    match metric {
        Metric::Signups => Topic::Board { program: program.uuid(), metric: BoardMetric::Signups },
        Metric::Referrals => Topic::Board { program: program.uuid(), metric: BoardMetric::Referrals },
        Metric::Rewards => Topic::Board { program: program.uuid(), metric: BoardMetric::Rewards },
        Metric::Network => Topic::Board { program: uuid::Uuid::nil(), metric: BoardMetric::Network },
    }
}

/// The calendar of a program's time zone.
pub(super) fn calendar_of(program: &Program) -> Result<Calendar, StoreError> {
    let zone = &program.time_zone;
    Calendar::named(zone).ok_or_else(|| StoreError::Corrupt(format!("program {}: time zone `{zone}`", program.key)))
}

const fn new_board(program_id: Id, metric: Metric, day_starts_at: Timestamp) -> Board {
    Board { program_id, metric, version: FIRST_VERSION, day_starts_at }
}

const fn limit(store: &Store) -> i64 {
    match store.kind() {
        BackendKind::Postgres => SLICE_POSTGRES,
        BackendKind::Sqlite => SLICE_SQLITE,
    }
}

/// The later of our clock and the day that a board is at already: a server whose clock is behind must not write into
/// periods that another one has forgotten.
pub(super) fn board_time(now: Timestamp, board: Option<&Board>) -> Timestamp {
    board.map_or(now, |board| now.max(board.day_starts_at))
}

/// What came of a slice.
enum Summed {
    /// There was nothing to do, or another worker is at it.
    Nothing,
    /// Something that nobody can see: old rows were forgotten.
    Hidden,
    /// The board changed.
    Visible {
        /// The version that it has now.
        version: i64,
        /// The first change that it took in, if it took any in.
        first_delta: Option<i64>,
    },
}

/// One slice of one board's work.
struct Slice {
    program: Id,
    metric: Metric,
    calendar: Calendar,
    now: Timestamp,
    /// The lowest change to look at.
    from: i64,
    /// How many changes to take in.
    limit: i64,
}

impl Slice {
    fn today(&self) -> Timestamp {
        self.calendar.start(Period::Day, self.now)
    }

    async fn sum(&self, tx: &mut Tx) -> Result<Summed, StoreError> {
        let Some(board) = run!(tx, boards::claim_board(self.program, self.metric))? else { return Ok(Summed::Nothing) };
        let spans = board::kept(&self.calendar, board_time(self.now, Some(&board)));
        let is_over = self.today() > board.day_starts_at;
        let turns = is_over && self.forget(tx, &board, &spans).await?;
        let deltas = run!(tx, boards::deltas((self.program, self.metric), self.from, self.limit))?;
        if deltas.is_empty() && !turns {
            return Ok(if is_over { Summed::Hidden } else { Summed::Nothing });
        }
        failpoint::reach(Point::BoardClaimed);
        let mut changes = Changes::default();
        for (span, shares) in tally::shares(&spans, &deltas) {
            take_in(tx, &board, (span, shares), &mut changes).await?;
        }
        run!(tx, bulk::set_scores(changes.scores.clone()))?;
        failpoint::reach(Point::BoardScored);
        run!(tx, bulk::add_buckets(changes.moves()))?;
        run!(tx, boards::delete_deltas(deltas.iter().map(|delta| delta.id).collect()))?;
        let day = if turns { self.today() } else { board.day_starts_at };
        let version = run!(tx, boards::bump(&board, day))?;
        failpoint::reach(Point::BoardWritten);
        Ok(Summed::Visible { version, first_delta: deltas.first().map(|delta| delta.id) })
    }

    /// Forgets some of what is older than the previous periods; says whether nothing of it is left. Nobody reads those
    /// rows any more, so it may take several slices.
    async fn forget(&self, tx: &mut Tx, board: &Board, spans: &[Span]) -> Result<bool, StoreError> {
        let mut left = self.limit;
        for period in [Period::Day, Period::Week, Period::Month] {
            let oldest = spans.iter().filter(|span| span.period == period).map(|span| span.starts_at).min();
            let before = oldest.unwrap_or(Timestamp::EPOCH);
            left -= run!(tx, boards::forget_before(board, (period, before), left))?;
            if left <= 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
