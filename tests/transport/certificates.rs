//! Certificates that are made for a test, in files of their own, and clients who know one of them.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use banyan::http::CertificateFiles;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The files of a server.
pub struct Certificates {
    folder: TempDir,
}

/// A certificate with its key, in PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
    /// What clients have to know.
    pub known: CertificateDer<'static>,
}

impl Pair {
    /// A fresh one for `localhost`, signed by itself.
    pub fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let known = made.cert.der().clone();
        let key = pem("PRIVATE KEY", &made.signing_key.serialize_der());
        Self { certificate: pem("CERTIFICATE", &known), key, known }
    }
}

impl Certificates {
    /// Files with a pair in them.
    pub fn of(pair: &Pair) -> Self {
        let certificates = Self { folder: TempDir::with_prefix("banyan_tls").unwrap() };
        certificates.write(pair);
        certificates
    }

    pub fn files(&self) -> CertificateFiles {
        CertificateFiles { certificate: self.path("cert.pem"), key: self.path("key.pem") }
    }

    /// Puts another pair in place.
    pub fn write(&self, pair: &Pair) {
        self.write_certificate(&pair.certificate);
        self.write_key(&pair.key);
    }

    pub fn write_certificate(&self, text: &str) {
        fs::write(self.path("cert.pem"), text).unwrap();
    }

    pub fn write_key(&self, text: &str) {
        fs::write(self.path("key.pem"), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// DER as PEM.
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// Shakes hands as somebody who knows one certificate only and speaks these protocols.
pub async fn shake_hands(
    address: SocketAddr,
    known: &CertificateDer<'static>,
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(known.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let mut config = config.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(address).await?).await
}
