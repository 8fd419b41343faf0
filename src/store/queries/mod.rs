//! Query functions, one file per noun: they take the connection and never fetch one.
//!
//! This folder is compiled twice, once inside `postgres` and once inside `sqlite`; `Connection` is theirs.

use super::Connection;

pub mod accounts;
pub mod audit;
pub mod boards;
pub mod caps;
pub mod claims;
pub mod clicks;
pub mod codes;
pub mod entries;
pub mod erasure;
pub mod events;
pub mod evidence;
pub mod export;
pub mod gate;
pub mod keys;
pub mod ledger;
pub mod listings;
pub mod moves;
pub mod network;
pub mod outbox;
pub mod programs;
pub mod ranking;
pub mod recount;
pub mod referrals;
pub mod reviews;
pub mod rewards;
pub mod risks;
pub mod settings;
pub mod simulation;
pub mod totals;
pub mod tree;
pub mod users;
