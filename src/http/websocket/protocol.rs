//! The messages of `graphql-transport-ws`, and the codes with which a socket is closed.

use async_graphql::{Response, ServerError};
use axum::extract::ws::CloseFrame;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::http::parameters::Parameters;

/// The name of the protocol, in `Sec-WebSocket-Protocol`.
pub const SUBPROTOCOL: &str = "graphql-transport-ws";

/// Longest id of an operation, in bytes; clients use UUIDs or numbers.
pub const MAX_ID_BYTES: usize = 255;

/// What a client says.
#[derive(Debug)]
pub(super) enum ClientMessage {
    ConnectionInit(Map<String, Value>),
    Ping(Option<Map<String, Value>>),
    Pong,
    Subscribe { id: String, parameters: Parameters },
    Complete { id: String },
}

impl ClientMessage {
    /// Reads a message; everything that is not exactly one is malformed.
    pub(super) fn parse(text: &str) -> Result<Self, Closing> {
        let message = serde_json::from_str(text).map_err(|_| Closing::Malformed)?;
        Ok(match message {
            RawMessage::ConnectionInit { payload } => Self::ConnectionInit(payload.unwrap_or_default()),
            RawMessage::Ping { payload } => Self::Ping(payload),
            RawMessage::Pong { .. } => Self::Pong,
            RawMessage::Complete { id } => Self::Complete { id },
            RawMessage::Subscribe { id, payload } => {
                if id.is_empty() || id.len() > MAX_ID_BYTES {
                    return Err(Closing::Malformed);
                }
                let parameters = Parameters::from_json(payload).map_err(|_| Closing::Malformed)?;
                Self::Subscribe { id, parameters }
            }
        })
    }
}

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum RawMessage {
    ConnectionInit {
        payload: Option<Map<String, Value>>,
    },
    Ping {
        payload: Option<Map<String, Value>>,
    },
    Pong {
        #[serde(rename = "payload")]
        _payload: Option<Map<String, Value>>,
    },
    Subscribe {
        id: String,
        payload: Value,
    },
    Complete {
        id: String,
    },
}

/// What the server says.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerMessage<'a> {
    ConnectionAck,
    Pong {
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Map<String, Value>>,
    },
    Next {
        id: &'a str,
        payload: &'a Response,
    },
    Error {
        id: &'a str,
        payload: &'a [ServerError],
    },
    Complete {
        id: &'a str,
    },
}

impl ServerMessage<'_> {
    /// The text of the message; `None` for a response that holds what JSON cannot.
    pub(super) fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }
}

/// Why the server closes a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// The server is leaving; clients come back, to another one.
    GoingAway,
    /// The frames themselves are wrong.
    BrokenFrame,
    /// A message is larger than 64 KB.
    TooBig,
    /// The credential cannot be checked right now.
    TryLater,
    /// Not a message of the protocol.
    Malformed,
    /// An operation before the connection was acknowledged.
    Unauthorized,
    /// The credential is not good.
    Forbidden,
    /// The credential was good and is not any more.
    Expired,
    /// The credential was revoked.
    Revoked,
    /// Another protocol, or none.
    UnknownSubprotocol,
    /// No `connection_init` in time.
    InitTimeout,
    /// The id of an operation that is still running.
    DuplicateId,
    /// A second `connection_init`.
    SecondInit,
    /// No answer to a ping. The reference's clients use the code for the same and connect again.
    NoPong,
}

impl Closing {
    /// The code and the reason, which are the reference implementation's where it has one.
    pub(super) fn code_and_reason(self) -> (u16, &'static str) {
        match self {
            Self::GoingAway => (1001, "Going away"),
            Self::BrokenFrame => (1002, "Broken frame"),
            Self::TooBig => (1009, "Message too big"),
            Self::TryLater => (1013, "Try again later"),
            Self::Malformed => (4400, "Malformed message"),
            Self::Unauthorized => (4401, "Unauthorized"),
            Self::Forbidden => (4403, "Forbidden"),
            Self::Expired => (4403, "Credential expired"),
            Self::Revoked => (4403, "Credential revoked"),
            Self::UnknownSubprotocol => (4406, "Subprotocol not acceptable"),
            Self::InitTimeout => (4408, "Connection initialisation timeout"),
            Self::DuplicateId => (4409, "An operation of this id is still running"),
            Self::SecondInit => (4429, "Too many initialisation requests"),
            Self::NoPong => (4499, "No pong in time"),
        }
    }

    /// The frame that tells the client.
    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = self.code_and_reason();
        CloseFrame { code, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::document::Asked;

    #[test]
    fn messages_of_the_protocol_are_read() {
        let read = |text| ClientMessage::parse(text).unwrap();
        assert!(
            matches!(read(r#"{"type":"connection_init"}"#), ClientMessage::ConnectionInit(payload) if payload.is_empty())
        );
        assert!(matches!(read(r#"{"type":"ping","payload":{"a":1}}"#), ClientMessage::Ping(Some(_))));
        assert!(matches!(read(r#"{"type":"pong"}"#), ClientMessage::Pong));
        assert!(matches!(read(r#"{"type":"complete","id":"x"}"#), ClientMessage::Complete { id } if id == "x"));
        let subscribe = read(r#"{"id":"1","type":"subscribe","payload":{"query":"{ a }","variables":{"n":1}}}"#);
        assert!(matches!(subscribe, ClientMessage::Subscribe { id, parameters }
                if id == "1" && parameters.document == Asked::Text("{ a }".to_owned())));
    }

    #[test]
    fn everything_else_is_malformed() {
        let long_id = format!(r#"{{"type":"subscribe","id":"{}","payload":{{"query":"a"}}}}"#, "x".repeat(256));
        for text in [
            "",
            "hello",
            "[]",
            "null",
            r#"{"type":"start","id":"1","payload":{"query":"{a}"}}"#,
            r#"{"type":"next","id":"1","payload":{}}"#,
            r#"{"type":"subscribe","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"","payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":1,"payload":{"query":"{a}"}}"#,
            r#"{"type":"subscribe","id":"1","payload":{"query":1}}"#,
            r#"{"type":"subscribe","id":"1"}"#,
            r#"{"type":"connection_init","payload":"x"}"#,
            r#"{"type":"ping","payload":[]}"#,
            r#"{"id":"1"}"#,
            &long_id,
        ] {
            assert_eq!(ClientMessage::parse(text).unwrap_err(), Closing::Malformed, "{text}");
        }
    }

    #[test]
    fn reasons_fit_into_a_close_frame() {
        for closing in [Closing::DuplicateId, Closing::InitTimeout, Closing::Expired, Closing::SecondInit] {
            assert!(closing.code_and_reason().1.len() <= 123);
        }
    }
}
