//! Folds what was appended into rewards, counters, boards and balances, for as long as the process runs.
//!
//! Each kind of work has a loop of its own: it works while there is something to do, then waits to be woken, and looks
//! again after a while in case the wake-up was lost. A loop never stops half-way: it looks at the stop signal only
//! between transactions. One that panics is begun again.

mod again;

use std::time::{Duration, Instant};

use tokio::{sync::watch, task::JoinSet};

use crate::{
    engine::{Engine, Error, fold::Folded, pace::Pace},
    store::{BackendKind, Store},
};

use again::keep_going;

/// Longest wait before looking again without having been woken.
const POLL: Duration = Duration::from_millis(500);
/// Pause between looks for evidence that was kept long enough.
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// Pause between further attempts at what was parked after many.
const RELEASE_EVERY: Duration = Duration::from_secs(600);
/// Pause while somebody wants the fold gate alone.
const GATE_PAUSE: Duration = Duration::from_millis(20);
/// Shortest pause between two slices of the boards while folding goes on, which is as long as a slice took: what comes
/// meanwhile is taken in together, and nobody is told of a board more than ten times a second anyway.
const BOARD_PAUSE: Duration = Duration::from_millis(100);
/// First pause after a failure; doubled for each further one.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// Longest pause after failures.
const MAX_BACKOFF: Duration = Duration::from_secs(2);

/// Most transactions that fold at once: those that pay the same people wait for each other, however many there are.
const MOST_FOLD_LOOPS: usize = 3;

/// A signal that turns to `true` when the loops shall end.
pub type Stop = watch::Receiver<bool>;

/// How much one transaction takes on.
#[derive(Clone, Copy, Debug)]
struct BatchSizes {
    count: usize,
    /// Pause after each slice of imported referrals: whoever imports counts as well, in larger slices.
    count_pause: Duration,
}

impl BatchSizes {
    /// SQLite's one writer is shared with the requests: its transactions stay around 20 ms.
    const fn of(kind: BackendKind) -> Self {
        match kind {
            BackendKind::Postgres => Self { count: 5_000, count_pause: Duration::ZERO },
            BackendKind::Sqlite => Self { count: 200, count_pause: POLL },
        }
    }
}

/// How many loops fold side by side, and how much each takes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loops {
    /// Loops that fold. While one waits for its commit, another one computes.
    pub fold: usize,
    /// Outbox rows of one fold; on SQLite of the first, which the others learn from.
    pub fold_rows: usize,
}

impl Loops {
    /// What a server runs: on SQLite, which has one writer, one loop; on PostgreSQL at most three, which leave two thirds
    /// of the connections to the requests.
    pub fn usual(store: &Store) -> Self {
        let fold = (store.writers() / 3).clamp(1, MOST_FOLD_LOOPS);
        match store.kind() {
            BackendKind::Postgres => Self { fold, fold_rows: 500 },
            BackendKind::Sqlite => Self { fold, fold_rows: 50 },
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
    let loops = Loops::usual(&engine.store);
    run_loops(engine, loops, stop).await;
}

/// Runs so many loops until `stop`.
pub async fn run_loops(engine: Engine, how_many: Loops, stop: Stop) {
    let sizes = BatchSizes::of(engine.store.kind());
    let (folded, boards_due) = watch::channel(());
    let mut crew = Crew { engine, stop, loops: JoinSet::new() };
    for _ in 0..how_many.fold {
        let folded = folded.clone();
        crew.add("folding", move |engine, stop| fold_loop(engine, how_many.fold_rows, folded.clone(), stop));
    }
    drop(folded);
    crew.add("summing boards", move |engine, stop| board_loop(engine, boards_due.clone(), stop));
    crew.add("counting imported referrals", move |engine, stop| count_loop(engine, sizes, stop));
    crew.add("releasing rewards", sweep_loop);
    crew.add("releasing what was parked", release_loop);
    crew.add("purging evidence", purge_loop);
    while crew.loops.join_next().await.is_some() {}
}

/// The loops that run, and what each of them needs.
struct Crew {
    engine: Engine,
    stop: Stop,
    loops: JoinSet<()>,
}

impl Crew {
    fn add<F>(&mut self, what: &'static str, begin: impl Fn(Engine, Stop) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (engine, stop) = (self.engine.clone(), self.stop.clone());
        self.loops.spawn(keep_going(what, self.stop.clone(), move || begin(engine.clone(), stop.clone())));
    }
}

async fn fold_loop(engine: Engine, rows: usize, folded: watch::Sender<()>, mut stop: Stop) {
    let mut backoff = Backoff::new("folding");
    let mut pace = Pace::folding(engine.store.kind(), rows);
    while !*stop.borrow() {
        let step = match engine.fold_at(&mut pace).await {
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
        let begun = Instant::now();
        let step = engine.sum_boards().await.map(|worked| if worked { Step::Worked } else { Step::Idle });
        match backoff.judge(step) {
            Step::Worked if due.has_changed().unwrap_or(false) => {
                rest(begun.elapsed().max(BOARD_PAUSE), &mut stop).await;
            }
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

/// People whose rows were parked get another attempt now and then.
async fn release_loop(engine: Engine, mut stop: Stop) {
    let mut backoff = Backoff::new("releasing what was parked");
    while !*stop.borrow() {
        match backoff.judge(engine.release_parked().await.map(|_| Step::Idle)) {
            Step::Wait(pause) => rest(pause, &mut stop).await,
            Step::Worked | Step::Idle => rest(RELEASE_EVERY, &mut stop).await,
        }
    }
}

/// Evidence that was kept long enough goes in slices, so that no request waits for it.
async fn purge_loop(engine: Engine, mut stop: Stop) {
    let mut backoff = Backoff::new("purging evidence");
    while !*stop.borrow() {
        let step = engine.purge().await.map(|rows| if rows > 0 { Step::Worked } else { Step::Idle });
        match backoff.judge(step) {
            Step::Worked => rest(GATE_PAUSE, &mut stop).await,
            Step::Wait(pause) => rest(pause, &mut stop).await,
            Step::Idle => rest(PURGE_EVERY, &mut stop).await,
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
                Step::Wait(self.pause())
            }
        }
    }

    fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (self.next * 2).min(MAX_BACKOFF);
        pause
    }
}
