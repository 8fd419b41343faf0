//! What runs over a socket: results, errors, ends, and bounds.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::Socket;
use crate::house::{eventually, open, open_patience};

fn next(id: &str, data: Value) -> Value {
    json!({"type": "next", "id": id, "payload": {"data": data}})
}

fn complete(id: &str) -> Value {
    json!({"type": "complete", "id": id})
}

async fn hear_error(socket: &mut Socket, id: &str) -> Value {
    let mut message = socket.hear().await;
    assert_eq!((&message["type"], &message["id"]), (&json!("error"), &json!(id)), "{message}");
    message["payload"].take()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_counts_and_its_id_can_be_used_again() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    for _ in 0..2 {
        socket.subscribe("a", "subscription { count(to: 3) }").await;
        for n in 0..3 {
            assert_eq!(socket.hear().await, next("a", json!({"count": n})));
        }
        assert_eq!(socket.hear().await, complete("a"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_result_tells_the_cost_to_who_asks() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    let payload = json!({"query": "subscription { count(to: 2) }", "extensions": {"cost": true}});
    socket.say(json!({"type": "subscribe", "id": "a", "payload": payload})).await;
    assert_eq!(socket.hear().await["payload"]["extensions"], json!({"cost": {"requested": 29, "limit": 1000}}));
    assert_eq!(socket.hear().await, next("a", json!({"count": 1})));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fragment_at_the_root_counts_too() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("a", "subscription { ...F } fragment F on Subscription { count(to: 1) }").await;
    assert_eq!(socket.hear().await, next("a", json!({"count": 0})));
    assert_eq!(socket.hear().await, complete("a"));
    socket.subscribe("b", "subscription { count(to: 1) other: count(to: 1) }").await;
    assert!(hear_error(&mut socket, "b").await.to_string().contains("exactly one root field"));
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_and_mutations_run_and_complete() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("q", "{ hello }").await;
    assert_eq!(socket.hear().await, next("q", json!({"hello": "hello"})));
    assert_eq!(socket.hear().await, complete("q"));
    socket.subscribe("m", "mutation { add }").await;
    assert_eq!(socket.hear().await, next("m", json!({"add": 1})));
    assert_eq!(socket.hear().await, complete("m"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_run_is_an_error_and_the_socket_stays() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    for query in ["{", "{ nothing }", "subscription { nothing }", "{ tooComplex }", "subscription { count }"] {
        socket.subscribe("1", query).await;
        let errors = hear_error(&mut socket, "1").await;
        assert!(errors[0]["extensions"]["code"].is_string(), "{query}: {errors}");
    }
    socket.subscribe("1", "{ hello }").await;
    assert_eq!(socket.hear().await, next("1", json!({"hello": "hello"})), "no complete followed an error");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_while_running_is_a_result() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("q", "{ boom }").await;
    let failed = socket.hear().await;
    assert_eq!((&failed["type"], &failed["payload"]["data"]), (&json!("next"), &json!(null)));
    assert_eq!(failed["payload"]["errors"][0]["path"], json!(["boom"]));
    assert_eq!(socket.hear().await, complete("q"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_subscription_is_an_error_and_a_later_failure_is_not() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("r", "subscription { refused }").await;
    assert_eq!(hear_error(&mut socket, "r").await[0]["message"], "not for you");

    socket.subscribe("f", "subscription { failsLater }").await;
    assert_eq!(socket.hear().await, next("f", json!({"failsLater": 1})));
    let failed = socket.hear().await;
    assert_eq!((&failed["type"], &failed["payload"]["errors"][0]["message"]), (&json!("next"), &json!("second")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_one_operation_and_tells_nothing() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    for query in ["subscription { panics }", "{ panics }", "mutation { panics }"] {
        socket.subscribe("p", query).await;
        let errors = hear_error(&mut socket, "p").await;
        assert_eq!(errors[0]["extensions"]["code"], "INTERNAL", "{query}");
        assert!(!errors.to_string().contains("secret"), "{errors}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifty_first_operation_is_an_error_and_the_socket_stays() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    for n in 0..50 {
        socket.subscribe(&n.to_string(), "subscription { silent }").await;
    }
    socket.subscribe("one more", "{ hello }").await;
    assert_eq!(hear_error(&mut socket, "one more").await[0]["extensions"]["code"], "RATE_LIMITED");
    eventually("fifty are there", || house.counters.streams.load(Ordering::SeqCst) == 50).await;

    socket.say(complete("7")).await;
    eventually("one is gone", || house.counters.streams.load(Ordering::SeqCst) == 49).await;
    socket.subscribe("one more", "{ hello }").await;
    assert_eq!(socket.hear().await, next("one more", json!({"hello": "hello"})));
    drop(socket);
    eventually("all are gone", || house.counters.streams.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_does_not_starve_the_others() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    for flood in 0..4 {
        socket.subscribe(&format!("flood {flood}"), "subscription { flood(bytes: 100) }").await;
    }
    socket.subscribe("q", "{ hello }").await;
    loop {
        let message = socket.hear().await;
        if message["id"] == "q" {
            assert_eq!(message, next("q", json!({"hello": "hello"})));
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_its_way_does_not_reach_a_new_operation_of_the_same_id() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    for _ in 0..20 {
        socket.subscribe("1", "subscription { flood(bytes: 10) }").await;
        socket.say(complete("1")).await;
        socket.subscribe("1", "{ hello }").await;
        // Results of the flood were sent before the server heard of its end; none may come after the first of the new one.
        while socket.hear().await != next("1", json!({"hello": "hello"})) {}
        assert_eq!(socket.hear().await, complete("1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_reads_is_let_go() {
    let house = open_patience(|patience| patience.send = Duration::from_millis(200)).await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("f", "subscription { flood(bytes: 60000) }").await;
    eventually("the socket is gone", || house.shutdown.held() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_survives_its_socket_and_its_complete() {
    let house = open().await;
    let mut socket = house.acknowledged().await;
    socket.subscribe("m", "mutation { add(ms: 200) }").await;
    socket.subscribe("n", "mutation { add(ms: 200) }").await;
    eventually("both began", || house.shutdown.held() == 3).await;
    socket.say(complete("m")).await;
    drop(socket);
    eventually("both finished", || house.counters.added.load(Ordering::SeqCst) == 2).await;
    eventually("nothing is held", || house.shutdown.held() == 0).await;
}
