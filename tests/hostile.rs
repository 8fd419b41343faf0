//! Documents that make a server work are answered, each as `hostile/answers.txt` says, and none takes the server's memory.
//! What they cost in processor time is measured by `cargo bench --bench hostile`.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

#[path = "hostile/corpus.rs"]
mod corpus;
#[path = "../benches/memory.rs"]
mod memory;
mod support;

use std::fmt::Write as _;

use axum::body::Bytes;
use banyan::store::BackendKind;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use memory::kilobytes;
use serde_json::Value;
use support::{ADMIN_KEY, Database, Server};

/// Status and error code of the answer to each document, by its name.
const ANSWERS: &str = include_str!("hostile/answers.txt");
/// Most memory that one document may need.
const MEMORY_MAX_KB: i64 = 64 * 1_024;

#[tokio::test(flavor = "multi_thread")]
async fn every_document_is_answered_as_it_should_be_and_in_bounded_memory() {
    let database = Database::fresh(BackendKind::Sqlite).unwrap();
    let mut server = Server::start(&[("DATABASE_URL", &database.url()), ("ROLES", "api"), ("LOG", "error")]);
    server.ready().await;
    let process = server.process_id();
    let mut answers = String::new();
    for (name, body) in corpus::bodies() {
        forget_the_most(process);
        let before = kilobytes(process, "VmRSS");
        writeln!(answers, "{name}: {}", said(&server, body).await).unwrap();
        if cfg!(target_os = "linux") {
            let more = kilobytes(process, "VmHWM").unwrap() - before.unwrap();
            assert!(more <= MEMORY_MAX_KB, "{name}: {more} kB");
        }
    }
    assert_eq!(answers, ANSWERS, "all answers as they are now:\n{answers}");
}

/// From now on the most memory of a process is counted anew (proc(5), `clear_refs`), where there is a `/proc`.
fn forget_the_most(process: u32) {
    if cfg!(target_os = "linux") {
        std::fs::write(format!("/proc/{process}/clear_refs"), "5").unwrap();
    }
}

/// What the server says to a body that an operator sends, whom no rate limit keeps from anything.
async fn said(server: &Server, body: Vec<u8>) -> String {
    let request = axum::http::Request::post(format!("http://{}/graphql", server.address()))
        .header("content-type", "application/json")
        .header("accept", "application/graphql-response+json")
        .header("authorization", format!("Bearer {ADMIN_KEY}"))
        .body(Full::<Bytes>::from(body));
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = client.request(request.unwrap()).await.expect("an answer");
    let status = answer.status();
    let text = answer.into_body().collect().await.expect("a whole answer").to_bytes();
    let json: Value = serde_json::from_slice(&text).expect("the answer is JSON");
    let code = json["errors"][0]["extensions"]["code"].as_str().unwrap_or("-");
    format!("{} {code}", status.as_u16())
}
