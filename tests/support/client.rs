//! A host that speaks GraphQL over HTTP, and asks again when the line was cut.

use std::{net::Ipv4Addr, time::Duration};

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

/// How long one answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// What a browser calls itself.
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
/// How often the same is asked again, and the pause before: about a minute of a dead server.
const ATTEMPTS: u32 = 1_200;
const PAUSE: Duration = Duration::from_millis(50);

/// The line was cut, or the server had no time: nobody knows whether it was done.
#[derive(Debug)]
pub struct Unknown(pub String);

impl Unknown {
    /// Whether nobody took the call, so that it was certainly not done.
    pub fn was_never_sent(&self) -> bool {
        self.0.starts_with("hyper_util::client::legacy::Error(Connect")
    }
}

/// One connection of a host.
pub struct Client {
    http: Http<HttpConnector, Full<Bytes>>,
    address: String,
    key: String,
}

impl Client {
    /// A host that holds a key; connects when it asks.
    pub fn new(address: String, key: &str) -> Self {
        Self { http: Http::builder(TokioExecutor::new()).build_http(), address, key: key.to_owned() }
    }

    /// Whether the server says that it is ready.
    pub async fn is_ready(&self) -> bool {
        self.is_well("ready").await
    }

    /// Whether the server lives, whatever it depends on.
    pub async fn is_live(&self) -> bool {
        self.is_well("live").await
    }

    async fn is_well(&self, how: &str) -> bool {
        let request = axum::http::Request::get(format!("http://{}/health/{how}", self.address));
        let request = request.body(Full::default()).expect("a request");
        let answer = timeout(ANSWER_LIMIT, self.http.request(request)).await;
        answer.is_ok_and(|answer| answer.is_ok_and(|answer| answer.status().is_success()))
    }

    /// Asks until there is an answer, and gives its data. Any error but `UNAVAILABLE` fails the test.
    pub async fn insist(&self, document: &str, variables: Value) -> Value {
        let mut cause = String::new();
        for _ in 0..ATTEMPTS {
            match self.ask(document, &variables).await {
                Ok(data) => return data,
                Err(Unknown(why)) => cause = why,
            }
            sleep(PAUSE).await;
        }
        panic!("no answer to {document} {variables}: {cause}");
    }

    /// Asks once.
    pub async fn ask(&self, document: &str, variables: &Value) -> Result<Value, Unknown> {
        let body = json!({"query": document, "variables": variables}).to_string();
        let mut answer = match timeout(ANSWER_LIMIT, self.post(body)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(cause)) => return Err(Unknown(cause)),
            Err(_) => return Err(Unknown("no answer in time".to_owned())),
        };
        let error = &answer["errors"][0];
        if error.is_null() {
            return Ok(answer["data"].take());
        }
        match error["extensions"]["code"].as_str() {
            Some("UNAVAILABLE") => Err(Unknown(error.to_string())),
            _ => panic!("{document} {variables} failed: {answer:#}"),
        }
    }

    /// Follows the link of a code as a browser at an address behind a trusted proxy; gives the click that the landing page
    /// is told of.
    pub async fn follow(&self, code: &str, from: Ipv4Addr) -> Result<String, Unknown> {
        let request = axum::http::Request::get(format!("http://{}/r/{code}", self.address))
            .header("user-agent", BROWSER)
            .header("x-forwarded-for", from.to_string());
        let asking = self.http.request(request.body(Full::default()).expect("a request"));
        let answer = match timeout(ANSWER_LIMIT, asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(cause)) => return Err(Unknown(format!("{cause:?}"))),
            Err(_) => return Err(Unknown("no answer in time".to_owned())),
        };
        if answer.status() == axum::http::StatusCode::SERVICE_UNAVAILABLE {
            return Err(Unknown("busy".to_owned()));
        }
        let location = answer.headers()["location"].to_str().expect("an address");
        let click = location.split_once("click_id=").map(|(_, click)| click.to_owned());
        Ok(click.unwrap_or_else(|| panic!("the link of {code} leads to nobody: {location}")))
    }

    async fn post(&self, body: String) -> Result<Value, String> {
        let request = axum::http::Request::post(format!("http://{}/graphql", self.address))
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .header("authorization", format!("Bearer {}", self.key))
            .body(Full::from(body))
            .expect("a request");
        let response = self.http.request(request).await.map_err(|error| format!("{error:?}"))?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
        let parsed = serde_json::from_slice(&body);
        parsed.map_err(|_| format!("{}: {}", parts.status, String::from_utf8_lossy(&body)))
    }
}
