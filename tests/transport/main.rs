//! What the doors promise whoever knocks, over a real listener and a schema of a few fields.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod certificates;
mod client;
mod cors;
mod events;
mod health;
mod house;
mod http;
mod http2;
mod limits;
mod persisted;
mod server;
mod subscriptions;
mod tls;
mod websocket;
