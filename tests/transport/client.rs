//! The clients of these tests: one for HTTP, one for WebSockets, one that writes bytes.

use std::time::Duration;

use axum::http::{HeaderMap, Request, Response, StatusCode};
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::house::Running;

/// Longest wait for anything at all; tests that hang should fail.
pub const LONG: Duration = Duration::from_secs(30);

pub const NEWER: &str = "application/graphql-response+json";

/// An answer over HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn code(&self) -> String {
        self.json()["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Running {
    pub async fn send(&self, request: Request<String>) -> Answer {
        let (parts, body) = self.begin(request).await.into_parts();
        let body = timeout(LONG, body.collect()).await.expect("the answer never ended").unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    async fn begin(&self, request: Request<String>) -> Response<Incoming> {
        let (mut parts, body) = request.into_parts();
        parts.uri = format!("http://{}{}", self.address, parts.uri).parse().unwrap();
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = Request::from_parts(parts, Full::new(axum::body::Bytes::from(body)));
        timeout(LONG, client.request(request)).await.unwrap().unwrap()
    }

    /// Sends a request that is answered with a stream of events.
    pub async fn follow(&self, request: Request<String>) -> Events {
        let (parts, body) = self.begin(request).await.into_parts();
        assert_eq!(parts.status, 200);
        assert_eq!(parts.headers["content-type"], "text/event-stream");
        Events { body, unread: String::new() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(String::new()).unwrap()).await
    }

    /// Posts a body as JSON, accepting the newer media type.
    pub async fn post(&self, body: Value) -> Answer {
        self.send(post(body.to_string())).await
    }

    pub async fn query(&self, query: &str) -> Answer {
        self.post(json!({ "query": query })).await
    }

    /// Opens a WebSocket.
    pub async fn socket(&self) -> Socket {
        self.socket_with(&[("sec-websocket-protocol", "graphql-transport-ws")]).await.unwrap()
    }

    pub async fn socket_with(&self, headers: &[(&'static str, &str)]) -> Result<Socket, Error> {
        let mut request = format!("ws://{}/graphql", self.address).into_client_request()?;
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        timeout(LONG, connect_async(request)).await.unwrap().map(|(stream, _)| Socket(stream))
    }

    /// Opens a WebSocket and introduces itself.
    pub async fn acknowledged(&self) -> Socket {
        let mut socket = self.socket().await;
        socket.say(json!({"type": "connection_init"})).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        socket
    }

    /// Writes bytes on a new connection.
    pub async fn raw(&self, bytes: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        stream
    }
}

pub fn post(body: String) -> Request<String> {
    Request::post("/graphql").header("content-type", "application/json").header("accept", NEWER).body(body).unwrap()
}

/// A request for events.
pub fn ask_for_events(query: &str) -> Request<String> {
    let mut request = post(json!({ "query": query }).to_string());
    request.headers_mut().insert("accept", "text/event-stream".parse().unwrap());
    request
}

/// A stream of events, as they come.
pub struct Events {
    body: Incoming,
    unread: String,
}

impl Events {
    /// The next block of lines, as it was sent; nothing at the end of the stream.
    pub async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.unread.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.unread = rest;
                return Some(block);
            }
            let frame = timeout(LONG, self.body.frame()).await.expect("silence");
            let Some(frame) = frame else {
                assert_eq!(self.unread, "", "ended in the middle of an event");
                return None;
            };
            self.unread.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
        }
    }

    /// The result in the next event.
    pub async fn result(&mut self) -> Value {
        let block = self.block().await.expect("an event");
        let data = block.strip_prefix("event: next\ndata: ").unwrap_or_else(|| panic!("no result: {block}"));
        serde_json::from_str(data).unwrap()
    }

    /// Makes sure that the stream ends, and does not say that it is over: clients then ask again.
    pub async fn ends_incomplete(&mut self) {
        while let Some(block) = self.block().await {
            assert_eq!(block, ":");
        }
    }

    /// Makes sure that the stream says that it is over, and is.
    pub async fn is_over(&mut self) {
        assert_eq!(self.block().await.as_deref(), Some("event: complete\ndata:"));
        assert_eq!(self.block().await, None);
    }
}

/// Reads until the server closes.
pub async fn read_to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A reset is a close as well.
    let _reset = timeout(LONG, stream.read_to_end(&mut all)).await.expect("the server never closed");
    String::from_utf8_lossy(&all).into_owned()
}

/// A WebSocket of a client.
pub struct Socket(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    pub async fn say(&mut self, message: Value) {
        self.say_text(message.to_string()).await;
    }

    pub async fn say_text(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    pub async fn subscribe(&mut self, id: &str, query: &str) {
        self.say(json!({"type": "subscribe", "id": id, "payload": {"query": query}})).await;
    }

    /// The next message of the protocol; pings and pongs of WebSockets are passed over.
    pub async fn hear(&mut self) -> Value {
        match self.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("not a message: {other:?}"),
        }
    }

    /// The code with which the server closes, whatever it says before.
    pub async fn close_code(&mut self) -> u16 {
        loop {
            match self.next().await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(Message::Text(_))) => {}
                other => panic!("not closed with a code: {other:?}"),
            }
        }
    }

    async fn next(&mut self) -> Option<Result<Message, Error>> {
        loop {
            match timeout(LONG, self.0.next()).await.expect("silence") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return other,
            }
        }
    }
}
