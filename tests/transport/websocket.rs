//! The protocol of the socket: one test per close code.

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::SinkExt;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::LONG;
use crate::house::{eventually, open, open_patience, open_with};

const OURS: (&str, &str) = ("sec-websocket-protocol", "graphql-transport-ws");

#[tokio::test(flavor = "multi_thread")]
async fn another_protocol_or_none_is_closed_with_4406() {
    let house = open().await;
    let mut another = house.socket_with(&[("sec-websocket-protocol", "graphql-ws")]).await.unwrap();
    assert_eq!(another.close_code().await, 4406);
    let mut none = house.socket_with(&[]).await.unwrap();
    assert_eq!(none.close_code().await, 4406);
    let offered = ("sec-websocket-protocol", "graphql-ws, graphql-transport-ws");
    let mut both = house.socket_with(&[offered]).await.unwrap();
    both.say(json!({"type": "connection_init"})).await;
    assert_eq!(both.hear().await, json!({"type": "connection_ack"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_introduce_itself_is_closed_with_4408() {
    let house = open_patience(|patience| patience.init = Duration::from_millis(100)).await;
    let mut silent = house.socket().await;
    assert_eq!(silent.close_code().await, 4408);
    let mut hanging = house.socket().await;
    hanging.say(json!({"type": "connection_init", "payload": {"authorization": "Bearer hang"}})).await;
    assert_eq!(hanging.close_code().await, 4408);
    let mut introduced = house.acknowledged().await;
    sleep(Duration::from_millis(300)).await;
    introduced.say(json!({"type": "ping"})).await;
    assert_eq!(introduced.hear().await, json!({"type": "pong"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_introduction_is_closed_with_4429() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.close_code().await, 4429);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_credential_is_closed_with_4403() {
    let house = open().await;
    for credential in [json!("Bearer forged"), json!(1)] {
        let mut socket = house.socket().await;
        socket.say(json!({"type": "connection_init", "payload": {"authorization": credential}})).await;
        assert_eq!(socket.close_code().await, 4403);
    }
    let mut socket = house.socket_with(&[OURS, ("authorization", "Bearer forged")]).await.unwrap();
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.close_code().await, 4403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_cannot_be_checked_is_closed_with_1013() {
    let house = open().await;
    for credential in ["Bearer wait", "Bearer nobody"] {
        let mut socket = house.socket().await;
        socket.say(json!({"type": "connection_init", "payload": {"authorization": credential}})).await;
        assert_eq!(socket.close_code().await, 1013, "{credential}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_introduction_wins_over_the_header() {
    let house = open().await;
    for (payload, expected) in [
        (json!({"authorization": "Bearer key-init"}), "key-init"),
        (json!({"Authorization": "Bearer key-init"}), "key-init"),
        (json!({"authorization": null}), "key-header"),
        (json!({}), "key-header"),
    ] {
        let mut socket = house.socket_with(&[OURS, ("authorization", "Bearer key-header")]).await.unwrap();
        socket.say(json!({"type": "connection_init", "payload": payload})).await;
        assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
        socket.subscribe("1", "{ caller }").await;
        let caller = socket.hear().await["payload"]["data"]["caller"].to_string();
        assert!(caller.contains(expected), "{payload}: {caller}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operation_before_the_acknowledgement_is_closed_with_4401() {
    let house = open().await;
    let mut socket = house.socket().await;
    socket.subscribe("1", "mutation { add }").await;
    assert_eq!(socket.close_code().await, 4401);
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_use_is_closed_with_4409_and_its_streams_end() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("1", "subscription { silent }").await;
    eventually("the stream is there", || house.counters.streams.load(Ordering::SeqCst) == 1).await;
    socket.subscribe("1", "subscription { silent }").await;
    assert_eq!(socket.close_code().await, 4409);
    eventually("the stream is gone", || house.counters.streams.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_a_message_is_closed_with_4400() {
    let house = open().await;
    let subscribe_without_query = r#"{"type":"subscribe","id":"1","payload":{}}"#;
    let batch = r#"{"type":"subscribe","id":"1","payload":[{"query":"{hello}"}]}"#;
    for text in ["", "hello", r#"{"type":"start","id":"1"}"#, subscribe_without_query, batch] {
        let mut socket = house.acknowledged().await;
        socket.say_text(text).await;
        assert_eq!(socket.close_code().await, 4400, "{text}");
    }
    let mut socket = house.acknowledged().await;
    socket.0.send(Message::binary(br#"{"type":"ping"}"#.to_vec())).await.unwrap();
    assert_eq!(socket.close_code().await, 4400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_64_kb_is_closed_with_1009() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.say_text("x".repeat(70_000)).await;
    assert_eq!(socket.close_code().await, 1009);
    let mut fitting = house.acknowledged().await;
    fitting.subscribe("1", &format!("{{ hello }} #{}", "x".repeat(60_000))).await;
    assert_eq!(fitting.hear().await["payload"], json!({"data": {"hello": "hello"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn pings_are_answered_also_before_the_introduction() {
    let house = open().await;
    let mut socket = house.socket().await;
    socket.say(json!({"type": "ping", "payload": {"n": 1}})).await;
    assert_eq!(socket.hear().await, json!({"type": "pong", "payload": {"n": 1}}));
    socket.say(json!({"type": "pong"})).await;
    socket.say(json!({"type": "complete", "id": "never"})).await;
    socket.say(json!({"type": "connection_init"})).await;
    assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_answer_a_ping_is_closed() {
    let house = open_patience(|patience| patience.ping = Duration::from_millis(100)).await;
    let mut answering = house.acknowledged().await;
    // The library answers pings only while it is asked for messages.
    assert!(tokio::time::timeout(Duration::from_millis(700), answering.hear()).await.is_err());
    answering.say(json!({"type": "ping"})).await;
    assert_eq!(answering.hear().await, json!({"type": "pong"}));

    let mut deaf = house.acknowledged().await;
    eventually("the server gave it up", || house.shutdown.held() <= 1).await;
    assert_eq!(deaf.close_code().await, 4499);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_expires_is_closed_with_4403() {
    let house = open().await;
    let mut socket = house.socket().await;
    socket.say(json!({"type": "connection_init", "payload": {"authorization": "Bearer short"}})).await;
    assert_eq!(socket.hear().await, json!({"type": "connection_ack"}));
    socket.subscribe("1", "subscription { silent }").await;
    assert_eq!(socket.close_code().await, 4403);
}

/// Each ping makes the server write a pong.
#[tokio::test(flavor = "multi_thread")]
async fn who_pings_and_never_reads_is_not_kept_pongs_for() {
    const MEGABYTES: usize = 64;
    let house = open_patience(|patience| patience.send = Duration::from_millis(300)).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4_096).unwrap();
    let mut stream = socket.connect(house.address).await.unwrap();
    let upgrade = "GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
        sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        sec-websocket-protocol: graphql-transport-ws\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let ping = [&[0x89, 0x80 | 125, 0, 0, 0, 0][..], &[b'x'; 125]].concat();
    let pings = ping.repeat(1_024 * 1_024 / ping.len());
    let mut written = 0;
    while written < MEGABYTES && timeout(LONG, stream.write_all(&pings)).await.unwrap().is_ok() {
        written += 1;
    }
    assert!(written < MEGABYTES, "it read them all");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_origins_are_403() {
    let house =
        open_with(|settings| settings.allowed_origins.push("https://app.example".parse().unwrap()), |_| {}).await;
    let own = format!("http://{}", house.address);
    for (origin, expected) in
        [(own.as_str(), 101), ("https://app.example", 101), ("https://evil.example", 403), ("null", 403)]
    {
        let status = match house.socket_with(&[OURS, ("origin", origin)]).await {
            Ok(_) => 101,
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(status, expected, "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_leaves_says_1001_and_lets_nobody_in() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    house.shutdown.begin();
    assert_eq!(socket.close_code().await, 1001);
    assert!(house.socket_with(&[OURS]).await.is_err());
}
