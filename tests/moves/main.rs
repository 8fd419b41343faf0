//! Moving users to other referrers: what goes along, what stays, what is refused, and what comes of many moves at once.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod family;
mod races;
mod stories;
#[path = "../support/mod.rs"]
mod support;
mod trees;
