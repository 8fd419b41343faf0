//! Callers below HTTP: WebSockets, and bytes that are no request.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

/// How long silence is listened to.
const SILENCE: Duration = Duration::from_secs(4);

/// Opens a WebSocket, introduces itself, begins all operations, and gives all that is said until nothing more comes.
pub async fn socket(address: &str, init: Value, operations: &[Value]) -> String {
    let mut request = format!("ws://{address}/graphql").into_client_request().expect("an address");
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().expect("a header"));
    let (mut socket, _) = connect_async(request).await.expect("opens a WebSocket");
    let mut messages = vec![json!({"type": "connection_init", "payload": init})];
    let numbered = operations.iter().enumerate();
    messages
        .extend(numbered.map(|(id, payload)| json!({"type": "subscribe", "id": id.to_string(), "payload": payload})));
    let mut heard = "WebSocket".to_owned();
    for message in messages {
        // Who was refused is closed before the rest is said.
        if socket.send(Message::text(message.to_string())).await.is_err() {
            break;
        }
    }
    while let Ok(Some(Ok(message))) = timeout(SILENCE, socket.next()).await {
        match message {
            Message::Text(text) => heard.push_str(&text),
            Message::Close(frame) => heard.push_str(&format!("{frame:?}")),
            _ => {}
        }
    }
    heard
}

/// Says bytes and gives what is answered, until the end or silence.
pub async fn say(address: &str, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connects");
    stream.write_all(bytes).await.expect("says something");
    let mut answer = Vec::new();
    // Silence, a reset and an end are all the same here.
    let _end = timeout(SILENCE, stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

/// A head that is none.
pub fn bad_head(word: &str) -> Vec<u8> {
    format!("GET /graphql?{word} HTTP/1.1\r\nhost: x\r\n{word} {word}\r\n\r\n").into_bytes()
}

/// A request by HTTP/2 for a path with a space in it, which libraries like to repeat (RFC 9113 for the frames, RFC 7541
/// for the head: three names of the static table, each with a plain text behind).
pub fn bad_http2(word: &str) -> Vec<u8> {
    let path = format!("/ {word}");
    let mut head = vec![0x82, 0x86];
    for (name, text) in [(0x04, path.as_str()), (0x01, "x"), (0x0f, word)] {
        head.push(name);
        // Names from the fifteenth on take a second byte: this is 58, `user-agent`.
        head.extend((name == 0x0f).then_some(58 - 15));
        head.push(u8::try_from(text.len()).expect("a short text"));
        head.extend(text.as_bytes());
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    bytes.extend([0, 0, u8::try_from(head.len()).expect("a short head"), 1, 5, 0, 0, 0, 1]);
    bytes.extend(head);
    bytes
}
