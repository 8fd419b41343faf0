//! Documents that are named instead of sent: by a hash that was sent before, or as one of those that are trusted.

use std::sync::Arc;

use axum::http::{HeaderValue, Request};
use banyan::graphql::document::{Library, Trusted};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{Answer, Socket, ask_for_events, post};
use crate::house::{Running, open, open_with};

const HELLO: &str = "{ hello }";

fn hash_of(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What Apollo's clients put into `extensions`.
fn persisted(text: &str) -> Value {
    json!({"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}})
}

fn is_hello(answer: &Answer) {
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"data": {"hello": "hello"}})));
}

#[track_caller]
fn is_not_found(errors: &Value) {
    assert_eq!(errors[0]["message"], "PersistedQueryNotFound");
    assert_eq!(errors[0]["extensions"]["code"], "PERSISTED_QUERY_NOT_FOUND");
}

async fn subscribed(socket: &mut Socket, payload: Value) -> Value {
    socket.say(json!({"type": "subscribe", "id": "p", "payload": payload})).await;
    socket.hear().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_was_sent_with_its_hash_is_known_by_it_to_every_transport() {
    let house = open().await;
    let alone = || json!({"extensions": persisted(HELLO)});
    let unknown = house.post(alone()).await;
    assert_eq!(unknown.status, 400);
    is_not_found(&unknown.json()["errors"]);

    is_hello(&house.post(json!({"query": HELLO, "extensions": persisted(HELLO)})).await);
    is_hello(&house.post(alone()).await);
    is_hello(&house.post(json!({"documentId": format!("sha256:{}", hash_of(HELLO))})).await);
    is_hello(&house.get(&format!("/graphql?documentId=sha256:{}", hash_of(HELLO))).await);
    let extensions =
        format!("%7B%22persistedQuery%22:%7B%22version%22:1,%22sha256Hash%22:%22{}%22%7D%7D", hash_of(HELLO));
    is_hello(&house.get(&format!("/graphql?extensions={extensions}")).await);

    let mut events = ask_for_events("");
    *events.body_mut() = alone().to_string();
    let mut events = house.follow(events).await;
    assert_eq!(events.result().await, json!({"data": {"hello": "hello"}}));
    events.is_over().await;

    let mut socket = house.acknowledged().await;
    assert_eq!(subscribed(&mut socket, alone()).await["payload"], json!({"data": {"hello": "hello"}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_sockets_say_what_is_not_found_and_learn_it() {
    let house = open().await;
    let (first, second) = ("subscription { count(to: 1) }", "subscription { count(to: 2) }");
    let mut events = ask_for_events("");
    *events.body_mut() = json!({"extensions": persisted(first)}).to_string();
    let mut events = house.follow(events).await;
    is_not_found(&events.result().await["errors"]);
    events.is_over().await;

    let mut socket = house.acknowledged().await;
    let error = subscribed(&mut socket, json!({"extensions": persisted(second)})).await;
    assert_eq!(error["type"], "error");
    is_not_found(&error["payload"]);
    let result = subscribed(&mut socket, json!({"query": second, "extensions": persisted(second)})).await;
    assert_eq!(result["payload"], json!({"data": {"count": 0}}));
    let found = ask_for_events("");
    let (parts, _) = found.into_parts();
    let found = Request::from_parts(parts, json!({"extensions": persisted(second)}).to_string());
    assert_eq!(house.follow(found).await.result().await, json!({"data": {"count": 0}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hash_of_something_else_is_refused() {
    let house = open().await;
    let wrong = house.post(json!({"query": "{ caller }", "extensions": persisted(HELLO)})).await;
    assert_eq!((wrong.status.as_u16(), wrong.code().as_str()), (400, "BAD_USER_INPUT"));
    is_not_found(&house.post(json!({"extensions": persisted(HELLO)})).await.json()["errors"]);
    let other = json!({"persistedQuery": {"version": 2, "sha256Hash": hash_of(HELLO)}});
    let other = house.post(json!({"query": HELLO, "extensions": other})).await;
    assert_eq!((other.status.as_u16(), other.code().as_str()), (400, "BAD_USER_INPUT"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_is_not_kept() {
    let house = open().await;
    for text in ["{", "{ tooComplex }"] {
        assert_eq!(house.post(json!({"query": text, "extensions": persisted(text)})).await.status, 400);
        is_not_found(&house.post(json!({"extensions": persisted(text)})).await.json()["errors"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_stays_one_however_it_is_named() {
    let house = open().await;
    let text = "mutation { add }";
    assert_eq!(house.post(json!({"query": text, "extensions": persisted(text)})).await.json()["data"]["add"], 1);
    let by_get = house.get(&format!("/graphql?documentId=sha256:{}", hash_of(text))).await;
    assert_eq!((by_get.status.as_u16(), by_get.header("allow")), (405, "POST"));
    let by_post = house.post(json!({"documentId": format!("sha256:{}", hash_of(text))})).await;
    assert_eq!(by_post.json()["data"]["add"], 2);
}

/// A house that runs two documents and no others.
async fn strict() -> Running {
    let file = json!({"hello-1": HELLO, "count-1": "subscription { count(to: 1) }"});
    let trusted = Trusted::parse(&file.to_string()).unwrap();
    open_with(move |settings| settings.library = Arc::new(Library::of(trusted)), |_| {}).await
}

fn as_caller(body: &Value, credential: &'static str) -> Request<String> {
    let mut request = post(body.to_string());
    request.headers_mut().insert("authorization", HeaderValue::from_static(credential));
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_house_runs_what_is_trusted() {
    let house = strict().await;
    for body in [
        json!({"documentId": "hello-1"}),
        json!({"documentId": format!("sha256:{}", hash_of(HELLO))}),
        json!({"extensions": persisted(HELLO)}),
        json!({"query": HELLO, "extensions": persisted(HELLO)}),
        json!({"query": HELLO}),
    ] {
        is_hello(&house.post(body.clone()).await);
        is_hello(&house.send(as_caller(&body, "Bearer key-shop")).await);
    }
    let mut socket = house.acknowledged().await;
    assert_eq!(subscribed(&mut socket, json!({"documentId": "count-1"})).await["payload"]["data"]["count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strict_house_runs_nothing_else_except_for_operators() {
    let house = strict().await;
    let (other, text) = (json!({"query": "{ caller }"}), "{ caller }");
    for credential in ["Bearer key-shop", "Bearer operator"] {
        let answer = house.send(as_caller(&other, credential)).await;
        let expected = if credential == "Bearer operator" { 200 } else { 403 };
        assert_eq!(answer.status, expected, "{}", answer.body);
    }
    let refused = house.post(other.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "FORBIDDEN"));
    assert_eq!(house.send(ask_for_events(text)).await.status, 403);
    let mut socket = house.acknowledged().await;
    let error = subscribed(&mut socket, other).await;
    assert_eq!((&error["type"], &error["payload"][0]["extensions"]["code"]), (&json!("error"), &json!("FORBIDDEN")));

    let registered = json!({"query": text, "extensions": persisted(text)});
    assert_eq!(house.send(as_caller(&registered, "Bearer operator")).await.status, 200);
    assert_eq!(house.post(registered).await.status, 403);
    let alone = json!({"extensions": persisted(text)});
    assert_eq!(house.send(as_caller(&alone, "Bearer operator")).await.status, 200);
    is_not_found(&house.post(alone).await.json()["errors"]);
    is_not_found(&house.post(json!({"documentId": "hello-2"})).await.json()["errors"]);
}
