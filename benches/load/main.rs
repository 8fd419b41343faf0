//! Load on a real server: `cargo bench --bench load -- --people 100000`.
//!
//! Makes a database of its own (SQLite, or PostgreSQL at `TEST_DATABASE_URL` with `--postgres`), starts the product's own
//! server, imports made-up people beside it with the product's own command while others sign up, and then asks the server
//! over HTTP and WebSocket from this process.
//! Every answer is looked at: one that is not what was asked for ends the run. For each kind of request it prints
//! requests per second, latency percentiles as a client sees them, and the processor time that the server spent on one.
//!
//! Client and server share the machine, so that latencies say more when one connection asks alone, and throughput when
//! many do. Reads are measured both ways. Processor time hardly depends on it.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a tool for whoever works on Banyan")]

mod clicks;
mod figures;
mod live;
mod meanwhile;
mod people;
#[path = "../processor.rs"]
mod processor;
mod requests;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;

use banyan::store::BackendKind;
use clap::Parser;
use figures::Figures;
use people::People;
use support::{Database, Server};

/// Seeds people, asks a real server, and prints how fast it answers and what an answer costs.
#[derive(Debug, Parser)]
struct Arguments {
    /// People to import before.
    #[arg(long, default_value_t = 10_000)]
    people: u32,
    /// Requests of each kind.
    #[arg(long, default_value_t = 2_000)]
    requests: usize,
    /// Connections that ask at once.
    #[arg(long, default_value_t = 8)]
    connections: usize,
    /// Subscribers of the live measurement.
    #[arg(long, default_value_t = 50)]
    subscribers: usize,
    /// Clicks on links, sent in one burst from 50 connections.
    #[arg(long, default_value_t = 20_000)]
    clicks: usize,
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
    let mut server = Server::start(&[("DATABASE_URL", &database.url()), ("TRUSTED_PROXIES", "127.0.0.1")]);
    server.ready().await;
    let (took, meanwhile) = meanwhile::import(&server, arguments.people, &database.url()).await;
    println!("{} people imported in {:.1} s ({:?})", arguments.people, took.as_secs_f64(), database.kind());
    people::all_counted(&server).await;
    let people = People::find(&server, arguments.people).await;
    println!("{}", Figures::HEADINGS);
    println!("{meanwhile}");
    for kind in requests::Kind::ALL {
        let measured = requests::measure(&server, kind, &people, arguments).await;
        println!("{measured}");
        if kind.is_read() {
            println!("{}", requests::measure_alone(&server, kind, &people).await);
        }
        if kind == requests::Kind::RecordEvent {
            people::all_rewarded(&server, &people, arguments.requests).await;
        }
    }
    println!("{}", live::measure(&server, &people, arguments.subscribers).await);
    let (measured, transactions) = clicks::measure(&server, &people, arguments.clicks, database).await;
    println!("{measured}\n{transactions}");
}
