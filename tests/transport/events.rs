//! `/graphql` as a stream of events: results, errors, ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{HeaderValue, Method, Request};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::client::{LONG, ask_for_events, post, read_to_end};
use crate::house::{eventually, open, open_patience};

fn with_credential(query: &str, credential: &'static str) -> Request<String> {
    let mut request = ask_for_events(query);
    request.headers_mut().insert("authorization", HeaderValue::from_static(credential));
    request
}

fn get_events(query: &str) -> Request<String> {
    Request::get(format!("/graphql?query={query}")).header("accept", "text/event-stream").body(String::new()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_or_mutation_is_one_result_and_the_end() {
    let house = open().await;
    let answer = house.send(ask_for_events("{ hello }")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/event-stream");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.body, "event: next\ndata: {\"data\":{\"hello\":\"hello\"}}\n\nevent: complete\ndata:\n\n");
    assert_eq!(house.send(get_events("%7Bhello%7D")).await.body, answer.body);

    let mut written = house.follow(ask_for_events("mutation { add }")).await;
    assert_eq!(written.result().await, json!({"data": {"add": 1}}));
    written.is_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_counts_by_post_and_by_get() {
    let house = open().await;
    for request in [ask_for_events("subscription { count(to: 3) }"), get_events("subscription%7Bcount(to:3)%7D")] {
        let mut events = house.follow(request).await;
        for n in 0..3 {
            assert_eq!(events.result().await, json!({"data": {"count": n}}));
        }
        events.is_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_run_is_a_result_without_data() {
    let house = open().await;
    for query in ["{", "{ nothing }", "subscription { nothing }", "{ tooComplex }", "subscription { refused }"] {
        let mut events = house.follow(ask_for_events(query)).await;
        let result = events.result().await;
        assert!(result["errors"][0]["message"].is_string(), "{query}: {result}");
        assert!(result.get("data").is_none(), "{query}: {result}");
        events.is_over().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_while_running_has_its_data_entry() {
    let house = open().await;
    let mut failed = house.follow(ask_for_events("{ boom }")).await;
    let result = failed.result().await;
    assert_eq!((&result["data"], &result["errors"][0]["path"]), (&Value::Null, &json!(["boom"])));
    assert!(result.as_object().unwrap().contains_key("data"));
    failed.is_over().await;

    let mut events = house.follow(ask_for_events("subscription { failsLater }")).await;
    assert_eq!(events.result().await, json!({"data": {"failsLater": 1}}));
    assert_eq!(events.result().await["errors"][0]["message"], "second");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_http_refuses_keeps_its_status_and_its_json() {
    let house = open_patience(|patience| patience.request = Duration::from_millis(200)).await;
    let mut broken = ask_for_events("");
    *broken.body_mut() = "{".to_owned();
    let mut untyped = ask_for_events("mutation { add }");
    untyped.headers_mut().insert("content-type", HeaderValue::from_static("text/plain"));
    let mut large = ask_for_events("");
    *large.body_mut() = " ".repeat(70_000);
    let mut put = ask_for_events("{ hello }");
    *put.method_mut() = Method::PUT;
    for (request, status) in [
        (with_credential("{ hello }", "Bearer forged"), 401),
        (with_credential("{ hello }", "Bearer wait"), 429),
        (with_credential("subscription { count(to: 1) }", "Bearer nobody"), 503),
        (with_credential("{ hello }", "Bearer hang"), 503),
        (ask_for_events("{ slow(ms: 20000) }"), 503),
        (ask_for_events("{ panics }"), 500),
        (ask_for_events(""), 400),
        (broken, 400),
        (untyped, 415),
        (large, 413),
        (put, 405),
        (get_events("mutation%7Badd%7D"), 405),
    ] {
        let answer = house.send(request).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
        assert!(!answer.code().is_empty(), "{}", answer.body);
    }
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_takes_both_gets_a_query_whole_and_a_subscription_as_events() {
    let house = open().await;
    let ask = |query: &str| {
        let mut request = post(json!({ "query": query }).to_string());
        let both = HeaderValue::from_static("application/graphql-response+json, application/json, text/event-stream");
        request.headers_mut().insert("accept", both);
        request
    };
    let whole = house.send(ask("{ hello }")).await;
    assert_eq!(whole.json(), json!({"data": {"hello": "hello"}}));
    let refused = house.send(ask("subscription { nothing ")).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (400, "BAD_USER_INPUT"));
    let mut events = house.follow(ask("subscription { count(to: 1) }")).await;
    assert_eq!(events.result().await, json!({"data": {"count": 0}}));
    events.is_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_stream_says_that_it_is_there() {
    let house = open_patience(|patience| patience.ping = Duration::from_millis(50)).await;
    let mut events = house.follow(ask_for_events("subscription { silent }")).await;
    for _ in 0..3 {
        assert_eq!(events.block().await.as_deref(), Some(":"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_with_its_credential() {
    let house = open().await;
    for query in ["subscription { silent }", "subscription { flood(bytes: 10) }"] {
        let mut events = house.follow(with_credential(query, "Bearer short")).await;
        let mut last = events.result().await;
        while last.get("errors").is_none() {
            last = events.result().await;
        }
        assert_eq!(last["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
        assert!(last.get("data").is_none(), "{last}");
        events.is_over().await;
    }
    eventually("the streams are gone", || house.counters.streams.load(Ordering::SeqCst) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_the_stream_and_tells_nothing() {
    let house = open().await;
    let mut events = house.follow(ask_for_events("subscription { panics }")).await;
    let result = events.result().await;
    assert_eq!(result["errors"][0]["extensions"]["code"], "INTERNAL");
    assert!(!result.to_string().contains("secret"), "{result}");
    events.is_over().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_is_noticed() {
    let house = open().await;
    let events = house.follow(ask_for_events("subscription { silent }")).await;
    eventually("the stream is there", || house.counters.streams.load(Ordering::SeqCst) == 1).await;
    drop(events);
    eventually("the stream is gone", || house.counters.streams.load(Ordering::SeqCst) == 0).await;
    eventually("the connection is gone", || house.shutdown.held() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_leaves_ends_streams_that_are_not_complete_and_begins_none() {
    let house = open().await;
    let mut events = house.follow(ask_for_events("subscription { silent }")).await;
    eventually("the stream is there", || house.counters.streams.load(Ordering::SeqCst) == 1).await;
    let path = "/graphql?query=subscription%7Bsilent%7D";
    let mut late = house.raw(format!("GET {path} HTTP/1.1\r\nhost: x\r\n").as_bytes()).await;
    house.shutdown.begin();
    late.write_all(b"accept: text/event-stream\r\n\r\n").await.unwrap();
    events.ends_incomplete().await;
    let refused = read_to_end(&mut late).await;
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("UNAVAILABLE"), "{refused}");
    assert!(refused.contains("\r\nretry-after: 1\r\n"), "{refused}");
    timeout(LONG, house.serving).await.unwrap().unwrap().unwrap();
    assert_eq!(house.counters.streams.load(Ordering::SeqCst), 0);
}
