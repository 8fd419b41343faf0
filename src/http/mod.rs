//! The doors: routes, transports, pages, health.
//!
//! | file | what it is |
//! | --- | --- |
//! | [`operations`] | the one trait the doors need from the house |
//! | [`router`](fn@router), [`settings`] | which path leads where, and the limits at the door |
//! | [`graphql`] | `/graphql` over HTTP: GET and POST |
//! | [`body`], [`parameters`], [`media`], [`answer`] | its parts: reading, understanding, negotiating, answering |
//! | `persisted` | which document a request names |
//! | [`document`], [`run`] | what every transport does with a request: prepare the document, run it |
//! | `results`, [`price`] | what comes of it, one after the other; what it may cost |
//! | `events` | `/graphql` as server-sent events |
//! | [`cors`] | which pages of other sites may use `/graphql` |
//! | [`rate_limit`] | how limits are told to callers |
//! | [`websocket`] | `/graphql` over WebSocket |
//! | [`auth`] | host tokens and keys |
//! | [`pages`] | GraphiQL, built in |
//! | [`links`] | `/r/{code}`: referral links and their QR codes |
//! | `visitor` | the client's own address, past proxies, and its cookie |
//! | [`health`] | `/health/live` and `/health/ready` |
//! | [`headers`] | headers that every answer carries |
//! | [`server`], [`shutdown`], [`stall`], `untaken`, `deadline` | the accept loop, and how things end |
//! | [`tls`] | the same behind TLS |
//! | [`headcount`], `descriptors` | how many connections each address has, and the process may have |

pub mod answer;
pub mod auth;
pub mod body;
pub mod cors;
mod deadline;
mod descriptors;
pub mod document;
mod events;
pub mod graphql;
pub mod headcount;
pub mod headers;
pub mod health;
pub mod links;
pub mod media;
pub mod operations;
pub mod pages;
pub mod parameters;
mod persisted;
pub mod price;
pub mod problem;
pub mod rate_limit;
mod results;
pub mod run;
pub mod server;
pub mod settings;
pub mod shutdown;
pub mod stall;
pub mod tls;
mod untaken;
mod visitor;
pub mod websocket;

pub use cors::Origin;
pub use descriptors::make_room;
pub use headers::with_security_headers;
pub use operations::{Accepted, KeyInUse, Operations, Refused, Session};
pub use price::Price;
pub use server::{Gate, serve};
pub use settings::{DoorSettings, ServerLimits};
pub use shutdown::Shutdown;
pub use tls::{CertificateFiles, Tls};

use axum::Router;
use axum::routing::{MethodRouter, any, get};

/// What every handler at the door can reach.
#[derive(Clone, Debug)]
pub(crate) struct Door<O> {
    pub(crate) operations: O,
    pub(crate) settings: DoorSettings,
}

/// `/graphql`, for pages of other sites too when any are listed.
///
/// The layer is around everything that is answered here, so that a page can read why it was refused, and answers what a
/// browser asks beforehand by itself: nobody is charged for that.
fn graphql_route<O: Operations>(settings: &DoorSettings) -> MethodRouter<Door<O>> {
    let route = any(graphql::answer_graphql::<O>);
    if settings.allowed_origins.is_empty() { route } else { route.layer(cors::cors(&settings.allowed_origins)) }
}

/// Builds the routes `/graphql`, `/health/live` and `/health/ready` over the given operations.
///
/// Other routes are merged by the caller, who then wraps the whole in [`with_security_headers`] once more, since a
/// layer covers only the routes that were there before it.
pub fn router<O: Operations>(operations: O, settings: DoorSettings) -> Router {
    let route = graphql_route(&settings);
    let door = Door { operations, settings };
    with_security_headers(health_routes(door.clone()).merge(Router::new().route("/graphql", route).with_state(door)))
}

/// What a process answers that only works: whether it is alive and ready.
pub fn health_router<O: Operations>(operations: O, settings: DoorSettings) -> Router {
    with_security_headers(health_routes(Door { operations, settings }))
}

fn health_routes<O: Operations>(door: Door<O>) -> Router {
    let routes = Router::new().route("/health/live", get(health::live));
    routes.route("/health/ready", get(health::ready::<O>)).with_state(door)
}
