//! Referral links in the hands of browsers, through the real routes.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod attribution;
mod busy;
mod codes;
mod redirects;
mod site;
#[path = "../support/mod.rs"]
mod support;
mod visits;
