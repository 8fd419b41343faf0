//! The limits at the door, each with a name and a default.

use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;

use super::cors::Origin;
use super::shutdown::Shutdown;
use crate::graphql::document::Library;

/// Largest body of a request and largest message of a WebSocket, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// Most connections of one address, unless told.
pub const CONNECTIONS_PER_ADDRESS: usize = 2_000;

/// What the doors have to know besides the operations behind them.
#[derive(Clone, Debug, Default)]
pub struct DoorSettings {
    /// Origins whose pages may use `/graphql`, besides the server's own: open a WebSocket, and read answers over HTTP.
    pub allowed_origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Documents that requests need not send, and those that they are held to.
    pub library: Arc<Library>,
    /// How long the doors wait for callers.
    pub patience: Patience,
    /// The way out, shared with [`serve`](super::serve).
    pub shutdown: Shutdown,
}

/// How long the doors wait for callers, and for the house.
#[derive(Clone, Debug)]
pub struct Patience {
    /// For a whole request body to arrive.
    pub body: Duration,
    /// For an HTTP request to be answered; a mutation goes on after that, only its answer is lost.
    pub request: Duration,
    /// For `connection_init` after a WebSocket was opened, and for its credential to be checked.
    pub init: Duration,
    /// Between two pings of a WebSocket; one whose pong has not come by the next is closed. Also the longest silence of a
    /// stream of events.
    pub ping: Duration,
    /// For one message to be taken by the client of a WebSocket.
    pub send: Duration,
    /// For the house to say that it is ready.
    pub ready: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            body: Duration::from_secs(10),
            request: Duration::from_secs(30),
            init: Duration::from_secs(10),
            ping: Duration::from_secs(20),
            send: Duration::from_secs(10),
            ready: Duration::from_secs(2),
        }
    }
}

/// The limits of the accept loop.
#[derive(Clone, Debug)]
pub struct ServerLimits {
    /// Most connections at once, WebSockets included; further ones wait in the kernel's queue.
    pub connections: usize,
    /// Most connections at once of one address, WebSockets included; further ones are closed as they come.
    pub connections_per_address: usize,
    /// Proxies, whose addresses stand for many clients: only the total holds for them.
    pub trusted_proxies: Vec<IpNet>,
    /// For the head of a request to arrive whole, counted from when the server began to wait for it.
    pub head: Duration,
    /// For a client to take any byte of what is being sent to it.
    pub write: Duration,
    /// For requests, WebSockets and mutations to finish after the shutdown began.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 20_000,
            connections_per_address: CONNECTIONS_PER_ADDRESS,
            trusted_proxies: Vec::new(),
            head: Duration::from_secs(10),
            write: Duration::from_secs(20),
            drain: Duration::from_secs(20),
        }
    }
}
