//! Forgetting a person: nothing that says who it was is left anywhere, and everything that others rely on is.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod audit;
mod canaries;
mod codes;
mod columns;
#[path = "../schema/declared.rs"]
mod declared;
mod exports;
mod files;
mod keys;
mod links;
mod logs;
mod signups;
mod stories;
#[path = "../support/mod.rs"]
mod support;
mod told;
mod words;
