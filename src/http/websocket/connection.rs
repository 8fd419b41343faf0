//! One socket, from the upgrade to the close: who it is, what it asks for, whether it is still there.

use std::pin::pin;
use std::time::Duration;

use async_graphql::ServerError;
use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value};
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, timeout};

use super::Speaks;
use super::live::{LiveOperations, MAX_OPERATIONS};
use super::protocol::{ClientMessage, Closing, ServerMessage};
use crate::domain::visitor::Visitor;
use crate::http::Door;
use crate::http::deadline::Deadline;
use crate::http::graphql::UNKNOWN;
use crate::http::operations::{Operations, Refused, Session};
use crate::http::parameters::Parameters;
use crate::http::problem::{RATE_LIMITED, coded};

/// How long a client has to answer a close before the connection is dropped.
const CLOSE_PATIENCE: Duration = Duration::from_secs(1);

/// What the request for the upgrade said about who it is.
#[derive(Debug)]
pub(super) struct Knock {
    pub(super) authorization: Result<Option<String>, Refused>,
    /// Who knocks, as the upgrade's request told.
    pub(super) visitor: Visitor,
}

/// How a socket ends.
#[derive(Debug)]
enum Ended {
    /// We close it.
    By(Closing),
    /// The client closed it.
    Left,
    /// The connection is broken, or takes nothing any more.
    Gone,
}

impl From<Closing> for Ended {
    fn from(closing: Closing) -> Self {
        Self::By(closing)
    }
}

/// What may happen next on a socket.
enum Event {
    Received(Option<Result<Message, axum::Error>>),
    ToSend(String),
    PingDue,
    TimeOver,
    Revoked,
    ShuttingDown,
}

/// One socket and everything that belongs to it.
pub(super) struct Connection<O> {
    socket: WebSocket,
    door: Door<O>,
    knock: Knock,
    session: Option<Session>,
    /// When `connection_init` has to be there, and later when the credential expires.
    deadline: Deadline,
    /// Ends when the credential is revoked; nothing before it is known.
    revocation: Option<BoxFuture<'static, ()>>,
    live: LiveOperations,
    awaits_pong: bool,
}

impl<O: Operations> Connection<O> {
    pub(super) fn new(socket: WebSocket, door: Door<O>, knock: Knock) -> Self {
        let deadline = Deadline::after(door.settings.patience.init);
        let live = LiveOperations::new();
        Self { socket, door, knock, session: None, deadline, revocation: None, live, awaits_pong: false }
    }

    /// Attends to the socket until it ends.
    pub(super) async fn attend(mut self, speaks: Speaks) {
        let ended = match speaks {
            Speaks::Ours => self.converse().await.err().unwrap_or(Ended::Gone),
            Speaks::Another => Closing::UnknownSubprotocol.into(),
        };
        let Self { socket, door, live, .. } = self;
        drop(live);
        say_goodbye(socket, ended, door.settings.patience.send).await;
    }

    /// Handles one event after the other; ends with the reason, and never otherwise.
    async fn converse(&mut self) -> Result<(), Ended> {
        let every = self.door.settings.patience.ping;
        let mut pings = interval_at(Instant::now() + every, every);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let shutdown = self.door.settings.shutdown.clone();
        let mut leaving = pin!(shutdown.begun());
        loop {
            // Whichever is ready, in no fixed order: a client that talks all the time must not keep results from it.
            let event = tokio::select! {
                received = self.socket.recv() => Event::Received(received),
                text = self.live.next_message() => Event::ToSend(text),
                _ = pings.tick() => Event::PingDue,
                () = self.deadline.passed() => Event::TimeOver,
                () = ended(&mut self.revocation) => Event::Revoked,
                () = &mut leaving => Event::ShuttingDown,
            };
            self.handle(event).await?;
        }
    }

    async fn handle(&mut self, event: Event) -> Result<(), Ended> {
        match event {
            Event::Received(Some(Ok(frame))) => self.receive(frame).await,
            Event::Received(Some(Err(error))) => Err(fault_of(&error).into()),
            Event::Received(None) => Err(Ended::Gone),
            Event::ToSend(text) => self.send(Message::text(text)).await,
            Event::PingDue if self.awaits_pong => Err(Closing::NoPong.into()),
            Event::PingDue => {
                self.awaits_pong = true;
                self.send(Message::Ping(Default::default())).await
            }
            Event::TimeOver if self.session.is_none() => Err(Closing::InitTimeout.into()),
            Event::TimeOver => Err(Closing::Expired.into()),
            Event::Revoked => Err(Closing::Revoked.into()),
            Event::ShuttingDown => Err(Closing::GoingAway.into()),
        }
    }

    async fn receive(&mut self, frame: Message) -> Result<(), Ended> {
        match frame {
            Message::Text(text) => self.obey(ClientMessage::parse(&text)?).await,
            Message::Binary(_) => Err(Closing::Malformed.into()),
            Message::Pong(_) => self.heard_pong(),
            Message::Ping(_) => self.pass_pong().await,
            Message::Close(_) => Err(Ended::Left),
        }
    }

