//! What limits look like from outside, and how many connections one address may have.

use std::net::Ipv4Addr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::Request;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::client::{ask_for_events, post, read_to_end};
use crate::house::{Running, eventually, open, open_with};

const POLICY: &str = r#""cost";q=5000;w=5"#;
const STANDING: &str = r#""cost";r=9;t=7"#;

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_too_much_is_429_whatever_the_type_and_told_how_long_to_wait() {
    let house = open().await;
    let newer = post(json!({"query": "mutation { add } # too much"}).to_string());
    let mut older = newer.clone();
    older.headers_mut().insert("accept", "application/json".parse().unwrap());
    for request in [newer, older] {
        let answer = house.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (429, "RATE_LIMITED"));
        assert_eq!(answer.header("retry-after"), "7");
        assert_eq!((answer.header("ratelimit-policy"), answer.header("ratelimit")), (POLICY, STANDING));
        let extensions = &answer.json()["errors"][0]["extensions"];
        assert_eq!(extensions["retryAfter"], 7);
        let told = json!([
            {"policy": "cost", "limit": 5_000, "windowSeconds": 5, "remaining": 9, "resetSeconds": 7},
        ]);
        assert_eq!(extensions["rateLimit"], told);
    }
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0, "nothing was run");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_to_who_has_limits_tells_how_they_stand() {
    let house = open().await;
    for (query, status) in [
        ("{ hello } # metered", 200),
        ("{ boom } # metered", 200),
        ("{ noSuchField } # metered", 400),
        ("query($n: Int!) { slow(ms: $n) } # metered", 400),
        ("{ panics } # metered", 500),
    ] {
        let answer = house.query(query).await;
        assert_eq!(answer.status, status, "{query}");
        assert_eq!((answer.header("ratelimit-policy"), answer.header("ratelimit")), (POLICY, STANDING), "{query}");
    }
    assert_eq!(house.query("{ hello } # metered").await.json()["extensions"]["rateLimit"][0]["remaining"], 9);
    let without = house.query("{ hello }").await;
    assert_eq!((without.header("ratelimit"), without.header("ratelimit-policy")), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_events_tells_how_they_stand_before_it_begins() {
    let house = open().await;
    for query in ["{ hello } # metered", "{ noSuchField } # metered", "subscription { count(to: 2) } # metered"] {
        let answer = house.send(ask_for_events(query)).await;
        assert_eq!(answer.header("content-type"), "text/event-stream", "{query}");
        assert_eq!((answer.header("ratelimit-policy"), answer.header("ratelimit")), (POLICY, STANDING), "{query}");
    }
    let without = house.send(ask_for_events("subscription { count(to: 2) }")).await;
    assert_eq!((without.header("ratelimit"), without.header("ratelimit-policy")), ("", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_on_a_socket_have_the_same_limits() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("1", "mutation { add } # too much").await;
    let refused = socket.hear().await;
    assert_eq!((&refused["type"], &refused["id"]), (&json!("error"), &json!("1")));
    let extensions = &refused["payload"][0]["extensions"];
    assert_eq!((&extensions["code"], &extensions["retryAfter"]), (&json!("RATE_LIMITED"), &json!(7)));
    assert_eq!(extensions["rateLimit"][0]["remaining"], 9);
    socket.subscribe("2", "subscription { count(to: 3) } # too much").await;
    assert_eq!(socket.hear().await["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    socket.subscribe("3", "{ hello } # metered").await;
    assert_eq!(socket.hear().await["payload"]["extensions"]["rateLimit"][0]["remaining"], 9);
    assert_eq!(socket.hear().await["type"], "complete");
    // A subscription tells with its first result only.
    socket.subscribe("4", "subscription { count(to: 2) } # metered").await;
    assert_eq!(socket.hear().await["payload"]["extensions"]["rateLimit"][0]["remaining"], 9);
    assert_eq!(socket.hear().await["payload"], json!({"data": {"count": 1}}));
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_is_revoked_closes_its_sockets_with_4403() {
    let house = open().await;
    let mut sockets = [house.socket().await, house.socket().await];
    for (socket, key) in sockets.iter_mut().zip(["Bearer key-revoked", "Bearer key-good"]) {
        socket.say(json!({"type": "connection_init", "payload": {"authorization": key}})).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        socket.subscribe("1", "subscription { silent }").await;
    }
    eventually("both streams are there", || house.counters.streams.load(Ordering::SeqCst) == 2).await;
    house.counters.revoked.store(true, Ordering::SeqCst);
    let [revoked, good] = &mut sockets;
    assert_eq!(revoked.close_code().await, 4403);
    eventually("its stream ended", || house.counters.streams.load(Ordering::SeqCst) == 1).await;
    good.say(json!({"type": "ping"})).await;
    assert_eq!(good.hear().await, json!({"type": "pong"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_so_many_connections_and_the_next_is_closed() {
    let house = open_with(|_| {}, |limits| limits.connections_per_address = 2).await;
    let first = house.acknowledged().await;
    let _second = house.acknowledged().await;
    // Closed without a word, and without waiting for any.
    let mut third = TcpStream::connect(house.address).await.unwrap();
    assert_eq!(read_to_end(&mut third).await, "");
    assert_eq!(house.shutdown.held(), 2);
    drop(first);
    eventually("its place is free", || house.shutdown.held() == 1).await;
    assert_eq!(house.get("/health/live").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_proxy_may_bring_more() {
    let house = open_with(
        |_| {},
        |limits| {
            limits.connections_per_address = 1;
            limits.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        },
    )
    .await;
    let _first = house.acknowledged().await;
    let _second = house.acknowledged().await;
    let request = Request::get("/health/live").body(String::new()).unwrap();
    assert_eq!(house.send(request).await.status, 200);
}

/// Writes bytes on a new connection from another address of this machine.
async fn raw_from(house: &Running, last: u8, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::new(127, 0, 0, last), 0).into()).unwrap();
    let mut stream = socket.connect(house.address).await.unwrap();
    // Who is not let in may be gone before the last byte.
    let _gone = stream.write_all(bytes).await;
    stream
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_their_time_loses_their_place_and_takes_nobody_elses() {
    const PATIENCE: Duration = Duration::from_secs(2);
    let house = open_with(
        |settings| settings.patience.body = PATIENCE,
        |limits| {
            limits.connections_per_address = 6;
            (limits.head, limits.write) = (PATIENCE, PATIENCE);
        },
    )
    .await;
    let much = json!({"query": "{ text(bytes: 60000000) }"}).to_string();
    let post = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length:";
    let slow_head = "GET /health/live HTTP/1.1\r\nhost:".to_owned();
    let slow_body = format!("{post} 1000\r\n\r\n{{");
    let never_reads = format!("{post} {}\r\n\r\n{much}", much.len());
    let mut crowd = Vec::new();
    for bytes in [&slow_head, &slow_body, &never_reads, &slow_head, &slow_body, &never_reads] {
        crowd.push(raw_from(&house, 7, bytes.as_bytes()).await);
    }
    eventually("all of them are there", || house.shutdown.held() == 6).await;

    let ask = b"GET /health/live HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    assert_eq!(read_to_end(&mut raw_from(&house, 7, ask).await).await, "", "their address has no place left");
    assert!(read_to_end(&mut raw_from(&house, 8, ask).await).await.starts_with("HTTP/1.1 200"));
    assert_eq!(house.shutdown.held(), 6, "all this took less time than they may take");

    eventually("all of them are let go", || house.shutdown.held() == 0).await;
    assert!(read_to_end(&mut raw_from(&house, 7, ask).await).await.starts_with("HTTP/1.1 200"));
    // Only those who were slow to ask are told anything.
    let answers = [read_to_end(&mut crowd[0]).await, read_to_end(&mut crowd[1]).await];
    assert!(!answers[0].contains("200 OK") && answers[1].starts_with("HTTP/1.1 408"), "{answers:?}");
}
