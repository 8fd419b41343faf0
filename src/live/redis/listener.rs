//! The task that hears the hints of other servers.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Msg, RedisError, Value};
use tokio::sync::watch;
use tokio::time::{interval, sleep, timeout};
use tracing::{debug, info, warn};

use super::frame::decode;
use super::{CONNECT_LIMIT, RECONNECT_FIRST, RECONNECT_LIMIT, REPLY_LIMIT, Wire};
use crate::live::LinkState;
use crate::live::backoff::Backoff;

/// How often Redis is asked whether it is still there: a connection can die without a word.
const PING_EVERY: Duration = Duration::from_secs(5);

/// Hands on what it hears, and says whether Redis can be heard.
pub(super) struct Listener {
    wire: Arc<Wire>,
    state: watch::Sender<LinkState>,
    backoff: Backoff,
}

impl Listener {
    pub(super) fn new(wire: Arc<Wire>, state: watch::Sender<LinkState>) -> Listener {
        Listener { wire, state, backoff: Backoff::new(RECONNECT_FIRST, RECONNECT_LIMIT) }
    }

    /// Subscribes, listens, and does so again, for ever, after each failure.
    pub(super) async fn run(mut self) {
        loop {
            match timeout(CONNECT_LIMIT, self.subscribe()).await {
                Ok(Ok((sink, messages))) => {
                    self.connected();
                    self.listen(sink, messages).await;
                    self.lost(&"the connection ended");
                }
                Ok(Err(failure)) => self.lost(&failure),
                Err(too_long) => self.lost(&too_long),
            }
            let wait = self.backoff.failed(&self.wire.hub.jitter);
            debug!(?wait, "connecting to Redis again, to listen");
            sleep(wait).await;
        }
    }

    /// A subscription that Redis has acknowledged.
    async fn subscribe(&self) -> Result<(PubSubSink, PubSubStream), RedisError> {
        let mut connection = self.wire.client.get_async_pubsub().await?;
        connection.subscribe(&self.wire.channel).await?;
        Ok(connection.split())
    }

    /// From here on nothing is missed; what was missed before is read again.
    fn connected(&mut self) {
        self.wire.connections.add(1);
        self.wire.hub.read_everything_again();
        if self.state.send_replace(LinkState::Connected) == LinkState::Lost {
            info!("Redis is back; live values are read again");
        }
    }

    fn lost(&self, reason: &dyn Display) {
        if self.state.send_replace(LinkState::Lost) != LinkState::Lost {
            warn!(%reason, "Redis is gone; live values of other servers come late until it is back");
        }
    }

    /// Hands messages on until the connection ends or Redis stops answering.
    async fn listen(&mut self, mut sink: PubSubSink, mut messages: PubSubStream) {
        let mut pings = interval(PING_EVERY);
        pings.tick().await; // the first one comes at once
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => self.hear(&message),
                    None => return,
                },
                _ = pings.tick() => match timeout(REPLY_LIMIT, sink.ping::<Value>()).await {
                    // Only a connection that lasted makes the next wait short: one that is made and cut at once must not spin.
                    Ok(Ok(_)) => self.backoff.reset(),
                    Ok(Err(_)) | Err(_) => return,
                },
            }
        }
    }

    fn hear(&self, message: &Msg) {
        let hub = &self.wire.hub;
        hub.tell_remote(&decode(hub.settings.node, message.get_payload_bytes()));
    }
}
