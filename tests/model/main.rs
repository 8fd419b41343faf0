//! Random histories through the public API, against a slow and obvious model of the reward rules. Everybody's rewards,
//! balances and claims, the ledger and what was decided are what the model says: in the rows after every step, and as
//! the API shows them every ten steps and at the end. Some histories are played sixteen operations at a time while
//! somebody folds; then the model replays the order that was decided.
//!
//! | variable | default | |
//! | --- | --- | --- |
//! | `BANYAN_MODEL_HISTORIES` | 60 on SQLite and 20 on PostgreSQL; with `CI=true` 2,000 and 300 | how many histories |
//! | `BANYAN_MODEL_AT_ONCE` | 5 on each; with `CI=true` 20 | how many histories sixteen at a time |
//! | `BANYAN_MODEL_SEED` | 1 | the first seed; a history is made from its seed alone |
//! | `BANYAN_MODEL_TRIES` | 250 | how often a mismatch is tried to be made shorter |
//!
//! `mutations/run` plants mistakes in the rules, one at a time, and says whether this test catches them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod at_once;
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
mod order;
mod plan;
mod plans;
mod rows;
mod run;
mod seen;
mod shrink;
mod soundness;
mod state;
#[path = "../support/mod.rs"]
mod support;
mod tricks;

use banyan::store::BackendKind;
use run::Mode;

#[test]
fn histories_on_sqlite() {
    run::run(BackendKind::Sqlite, Mode::OneByOne, run::how_many("BANYAN_MODEL_HISTORIES", 60, 2_000));
}

#[test]
fn histories_on_postgres() {
    if support::postgres_url().is_some() {
        run::run(BackendKind::Postgres, Mode::OneByOne, run::how_many("BANYAN_MODEL_HISTORIES", 20, 300));
    }
}

#[test]
fn histories_at_once_on_sqlite() {
    run::run(BackendKind::Sqlite, Mode::AtOnce, run::how_many("BANYAN_MODEL_AT_ONCE", 5, 20));
}

#[test]
fn histories_at_once_on_postgres() {
    if support::postgres_url().is_some() {
        run::run(BackendKind::Postgres, Mode::AtOnce, run::how_many("BANYAN_MODEL_AT_ONCE", 5, 20));
    }
}
