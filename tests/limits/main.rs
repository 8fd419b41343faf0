//! Who may ask for how much, and what keys are good for: through the real routes, and over several servers.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod door;
mod keys;
mod limits;
mod servers;
#[path = "../support/mod.rs"]
mod support;
