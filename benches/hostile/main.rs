//! What a document can cost a server: `cargo bench --bench hostile`.
//!
//! Sends everything that `tests/hostile/corpus.rs` has to the product's own process, and then, with `--seconds`, documents made up at
//! random: grown from the schema, or cut, doubled and garbled out of the corpus. Prints the processor time and the memory
//! that the dearest of them took, and fails where one took more than 50 ms of processor time or 64 MB, or where the server
//! did not answer with JSON.
//!
//! Processor time comes in ticks of 10 ms, so each document is sent several times in a row and the time divided; each time
//! with other white space at its end, so that it is never one that the server has read before. What the
//! process takes by itself meanwhile (a few ticks a minute) is counted as the document's.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a tool for whoever works on Banyan")]

#[path = "../../tests/hostile/corpus.rs"]
mod corpus;
mod grown;
#[path = "../memory.rs"]
mod memory;
#[path = "../processor.rs"]
mod processor;
#[path = "../../tests/support/mod.rs"]
mod support;
mod watch;

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use banyan::store::BackendKind;
use clap::Parser;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use support::{Database, Server};
use watch::{Cost, Watch};

/// Most processor time of one document, in milliseconds.
const MILLISECONDS_MAX: f64 = 50.0;
/// Most memory that one document may need, in megabytes.
const MEGABYTES_MAX: i64 = 64;
/// How often a document of the corpus is sent.
const TIMES: u32 = 10;
/// A document made up at random is looked at closer when its answer took this long.
const SUSPICIOUS: Duration = Duration::from_millis(15);
/// How many of the dearest are printed.
const SHOWN: usize = 12;

/// Sends hostile documents and prints what they cost.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long to go on with documents made up at random.
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// Seed of what is random.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What `cargo bench` says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("starts a runtime").block_on(measure(&arguments))
}

async fn measure(arguments: &Arguments) -> ExitCode {
    let database = Database::fresh(BackendKind::Sqlite).expect("a database");
    let mut server = Server::start(&[("DATABASE_URL", &database.url()), ("ROLES", "api"), ("LOG", "error")]);
    server.ready().await;
    let watch = Watch::new(&server);
    let mut costs = Vec::new();
    for (name, body) in corpus::bodies() {
        let name = name.to_owned();
        costs.push((name, watch.cost(&body, TIMES).await));
    }
    let sent = costs.len();
    println!("{sent} documents of the corpus, each {TIMES} times; the dearest:");
    let mut is_fine = report(costs);
    if arguments.seconds > 0 {
        let (made_up, costs) = at_random(arguments, &watch).await;
        println!("{made_up} documents made up at random in {} s; the dearest:", arguments.seconds);
        is_fine &= report(costs);
    }
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Sends documents made up at random; gives how many, and what those cost that took their time.
async fn at_random(arguments: &Arguments, watch: &Watch) -> (u64, Vec<(String, Cost)>) {
    let mut rng = StdRng::seed_from_u64(arguments.seed);
    let known = corpus::bodies();
    let (begun, mut made_up, mut costs) = (Instant::now(), 0, Vec::new());
    while begun.elapsed() < Duration::from_secs(arguments.seconds) {
        let body = match rng.random_range(0..3) {
            0 => grown::garbled(&known[rng.random_range(0..known.len())].1, &mut rng),
            _ => grown::body(&mut rng),
        };
        made_up += 1;
        if watch.time(&body).await > SUSPICIOUS {
            let shown: String = String::from_utf8_lossy(&body).chars().take(120).collect();
            costs.push((shown, watch.cost(&body, TIMES).await));
        }
    }
    (made_up, costs)
}

/// Prints the dearest; says whether all of them stayed within the limits.
fn report(mut costs: Vec<(String, Cost)>) -> bool {
    costs.sort_by(|(_, one), (_, other)| other.milliseconds.total_cmp(&one.milliseconds));
    for (name, cost) in costs.iter().take(SHOWN) {
        println!("  {:6.1} ms {:5} MB  {}  {name}", cost.milliseconds, cost.megabytes, cost.said);
    }
    let is_within = |cost: &Cost| cost.milliseconds <= MILLISECONDS_MAX && cost.megabytes <= MEGABYTES_MAX;
    let beyond: Vec<&(String, Cost)> = costs.iter().filter(|(_, cost)| !is_within(cost)).collect();
    for (name, cost) in &beyond {
        println!("  TOO DEAR: {name}: {cost:?}");
    }
    let dearest_bytes = costs.iter().map(|(_, cost)| cost.megabytes).max().unwrap_or(0);
    println!("  most memory: {dearest_bytes} MB; {} of {} beyond the limits", beyond.len(), costs.len());
    beyond.is_empty()
}
