//! Callers beside a crowd that does nothing: `cargo bench --bench crowd`.
//!
//! Starts the product's own server, and asks it at a moderate rate from one address, always the same. Then a crowd comes
//! from other addresses of this machine: silent connections, silent WebSockets, subscribers of whom nothing is heard, heads
//! and bodies that come byte by byte, and clients that never read an answer. Whom the server lets go comes again at once.
//! Prints latencies without, beside and after the crowd, the server's memory and processor time, and the ratios; fails
//! when a query was refused, or a ratio is higher than it should be.
//!
//! `CONNECTIONS_PER_ADDRESS` keeps its default of 2,000, so the crowd needs several addresses, as a botnet would. The
//! crowd and the callers are in this process and share the machine with the server: what they cost is in the figures.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a tool for whoever works on Banyan")]

mod callers;
mod crowd;
#[path = "../load/figures.rs"]
mod figures;
#[path = "../memory.rs"]
mod memory;
#[path = "../processor.rs"]
mod processor;
mod slow;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::{process::ExitCode, time::Duration};

use banyan::store::BackendKind;
use callers::Callers;
use clap::Parser;
use crowd::Crowd;
use figures::Figures;
use support::{Database, Server};
use tokio::time::{sleep, timeout};

/// Longest time of the whole.
const LIMIT: Duration = Duration::from_secs(90);
/// How long the crowd is left alone once it is there: what those who never read have asked for is work for the server, and
/// not what is measured. They are let go, and ask again, after the 20 seconds that a server waits for somebody to take
/// something.
const SETTLE: Duration = Duration::from_secs(6);
/// How long the server is left alone after the crowd has gone: longer than the 10 seconds for which the allocator keeps what
/// is not used.
const REST: Duration = Duration::from_secs(15);

/// How much slower the slowest of a hundred queries may be beside the crowd, and after it.
const P99_MAX: f64 = 2.0;
/// How much more memory may be in use after the crowd than before.
const MEMORY_AFTER_MAX: f64 = 1.25;

/// Measures callers beside a crowd that does nothing.
#[derive(Debug, Parser)]
struct Arguments {
    /// Connections of the crowd, besides the slow ones: two fifths silent, two fifths silent WebSockets, one fifth
    /// subscribers.
    #[arg(long, default_value_t = 5_000)]
    connections: usize,
    /// Slow clients of each of the three kinds.
    #[arg(long, default_value_t = 50)]
    slow: usize,
    /// Queries that the callers ask each second.
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Seconds of each of the three measurements.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// What `cargo bench` says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // For this process and, since it inherits the limit, for the server.
    banyan::http::make_room(arguments.connections + 3 * arguments.slow);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let measured = runtime.expect("starts a runtime").block_on(async { timeout(LIMIT, measure(&arguments)).await });
    match measured {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(_) => {
            println!("not done within {} s", LIMIT.as_secs());
            ExitCode::FAILURE
        }
    }
}

/// Measures; gives how many queries were refused, and ratios missed.
async fn measure(arguments: &Arguments) -> usize {
    let database = Database::fresh(BackendKind::Sqlite).expect("a database");
    let mut server = Server::start(&[("DATABASE_URL", &database.url()), ("LOG", "error")]);
    server.ready().await;
    let callers = Callers::settle(&server, arguments).await;
    // The first answers pay for connections and caches.
    callers.ask("", 1).await;
    println!("{}", Figures::HEADINGS);
    let without = Seen::take(&server, &callers, "queries alone", arguments.seconds).await;
    let crowd = Crowd::gather(&server.address(), &callers.somebody, arguments).await;
    sleep(SETTLE).await;
    let beside = Seen::take(&server, &callers, "  beside the crowd", arguments.seconds).await;
    let came = crowd.disperse();
    sleep(REST).await;
    let after = Seen::take(&server, &callers, "  after the crowd", arguments.seconds).await;
    println!("the crowd: {came}");
    println!(
        "memory: {} MB before, {} MB with the crowd, {} MB after",
        without.megabytes, beside.megabytes, after.megabytes
    );
    let each = (beside.megabytes - without.megabytes) * 1_024.0 / (arguments.connections + 3 * arguments.slow) as f64;
    println!("        {each:.1} KB for each connection");
    let missed = compare(&without, &beside, &after);
    without.refused + beside.refused + after.refused + missed
}

/// Prints the ratios; gives how many are higher than they should be.
fn compare(without: &Seen, beside: &Seen, after: &Seen) -> usize {
    let mut missed = 0;
    for (name, seen, memory_max) in [("beside", beside, f64::INFINITY), ("after", after, MEMORY_AFTER_MAX)] {
        let ratio = |percent| seen.figures.percentile(percent) / without.figures.percentile(percent);
        let (p50, p99, memory) = (ratio(50), ratio(99), seen.megabytes / without.megabytes);
        println!("{name:<7} p50 x {p50:.2}, p99 x {p99:.2}, memory x {memory:.2}");
        for (what, is, max) in [("p99", p99, P99_MAX), ("memory", memory, memory_max)] {
            if is > max {
                println!("        MISSED: {what} x {is:.2}, and x {max} is the most it should be");
                missed += 1;
            }
        }
    }
    missed
}

/// One measurement.
struct Seen {
    figures: Figures,
    megabytes: f64,
    refused: usize,
}

impl Seen {
    /// Measures, and prints the line.
    async fn take(server: &Server, callers: &Callers, name: &'static str, seconds: u32) -> Self {
        let (figures, refused) = callers.ask(name, seconds).await;
        println!("{figures}");
        if refused > 0 {
            println!("    {refused} of them were refused: the server had no time for them");
        }
        let kilobytes = memory::kilobytes(server.process_id(), "VmRSS").expect("the process is there");
        let megabytes = f64::from(i32::try_from(kilobytes).expect("less than 2 TB")) / 1_024.0;
        Self { figures, megabytes: megabytes.round(), refused }
    }
}
