//! The real routes over a story's engine, and browsers that remember cookies.

use std::net::{Ipv4Addr, SocketAddr};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, Request, Response},
};
use banyan::{
    app,
    config::{Cli, Options},
    domain::words::KeyRole,
    engine::api_keys::CreateApiKey,
    http::Shutdown,
};
use clap::Parser as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::Harness;

pub const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
pub const LANDING: &str = "https://shop.example/welcome";
const SECRET: &str = "the secret of the story's host, 32 bytes or more";
const ANSWER_LIMIT_BYTES: usize = 1 << 20;

/// What every browser sends for a link that somebody clicked.
pub const CLICKED: [(&str, &str); 3] =
    [("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate"), ("sec-fetch-site", "cross-site")];

/// The product's own routes.
#[derive(Clone)]
pub struct Site {
    routes: Router,
    key: String,
}

/// What a request for a link was answered with.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub location: String,
    /// The whole header.
    pub cookie: Option<String>,
    pub headers: HeaderMap,
    pub body: String,
}

/// A browser: it remembers the cookie that it was given last.
#[derive(Clone, Debug)]
pub struct Browser {
    pub address: SocketAddr,
    pub name: String,
    pub cookie: Option<String>,
}

pub fn options(arguments: &[&str]) -> Options {
    let usual = [("--public-url", "https://refer.example"), ("--landing-url", LANDING), ("--jwt-secret", SECRET)];
    let left = usual.iter().filter(|(name, _)| !arguments.contains(name)).flat_map(|(name, value)| [*name, *value]);
    Cli::parse_from(std::iter::once("banyan").chain(left).chain(arguments.iter().copied())).options
}

impl Site {
    pub async fn of(harness: &Harness, arguments: &[&str]) -> Self {
        let engine = harness.engine().clone();
        let request = CreateApiKey::new("host", KeyRole::Admin);
        let (_, key) = engine.create_api_key(request, "story").await.unwrap();
        let options = options(arguments);
        options.check().unwrap();
        Self { routes: app::routes(engine, &options, Shutdown::new()).unwrap(), key }
    }

    pub async fn ask(&self, request: Request<Body>) -> Answer {
        let answer = self.routes.clone().oneshot(request).await.unwrap();
        Answer::of(answer).await
    }

    /// Runs a document as the host's back end, whose answer must have no error.
    pub async fn host(&self, document: &str, variables: Value) -> Value {
        let answer = self.graphql(document, variables, &[("authorization", &format!("Bearer {}", self.key))]).await;
        assert!(answer.get("errors").is_none(), "{document}: {answer:#}");
        answer["data"].clone()
    }

    pub async fn graphql(&self, document: &str, variables: Value, headers: &[(&str, &str)]) -> Value {
        let body = json!({"query": document, "variables": variables}).to_string();
        let mut request = Request::post("/graphql").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.extension(ConnectInfo(Browser::new(99).address)).body(Body::from(body)).unwrap();
        serde_json::from_str(&self.ask(request).await.body).unwrap()
    }
}

impl Answer {
    async fn of(answer: Response<Body>) -> Self {
        let (parts, body) = answer.into_parts();
        let text = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        let body = to_bytes(body, ANSWER_LIMIT_BYTES).await.unwrap();
        Self {
            status: parts.status.as_u16(),
            location: text("location").unwrap_or_default(),
            cookie: text("set-cookie"),
            body: String::from_utf8(body.to_vec()).unwrap(),
            headers: parts.headers,
        }
    }

    /// A parameter of the address that it leads to.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let url = url::Url::parse(&self.location).unwrap();
        url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
    }

    pub fn click(&self) -> String {
        self.parameter("click_id").unwrap_or_else(|| panic!("no click in {self:?}"))
    }
}

impl Browser {
    /// Somebody at an address of their own.
    pub fn new(number: u8) -> Self {
        let address = SocketAddr::from((Ipv4Addr::new(192, 0, 2, number), 40_000));
        Self { address, name: FIREFOX.to_owned(), cookie: None }
    }

    pub fn request(&self, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
        let mut request = Request::get(path).header("user-agent", &self.name).extension(ConnectInfo(self.address));
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("other=1; referral_code={cookie}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    /// Sends a request for a path.
    pub async fn get(&mut self, site: &Site, path: &str, headers: &[(&str, &str)]) -> Answer {
        let answer = site.ask(self.request(path, headers)).await;
        if let Some(cookie) = &answer.cookie {
            let pair = cookie.split(';').next().unwrap();
            self.cookie = Some(pair.strip_prefix("referral_code=").unwrap().to_owned());
        }
        answer
    }

    /// Follows the link of a code.
    pub async fn follow(&mut self, site: &Site, code: &str) -> Answer {
        self.get(site, &format!("/r/{code}"), &CLICKED).await
    }

    /// Signs up as a member, from a page of the same site, and gives the attribution.
    pub async fn sign_up(&self, site: &Site, external_id: &str, input: Value) -> Value {
        self.sign_up_from(site, external_id, input, "same-site").await
    }

    pub async fn sign_up_from(&self, site: &Site, external_id: &str, input: Value, from: &str) -> Value {
        let token = jsonwebtoken::encode(
            &jsonwebtoken::Header::default(),
            &json!({"sub": external_id, "exp": 4_000_000_000_u64}),
            &jsonwebtoken::EncodingKey::from_secret(SECRET.as_bytes()),
        );
        let authorization = format!("Bearer {}", token.unwrap());
        let mut headers = vec![("authorization", authorization.as_str()), ("sec-fetch-site", from)];
        let cookie = self.cookie.as_ref().map(|cookie| format!("referral_code={cookie}"));
        headers.extend(cookie.as_deref().map(|cookie| ("cookie", cookie)));
        let answer = site.graphql(SIGN_UP, json!({"input": with_id(input, external_id)}), &headers).await;
        checked(answer["data"]["signUp"].clone(), &answer)
    }
}

const SIGN_UP: &str = "mutation ($input: SignUpInput!) { signUp(input: $input) { created user { id code referrer { \
    id } } userErrors { code } attribution { outcome via code click { clickId code clickedAt } lostTouches { clickId \
    code reason } referral { via code click { id campaign { name value } } } } } }";

fn with_id(mut input: Value, external_id: &str) -> Value {
    if input.is_null() {
        input = json!({});
    }
    input["externalId"] = json!(external_id);
    input
}

fn checked(payload: Value, answer: &Value) -> Value {
    assert_eq!(payload["userErrors"], json!([]), "{answer:#}");
    payload["attribution"].clone()
}

/// Signs somebody up as the host's back end does, and gives the attribution.
pub async fn sign_up(site: &Site, external_id: &str, input: Value) -> Value {
    let answer = site.host(SIGN_UP, json!({"input": with_id(input, external_id)})).await;
    checked(answer["signUp"].clone(), &answer)
}

/// Somebody with a code to share: their id and code.
pub async fn person(site: &Site, external_id: &str, input: Value) -> (String, String) {
    let answer = site.host(SIGN_UP, json!({"input": with_id(input, external_id)})).await;
    let text = |field: &str| answer["signUp"]["user"][field].as_str().unwrap().to_owned();
    (text("id"), text("code"))
}
