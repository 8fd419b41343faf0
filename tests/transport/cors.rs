//! Pages of other sites: which may ask, and what their browsers are told.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{HeaderValue, Method, Request};
use serde_json::json;

use crate::client::{Answer, NEWER, ask_for_events, post};
use crate::house::{Running, open, open_with};

const APP: &str = "https://app.example";
const DEV: &str = "http://localhost:3000";

async fn listing() -> Running {
    let listed = || [APP, DEV].map(|origin| origin.parse().unwrap());
    open_with(
        move |settings| {
            settings.allowed_origins.extend(listed());
            settings.patience.request = Duration::from_millis(300);
            settings.patience.body = Duration::from_millis(200);
        },
        |_| {},
    )
    .await
}

/// The same request, by a page of this origin.
fn from(origin: &str, mut request: Request<String>) -> Request<String> {
    request.headers_mut().insert("origin", HeaderValue::from_str(origin).unwrap());
    request
}

/// What a browser asks before it lets a page post JSON with a credential.
fn beforehand(origin: &str) -> Request<String> {
    let request = Request::options("/graphql").header("access-control-request-method", "POST");
    let request = request.header("access-control-request-headers", "authorization,content-type");
    from(origin, request.body(String::new()).unwrap())
}

fn asking(query: &str) -> Request<String> {
    post(json!({ "query": query }).to_string())
}

fn with(mut request: Request<String>, name: &'static str, value: &'static str) -> Request<String> {
    request.headers_mut().insert(name, HeaderValue::from_static(value));
    request
}

fn cors_headers(answer: &Answer) -> Vec<&str> {
    answer.headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("access-control-")).collect()
}

#[track_caller]
fn is_readable(answer: &Answer, origin: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), origin, "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), "true");
    assert_eq!(answer.header("access-control-expose-headers"), "ratelimit-policy,ratelimit,retry-after");
    assert!(answer.header("vary").split(", ").any(|name| name == "origin"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_listed_is_let_in_beforehand_without_anybody_being_asked() {
    let house = listing().await;
    for origin in [APP, DEV] {
        let answer = house.send(beforehand(origin)).await;
        assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-methods"), "GET,POST,OPTIONS");
        assert_eq!(answer.header("access-control-allow-headers"), "authorization,content-type,accept");
        assert_eq!(answer.header("access-control-max-age"), "3600");
        assert!(answer.header("vary").contains("origin"), "{answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    // Browsers send no credential beforehand; one that would be refused shows that nobody looks for it.
    let answer = house.send(with(beforehand(APP), "authorization", "Bearer stranger")).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, APP));
    assert_eq!(house.counters.asked.load(Ordering::SeqCst), 0, "nobody was authenticated or charged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_listed_reads_every_answer_whatever_went_wrong() {
    let house = listing().await;
    let plain = || asking("{ hello }");
    let too_large = post(format!("{{\"query\": \"{}\"}}", "x".repeat(70_000)));
    let by_get = Request::get("/graphql?query=%7Bhello%7D").body(String::new()).unwrap();
    let put = Request::builder().method(Method::PUT).uri("/graphql").body(String::new()).unwrap();
    for (request, status) in [
        (plain(), 200),
        (by_get, 200),
        (ask_for_events("{ hello }"), 200),
        (asking("{ noSuchField }"), 400),
        (post("not JSON".to_owned()), 400),
        (with(plain(), "authorization", "Bearer stranger"), 401),
        (put, 405),
        (with(plain(), "accept", "text/html"), 406),
        (too_large, 413),
        (with(plain(), "content-type", "text/plain"), 415),
        (asking("{ hello } # too much"), 429),
        (with(plain(), "authorization", "Bearer wait"), 429),
        (asking("{ panics }"), 500),
        (asking("{ slow(ms: 5000) }"), 503),
        (with(plain(), "authorization", "Bearer nobody"), 503),
    ] {
        let told = format!("{request:?}");
        let answer = house.send(from(APP, request)).await;
        assert_eq!(answer.status, status, "{told}");
        is_readable(&answer, APP);
    }
    let events = house.send(from(DEV, ask_for_events("subscription { count(to: 2) }"))).await;
    is_readable(&events, DEV);
    assert_eq!(events.header("content-type"), "text/event-stream");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_not_listed_reads_nothing() {
    let house = listing().await;
    let own = format!("http://{}", house.address);
    for origin in ["https://evil.example", "https://app.example.evil.example", "http://app.example", "null", &own] {
        for request in [beforehand(origin), from(origin, asking("{ hello }")), from(origin, post(String::new()))] {
            let answer = house.send(request).await;
            assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}");
            assert!(answer.header("vary").contains("origin"), "{answer:?}");
        }
    }
    let answer = house.send(asking("{ hello }")).await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (200, ""), "no browser");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_list_there_is_no_cors_at_all() {
    let house = open().await;
    let asked = house.send(beforehand(APP)).await;
    assert_eq!((asked.status.as_u16(), asked.header("allow")), (405, "GET, POST"));
    for answer in [asked, house.send(from(APP, asking("{ hello }"))).await] {
        assert_eq!(cors_headers(&answer), [""; 0]);
        assert_eq!(answer.header("vary"), "");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_are_for_nobody_elses_pages() {
    let house = listing().await;
    let health = Request::get("/health/live").header("accept", NEWER).body(String::new()).unwrap();
    let answer = house.send(from(APP, health)).await;
    assert_eq!((answer.status.as_u16(), cors_headers(&answer)), (200, vec![]));
}
