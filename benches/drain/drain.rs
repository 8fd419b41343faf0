//! One drain: the worker against what waits.

use std::{
    fmt, fs, process,
    time::{Duration, Instant},
};

use banyan::worker::{self, Loops};
use tokio::{sync::watch, time::sleep};

use crate::{processor::processor_seconds, purchases::Purchases, shop::Shop};

/// Pause between two looks at what is left.
const PAUSE: Duration = Duration::from_millis(100);

/// What a drain came to.
pub struct Drained {
    events: f64,
    rewards: f64,
    folded: Spent,
    boards: Spent,
}

/// Seconds.
#[derive(Clone, Copy)]
struct Spent {
    time: f64,
    /// Of processors, by this process.
    own: f64,
    /// Of processors, by the database's sessions; nothing where the database is in this process or cannot be seen.
    database: f64,
}

/// Runs the worker until nothing waits for it any more.
pub async fn drain(shop: &mut Shop, loops: Loops, purchases: &Purchases) -> Drained {
    let database = database_name(shop);
    let (stop, stopped) = watch::channel(false);
    let (begun, before) = (Instant::now(), spent(Duration::ZERO, &database));
    let since = |begun: Instant| spent(begun.elapsed(), &database).minus(before);
    let worker = tokio::spawn(worker::run_loops(shop.engine.clone(), loops, stopped));
    while !shop.is_empty("outbox").await {
        sleep(PAUSE).await;
    }
    let folded = since(begun);
    while !shop.is_empty("board_deltas").await {
        sleep(PAUSE).await;
    }
    let boards = since(begun);
    stop.send_replace(true);
    worker.await.expect("the worker ends");
    let (rewards, _) = purchases.rewards(&shop.forest);
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
    let rewards = rewards as f64;
    Drained { events: purchases.events().into(), rewards, folded, boards }
}

impl Spent {
    fn minus(self, before: Self) -> Self {
        Self { time: self.time, own: self.own - before.own, database: self.database - before.database }
    }
}

fn spent(time: Duration, database: &str) -> Spent {
    let own = processor_seconds(process::id()).unwrap_or(0.0);
    Spent { time: time.as_secs_f64(), own, database: sessions(database).filter_map(processor_seconds).sum() }
}

fn database_name(shop: &Shop) -> String {
    shop.url.rsplit('/').next().unwrap_or_default().split('?').next().unwrap_or_default().to_owned()
}

/// The processes of PostgreSQL that serve this database, by their titles.
fn sessions(database: &str) -> impl Iterator<Item = u32> {
    let word = format!(" {database} ");
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter(move |process: &u32| {
        let title = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap_or_default();
        title.starts_with("postgres:") && title.contains(&word)
    })
}

impl Drained {
    /// Rewards per second.
    pub fn speed(&self) -> f64 {
        self.rewards / self.folded.time
    }
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, rewards, folded, boards } = self;
        let each = |seconds: f64| 1e6 * seconds / rewards;
        writeln!(f, "  {events} events, {rewards} rewards folded in {:.1} s", folded.time)?;
        writeln!(f, "  per second                 {:>8.0} events {:>8.0} rewards", events / folded.time, self.speed())?;
        writeln!(
            f,
            "  per CPU second, worker     {:>8.0} events {:>8.0} rewards",
            events / folded.own,
            rewards / folded.own
        )?;
        let both = folded.own + folded.database;
        writeln!(f, "  per CPU second, altogether {:>8.0} events {:>8.0} rewards", events / both, rewards / both)?;
        writeln!(
            f,
            "  CPU of a reward            {:>8.1} us worker, {:.1} us database",
            each(folded.own),
            each(folded.database)
        )?;
        let more = (boards.time - folded.time, boards.own - folded.own, boards.database - folded.database);
        write!(
            f,
            "  boards caught up {:.1} s later, for {:.1} us worker, {:.1} us database a reward",
            more.0,
            each(more.1),
            each(more.2)
        )
    }
}
