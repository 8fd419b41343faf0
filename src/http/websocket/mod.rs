//! `/graphql` over WebSocket: the protocol `graphql-transport-ws`.
//!
//! Source: `PROTOCOL.md` of github.com/enisdenjo/graphql-ws. Written here rather than taken from async-graphql-axum, which
//! failed half of the checks made of it: no `error` messages, wrong close codes, no timeouts and no bounds.

mod connection;
mod live;
mod origin;
mod protocol;

use axum::extract::WebSocketUpgrade;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};

use super::Door;
use super::answer::{Outcome, answer};
use super::graphql::authorization;
use super::media::Media;
use super::operations::Operations;
use super::problem::{FORBIDDEN, UNAVAILABLE, coded};
use super::server::Seat;
use super::settings::MAX_MESSAGE_BYTES;
use super::visitor::visitor;
use connection::{Connection, Knock};

pub use live::MAX_OPERATIONS;
pub use protocol::{MAX_ID_BYTES, SUBPROTOCOL};

/// Bytes read from a socket at a time. The library's default of 128 KiB is nearly all the memory a quiet socket costs.
const READ_BUFFER_BYTES: usize = 8 * 1024;

/// Answers a request for an upgrade, and attends to the socket from then on.
pub(crate) fn accept<O: Operations>(door: Door<O>, upgrade: WebSocketUpgrade, parts: &Parts) -> Response {
    if door.settings.shutdown.has_begun() {
        return answer(Outcome::from(coded("The server is shutting down.", UNAVAILABLE)), Media::Json);
    }
    if !origin::is_allowed(&parts.headers, &door.settings.allowed_origins) {
        return answer(Outcome::from(coded("Pages of this origin may not connect.", FORBIDDEN)), Media::Json);
    }
    let knock = Knock {
        authorization: authorization(&parts.headers).map(|value| value.map(str::to_owned)),
        visitor: visitor(&parts.extensions, &parts.headers, &door.settings.trusted_proxies),
    };
    // The connection's seat is held up with it; without a listener of ours the socket holds by itself.
    let seat = parts.extensions.get::<Seat>().cloned();
    let held = seat.is_none().then(|| door.settings.shutdown.hold());
    let Some((upgrade, speaks)) = choose_protocol(upgrade) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let upgrade = upgrade.read_buffer_size(READ_BUFFER_BYTES);
    let upgrade = upgrade.max_message_size(MAX_MESSAGE_BYTES).max_frame_size(MAX_MESSAGE_BYTES);
    upgrade.on_upgrade(async move |socket| {
        Connection::new(socket, door, knock).attend(speaks).await;
        drop((seat, held));
    })
}

/// Whether a client speaks our protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    Ours,
    Another,
}

/// Selects our protocol if it is offered, else the first that is.
///
/// One that we do not speak is selected only to be closed with 4406: refused here, clients would learn no reason.
fn choose_protocol(mut upgrade: WebSocketUpgrade) -> Option<(WebSocketUpgrade, Speaks)> {
    let first = upgrade.requested_protocols().next().cloned();
    let ours = upgrade.requested_protocols().find(|protocol| *protocol == SUBPROTOCOL).cloned();
    let speaks = if ours.is_some() { Speaks::Ours } else { Speaks::Another };
    if let Some(selected) = ours.or(first) {
        if selected.is_empty() {
            return None;
        }
        upgrade.set_selected_protocol(selected);
    }
    Some((upgrade, speaks))
}
