//! The twin that carries hints between servers over Redis, and the buckets that they share (`shared_book`).
//!
//! Hints are all that travels: Redis publish/subscribe loses messages by design, so nothing here is believed, it only
//! leads to a read. Two connections, each owned by one task that reconnects for ever with a jittered backoff:
//! `listener` subscribes and hands on what it hears, `publisher` sends what `outgoing` has gathered.
//!
//! All hints of a namespace share *one* channel rather than one per topic. Then there is one acknowledgement to wait for
//! per connection instead of one per watcher, nothing to subscribe again key by key after a reconnect, no race between
//! the last watcher leaving and the next one coming, and one message carries the hints of a whole batch. The price
//! is that each server hears of topics nobody watches there: about 60 bytes and one failed look-up each, so a hundred
//! thousand hints a second are 6 MB/s and a fraction of a core, far above what the database writes.
//!
//! Nothing is missed while the subscription is being made: a key is registered before its first read, and
//! when the subscription is acknowledged (the first time too) every key is read again.

mod frame;
mod listener;
mod outgoing;
mod publisher;
mod server;
mod shared_book;

#[cfg(test)]
mod limits_tests;
#[cfg(test)]
mod own_redis;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::counters::Counter;
use super::hub::Hub;
use super::{Hint, LinkState, LiveError, LiveStatus};
use listener::Listener;
use outgoing::Outgoing;
use publisher::Publisher;
pub(in crate::live) use shared_book::SharedBook;

/// Longest wait for a connection to be made and acknowledged.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);

/// Longest wait for the answer to one command; a Redis slower than this counts as gone.
const REPLY_LIMIT: Duration = Duration::from_secs(1);

/// First and longest wait before connecting again.
const RECONNECT_FIRST: Duration = Duration::from_millis(50);
const RECONNECT_LIMIT: Duration = Duration::from_secs(5);

/// This process's part of the hints' way through Redis; its tasks end with it.
pub(super) struct RedisLink {
    wire: Arc<Wire>,
    state: watch::Receiver<LinkState>,
    tasks: [AbortHandle; 2],
}

/// What both tasks share.
struct Wire {
    hub: Arc<Hub>,
    client: redis::Client,
    channel: String,
    outgoing: Outgoing,
    connections: Counter,
    sent: Counter,
}

impl RedisLink {
    /// Starts both tasks and waits, for a while, until the subscription is acknowledged.
    pub(in crate::live) async fn open(url: &str, hub: &Arc<Hub>) -> Result<RedisLink, LiveError> {
        let wire = Arc::new(Wire {
            hub: hub.clone(),
            client: server::client(url)?,
            channel: hub.settings.channel()?,
            outgoing: Outgoing::default(),
            connections: Counter::default(),
            sent: Counter::default(),
        });
        let (state, mut seen) = watch::channel(LinkState::Connecting);
        let listening = tokio::spawn(Listener::new(wire.clone(), state).run());
        let publishing = tokio::spawn(Publisher::new(wire.clone()).run());
        let tasks = [listening.abort_handle(), publishing.abort_handle()];
        let _late = timeout(CONNECT_LIMIT, seen.changed()).await; // a Redis that is down is no error
        Ok(RedisLink { wire, state: seen, tasks })
    }

    /// Leaves hints for the publisher.
    pub(in crate::live) fn queue(&self, hints: &[Hint]) {
        self.wire.outgoing.add(hints);
    }

    /// What this link knows of a status.
    pub(in crate::live) fn status(&self) -> LiveStatus {
        LiveStatus {
            link: *self.state.borrow(),
            sent_hints: self.wire.sent.get(),
            dropped_hints: self.wire.outgoing.dropped.get(),
            queued: self.wire.outgoing.len(),
            connections: self.wire.connections.get(),
            ..LiveStatus::default()
        }
    }
}

impl Drop for RedisLink {
    fn drop(&mut self) {
        self.tasks.iter().for_each(AbortHandle::abort);
    }
}
