//! Random histories through the public API, against a slow and obvious model of the reward rules: after every step
//! everybody's rewards, balances and claims are what the model says.
//!
//! | variable | default | |
//! | --- | --- | --- |
//! | `BANYAN_MODEL_HISTORIES` | 200 on SQLite and 30 on PostgreSQL; with `CI=true` 2,000 and 300 | how many histories |
//! | `BANYAN_MODEL_SEED` | 1 | the first seed; a history is made from its seed alone |

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod by_hand;
mod by_hand_money;
mod calendar;
mod decide;
mod driver;
mod history;
mod house;
mod model;
mod money;
mod operation;
mod plan;
mod plans;
mod run;
mod seen;
mod shrink;
mod soundness;
mod state;
#[path = "../support/mod.rs"]
mod support;
mod tricks;

use banyan::store::BackendKind;

#[test]
fn histories_on_sqlite() {
    run::run(BackendKind::Sqlite, run::how_many(30, 60));
}

#[test]
fn histories_on_postgres() {
    if support::postgres_url().is_some() {
        run::run(BackendKind::Postgres, run::how_many(10, 20));
    }
}
