//! Folds what was appended into rewards, counters, boards and balances, for as long as the process runs.
//!
//! Each kind of work has a loop of its own: it works while there is something to do, then waits to be woken, and looks
//! again after a while in case the wake-up was lost. A loop never stops half-way: it looks at the stop signal only
//! between transactions.

use std::time::Duration;

use tokio::{sync::watch, task::JoinSet};

use crate::{
    engine::{Engine, Error, fold::Folded},
    store::BackendKind,
};

/// Longest wait before looking again without having been woken.
const POLL: Duration = Duration::from_millis(500);
/// Pause while somebody wants the fold gate alone.
const GATE_PAUSE: Duration = Duration::from_millis(20);
/// First pause after a failure; doubled for each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// Longest pause after failures.
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// A signal that turns to `true` when the loops shall end.
pub type Stop = watch::Receiver<bool>;

/// How much one transaction takes on.
#[derive(Clone, Copy, Debug)]
struct BatchSizes {
    fold: i64,
    count: usize,
    /// Pause after each slice of imported referrals: whoever imports counts as well, in larger slices.
    count_pause: Duration,
}

impl BatchSizes {
    /// SQLite's one writer is shared with the requests: its transactions stay around 20 ms.
    const fn of(kind: BackendKind) -> Self {
        match kind {
            BackendKind::Postgres => Self { fold: 500, count: 5_000, count_pause: Duration::ZERO },
            BackendKind::Sqlite => Self { fold: 100, count: 200, count_pause: POLL },
        }
    }
}

/// What a step of a loop came to.
enum Step {
    /// There may be more to do at once.
    Worked,
    /// Nothing to do for now.
    Idle,
    /// Not now.
    Wait(Duration),
}

/// Runs all loops until `stop`.
pub async fn run(engine: Engine, stop: Stop) {
    let sizes = BatchSizes::of(engine.store.kind());
    let (folded, boards_due) = watch::channel(());
    let mut loops = JoinSet::new();
    loops.spawn(fold_loop(engine.clone(), sizes, folded, stop.clone()));
    loops.spawn(board_loop(engine.clone(), boards_due, stop.clone()));
    loops.spawn(count_loop(engine.clone(), sizes, stop.clone()));
    loops.spawn(sweep_loop(engine, stop));
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a loop of the worker broke");
        }
    }
}

async fn fold_loop(engine: Engine, sizes: BatchSizes, folded: watch::Sender<()>, mut stop: Stop) {
    let mut backoff = Backoff::new("folding");
    while !*stop.borrow() {
        let step = match engine.fold(sizes.fold).await {
            Ok(Folded::Rows(_)) => {
                folded.send_replace(());
                Ok(Step::Worked)
            }
            Ok(Folded::Nothing) => Ok(Step::Idle),
            Ok(Folded::Paused) => Ok(Step::Wait(GATE_PAUSE)),
            Err(error) => Err(error),
        };
        match backoff.judge(step) {
            Step::Worked => {}
            Step::Wait(pause) => rest(pause, &mut stop).await,
            Step::Idle => tokio::select! {
                () = engine.live.workers_woken() => {}
                () = rest(POLL, &mut stop) => {}
            },
        }
    }
}

async fn board_loop(engine: Engine, mut due: watch::Receiver<()>, mut stop: Stop) {
    let mut backoff = Backoff::new("summing boards");
    while !*stop.borrow() {
        due.mark_unchanged();
        let step = engine.sum_boards().await.map(|worked| if worked { Step::Worked } else { Step::Idle });
        match backoff.judge(step) {
            Step::Worked => {}
            Step::Wait(pause) => rest(pause, &mut stop).await,
            Step::Idle => tokio::select! {
                changed = due.changed() => if changed.is_err() { rest(POLL, &mut stop).await },
                () = rest(POLL, &mut stop) => {}
            },
        }
    }
}

async fn count_loop(engine: Engine, sizes: BatchSizes, mut stop: Stop) {
    let mut backoff = Backoff::new("counting imported referrals");
    while !*stop.borrow() {
        let step =
            engine.count_imported(sizes.count).await.map(|rows| if rows > 0 { Step::Worked } else { Step::Idle });
        match backoff.judge(step) {
            Step::Worked => rest(sizes.count_pause, &mut stop).await,
            Step::Wait(pause) => rest(pause, &mut stop).await,
            Step::Idle => rest(POLL, &mut stop).await,
        }
    }
}

async fn sweep_loop(engine: Engine, mut stop: Stop) {
    let mut backoff = Backoff::new("releasing rewards");
    while !*stop.borrow() {
        let step = engine.sweep().await.map(|rows| if rows > 0 { Step::Worked } else { Step::Idle });
        match backoff.judge(step) {
            Step::Worked => {}
            Step::Wait(pause) => rest(pause, &mut stop).await,
            Step::Idle => rest(POLL, &mut stop).await,
        }
    }
}

/// Waits, but not beyond the stop signal.
async fn rest(pause: Duration, stop: &mut Stop) {
    tokio::select! {
        () = tokio::time::sleep(pause) => {}
        ended = stop.wait_for(|stop| *stop) => drop(ended),
    }
}

/// Pauses after failures, longer each time, and says once what failed.
struct Backoff {
    what: &'static str,
    next: Duration,
}

impl Backoff {
    const fn new(what: &'static str) -> Self {
        Self { what, next: FIRST_BACKOFF }
    }

    fn judge(&mut self, step: Result<Step, Error>) -> Step {
        match step {
            Ok(step) => {
                if self.next > FIRST_BACKOFF {
                    tracing::info!(work = self.what, "works again");
                }
                self.next = FIRST_BACKOFF;
                step
            }
            Err(error) => {
                if self.next == FIRST_BACKOFF {
                    tracing::error!(%error, work = self.what, "failed; trying again");
                }
                let pause = self.next;
                self.next = (self.next * 2).min(MAX_BACKOFF);
                Step::Wait(pause)
            }
        }
    }
}
