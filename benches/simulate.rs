//! `simulateProgram` at size: `cargo bench --bench simulate -- --events 100000`.
//!
//! Imports made-up people and what they bought into a database of its own (SQLite, or PostgreSQL at `TEST_DATABASE_URL`
//! with `--postgres`), takes one purchase in a hundred partly back, waits until everything is folded, and then asks a fresh
//! server what the program in force would have paid. Prints seconds and memory of that server, and fails when the
//! simulation is not what was really paid, rule by rule and level by level.
#![expect(clippy::expect_used, clippy::print_stdout, reason = "a tool for whoever works on Banyan")]

#[expect(dead_code, reason = "another benchmark asks more of the people")]
#[path = "load/people.rs"]
mod people;
#[path = "../tests/support/mod.rs"]
mod support;

use std::{
    fmt::Write as _,
    fs,
    process::{Command, ExitCode, Stdio},
    time::{Duration, Instant},
};

use banyan::store::BackendKind;
use clap::Parser;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use support::{Client, Database, Server, Sql};

/// One purchase in so many is partly taken back.
const REFUNDED: usize = 100;
/// Times that the simulation is asked for.
const ROUNDS: usize = 3;
/// How long folding may take.
const PATIENCE: Duration = Duration::from_secs(1_200);
/// Seed of what people buy.
const SEED: u64 = 9;

const PROGRAM: &str = "{ program(by: {key: \"default\"}) { id } }";
const UPDATE: &str =
    "mutation($input: UpdateProgramInput!) { updateProgram(input: $input) { userErrors { message } } }";
const REFUND: &str = "mutation($input: RecordRefundInput!) { recordRefund(input: $input) { userErrors { message } } }";
const SIMULATE: &str = "{ simulateProgram(input: {}, from: \"2000-01-01T00:00:00Z\", to: \"2100-01-01T00:00:00Z\") { \
    userErrors { message } simulation { events peoplePaid simulated { rewards amount { amount } net { amount } } \
    rules { rule level simulated { rewards amount { amount } net { amount } } \
    really { rewards amount { amount } net { amount } } } capHits { rule times } } } }";

/// Seeds people and purchases, and simulates the program that is in force over them.
#[derive(Debug, Parser)]
struct Arguments {
    /// People to import.
    #[arg(long, default_value_t = 20_000)]
    people: u32,
    /// Events to import.
    #[arg(long, default_value_t = 100_000)]
    events: usize,
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
    runtime.expect("starts a runtime").block_on(async {
        seed(&arguments, &database).await;
        measure(&database).await
    })
}

/// People, a program, and what they did, all folded.
async fn seed(arguments: &Arguments, database: &Database) {
    let url = database.url();
    people::import(people::make_up(arguments.people).path(), &url);
    let mut server = Server::start(&[("DATABASE_URL", &url)]);
    server.ready().await;
    let client = server.client();
    promise(&client).await;
    let begun = Instant::now();
    import_events(arguments, &url);
    for order in (0..arguments.events).step_by(REFUNDED) {
        let amount = json!({"amount": "1.00", "currencyCode": "USD"});
        let (event, key) = (format!("order-{order}"), format!("refund-{order}"));
        let input = json!({"eventKey": event, "amount": amount, "idempotencyKey": key});
        let done = client.insist(REFUND, json!({"input": input})).await;
        assert_eq!(done["recordRefund"]["userErrors"], json!([]));
    }
    let mut sql = Sql::connect(&url).await;
    while sql.number("SELECT count(*) AS number FROM outbox").await > 0 {
        assert!(begun.elapsed() < PATIENCE, "folding does not end");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let rewards = sql.number("SELECT count(*) AS number FROM rewards").await;
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{:?}: {} people, {} events imported and folded to {rewards} rewards in {seconds:.0} s",
        database.kind(),
        arguments.people,
        arguments.events
    );
}

/// Three levels of every purchase, and something for the first, under a budget that is used up.
async fn promise(client: &Client) {
    let id = client.insist(PROGRAM, Value::Null).await["program"]["id"].take();
    let level = |level: i32, percent: &str| json!({"level": level, "pay": {"percent": percent}});
    let rules = json!([
        {"key": "commission", "on": {"event": "purchase", "every": true}, "to": "UPLINE",
         "levels": [level(1, "10"), level(2, "5"), level(3, "2")]},
        {"key": "first", "on": {"event": "purchase"}, "to": "REFERRER", "cap": {"budget": "5000.00"},
         "pay": {"tiers": [{"fromReferrals": 1, "pay": {"fixed": "1.00"}}, {"fromReferrals": 5, "pay": {"fixed": "2.00"}}]}},
    ]);
    let made = client.insist(UPDATE, json!({"input": {"programId": id, "rules": rules}})).await;
    assert_eq!(made["updateProgram"]["userErrors"], json!([]));
}

fn import_events(arguments: &Arguments, url: &str) {
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut file = "external_id,type,amount,currency,idempotency_key,occurred_at\n".to_owned();
    for order in 0..arguments.events {
        let (person, cents) = (rng.random_range(1..=arguments.people), rng.random_range(200..50_000));
        let (day, amount) = (order % 28 + 1, format!("{}.{:02}", cents / 100, cents % 100));
        writeln!(file, "user-{person},purchase,{amount},USD,order-{order},2026-02-{day:02}T12:00:00Z")
            .expect("writes to a text");
    }
    let folder = tempfile::TempDir::with_prefix("banyan_simulate").expect("a folder for a file");
    let path = folder.path().join("events.csv");
    fs::write(&path, file).expect("writes a file");
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
    command.env("DATABASE_URL", url).env("LOG", "error").stdin(Stdio::null()).stdout(Stdio::null());
    let imported = command.args(["import", "events"]).arg(&path).status();
    assert!(imported.expect("starts the product").success(), "the import failed");
}

/// Asks a server that has done nothing else.
async fn measure(database: &Database) -> ExitCode {
    let mut server = Server::start(&[("DATABASE_URL", &database.url()), ("ROLES", "api")]);
    server.ready().await;
    let client = server.client();
    client.insist(PROGRAM, Value::Null).await;
    println!("  before: {} MB resident", megabytes(server.process_id(), "VmRSS"));
    let mut simulation = Value::Null;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let answer = client.ask(SIMULATE, &Value::Null).await.expect("an answer");
        simulation = answer["simulateProgram"]["simulation"].clone();
        let (seconds, peak) = (begun.elapsed().as_secs_f64(), megabytes(server.process_id(), "VmHWM"));
        // SQLite's readers map the file; the kernel may take those pages back at any time.
        let mapped = megabytes(server.process_id(), "RssFile");
        println!(
            "  {} events simulated in {seconds:.2} s, at most {peak} MB resident, {mapped} MB of it mapped files",
            simulation["events"]
        );
    }
    let rules = simulation["rules"].as_array().expect("rules");
    for rule in rules {
        let (key, level, of) = (&rule["rule"], &rule["level"], &rule["simulated"]);
        println!("  {key} level {level}: {} rewards, {} net", of["rewards"], of["net"]["amount"]);
    }
    if rules.is_empty() || rules.iter().any(|rule| rule["simulated"] != rule["really"]) {
        println!("  this is NOT what was paid: {simulation:#}");
        return ExitCode::FAILURE;
    }
    println!("  this is what was paid");
    ExitCode::SUCCESS
}

/// Memory of a process by a name of `/proc/PID/status`, which has kilobytes; 0 where there is no `/proc`.
fn megabytes(process: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or(0) / 1_024
}
