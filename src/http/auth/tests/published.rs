//! Keys that a host publishes: fetched late, kept long, asked for seldom.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, Header};
use serde_json::{Value, json};

use super::{NOW, SECRET, ann, ec, hmac, ok, signed};
use crate::http::auth::jwks::Pace;
use crate::http::auth::test_keys::{EC_PRIVATE, EC_PUBLIC, OTHER_EC_PRIVATE};
use crate::http::auth::{JwtSettings, TokenRefused, Verifier};

/// A host that publishes keys, on this machine.
#[derive(Clone, Default)]
struct Host {
    answer: Arc<Mutex<(StatusCode, String)>>,
    asked: Arc<AtomicUsize>,
}

impl Host {
    async fn start(&self) -> String {
        let host = self.clone();
        let answer = move || async move {
            host.asked.fetch_add(1, Ordering::SeqCst);
            host.answer.lock().unwrap().clone()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().route("/jwks.json", get(answer))).await });
        url
    }

    fn publish(&self, keys: &[(&str, &str)]) {
        let jwk = |(id, pem): &(&str, &str)| {
            let mut jwk = Jwk::from_encoding_key(&ec(pem), Algorithm::ES256).unwrap();
            jwk.common.key_id = Some((*id).to_owned());
            serde_json::to_value(jwk).unwrap()
        };
        let mut keys: Vec<Value> = keys.iter().map(jwk).collect();
        // Neither of these may ever be used: a secret has no business in public, and the other is not a key at all.
        keys.push(json!({ "kty": "oct", "kid": "oct", "alg": "HS256", "k": URL_SAFE_NO_PAD.encode(SECRET) }));
        keys.push(json!("nonsense"));
        self.answer(StatusCode::OK, &json!({ "keys": keys }).to_string());
    }

    fn answer(&self, status: StatusCode, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn by(id: Option<&str>, pem: &str) -> String {
    let header = Header { kid: id.map(str::to_owned), ..Header::new(Algorithm::ES256) };
    jsonwebtoken::encode(&header, &ann(), &ec(pem)).unwrap()
}

async fn verifier(host: &Host, pace: Pace) -> Verifier {
    let settings = JwtSettings { jwks_url: Some(host.start().await), ..JwtSettings::default() };
    Verifier::paced(&settings, pace).unwrap()
}

const EAGER: Pace = Pace { refresh: Duration::from_secs(3_600), unknown_key: Duration::ZERO, first: Duration::ZERO };

#[tokio::test(flavor = "multi_thread")]
async fn published_keys_are_fetched_once_and_again_when_they_rotate() {
    let host = Host::default();
    host.publish(&[("one", EC_PRIVATE)]);
    let verifier = verifier(&host, EAGER).await;
    let subject = async |token: String| verifier.verify(&token, NOW).await.map(|verified| verified.subject);
    assert_eq!(host.asked(), 0);
    for _ in 0..5 {
        assert_eq!(subject(by(Some("one"), EC_PRIVATE)).await, ok());
        assert_eq!(subject(by(None, EC_PRIVATE)).await, ok());
    }
    assert_eq!(host.asked(), 1);
    assert_eq!(subject(by(Some("one"), OTHER_EC_PRIVATE)).await, Err(TokenRefused::Signature));
    assert_eq!(host.asked(), 1);
    assert_eq!(subject(by(Some("two"), OTHER_EC_PRIVATE)).await, Err(TokenRefused::UnknownKey));
    host.publish(&[("one", EC_PRIVATE), ("two", OTHER_EC_PRIVATE)]);
    assert_eq!(subject(by(Some("two"), OTHER_EC_PRIVATE)).await, ok());
    assert_eq!(subject(by(Some("one"), EC_PRIVATE)).await, ok());
    host.publish(&[("two", OTHER_EC_PRIVATE)]);
    assert_eq!(subject(by(Some("three"), EC_PRIVATE)).await, Err(TokenRefused::UnknownKey));
    assert_eq!(subject(by(Some("one"), EC_PRIVATE)).await, Err(TokenRefused::UnknownKey));
    let asked = host.asked();
    assert_eq!(subject(signed(Algorithm::HS256, &hmac(SECRET), &ann())).await, Err(TokenRefused::Algorithm));
    assert_eq!(subject(signed(Algorithm::HS256, &hmac(EC_PUBLIC), &ann())).await, Err(TokenRefused::Algorithm));
    assert_eq!(host.asked(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn invented_key_ids_do_not_make_us_ask_again_and_again() {
    let host = Host::default();
    host.publish(&[("one", EC_PRIVATE)]);
    let verifier = Arc::new(verifier(&host, Pace::default()).await);
    let attempts = (0..50).map(|number| {
        let verifier = Arc::clone(&verifier);
        tokio::spawn(async move { verifier.verify(&by(Some(&format!("invented {number}")), EC_PRIVATE), NOW).await })
    });
    for attempt in futures_util::future::join_all(attempts).await {
        assert_eq!(attempt.unwrap(), Err(TokenRefused::UnknownKey));
    }
    assert_eq!(host.asked(), 1);
    assert!(verifier.verify(&by(Some("one"), EC_PRIVATE), NOW).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn old_keys_stay_when_the_host_fails() {
    let host = Host::default();
    host.publish(&[("one", EC_PRIVATE)]);
    let verifier = verifier(&host, Pace { refresh: Duration::ZERO, ..EAGER }).await;
    assert!(verifier.verify(&by(Some("one"), EC_PRIVATE), NOW).await.is_ok());
    let too_large = format!("{{\"keys\": [], \"pad\": \"{}\"}}", "x".repeat(300_000));
    let failures = [
        (StatusCode::INTERNAL_SERVER_ERROR, "down"),
        (StatusCode::FOUND, "moved"),
        (StatusCode::NO_CONTENT, ""),
        (StatusCode::OK, "not json"),
        (StatusCode::OK, "{\"keys\": []}"),
        (StatusCode::OK, "{\"keys\": [{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"kid\": \"one\", \"x\": \"AA\"}]}"),
        (StatusCode::OK, too_large.as_str()),
    ];
    for (status, body) in failures {
        host.answer(status, body);
        // The unknown id waits for a fetch, which fails; the known one goes on working.
        assert_eq!(verifier.verify(&by(Some("two"), EC_PRIVATE), NOW).await, Err(TokenRefused::UnknownKey));
        assert!(verifier.verify(&by(Some("one"), EC_PRIVATE), NOW).await.is_ok(), "{status} {}", body.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_grow_old_are_fetched_behind_the_callers_back() {
    let host = Host::default();
    host.publish(&[("one", EC_PRIVATE)]);
    let verifier = verifier(&host, Pace { refresh: Duration::ZERO, ..EAGER }).await;
    assert!(verifier.verify(&by(Some("one"), EC_PRIVATE), NOW).await.is_ok());
    host.publish(&[("one", OTHER_EC_PRIVATE)]);
    let replaced = async {
        while verifier.verify(&by(Some("one"), OTHER_EC_PRIVATE), NOW).await.is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), replaced).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_never_answered_is_our_trouble_not_the_callers() {
    let host = Host::default();
    host.answer(StatusCode::INTERNAL_SERVER_ERROR, "");
    let verifier = verifier(&host, EAGER).await;
    assert_eq!(verifier.verify(&by(Some("one"), EC_PRIVATE), NOW).await, Err(TokenRefused::KeysUnavailable));
    host.publish(&[("one", EC_PRIVATE)]);
    assert!(verifier.verify(&by(Some("one"), EC_PRIVATE), NOW).await.is_ok());
}
