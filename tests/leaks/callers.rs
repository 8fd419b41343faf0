//! Everybody who comes: over HTTP with all that a request can carry, over WebSockets, and with bytes that are neither.

use std::{net::Ipv4Addr, time::Duration};

use axum::{body::Bytes, http::Request};
use futures_util::future::join_all;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;
use tokio::time::timeout;

use crate::{
    canaries::Canaries,
    raw,
    requests::{self, Known},
};

/// Where everybody comes from.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 77, 7);
/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
/// How many ask at once.
const TOGETHER: usize = 12;

/// Everybody, and what they were answered.
pub struct Callers {
    http: Client<HttpConnector, Full<Bytes>>,
    address: String,
    known: Known,
    answers: Vec<String>,
}

impl Callers {
    /// Callers who know a host's key, a code and its owner, and the secret of the host's tokens.
    pub fn new(
        address: String,
        (key, code, user): (String, String, String),
        secret: &str,
        canaries: &mut Canaries,
    ) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_local_address(Some(ADDRESS.into()));
        canaries.keep("the address of a connection", &ADDRESS.to_string());
        let known = Known { key, code, user, tokens: requests::tokens(secret, canaries) };
        requests::hide_all(canaries);
        Self { http: Client::builder(TokioExecutor::new()).build(connector), address, known, answers: Vec::new() }
    }

    /// Sends all that there is to send. What changes something is called after the state of the house.
    pub async fn ask_everything(&mut self, state: &str, canaries: &Canaries) {
        let requests = requests::all(&self.address, &self.known, state, canaries);
        let mut answers = Vec::new();
        for some in requests.chunks(TOGETHER) {
            answers.extend(join_all(some.iter().map(|request| self.send(request.clone()))).await);
        }
        let (address, key) = (&self.address, &self.known.key);
        let init =
            json!({"authorization": format!("Bearer {key}"), "more": canaries.word("what a socket begins with")});
        answers.push(raw::socket(address, init, &requests::for_socket(&self.known, canaries)).await);
        for what in ["a wrong key", "a malformed token"] {
            let init = json!({"authorization": format!("Bearer {}", canaries.word(what))});
            answers.push(raw::socket(address, init, &[]).await);
        }
        answers.push(raw::say(address, &raw::bad_head(canaries.word("a malformed head"))).await);
        answers.push(raw::say(address, &raw::bad_http2(canaries.word("a malformed path"))).await);
        self.answers.extend(answers);
    }

    /// All answers so far, each in one text.
    pub fn answers(&self) -> &[String] {
        &self.answers
    }

    async fn send(&self, request: Request<String>) -> String {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = timeout(ANSWER_LIMIT, self.http.request(request.map(|body| Full::new(Bytes::from(body)))));
        let answer = answer.await.unwrap_or_else(|_| panic!("no answer to {what}"));
        let (parts, body) = answer.unwrap_or_else(|error| panic!("{what}: {error:?}")).into_parts();
        // A stream of events has no end.
        let body = match parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream") {
            true => first_frame(body).await,
            false => body.collect().await.expect("a whole answer").to_bytes(),
        };
        format!("{} {:?} {}", parts.status.as_u16(), parts.headers, String::from_utf8_lossy(&body))
    }
}

async fn first_frame(mut body: hyper::body::Incoming) -> Bytes {
    let frame = timeout(ANSWER_LIMIT, body.frame()).await.expect("an event in time");
    frame.and_then(Result::ok).and_then(|frame| frame.into_data().ok()).unwrap_or_default()
}
