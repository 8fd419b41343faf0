//! The real routes over a story's engine, whose clock stands still, and those who knock.

use std::net::{IpAddr, SocketAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request},
};
use banyan::{app, config::Cli, domain::words::KeyRole, engine::api_keys::CreateApiKey, http::Shutdown};
use clap::Parser as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::{Harness, NOON};

const SECRET: &str = "the secret of the story's host, 32 bytes or more";
const ANSWER_LIMIT_BYTES: usize = 1 << 20;
/// A proxy that is trusted.
const PROXY: &str = "10.0.0.1";

/// The product's own routes.
pub struct Door {
    routes: Router,
    /// The key of an operator.
    pub admin_key: String,
}

/// An answer to a GraphQL request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub json: Value,
}

/// Who knocks, and from where.
pub struct Knock<'a> {
    door: &'a Door,
    credential: Option<String>,
    address: IpAddr,
    forwarded: Option<&'a str>,
}

impl Door {
    pub async fn of(harness: &Harness) -> Self {
        harness.clock().stand_still();
        harness.clock().set(NOON);
        let engine = harness.engine().clone();
        let (_, admin_key) =
            engine.create_api_key(CreateApiKey::new("operator", KeyRole::Admin), "story").await.unwrap();
        let arguments = ["banyan", "--jwt-secret", SECRET, "--trusted-proxies", PROXY];
        let options = Cli::parse_from(arguments).options;
        options.check().unwrap();
        Self { routes: app::routes(engine, &options, Shutdown::new()).unwrap(), admin_key }
    }

    pub fn anonymous(&self, address: &str) -> Knock<'_> {
        Knock { door: self, credential: None, address: address.parse().unwrap(), forwarded: None }
    }

    /// Somebody behind the trusted proxy, as it tells.
    pub fn behind_proxy<'a>(&'a self, forwarded: &'a str) -> Knock<'a> {
        Knock { forwarded: Some(forwarded), ..self.anonymous(PROXY) }
    }

    pub fn member(&self, external_id: &str) -> Knock<'_> {
        let claims = json!({"sub": external_id, "exp": 4_000_000_000_u64});
        let key = jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes());
        let token = jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap();
        self.holder(&token)
    }

    /// Whoever holds a key or a token.
    pub fn holder(&self, credential: &str) -> Knock<'_> {
        Knock { credential: Some(credential.to_owned()), ..self.anonymous("198.51.100.1") }
    }

    pub fn admin(&self) -> Knock<'_> {
        self.holder(&self.admin_key)
    }
}

impl Knock<'_> {
    pub async fn ask(&self, query: &str) -> Answer {
        self.ask_with(query, Value::Null).await
    }

    pub async fn ask_with(&self, query: &str, variables: Value) -> Answer {
        self.send(json!({"query": query, "variables": variables})).await
    }

    pub async fn send(&self, body: Value) -> Answer {
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        if let Some(credential) = &self.credential {
            request = request.header("authorization", format!("Bearer {credential}"));
        }
        if let Some(forwarded) = self.forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let body = Body::from(body.to_string());
        let request = request.extension(ConnectInfo(SocketAddr::from((self.address, 40_000)))).body(body).unwrap();
        let (parts, body) = self.door.routes.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = to_bytes(body, ANSWER_LIMIT_BYTES).await.unwrap();
        let json = serde_json::from_slice(&bytes).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, json }
    }

    /// The data of a request that must succeed.
    pub async fn data(&self, query: &str, variables: Value) -> Value {
        let mut answer = self.ask_with(query, variables).await;
        assert!(answer.json.get("errors").is_none(), "{query}: {answer:#?}");
        answer.json["data"].take()
    }

    /// How often the same is served before it is refused for the first time.
    pub async fn served(&self, query: &str, attempts: usize) -> usize {
        for served in 0..attempts {
            let answer = self.ask(query).await;
            if answer.status == 429 {
                return served;
            }
            assert_ne!(answer.code(), "RATE_LIMITED");
        }
        attempts
    }
}

impl Answer {
    pub fn code(&self) -> &str {
        self.json["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}
