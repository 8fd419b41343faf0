//! The task that sends hints to Redis.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, RedisError};
use tokio::time::sleep;
use tracing::{debug, info};

use super::frame::{HINTS_PER_FRAME, encode};
use super::{CONNECT_LIMIT, RECONNECT_FIRST, RECONNECT_LIMIT, REPLY_LIMIT, Wire};
use crate::live::Hint;
use crate::live::backoff::Backoff;

/// Sends what waits. While one message is under way the next ones gather, so a burst becomes few messages.
pub(super) struct Publisher {
    wire: Arc<Wire>,
    backoff: Backoff,
}

impl Publisher {
    pub(super) fn new(wire: Arc<Wire>) -> Publisher {
        Publisher { wire, backoff: Backoff::new(RECONNECT_FIRST, RECONNECT_LIMIT) }
    }

    /// Connects when there is something to send, and again, for ever, after each failure.
    pub(super) async fn run(mut self) {
        loop {
            let hints = self.wire.outgoing.take().await;
            let failure = match self.connect().await {
                Ok(connection) => self.send_until_it_fails(connection, hints).await,
                Err(failure) => {
                    self.wire.outgoing.add(&hints);
                    failure
                }
            };
            if self.backoff.is_fresh() {
                info!(error = %failure, "hints cannot be sent to Redis; they wait"); // the listener warns
            }
            let wait = self.backoff.failed(&self.wire.hub.jitter);
            debug!(?wait, "connecting to Redis again, to send");
            sleep(wait).await;
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(REPLY_LIMIT));
        self.wire.client.get_multiplexed_async_connection_with_config(&config).await
    }

    async fn send_until_it_fails(&mut self, mut connection: MultiplexedConnection, mut hints: Vec<Hint>) -> RedisError {
        loop {
            if let Err(failure) = self.send(&mut connection, &hints).await {
                return failure;
            }
            self.backoff.reset();
            hints = self.wire.outgoing.take().await;
        }
    }

    /// Sends hints; what could not be sent waits again. A message that was sent but not answered is sent twice, which
    /// costs nothing.
    async fn send(&self, connection: &mut MultiplexedConnection, hints: &[Hint]) -> Result<(), RedisError> {
        let Wire { hub, channel, outgoing, sent, .. } = &*self.wire;
        for (nth, batch) in hints.chunks(HINTS_PER_FRAME).enumerate() {
            let frame = encode(hub.settings.node, batch);
            let answer = redis::cmd("PUBLISH").arg(channel).arg(frame).query_async::<i64>(connection).await;
            if let Err(failure) = answer {
                outgoing.add(&hints[nth * HINTS_PER_FRAME..]);
                return Err(failure);
            }
            sent.add(batch.len());
        }
        Ok(())
    }
}
