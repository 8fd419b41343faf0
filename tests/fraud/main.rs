//! Fraud (rules 20 to 22): each sign by itself, rings that arrive at once, several programs and how far they look back,
//! reviews and what they do to the money, lists, keys and what is kept.
//!
//! The default program pays the referrer 10.00 and the friend 5.00 for a first purchase.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod crowds;
mod evidence;
mod lists;
mod lookback;
mod people;
mod programs;
mod refusals;
mod reviews;
mod rings;
mod scene;
mod signals;
#[path = "../support/mod.rs"]
mod support;
mod verdicts;
