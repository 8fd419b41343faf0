//! `/graphql` over HTTP: one test per status.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{Method, Request};
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::client::{NEWER, post, read_to_end};
use crate::house::{eventually, open, open_patience};

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_answered_in_the_type_that_was_asked_for() {
    let house = open().await;
    let answer = house.query("{ hello }").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({"data": {"hello": "hello"}})));
    assert_eq!(answer.header("content-type"), "application/graphql-response+json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");

    let mut older = post(json!({"query": "{ hello }"}).to_string());
    older.headers_mut().remove("accept");
    assert_eq!(house.send(older).await.header("content-type"), "application/json; charset=utf-8");
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_and_operation_names_arrive() {
    let house = open().await;
    let query = "query A { hello } query B($n: Int!) { slow(ms: $n) }";
    let answer = house.post(json!({"query": query, "operationName": "B", "variables": {"n": 3}})).await;
    assert_eq!(answer.json(), json!({"data": {"slow": 3}}));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_run_is_400_without_data_and_200_for_older_clients() {
    let house = open().await;
    for query in [
        "{",
        "{ nothing }",
        "query A { hello } query B { hello }",
        "query($n: Int!) { slow(ms: $n) }",
        "{ tooComplex }",
    ] {
        let newer = house.query(query).await;
        assert_eq!(newer.status, 400, "{query}");
        assert!(newer.json().get("data").is_none(), "{}", newer.body);
        assert!(!newer.code().is_empty(), "{}", newer.body);

        let mut older = post(json!({ "query": query }).to_string());
        older.headers_mut().insert("accept", "application/json".parse().unwrap());
        let older = house.send(older).await;
        assert_eq!(older.status, 200, "{query}");
        assert_eq!(older.json(), newer.json());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_while_running_has_its_data_entry() {
    let house = open().await;
    let answer = house.query("{ boom }").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"], json!(null));
    assert_eq!(answer.json()["errors"][0]["path"], json!(["boom"]));
    assert!(answer.body.contains("\"data\":null"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_syntax_error_does_not_repeat_the_document() {
    let house = open().await;
    let answer = house.query(&format!("{{ hello }} {}", "secret".repeat(9_000))).await;
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "BAD_USER_INPUT"));
    assert!(answer.body.len() < 500 && !answer.body.contains("secret"), "{}", answer.body);
    assert_eq!(answer.json()["errors"][0]["locations"][0], json!({"line": 1, "column": 11}));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_mistakes_are_answered_with_a_few() {
    let house = open().await;
    let answer = house.query(&format!("{{ {} }}", (0..1_000).map(|n| format!("f{n} ")).collect::<String>())).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["errors"].as_array().unwrap().len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_json_is_taken() {
    let house = open().await;
    let body = json!({"query": "mutation { add }"}).to_string();
    let types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
    ];
    for content_type in types {
        let mut request = post(body.clone());
        request.headers_mut().insert("content-type", content_type.parse().unwrap());
        assert_eq!(house.send(request).await.status, 415, "{content_type}");
    }
    let mut untyped = post(body.clone());
    untyped.headers_mut().remove("content-type");
    assert_eq!(house.send(untyped).await.status, 415);
    let mut compressed = post(body);
    compressed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    assert_eq!(house.send(compressed).await.status, 415);
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_json_bad_parameters_and_batches_are_400_for_everybody() {
    let house = open().await;
    let bodies =
        ["", "{", "1", "{}", r#"{"query":1}"#, r#"{"query":"{hello}","variables":[]}"#, r#"[{"query":"{hello}"}]"#];
    for body in bodies {
        for accept in [NEWER, "application/json"] {
            let mut request = post(body.to_owned());
            request.headers_mut().insert("accept", accept.parse().unwrap());
            let answer = house.send(request).await;
            assert_eq!((answer.status.as_u16(), answer.code().as_str()), (400, "BAD_USER_INPUT"), "{body} {accept}");
        }
    }
    let batch = house.post(json!([{"query": "mutation { add }"}, {"query": "mutation { add }"}])).await;
    assert!(batch.body.contains("Batches"), "{}", batch.body);
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_64_kb_is_413() {
    let house = open().await;
    let answer = house.query(&format!("{{ hello }} #{}", "x".repeat(70_000))).await;
    assert_eq!(answer.status, 413);

    let head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut unannounced = house.raw(head.as_bytes()).await;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for _ in 0..5 {
        unannounced.write_all(chunk.as_bytes()).await.unwrap();
    }
    assert!(read_to_end(&mut unannounced).await.starts_with("HTTP/1.1 413"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_a_refused_body_whole_gets_its_answer_and_may_go_on() {
    const BYTES: usize = 3 * 1_024 * 1_024;
    let house = open().await;
    let whole = "x".repeat(BYTES);
    let cases = [
        (format!("content-type: application/json\r\ncontent-length: {BYTES}\r\n\r\n{whole}"), "413"),
        (format!("content-type: text/plain\r\ncontent-length: {BYTES}\r\n\r\n{whole}"), "415"),
        (
            format!(
                "content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{BYTES:x}\r\n{whole}\r\n0\r\n\r\n"
            ),
            "413",
        ),
    ];
    for (rest, status) in cases {
        let mut connection = house.raw(format!("POST /graphql HTTP/1.1\r\nhost: x\r\n{rest}").as_bytes()).await;
        let next = "GET /graphql?query=%7Bhello%7D HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        connection.write_all(next.as_bytes()).await.unwrap();
        let answers = read_to_end(&mut connection).await;
        assert!(answers.starts_with(&format!("HTTP/1.1 {status}")), "{answers}");
        assert_eq!(answers.matches("HTTP/1.1 200").count(), 1, "{answers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_without_an_end_is_cut_off() {
    let house = open().await;
    let head =
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 999999999\r\n\r\n";
    let mut connection = house.raw(head.as_bytes()).await;
    let piece = vec![b'x'; 1_024 * 1_024];
    let mut pieces = 0;
    while pieces < 64 && connection.write_all(&piece).await.is_ok() {
        pieces += 1;
    }
    assert!((3..64).contains(&pieces), "{pieces} MiB were taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_whether_to_send_a_body_is_told_not_to() {
    let house = open().await;
    for (rest, status) in [
        ("content-type: application/json\r\ncontent-length: 999999", "413"),
        ("content-type: text/plain\r\ntransfer-encoding: chunked", "415"),
    ] {
        let head = format!("POST /graphql HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n{rest}\r\n\r\n");
        let mut asking = house.raw(head.as_bytes()).await;
        let answer = read_to_end(&mut asking).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_is_408() {
    let house = open_patience(|patience| patience.body = Duration::from_millis(100)).await;
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{";
    let mut dripping = house.raw(head.as_bytes()).await;
    assert!(read_to_end(&mut dripping).await.starts_with("HTTP/1.1 408"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_runs_queries_and_nothing_else() {
    let house = open().await;
    let query = house.get("/graphql?query=query(%24n%3AInt!)%7Bslow(ms%3A%24n)%7D&variables=%7B%22n%22%3A2%7D").await;
    assert_eq!((query.status.as_u16(), query.json()), (200, json!({"data": {"slow": 2}})));

    let mutation = house.get("/graphql?query=query%20A%7Bhello%7D%20mutation%20B%7Badd%7D&operationName=B").await;
    assert_eq!((mutation.status.as_u16(), mutation.header("allow")), (405, "POST"));
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0);

    let sibling = house.get("/graphql?query=query%20A%7Bhello%7D%20mutation%20B%7Badd%7D&operationName=A").await;
    assert_eq!(sibling.json(), json!({"data": {"hello": "hello"}}));
    assert_eq!(house.get("/graphql").await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_over_plain_http_is_told_where_to_go() {
    let house = open().await;
    let answer = house.query("subscription { count(to: 1) }").await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("graphql-transport-ws"), "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_405() {
    let house = open().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::HEAD, Method::OPTIONS] {
        let request = Request::builder().method(method.clone()).uri("/graphql").body(String::new()).unwrap();
        let answer = house.send(request).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, "GET, POST"), "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_the_cost_is_told() {
    let house = open().await;
    let cost = json!({"requested": 9, "limit": 1000});
    let asked = house.post(json!({"query": "{ hello }", "extensions": {"cost": true}})).await;
    assert_eq!(asked.json(), json!({"data": {"hello": "hello"}, "extensions": {"cost": cost}}));
    let by_get = house.get("/graphql?query=%7B%20hello%20%7D&extensions=%7B%22cost%22%3Atrue%7D").await;
    assert_eq!(by_get.json(), asked.json());
    let not_asked = house.post(json!({"query": "{ hello }", "extensions": {"cost": false}})).await;
    assert_eq!(not_asked.json(), json!({"data": {"hello": "hello"}}));
    let not_run = house.post(json!({"query": "{ nothing }", "extensions": {"cost": true}})).await;
    assert!(not_run.json().get("extensions").is_none(), "{}", not_run.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_type_we_cannot_send_is_406() {
    let house = open().await;
    let mut request = post(json!({"query": "mutation { add }"}).to_string());
    request.headers_mut().insert("accept", "text/html".parse().unwrap());
    assert_eq!(house.send(request).await.status, 406);
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_decide_who_asks() {
    let house = open().await;
    let ask = async |credential: &'static str| {
        let mut request = post(json!({"query": "{ caller }"}).to_string());
        request.headers_mut().insert("authorization", credential.parse().unwrap());
        house.send(request).await
    };
    assert_eq!(house.query("{ caller }").await.json(), json!({"data": {"caller": "Anonymous"}}));
    assert!(ask("Bearer key-ann").await.body.contains("key-ann"));

    let unknown = ask("Bearer forged").await;
    assert_eq!((unknown.status.as_u16(), unknown.code().as_str()), (401, "UNAUTHENTICATED"));
    assert_eq!(unknown.header("www-authenticate"), "Bearer");
    let hurried = ask("Bearer wait").await;
    assert_eq!((hurried.status.as_u16(), hurried.code().as_str()), (429, "RATE_LIMITED"));
    assert_eq!(hurried.header("retry-after"), "3");
    assert_eq!(ask("Bearer nobody").await.status, 503);

    let mut two = post(json!({"query": "{ caller }"}).to_string());
    two.headers_mut().append("authorization", "Bearer key-a".parse().unwrap());
    two.headers_mut().append("authorization", "Bearer key-b".parse().unwrap());
    assert_eq!(house.send(two).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_is_503_but_its_mutation_goes_on() {
    let house = open_patience(|patience| patience.request = Duration::from_millis(100)).await;
    let query = house.query("{ slow(ms: 20000) }").await;
    assert_eq!((query.status.as_u16(), query.code().as_str()), (503, "UNAVAILABLE"));
    assert_eq!(house.query("mutation { add(ms: 400) }").await.status, 503);
    eventually("the mutation finished", || house.counters.added.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_survives_its_client() {
    let house = open().await;
    let body = json!({"query": "mutation { add(ms: 300) }"}).to_string();
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length:";
    let leaving = house.raw(format!("{head} {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    eventually("the mutation began", || house.shutdown.held() >= 2).await;
    drop(leaving);
    eventually("the connection is gone", || house.shutdown.held() == 1).await;
    assert_eq!(house.counters.added.load(Ordering::SeqCst), 0);
    eventually("the mutation finished", || house.counters.added.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_an_internal_error_that_tells_nothing() {
    let house = open().await;
    for query in ["{ panics }", "mutation { panics }"] {
        let answer = house.query(query).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (500, "INTERNAL"), "{query}");
        assert!(!answer.body.contains("secret"), "{}", answer.body);
    }
}
