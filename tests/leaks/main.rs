//! Nothing that a caller or the environment says in confidence is logged, and no answer tells what broke inside.
//!
//! A real server logs as much as it can be told to, while it is asked in every way there is: what succeeds, what is wrong,
//! what is not allowed, what breaks because the database is damaged, and what fails because it is gone. Everything that is
//! said to it, and every secret that it was started with, is a word that occurs nowhere else.
#![expect(clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod callers;
mod canaries;
#[path = "../schema/declared.rs"]
mod declared;
mod house;
mod inside;
mod raw;
mod requests;
mod starts;
#[path = "../support/mod.rs"]
mod support;

use banyan::store::BackendKind;
use canaries::Canaries;
use house::House;
use support::{Database, private_redis};
use tokio::runtime::Builder;

/// Fewer lines than these would mean that nobody was listening.
const LINES_MIN: usize = 40;

/// Sends everything to a server in every state, and looks at what it logged and answered.
async fn tells_nothing(log: &str, format: &str) {
    let (Some(database), Some(redis)) = (Database::fresh(BackendKind::Postgres), private_redis()) else { return };
    let mut canaries = Canaries::default();
    let mut house = House::open(&database, &redis, (log, format), &mut canaries).await;
    house.is_asked_everything("well", &canaries).await;
    house.database_is_damaged(&database, &canaries).await;
    house.is_asked_everything("damaged", &canaries).await;
    house.everything_is_gone().await;
    house.is_asked_everything("gone", &canaries).await;

    let codes = house.codes();
    for code in ["BAD_USER_INPUT", "UNAUTHENTICATED", "FORBIDDEN", "INTERNAL", "UNAVAILABLE", "INVALID_INPUT"] {
        assert!(codes.iter().any(|seen| seen.contains(code)), "nobody was told {code}: {codes:?}");
    }
    let told = house.told_of_inside();
    assert!(told.is_empty(), "answers tell what is inside:\n{}", told.join("\n"));

    let log = house.log();
    assert!(log.lines().count() >= LINES_MIN, "hardly anything was logged:\n{log}");
    for line in ["internal error", "the database is not available", "a token was refused", "Redis is gone"] {
        assert!(log.contains(line), "`{line}` was not logged:\n{log}");
    }
    let leaked = canaries.found_in(&log);
    assert!(leaked.is_empty(), "logged:\n{}", leaked.join("\n"));
}

fn run(story: impl Future<Output = ()>) {
    let runtime = Builder::new_multi_thread().worker_threads(4).enable_all().build();
    runtime.expect("starts a runtime").block_on(story);
}

#[test]
fn everything_there_is_to_log_tells_nothing() {
    run(tells_nothing("trace", "text"));
}

#[test]
fn nor_does_it_for_machines() {
    run(tells_nothing("debug,banyan=trace", "json"));
}

#[test]
fn who_is_not_well_hidden_is_found() {
    let mut canaries = Canaries::default();
    let phone = canaries.hide("a phone");
    let log = format!("INFO somebody called from {}\nINFO and went", phone.to_uppercase());
    assert_eq!(canaries.found_in(&log).len(), 1);
    assert!(canaries.found_in("INFO somebody called").is_empty());
    assert_eq!(inside::told("500 {\"message\": \"relation \\\"user_totals\\\" does not exist\"}").len(), 2);
    assert!(inside::told("200 {\"data\": {\"viewer\": null}}").is_empty());
}