    async fn obey(&mut self, message: ClientMessage) -> Result<(), Ended> {
        match message {
            ClientMessage::ConnectionInit(payload) => self.initialise(payload).await,
            ClientMessage::Ping(payload) => self.say(ServerMessage::Pong { payload }).await,
            ClientMessage::Pong => self.heard_pong(),
            ClientMessage::Subscribe { id, parameters } => self.subscribe(id, parameters).await,
            ClientMessage::Complete { id } => {
                self.live.stop(&id);
                Ok(())
            }
        }
    }

    /// The library has written its answer already, but keeps for itself what a client does not take, and reads on.
    async fn pass_pong(&mut self) -> Result<(), Ended> {
        let passing = timeout(self.door.settings.patience.send, self.socket.flush());
        if matches!(passing.await, Ok(Ok(()))) { Ok(()) } else { Err(Ended::Gone) }
    }

    fn heard_pong(&mut self) -> Result<(), Ended> {
        self.awaits_pong = false;
        Ok(())
    }

    async fn initialise(&mut self, payload: Map<String, Value>) -> Result<(), Ended> {
        if self.session.is_some() {
            return Err(Closing::SecondInit.into());
        }
        let authorization = self.credential(&payload)?;
        let client = self.knock.visitor.address.unwrap_or(UNKNOWN);
        let checking = self.door.operations.authenticate(authorization.as_deref(), client);
        let session = tokio::select! {
            session = checking => session,
            () = self.deadline.passed() => return Err(Closing::InitTimeout.into()),
        };
        let session = Session { visitor: self.knock.visitor.clone(), ..session.map_err(closing_of)? };
        self.deadline = Deadline::of(&session);
        let (operations, holder) = (self.door.operations.clone(), session.clone());
        self.revocation = Some(Box::pin(async move { operations.revoked(&holder).await }));
        self.session = Some(session);
        self.say(ServerMessage::ConnectionAck).await
    }

    /// What `connection_init` says wins over the upgrade's header: pages of a browser cannot set that one.
    fn credential(&self, payload: &Map<String, Value>) -> Result<Option<String>, Closing> {
        let said = ["authorization", "Authorization"].iter().find_map(|name| payload.get(*name));
        match said {
            Some(Value::String(credential)) => Ok(Some(credential.clone())),
            Some(Value::Null) | None => self.knock.authorization.clone().map_err(closing_of),
            Some(_) => Err(Closing::Forbidden),
        }
    }

    async fn subscribe(&mut self, id: String, parameters: Parameters) -> Result<(), Ended> {
        let session = self.session.clone().ok_or(Closing::Unauthorized)?;
        if self.live.contains(&id) {
            return Err(Closing::DuplicateId.into());
        }
        if self.live.is_full() {
            let errors = [too_many_operations()];
            return self.say(ServerMessage::Error { id: &id, payload: &errors }).await;
        }
        self.live.start(self.door.clone(), session, id, parameters);
        Ok(())
    }

    async fn say(&mut self, message: ServerMessage<'_>) -> Result<(), Ended> {
        let text = message.to_text().ok_or(Ended::Gone)?;
        self.send(Message::text(text)).await
    }

    /// Sends one message; meanwhile nothing is read, so a client that takes nothing can also ask for nothing.
    async fn send(&mut self, message: Message) -> Result<(), Ended> {
        let sending = timeout(self.door.settings.patience.send, self.socket.send(message));
        if matches!(sending.await, Ok(Ok(()))) { Ok(()) } else { Err(Ended::Gone) }
    }
}

fn too_many_operations() -> ServerError {
    coded(format!("At most {MAX_OPERATIONS} operations may run at once on a connection."), RATE_LIMITED)
}

fn closing_of(refused: Refused) -> Closing {
    match refused {
        Refused::Credential(_) => Closing::Forbidden,
        Refused::TooMany { .. } | Refused::Unavailable => Closing::TryLater,
    }
}

/// The library's error type is not ours to match on; a test holds on to its words.
fn fault_of(error: &axum::Error) -> Closing {
    if error.to_string().starts_with("Space limit exceeded") { Closing::TooBig } else { Closing::BrokenFrame }
}

async fn ended(event: &mut Option<BoxFuture<'static, ()>>) {
    match event {
        Some(event) => event.await,
        None => std::future::pending().await,
    }
}

/// Closes in the way the protocol of WebSockets asks: say so, wait for the answer, but not for long.
async fn say_goodbye(mut socket: WebSocket, ended: Ended, patience: Duration) {
    let closing = match ended {
        Ended::Gone => return,
        Ended::Left => None,
        Ended::By(closing) => Some(closing),
    };
    if let Some(closing) = closing
        && !matches!(timeout(patience, socket.send(Message::Close(Some(closing.frame())))).await, Ok(Ok(())))
    {
        return;
    }
    let answered = async { while socket.recv().await.is_some() {} };
    if timeout(CLOSE_PATIENCE, answered).await.is_ok() && closing == Some(Closing::TooBig) {
        // The rest of the message is still unread. Closing now would reset the connection, and with it lose our reason.
        sleep(CLOSE_PATIENCE).await;
    }
}
