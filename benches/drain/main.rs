//! How fast the worker folds: `cargo bench --bench drain -- --postgres`.
//!
//! Makes a database of its own (SQLite, or PostgreSQL at `TEST_DATABASE_URL` with `--postgres`) with made-up people in
//! deep chains and a program of two rules, one of which pays three levels; records purchases with an outbox row each;
//! and lets the product's own worker loose on them. It prints events and rewards per second and per second of processor
//! time, of this process and of the database's sessions. At the end everything that was paid is compared with what this
//! file computes for itself, and the ledger is checked: a fast wrong answer is no figure.
//!
//! The database shares the machine with the worker, so figures per second are those of a small installation.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a tool for whoever works on Banyan")]

mod drain;
#[path = "../processor.rs"]
mod processor;
mod purchases;
mod shop;
mod snapshot;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::{process::ExitCode, time::Duration};

use banyan::{store::BackendKind, worker::Loops};
use clap::Parser;
use purchases::Purchases;
use shop::Shop;
use snapshot::Snapshot;
use support::Database;

/// Folds many purchases with the worker's own loops, and prints how fast that was and what it cost.
#[derive(Debug, Parser)]
struct Arguments {
    /// Purchases to fold.
    #[arg(long, default_value_t = 200_000)]
    events: u32,
    /// People who buy, and those above them.
    #[arg(long, default_value_t = 100_000)]
    people: u32,
    /// Transactions that fold at once; as many as a server has unless told otherwise.
    #[arg(long)]
    workers: Option<usize>,
    /// Outbox rows of one transaction.
    #[arg(long)]
    rows: Option<usize>,
    /// Then fold as many again twice, once while a snapshot is held open elsewhere for so many seconds, and compare.
    #[arg(long, value_name = "SECONDS")]
    hold_snapshot: Option<u64>,
    /// Fold into rewards and the ledger alone: counters and board changes are dropped by the database (PostgreSQL only).
    #[arg(long, requires = "postgres")]
    ledger_alone: bool,
    /// On PostgreSQL at TEST_DATABASE_URL instead of SQLite.
    #[arg(long)]
    postgres: bool,
    /// What `cargo bench` says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let kind = if arguments.postgres { BackendKind::Postgres } else { BackendKind::Sqlite };
    let Some(database) = Database::fresh(kind) else { return ExitCode::FAILURE };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("starts a runtime").block_on(measure(&arguments, &database));
    ExitCode::SUCCESS
}

async fn measure(arguments: &Arguments, database: &Database) {
    let mut shop = Shop::open(database, arguments.people).await;
    let usual = Loops::usual(&shop.engine.store);
    let loops =
        Loops { fold: arguments.workers.unwrap_or(usual.fold), fold_rows: arguments.rows.unwrap_or(usual.fold_rows) };
    if arguments.ledger_alone {
        shop.keep_to_the_ledger().await;
    }
    let mut done = Purchases::none();
    let mut round = async |name: &str, hold: Option<Duration>| {
        let purchases = done.next(arguments.events);
        shop.record(&purchases).await;
        let held = match hold {
            Some(time) => Some(Snapshot::hold(&database.url(), time).await),
            None => None,
        };
        let drained = drain::drain(&mut shop, loops, &purchases).await;
        println!("{name}, {:?}, {} folding at once\n{drained}", database.kind(), loops.fold);
        if let Some(held) = held {
            held.release().await;
        }
        shop.check(&purchases, arguments.ledger_alone).await;
        done = purchases;
        drained
    };
    round("drain", None).await;
    let Some(seconds) = arguments.hold_snapshot else { return };
    let free = round("the same again", None).await;
    let held = round("beside a snapshot", Some(Duration::from_secs(seconds))).await;
    println!(
        "beside a snapshot that is open for {seconds} s: {:.0} % of the speed",
        100.0 * held.speed() / free.speed()
    );
}
