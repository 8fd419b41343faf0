//! The operations that run on one socket, each in a task of its own, so that a slow one holds up nobody else.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;

use async_graphql::{Response, ServerError};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::protocol::ServerMessage;
use crate::http::Door;
use crate::http::operations::{Operations, Session};
use crate::http::parameters::Parameters;
use crate::http::results::{Told, results};
use crate::http::run::{admit, broken};

/// Most operations at once on one socket.
pub const MAX_OPERATIONS: usize = 50;

/// Most messages that wait to be sent on one socket; operations with more to say wait themselves.
const MAX_WAITING: usize = 64;

/// The operations of one socket. Dropping it ends them, except mutations, which finish unheard.
#[derive(Debug)]
pub(super) struct LiveOperations {
    running: HashMap<String, Running>,
    started: u64,
    sender: mpsc::Sender<Outgoing>,
    receiver: mpsc::Receiver<Outgoing>,
}

#[derive(Debug)]
struct Running {
    number: u64,
    task: AbortHandle,
}

/// A message of an operation, on its way to the socket.
#[derive(Debug)]
struct Outgoing {
    id: String,
    number: u64,
    text: String,
    position: Position,
}

/// Whether an operation says more after this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Position {
    Middle,
    Last,
}

impl LiveOperations {
    pub(super) fn new() -> Self {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        Self { running: HashMap::new(), started: 0, sender, receiver }
    }

    pub(super) fn contains(&self, id: &str) -> bool {
        self.running.contains_key(id)
    }

    pub(super) fn is_full(&self) -> bool {
        self.running.len() >= MAX_OPERATIONS
    }

    /// Starts an operation under an id that is not in use.
    pub(super) fn start<O: Operations>(&mut self, door: Door<O>, session: Session, id: String, asked: Parameters) {
        self.started += 1;
        let number = self.started;
        let reporter = Reporter { id: id.clone(), number, sender: self.sender.clone() };
        let task = tokio::spawn(operate(door, session, asked, reporter)).abort_handle();
        self.running.insert(id, Running { number, task });
    }

    /// Ends an operation; one that has ended already is no mistake of the client's, who could not know yet.
    pub(super) fn stop(&mut self, id: &str) {
        if let Some(running) = self.running.remove(id) {
            running.task.abort();
        }
    }

    /// The text of the next message to send. Safe to drop while waiting.
    pub(super) async fn next_message(&mut self) -> String {
        loop {
            let Some(message) = self.receiver.recv().await else {
                // Not while `self.sender` lives.
                return std::future::pending().await;
            };
            // What an ended operation left in the queue must not reach a new one of the same id.
            if self.running.get(&message.id).is_none_or(|running| running.number != message.number) {
                continue;
            }
            if message.position == Position::Last {
                self.running.remove(&message.id);
            }
            return message.text;
        }
    }
}

impl Drop for LiveOperations {
    fn drop(&mut self) {
        self.running.values().for_each(|running| running.task.abort());
    }
}

/// Where an operation reports what comes of it.
#[derive(Clone, Debug)]
struct Reporter {
    id: String,
    number: u64,
    sender: mpsc::Sender<Outgoing>,
}

/// Nothing more is wanted of an operation.
#[derive(Debug)]
struct Unwanted;

impl Reporter {
    /// Reports a result.
    ///
    /// # Errors
    /// When the socket is gone, or the operation over. A stream that always has something ready must end on it by itself:
    /// its task never waits any more, and a task that does not wait cannot be aborted.
    async fn next(&self, response: &Response) -> Result<(), Unwanted> {
        let Some(text) = (ServerMessage::Next { id: &self.id, payload: response }).to_text() else {
            self.error(vec![broken("a response could not be serialized")]).await;
            return Err(Unwanted);
        };
        self.send(text, Position::Middle).await
    }

    async fn error(&self, errors: Vec<ServerError>) {
        let text = ServerMessage::Error { id: &self.id, payload: &errors }.to_text().unwrap_or_default();
        let _over_either_way = self.send(text, Position::Last).await;
    }

    async fn complete(&self) {
        let text = ServerMessage::Complete { id: &self.id }.to_text().unwrap_or_default();
        let _over_either_way = self.send(text, Position::Last).await;
    }

    async fn send(&self, text: String, position: Position) -> Result<(), Unwanted> {
        let message = Outgoing { id: self.id.clone(), number: self.number, text, position };
        self.sender.send(message).await.map_err(|_| Unwanted)
    }
}

/// Runs an operation to its end; whatever happens, the client hears of the end.
async fn operate<O: Operations>(door: Door<O>, session: Session, asked: Parameters, reporter: Reporter) {
    let working = AssertUnwindSafe(work(door, session, asked, &reporter));
    if working.catch_unwind().await.is_err() {
        reporter.error(vec![broken("an operation panicked")]).await;
    }
}

async fn work<O: Operations>(door: Door<O>, session: Session, asked: Parameters, reporter: &Reporter) {
    let mut results = match admit(&door, asked, &session).await {
        Ok(admitted) => results(door, admitted, session),
        Err(error) => stream::iter([Told::refused(vec![error])]).boxed(),
    };
    while let Some(told) = results.next().await {
        match told {
            Told::Result(response) => {
                if reporter.next(&response).await.is_err() {
                    return;
                }
            }
            Told::Refused(errors) => return reporter.error(errors).await,
        }
    }
    reporter.complete().await;
}
