//! Health and the headers that everything carries.

use std::sync::atomic::Ordering;

use serde_json::json;

use crate::house::open;

#[tokio::test(flavor = "multi_thread")]
async fn a_house_that_can_answer_is_ready() {
    let house = open().await;
    let ready = house.get("/health/ready").await;
    assert_eq!((ready.status.as_u16(), ready.json()), (200, json!({"status": "ready"})));
    assert_eq!(house.get("/health/live").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_database_it_lives_but_is_not_ready_and_does_not_say_why() {
    let house = open().await;
    house.counters.not_ready.store(true, Ordering::SeqCst);
    let ready = house.get("/health/ready").await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.json(), json!({"status": "not_ready", "reason": "unavailable"}));
    assert_eq!(house.get("/health/live").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_security_headers() {
    let house = open().await;
    for path in ["/graphql", "/health/live", "/nowhere", "/graphql?query=%7Bhello%7D"] {
        let answer = house.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
    }
}
