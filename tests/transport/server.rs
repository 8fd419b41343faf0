//! The accept loop: slow clients, too many clients, and the end.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{LONG, read_to_end};
use crate::house::{Running, eventually, open, open_with};

async fn impatient() -> Running {
    open_with(|_| {}, |limits| limits.head = Duration::from_millis(150)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_or_never_finishes_a_head_is_let_go() {
    let house = impatient().await;
    // The second is how HTTP/2 begins, the last is an HTTP/2 connection that never asks for anything.
    let heads = ["", "P", "PRI * HT", "GET /health/live HTTP/1.1\r\nhost:", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    for head in heads {
        let mut slow = house.raw(head.as_bytes()).await;
        let answer = read_to_end(&mut slow).await;
        assert!(!answer.starts_with("HTTP/1.1 200"), "{head}: {answer}");
    }
    eventually("all are gone", || house.shutdown.held() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_after_a_request_is_let_go() {
    let house = impatient().await;
    let mut idle = house.raw(b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(read_to_end(&mut idle).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_request_is_not_a_silent_client() {
    let house = impatient().await;
    assert_eq!(house.query("{ slow(ms: 600) }").await.json(), json!({"data": {"slow": 600}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_without_end_is_refused() {
    let house = open().await;
    let mut greedy = house.raw(b"GET /health/live HTTP/1.1\r\nhost: x\r\nx-more: ").await;
    let _refused_early = greedy.write_all(&vec![b'x'; 200_000]).await;
    let answer = read_to_end(&mut greedy).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    assert_eq!(house.get("/health/live").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_read_the_answer_is_let_go() {
    let house = open_with(|_| {}, |limits| limits.write = Duration::from_millis(200)).await;
    let body = json!({"query": "{ text(bytes: 60000000) }"}).to_string();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length:";
    let _never_reads = house.raw(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    eventually("the connection is there", || house.shutdown.held() == 1).await;
    eventually("the connection is gone", || house.shutdown.held() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_the_cap_wait_for_a_seat_and_sockets_keep_theirs() {
    let house = open_with(|_| {}, |limits| limits.connections = 2).await;
    let first = house.acknowledged().await;
    let second = house.acknowledged().await;
    let mut third = house.raw(b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    let mut byte = [0];
    assert!(timeout(Duration::from_millis(300), third.read(&mut byte)).await.is_err(), "answered without a seat");
    drop(first);
    assert!(read_to_end(&mut third).await.starts_with("HTTP/1.1 200"));
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_finishes_requests_mutations_and_sockets_and_returns() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("1", "subscription { silent }").await;
    eventually("the stream is there", || house.counters.streams.load(Ordering::SeqCst) == 1).await;
    let body = json!({"query": "mutation { add(ms: 500) }"}).to_string();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length:";
    let mut working = house.raw(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    eventually("the mutation began", || house.shutdown.held() >= 3).await;

    house.shutdown.begin();
    assert_eq!(socket.close_code().await, 1001);
    assert!(!house.serving.is_finished(), "left before the mutation was done");
    let answer = read_to_end(&mut working).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#"{"add":1}"#), "{answer}");
    drop(socket);
    timeout(LONG, house.serving).await.unwrap().unwrap().unwrap();
    assert_eq!(house.shutdown.held(), 0);
    assert_eq!(house.counters.streams.load(Ordering::SeqCst), 0);
    assert!(TcpStream::connect(house.address).await.is_err(), "still listening");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_open_hears_that_the_house_is_not_ready_any_more() {
    let house = open().await;
    let mut open = house.raw(b"GET /graphql?query=%7Bslow(ms:300)%7D HTTP/1.1\r\nhost: x\r\n\r\n").await;
    eventually("the request is there", || house.counters.begun.load(Ordering::SeqCst) == 1).await;
    house.shutdown.begin();
    let answer = read_to_end(&mut open).await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("connection: close"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_on_its_way_as_the_shutdown_begins_is_answered() {
    let house = open().await;
    let mut connected = house.raw(b"GET /graphql?query=%7Bhello%7D HTTP/1.1\r\n").await;
    house.shutdown.begin();
    connected.write_all(b"host: x\r\n\r\n").await.unwrap();
    assert!(read_to_end(&mut connected).await.contains(r#"{"data":{"hello":"hello"}}"#));
    timeout(LONG, house.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_finish_in_time_is_cut() {
    let house = open_with(|_| {}, |limits| limits.drain = Duration::from_millis(100)).await;
    let mut endless = house.raw(b"GET /graphql?query=%7Bslow(ms:60000)%7D HTTP/1.1\r\nhost: x\r\n\r\n").await;
    eventually("the request is there", || house.counters.begun.load(Ordering::SeqCst) == 1).await;
    house.shutdown.begin();
    timeout(LONG, house.serving).await.unwrap().unwrap().unwrap();
    assert_eq!(read_to_end(&mut endless).await, "");
}
