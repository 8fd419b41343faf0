//! Somebody who watches over a WebSocket, in graphql-transport-ws.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    net::TcpStream,
    time::{Instant, timeout_at},
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// How long anything may be waited for.
const LIMIT: Duration = Duration::from_secs(60);

/// One subscription on a socket of its own.
pub struct Subscriber(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Subscriber {
    /// Connects, proves who it is and subscribes.
    pub async fn watch(address: &str, key: &str, document: &str, variables: Value) -> Self {
        let mut request = format!("ws://{address}/graphql").into_client_request().expect("an address");
        let protocol = "graphql-transport-ws".parse().expect("a header");
        request.headers_mut().insert("sec-websocket-protocol", protocol);
        let (socket, _) = connect_async(request).await.expect("opens a WebSocket");
        let mut subscriber = Self(socket);
        let payload = json!({"authorization": format!("Bearer {key}")});
        subscriber.say(json!({"type": "connection_init", "payload": payload})).await;
        let answer = subscriber.hear(Instant::now() + LIMIT).await;
        assert_eq!(answer.expect("an answer")["type"], "connection_ack");
        let payload = json!({"query": document, "variables": variables});
        subscriber.say(json!({"type": "subscribe", "id": "1", "payload": payload})).await;
        subscriber
    }

    /// The data of the next message, which has to come.
    pub async fn next(&mut self) -> Value {
        self.next_within(LIMIT).await.expect("a message in time")
    }

    /// The data of the next message, if one comes in time.
    pub async fn next_within(&mut self, limit: Duration) -> Option<Value> {
        let mut message = self.hear(Instant::now() + limit).await?;
        assert_eq!(message["type"], "next", "{message}");
        assert!(message["payload"].get("errors").is_none(), "{message}");
        Some(message["payload"]["data"].take())
    }

    /// The code with which the server closes, whatever it says before.
    pub async fn close_code(mut self) -> u16 {
        loop {
            match timeout_at(Instant::now() + LIMIT, self.0.next()).await.expect("an end in time") {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                end => panic!("not closed with a code: {end:?}"),
            }
        }
    }

    async fn say(&mut self, message: Value) {
        self.0.send(Message::text(message.to_string())).await.expect("sends");
    }

    /// The next message of the protocol but pings, which are answered.
    async fn hear(&mut self, until: Instant) -> Option<Value> {
        loop {
            let frame = timeout_at(until, self.0.next()).await.ok()?;
            let Some(Ok(Message::Text(text))) = &frame else {
                assert!(matches!(frame, Some(Ok(Message::Ping(_) | Message::Pong(_)))), "not a message: {frame:?}");
                continue;
            };
            let message: Value = serde_json::from_str(text).expect("JSON");
            if message["type"] != "ping" {
                return Some(message);
            }
            self.say(json!({"type": "pong"})).await;
        }
    }
}
