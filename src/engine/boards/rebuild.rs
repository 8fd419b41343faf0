//! Counting all boards again from referrals and rewards.

use super::{FIRST_VERSION, board_time, calendar_of};
use crate::{
    domain::{
        board,
        id::Id,
        period::Calendar,
        time::Timestamp,
        words::{Metric, Period},
    },
    engine::{Engine, Error},
    store::{StoreError, Tx, boards::BoardPeriod, models::Board, run},
};

/// How far a rebuild is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rebuilt {
    /// Boards that are done.
    pub done: usize,
    /// Boards in all.
    pub of: usize,
}

impl Engine {
    /// Counts every board again and puts the result in its place: what summing gives once it has taken everything in.
    /// One transaction a board, during which nothing is folded. Recount the users' totals before, as the version of
    /// networks rises here.
    pub async fn rebuild_boards(&self, progress: &(dyn Fn(Rebuilt) + Send + Sync)) -> Result<(), Error> {
        let rebuilt = self.recount_boards(progress).await;
        self.resume_folding(rebuilt).await
    }

    async fn recount_boards(&self, progress: &(dyn Fn(Rebuilt) + Send + Sync)) -> Result<(), Error> {
        let programs = self.store.look(async |tx: &mut Tx| run!(tx, programs::all())).await?;
        let boards = programs.iter().flat_map(|program| Metric::STORED.map(|metric| (program, metric)));
        let of = programs.len() * Metric::STORED.len();
        for (place, (program, metric)) in boards.enumerate() {
            let (calendar, now) = (calendar_of(program)?, self.context.now());
            let recount = Recount { program: program.id, metric, calendar, now };
            self.pause_folding().await?;
            let version = self.store.write_long(async |tx: &mut Tx| recount.run(tx).await).await?;
            self.publish_board(program.id, metric, version);
            progress(Rebuilt { done: place + 1, of });
        }
        Ok(())
    }
}

struct Recount {
    program: Id,
    metric: Metric,
    calendar: Calendar,
    now: Timestamp,
}

impl Recount {
    async fn run(&self, tx: &mut Tx) -> Result<i64, StoreError> {
        run!(tx, gate::take())?;
        let today = self.calendar.start(Period::Day, self.now);
        let (program_id, metric) = (self.program, self.metric);
        let new = Board { program_id, metric, version: FIRST_VERSION, day_starts_at: today };
        run!(tx, boards::insert_board(new.clone()))?;
        let board = run!(tx, boards::lock_board(program_id, metric))?;
        run!(tx, recount::clear_board(&board))?;
        for span in board::kept(&self.calendar, board_time(self.now, Some(&board))) {
            let of = BoardPeriod { program: program_id, metric, period: span.period, starts_at: span.starts_at };
            run!(tx, recount::fill_period(of, span.ends_at))?;
        }
        run!(tx, recount::fill_histogram(&board))?;
        run!(tx, boards::bump(&board, today.max(board.day_starts_at)))
    }
}
