//! The stage for stories about the whole house: fresh databases, a clock that can be moved, and a look behind the
//! curtain at the end.
//!
//! A story is a test that begins with [`each_backend`] and ends with `harness.finish().await`:
//!
//! ```ignore
//! #[test]
//! fn a_friend_brings_a_friend() {
//!     each_backend(async |harness| {
//!         harness.server().run("mutation { ... }", json!({})).await;
//!         harness.finish().await;
//!     });
//! }
//! ```
//!
//! | variable | default | |
//! | --- | --- | --- |
//! | `TEST_DATABASE_URL` | `postgres://postgres@127.0.0.1:5432/postgres` | where databases of tests are made and dropped |
//! | `TEST_REDIS_URL` | `redis://127.0.0.1:6379` | a Redis that tests may share |
//! | `BANYAN_CHAOS_REQUESTS`, `BANYAN_CHAOS_SEED` | | how much is sent while processes die, and what is random about it |
//! | `BANYAN_FAILPOINTS` | one for each point | how often the server dies at its failpoints |
//! | `CI` | | `true`: what does not answer is a failure, not a reason to do without |
#![allow(dead_code, unused_imports, reason = "each test file uses other parts of the stage")]
#![expect(clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod actor;
mod books;
mod client;
mod database;
mod harness;
mod host;
mod machine;
mod port;
mod postgres;
mod program;
mod proxy;
mod purse;
mod recount;
mod redis;
mod server;
mod sql;
mod subscriber;

pub use self::{
    actor::Actor,
    books::Books,
    client::{Client, Unknown},
    database::{Database, postgres_url},
    harness::{Harness, each_backend},
    host::{Deed, Host, Person, at_once, newcomer},
    machine::{NOON, TestClock, TestRandomness},
    postgres::{PrivatePostgres, private_postgres, private_postgres_on},
    program::{member, program, upline},
    proxy::{Line, Proxy},
    purse::Purse,
    recount::recount,
    redis::{PrivateRedis, private_redis, redis_url},
    server::{ADMIN_KEY, Server},
    sql::Sql,
    subscriber::Subscriber,
};

/// Whether what is missing is a failure.
pub fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Answers what answered; what did not is a failure on CI and a line on the terminal elsewhere.
///
/// The line is written past the capture of the test runner: it is about the run, not about one test.
fn or_do_without<T>(what: &str, answer: Result<T, String>) -> Option<T> {
    match answer {
        Ok(answer) => Some(answer),
        Err(cause) if is_ci() => panic!("{what} does not answer, and CI=true: {cause}"),
        Err(cause) => {
            say(&format!("{what} does not answer, tests do without it: {cause}"));
            None
        }
    }
}

/// A line on the terminal, past the capture of the test runner.
pub fn say(line: &str) {
    use std::io::Write as _;
    let _broken_pipe_is_fine = writeln!(std::io::stderr(), "{line}");
}
