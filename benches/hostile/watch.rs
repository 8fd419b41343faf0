//! What a server spends on a document.

use std::{
    fs,
    time::{Duration, Instant},
};

use axum::body::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::{
    memory::kilobytes,
    processor::processor_seconds,
    support::{ADMIN_KEY, Server},
};

/// What one document cost.
#[derive(Clone, Debug)]
pub struct Cost {
    /// Processor time, in milliseconds.
    pub milliseconds: f64,
    /// Memory that the process had at most while it worked, beyond what it had before.
    pub megabytes: i64,
    /// The status of the answer, and the code of its first error.
    pub said: String,
}

/// A body with so many spaces after its document; as it is where it holds none.
fn apart(body: &[u8], spaces: u32) -> Vec<u8> {
    let Ok(mut json) = serde_json::from_slice::<Value>(body) else { return body.to_vec() };
    let Some(text) = json["query"].as_str().map(str::to_owned) else { return body.to_vec() };
    json["query"] = Value::String(text + &" ".repeat(spaces as usize));
    json.to_string().into_bytes()
}

/// Somebody who looks at a server while sending to it.
pub struct Watch {
    http: Client<HttpConnector, Full<Bytes>>,
    address: String,
    process: u32,
}

impl Watch {
    /// Looks at a server.
    pub fn new(server: &Server) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { http, address: server.address(), process: server.process_id() }
    }

    /// Sends a body so many times, never the same text twice.
    pub async fn cost(&self, body: &[u8], times: u32) -> Cost {
        let bodies: Vec<Vec<u8>> = (0..times).map(|spaces| apart(body, spaces)).collect();
        self.forget_the_most();
        let (before, resident) = (self.seconds(), self.kilobytes("VmRSS"));
        let mut said = String::new();
        for body in bodies {
            said = self.send(&body).await;
        }
        let seconds = self.seconds() - before;
        let milliseconds = seconds * 1_000.0 / f64::from(times);
        Cost { milliseconds, megabytes: (self.kilobytes("VmHWM") - resident) / 1_024, said }
    }

    /// How long the answer to a body takes.
    pub async fn time(&self, body: &[u8]) -> Duration {
        let begun = Instant::now();
        self.send(body).await;
        begun.elapsed()
    }

    /// Sends a body as an operator, who is kept from nothing by rate limits; whatever it is, the answer is JSON.
    async fn send(&self, body: &[u8]) -> String {
        let request = axum::http::Request::post(format!("http://{}/graphql", self.address))
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json")
            .header("authorization", format!("Bearer {ADMIN_KEY}"))
            .body(Full::from(body.to_vec()))
            .expect("a request");
        let answer = self.http.request(request).await.expect("an answer");
        let status = answer.status();
        let text = answer.into_body().collect().await.expect("a whole answer").to_bytes();
        let json: Value = serde_json::from_slice(&text).expect("the answer is JSON");
        format!("{} {}", status.as_u16(), json["errors"][0]["extensions"]["code"].as_str().unwrap_or("-"))
    }

    fn seconds(&self) -> f64 {
        processor_seconds(self.process).expect("the process is there")
    }

    fn kilobytes(&self, what: &str) -> i64 {
        kilobytes(self.process, what).expect("the process is there")
    }

    /// From now on the most memory is counted anew (proc(5), `clear_refs`).
    fn forget_the_most(&self) {
        fs::write(format!("/proc/{}/clear_refs", self.process), "5").expect("our own child's memory can be watched");
    }
}
