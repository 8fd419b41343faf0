//! Clients that say by HTTP/2 how much of an answer they take, and then take none of it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::client::{LONG, NEWER};
use crate::house::{Running, eventually, open_with};

const EVENTS: &str = "text/event-stream";

/// A connection on which so many bytes of each answer may be sent before they are read.
struct Connected(SendRequest<Full<Bytes>>);

async fn connect(house: &Running, window_bytes: u32) -> Connected {
    let stream = TcpStream::connect(house.address).await.unwrap();
    let mut http = Builder::new(TokioExecutor::new());
    http.initial_stream_window_size(window_bytes);
    let (sender, connection) = http.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    Connected(sender)
}

impl Connected {
    /// The head of the answer has come; of its body only what fits is on its way.
    async fn ask(&mut self, query: &str, accept: &str) -> Response<Incoming> {
        let request = Request::post("http://localhost/graphql").header("content-type", "application/json");
        let body = Full::from(json!({"query": query}).to_string());
        let asked = self.0.send_request(request.header("accept", accept).body(body).unwrap());
        let answer = timeout(LONG, asked).await.unwrap().unwrap();
        assert_eq!(answer.status(), 200, "{query}");
        answer
    }
}

/// How many bytes of an answer come now that it is read, after a pause before each part; stops counting beyond `enough`.
async fn count(answer: Response<Incoming>, pause: Duration, enough: usize) -> usize {
    let (mut body, mut bytes) = (answer.into_body(), 0);
    while bytes <= enough {
        sleep(pause).await;
        let Some(Ok(part)) = timeout(LONG, body.frame()).await.expect("neither data nor the end came") else { break };
        bytes += part.data_ref().map_or(0, Bytes::len);
    }
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_taken_is_given_up_and_its_neighbours_are_not() {
    let house = open_with(|_| {}, |limits| limits.write = Duration::from_millis(500)).await;
    for (window_bytes, query, accept) in [
        (1, "{ hello }", NEWER),
        (1_000, "{ text(bytes: 100000) }", NEWER),
        (60_000, "{ text(bytes: 2000000) }", NEWER),
        (1_000, "subscription { flood(bytes: 5000) }", EVENTS),
    ] {
        let mut client = connect(&house, window_bytes).await;
        let idle = client.ask("subscription { silent }", EVENTS).await;
        eventually("the idle stream is there", || house.counters.streams.load(Ordering::SeqCst) == 1).await;
        let untaken = client.ask(query, accept).await;
        sleep(Duration::from_millis(2_000)).await;
        let window_bytes = window_bytes as usize;
        let came = count(untaken, Duration::ZERO, window_bytes).await;
        assert!(came <= window_bytes, "{query}: {came} bytes still came");
        assert_eq!(house.counters.streams.load(Ordering::SeqCst), 1, "{query}: an idle stream was given up");
        let taken = client.ask("{ hello }", NEWER).await.into_body().collect();
        assert_eq!(timeout(LONG, taken).await.unwrap().unwrap().to_bytes(), r#"{"data":{"hello":"hello"}}"#);
        drop(idle);
        eventually("the idle stream is gone", || house.counters.streams.load(Ordering::SeqCst) == 0).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_taken_slowly_comes_whole() {
    let limit = Duration::from_secs(2);
    let house = open_with(|_| {}, |limits| limits.write = limit).await;
    let mut client = connect(&house, 4_000).await;
    let slow = client.ask("{ text(bytes: 40000) }", NEWER).await;
    assert_eq!(slow.headers()["content-length"], "40020", "its length is told as ever");
    // It comes in some fifty parts, as the client makes room for them.
    let begun = Instant::now();
    assert_eq!(count(slow, Duration::from_millis(60), usize::MAX).await, 40_020);
    assert!(begun.elapsed() > limit, "it was not taken slowly");
}
