//! Leaderboards: whatever is added and taken away, in whatever slices it is summed, every page of every board is what a
//! plain recount of the rows gives.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod book;
mod concurrency;
mod expected;
mod periods;
mod plans;
mod random;
mod world;
