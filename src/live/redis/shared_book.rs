//! The buckets that all servers share: one script, run by Redis on its own clock.
//!
//! Requests wait for it, so it has a connection of its own and little time: an answer that does not come at once costs the
//! connection, and until there is another one nobody waits and every server limits by its own book.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, RedisError, Script};
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::{CONNECT_LIMIT, RECONNECT_FIRST, RECONNECT_LIMIT, server};
use crate::live::backoff::{Backoff, Jitter};
use crate::live::limits::Demand;
use crate::live::{LinkState, LiveError, LiveSettings};

const SCRIPT: &str = include_str!("charge.lua");

/// This process's hold on the shared buckets; its task ends with it.
pub(in crate::live) struct SharedBook {
    desk: Arc<Desk>,
    task: AbortHandle,
}

struct Desk {
    client: Client,
    script: Script,
    namespace: String,
    /// How long a request waits for an answer.
    patience: Duration,
    line: Mutex<Line>,
    /// The line was lost.
    lost: Notify,
    jitter: Jitter,
}

/// The connection, if there is one. Its number tells whether a failure is about it or about one before.
struct Line {
    state: LinkState,
    number: u64,
    connection: Option<MultiplexedConnection>,
}

impl SharedBook {
    /// Begins to connect, and goes on for as long as this lives.
    pub(in crate::live) fn open(url: &str, settings: &LiveSettings) -> Result<SharedBook, LiveError> {
        let desk = Arc::new(Desk {
            client: server::client(url)?,
            script: Script::new(SCRIPT),
            namespace: settings.namespace.clone(),
            patience: settings.limits_patience,
            line: Mutex::new(Line { state: LinkState::Connecting, number: 0, connection: None }),
            lost: Notify::new(),
            // Not the same waits as those of the hints.
            jitter: Jitter::new(settings.node.wrapping_add(1)),
        });
        let task = tokio::spawn(desk.clone().keep_connected()).abort_handle();
        Ok(SharedBook { desk, task })
    }

    /// Takes what is asked for out of all buckets, or out of none; gives the debts before, or nothing when Redis does not
    /// answer at once.
    pub(in crate::live) async fn charge(&self, demands: &[Demand]) -> Option<Vec<i64>> {
        self.desk.ask("take", demands).await
    }

    /// Adds to debts, whatever they are; gives the debts before, or nothing when Redis does not answer at once.
    pub(in crate::live) async fn owe(&self, demands: &[Demand]) -> Option<Vec<i64>> {
        self.desk.ask("owe", demands).await
    }

    /// Whether Redis answers.
    pub(in crate::live) fn state(&self) -> LinkState {
        self.desk.line().state
    }
}

impl Drop for SharedBook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Desk {
    async fn ask(&self, how: &str, demands: &[Demand]) -> Option<Vec<i64>> {
        let (number, mut connection) = {
            let line = self.line();
            (line.number, line.connection.clone()?)
        };
        let mut call = self.script.prepare_invoke();
        call.arg(how);
        for demand in demands {
            call.key(demand.bucket.key(&self.namespace));
            call.arg(demand.quota.price_micros(demand.amount)).arg(demand.quota.most_micros());
        }
        let failure = match timeout(self.patience, call.invoke_async::<Vec<i64>>(&mut connection)).await {
            Ok(Ok(debts)) if debts.len() == demands.len() => return Some(debts),
            Ok(Ok(_)) => "an answer of another length".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(too_long) => too_long.to_string(),
        };
        self.lose(number, &failure);
        None
    }

    /// Connects, and does so again, for ever, whenever the connection is lost.
    async fn keep_connected(self: Arc<Self>) {
        let mut backoff = Backoff::new(RECONNECT_FIRST, RECONNECT_LIMIT);
        loop {
            match timeout(CONNECT_LIMIT, self.connect()).await {
                Ok(Ok(connection)) => {
                    let begun = Instant::now();
                    self.open(connection);
                    self.lost.notified().await;
                    if begun.elapsed() > RECONNECT_LIMIT {
                        backoff.reset(); // one that is made and lost at once must not spin
                    }
                }
                Ok(Err(error)) => self.missing(&error.to_string()),
                Err(too_long) => self.missing(&too_long.to_string()),
            }
            let wait = backoff.failed(&self.jitter);
            debug!(?wait, "connecting to Redis again, for shared limits");
            sleep(wait).await;
        }
    }

    /// A connection that knows the script.
    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(Some(CONNECT_LIMIT));
        let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        self.script.load_async(&mut connection).await?;
        Ok(connection)
    }

    fn open(&self, connection: MultiplexedConnection) {
        let mut line = self.line();
        line.number += 1;
        line.connection = Some(connection);
        if std::mem::replace(&mut line.state, LinkState::Connected) == LinkState::Lost {
            info!("limits hold over all servers again");
        }
    }

    /// Gives a connection up, once.
    fn lose(&self, number: u64, reason: &str) {
        let mut line = self.line();
        if line.number == number && line.connection.take().is_some() {
            line.state = LinkState::Lost;
            warn!(reason, "Redis does not answer; every server limits by itself until it does");
            self.lost.notify_one();
        }
    }

    /// There is no connection yet.
    fn missing(&self, reason: &str) {
        let before = std::mem::replace(&mut self.line().state, LinkState::Lost);
        if before != LinkState::Lost {
            warn!(reason, "Redis cannot be reached; every server limits by itself until it can");
        }
    }

    /// The line is whole after every statement, so a panic elsewhere does not spoil it.
    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
