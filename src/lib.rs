//! Banyan: a self-hosted referral engine behind a GraphQL API.
//!
//! The map of the crate, from the inside out. Data flows one way: a request comes in at a door, is decided by pure
//! rules, is written once, and everything else follows from what was written.
//!
//! | room | what it is | may use |
//! | --- | --- | --- |
//! | [`domain`] | what a referral program means; pure | nothing of ours |
//! | [`store`] | the only room that knows SQL | `domain` |
//! | [`live`] | what servers share while running | `domain` |
//! | [`failpoint`] | where tests let a process die; empty in release builds | nothing of ours |
//! | [`engine`] | one file per thing the product can do | `domain`, `store`, `live`, `failpoint` |
//! | [`worker`] | folds what was appended into rewards, counters and boards | `engine` and below |
//! | [`graphql`] | types, queries, mutations, subscriptions, loaders | `engine`, `store`, `live`, `domain` |
//! | [`http`] | the axum router and its doors | `graphql` and below |
//! | [`app`], [`config`] | put the parts together | everything |
//!
//! Nothing imports upwards: `tests/rooms.rs` checks it.

pub mod app;
pub mod commands;
pub mod config;
pub mod domain;
pub mod engine;
pub mod failpoint;
mod front;
pub mod graphql;
pub mod http;
pub mod live;
mod say;
pub mod store;
pub mod worker;
