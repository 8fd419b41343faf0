//! The same doors behind TLS: who gets in, who does not, and which certificate they are shown.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{Request, Response, Version};
use banyan::http::tls::Renewal;
use banyan::http::{ServerLimits, Tls};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use crate::certificates::{Certificates, Pair, pem, shake_hands};
use crate::client::{LONG, read_to_end};
use crate::house::{Running, eventually, open_behind};

/// A house behind TLS, and what belongs to it.
struct Encrypted {
    house: Running,
    tls: Arc<Tls>,
    certificates: Certificates,
    pair: Pair,
}

async fn encrypted(limits: impl FnOnce(&mut ServerLimits)) -> Encrypted {
    let pair = Pair::new();
    let certificates = Certificates::of(&pair);
    let tls = Arc::new(Tls::open(certificates.files()).unwrap());
    let house = open_behind(Some(tls.clone()), |_| {}, limits).await;
    Encrypted { house, tls, certificates, pair }
}

impl Encrypted {
    async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        shake_hands(self.house.address, &self.pair.known, protocols).await.unwrap()
    }

    async fn answers(&self) {
        assert_eq!(ask_http1(self.connect(&["http/1.1"]).await).await, hello(Version::HTTP_11));
    }
}

fn hello(version: Version) -> (Version, Value) {
    (version, json!({"data": {"hello": "hello"}}))
}

fn request(uri: &str) -> Request<Full<Bytes>> {
    let body = Full::from(json!({"query": "{ hello }"}).to_string());
    let request = Request::post(uri).header("content-type", "application/json");
    request.header("host", "localhost").body(body).unwrap()
}

async fn ask_http1(stream: TlsStream<TcpStream>) -> (Version, Value) {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    read(timeout(LONG, sender.send_request(request("/graphql"))).await.unwrap().unwrap()).await
}

async fn ask_http2(stream: TlsStream<TcpStream>) -> (Version, Value) {
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    read(timeout(LONG, sender.send_request(request("https://localhost/graphql"))).await.unwrap().unwrap()).await
}

async fn read(response: Response<Incoming>) -> (Version, Value) {
    let (parts, body) = response.into_parts();
    let bytes = timeout(LONG, body.collect()).await.unwrap().unwrap().to_bytes();
    (parts.version, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_of_http_are_agreed_upon_and_spoken() {
    let encrypted = encrypted(|_| {}).await;
    for (offered, agreed) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1", "h2"], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = encrypted.connect(offered).await;
        let spoken = stream.get_ref().1.alpn_protocol().map(|name| String::from_utf8(name.to_vec()).unwrap());
        assert_eq!(spoken.as_deref(), agreed);
        match agreed {
            Some("h2") => assert_eq!(ask_http2(stream).await, hello(Version::HTTP_2)),
            _ => assert_eq!(ask_http1(stream).await, hello(Version::HTTP_11)),
        }
    }
    let other = shake_hands(encrypted.house.address, &encrypted.pair.known, &["spdy/3"]).await;
    assert!(other.is_err(), "agreed upon a protocol that is not spoken");
    encrypted.answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_works_behind_tls() {
    let encrypted = encrypted(|_| {}).await;
    let mut request = "wss://localhost/graphql".into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse().unwrap());
    let stream = encrypted.connect(&["http/1.1"]).await;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    use futures_util::{SinkExt, StreamExt};
    socket.send(Message::text(json!({"type": "connection_init"}).to_string())).await.unwrap();
    let heard = timeout(LONG, socket.next()).await.unwrap().unwrap().unwrap();
    assert_eq!(heard.into_text().unwrap().as_str(), r#"{"type":"connection_ack"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_encrypt_is_told_and_let_go() {
    let encrypted = encrypted(|_| {}).await;
    let mut plain = encrypted.house.raw(b"GET /graphql?query=%7Bhello%7D HTTP/1.1\r\nhost: x\r\n\r\n").await;
    let answer = read_to_end(&mut plain).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("https://"), "{answer}");
    assert!(!answer.contains("hello"), "{answer}");
    // Anything else that is not TLS ends in an alert, or at once.
    for noise in [&b"\x00\x01\x02\x03\x04\x05\x06\x07"[..], b"\x16\x03\x01\xff\xff garbage", b"\x80\x2e\x01\x00\x02"] {
        let mut noisy = encrypted.house.raw(noise).await;
        tokio::io::AsyncWriteExt::shutdown(&mut noisy).await.unwrap();
        assert!(!read_to_end(&mut noisy).await.contains("HTTP"));
    }
    eventually("all are gone", || encrypted.house.shutdown.held() == 0).await;
    encrypted.answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_never_finishes_a_handshake_is_let_go_and_holds_up_nobody() {
    let encrypted = encrypted(|limits| limits.head = Duration::from_millis(700)).await;
    let begun = Instant::now();
    let mut slow = Vec::new();
    for beginning in [&b""[..], b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b""] {
        slow.push(encrypted.house.raw(beginning).await);
    }
    eventually("all are there", || encrypted.house.shutdown.held() == 4).await;
    encrypted.answers().await;
    for stream in &mut slow {
        assert_eq!(read_to_end(stream).await, "");
    }
    assert!(begun.elapsed() >= Duration::from_millis(650), "closed before the limit");
    eventually("all are gone", || encrypted.house.shutdown.held() == 0).await;
    // Hands are shaken, and then nothing is said.
    let silent = encrypted.connect(&[]).await;
    eventually("it is gone as well", || encrypted.house.shutdown.held() == 0).await;
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_counts_before_hands_are_shaken() {
    let encrypted = encrypted(|limits| limits.connections_per_address = 2).await;
    let _first = encrypted.house.raw(b"").await;
    let second = encrypted.house.raw(b"\x16\x03\x01").await;
    eventually("both are there", || encrypted.house.shutdown.held() == 2).await;
    let mut third = TcpStream::connect(encrypted.house.address).await.unwrap();
    assert_eq!(read_to_end(&mut third).await, "");
    drop(second);
    eventually("its place is free", || encrypted.house.shutdown.held() == 1).await;
    encrypted.answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_does_not_hold_up_the_end() {
    let encrypted = encrypted(|_| {}).await;
    let mut slow = encrypted.house.raw(b"\x16\x03\x01").await;
    eventually("it is there", || encrypted.house.shutdown.held() == 1).await;
    encrypted.house.shutdown.begin();
    assert_eq!(read_to_end(&mut slow).await, "");
    timeout(Duration::from_secs(5), encrypted.house.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_renewed_while_the_house_is_open_and_a_bad_one_is_not_taken() {
    let mut encrypted = encrypted(|_| {}).await;
    let old = encrypted.connect(&["http/1.1"]).await;
    assert!(matches!(encrypted.tls.renew(), Renewal::Unchanged));
    let next = Pair::new();
    // Between the two files somebody looks.
    encrypted.certificates.write_certificate(&next.certificate);
    let Renewal::Kept(error) = encrypted.tls.renew() else { panic!("took a certificate without its key") };
    assert!(error.to_string().contains("not the key of the certificate"), "{error}");
    assert!(matches!(encrypted.tls.renew(), Renewal::Unchanged), "told once");
    encrypted.answers().await;

    encrypted.certificates.write_key(&next.key);
    assert!(matches!(encrypted.tls.renew(), Renewal::Renewed));
    assert!(shake_hands(encrypted.house.address, &encrypted.pair.known, &[]).await.is_err(), "the old one is shown");
    encrypted.pair = next;
    encrypted.answers().await;
    assert_eq!(ask_http1(old).await, hello(Version::HTTP_11), "who is in stays in");

    encrypted.certificates.write_certificate("-----BEGIN CERTIFICATE-----\nnot one");
    assert!(matches!(encrypted.tls.renew(), Renewal::Kept(_)));
    std::fs::remove_file(encrypted.certificates.files().certificate).unwrap();
    let Renewal::Kept(error) = encrypted.tls.renew() else { panic!("took a file that is not there") };
    assert!(error.to_string().starts_with("TLS_CERT: ") && error.to_string().contains("cannot be read"), "{error}");
    encrypted.answers().await;
    encrypted.certificates.write_certificate(&encrypted.pair.certificate);
    assert!(matches!(encrypted.tls.renew(), Renewal::Renewed));
    encrypted.answers().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sighup_renews_the_certificate() {
    let mut encrypted = encrypted(|_| {}).await;
    // From here on the signal does not end the process any more.
    tokio::spawn(encrypted.tls.clone().keep_renewed());
    let next = Pair::new();
    encrypted.certificates.write(&next);
    let told = std::process::Command::new("kill").args(["-HUP", &std::process::id().to_string()]).status().unwrap();
    assert!(told.success());
    let begun = Instant::now();
    while shake_hands(encrypted.house.address, &next.known, &[]).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "never renewed");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    encrypted.pair = next;
    encrypted.answers().await;
}

#[test]
fn what_is_wrong_with_the_files_is_said_and_which() {
    let (pair, other) = (Pair::new(), Pair::new());
    let encrypted_key = pem("ENCRYPTED PRIVATE KEY", b"anything");
    let (bad_certificate, bad_key) = (pem("CERTIFICATE", b"anything"), pem("PRIVATE KEY", b"anything"));
    let cut = &pair.certificate[..pair.certificate.len() / 2];
    let large = "x".repeat(1024 * 1024 + 1);
    let (certificate, key) = (pair.certificate.as_str(), pair.key.as_str());
    for (certificate, key, variable, wrong) in [
        ("", key, "TLS_CERT", "there is no certificate in it"),
        (key, key, "TLS_CERT", "there is no certificate in it"),
        (cut, key, "TLS_CERT", "it is not sound PEM"),
        (bad_certificate.as_str(), key, "TLS_CERT", "its certificate cannot be used"),
        (large.as_str(), key, "TLS_CERT", "it is larger than 1048576 bytes"),
        (certificate, "", "TLS_KEY", "there is no private key in it"),
        (certificate, certificate, "TLS_KEY", "there is no private key in it"),
        (certificate, encrypted_key.as_str(), "TLS_KEY", "not encrypted"),
        (certificate, bad_key.as_str(), "TLS_KEY", "its key cannot be used"),
        (certificate, other.key.as_str(), "TLS_KEY", "it is not the key of the certificate in TLS_CERT"),
    ] {
        let certificates = Certificates::of(&pair);
        certificates.write_certificate(certificate);
        certificates.write_key(key);
        let files = certificates.files();
        let error = Tls::open(files.clone()).unwrap_err().to_string();
        let file = if variable == "TLS_CERT" { &files.certificate } else { &files.key };
        assert!(error.starts_with(&format!("{variable}: {}: ", file.display())), "{error}");
        assert!(error.contains(wrong), "{wrong}: {error}");
    }
    let certificates = Certificates::of(&pair);
    std::fs::remove_file(certificates.files().key).unwrap();
    let error = Tls::open(certificates.files()).unwrap_err().to_string();
    assert!(error.starts_with("TLS_KEY: ") && error.contains("it cannot be read: No such file"), "{error}");
    // One file may hold both, as some tools write it.
    let both = format!("{}{}", pair.key, pair.certificate);
    let certificates = Certificates::of(&pair);
    certificates.write_certificate(&both);
    certificates.write_key(&both);
    Tls::open(certificates.files()).unwrap();
}
