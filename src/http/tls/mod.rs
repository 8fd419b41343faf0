//! TLS at the door: the certificate that clients are shown, and how it is renewed while the server runs.

use std::io;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

mod certificate;

pub use certificate::{CertificateFiles, Fault, TlsError};

use certificate::{Texts, certified};

/// What is spoken inside, what we like best first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];
/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// Most that is read of what somebody says who should have begun TLS.
const PLAIN_BYTES: usize = 16 * 1024;
/// What they are told, not encrypted.
const SAY_HTTPS: &str = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\ncontent-length: 45\r\nconnection: close\r\n\r\n\
    This port speaks TLS: the scheme is https://\n";

/// What came of a look at the files.
#[derive(Debug)]
pub enum Renewal {
    /// They are as they were.
    Unchanged,
    /// New connections are shown another certificate.
    Renewed,
    /// They changed and are not sound, so the certificate stays. They are looked at again once they change again.
    Kept(TlsError),
}

/// TLS with a certificate, which may be exchanged while connections come in.
pub struct Tls {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
    seen: Mutex<Seen>,
}

/// The certificate that new connections are shown.
#[derive(Debug)]
struct Shown(RwLock<Arc<CertifiedKey>>);

/// What the files were when they were last looked at.
#[derive(PartialEq, Eq)]
enum Seen {
    /// The hash of both.
    Hash([u8; 32]),
    /// Why they could not be read, as it was told.
    Fault(String),
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// Which of them is at fault, and why.
    pub fn open(files: CertificateFiles) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let texts = Texts::read(&files)?;
        let shown = Arc::new(Shown(RwLock::new(Arc::new(certified(&files, &texts, &provider)?))));
        let config = ServerConfig::builder_with_provider(provider.clone());
        let config = config.with_safe_default_protocol_versions().map_err(TlsError::Setup)?;
        let mut config = config.with_no_client_auth().with_cert_resolver(shown.clone());
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        let seen = Mutex::new(Seen::Hash(texts.hash()));
        Ok(Self { files, provider, shown, acceptor: TlsAcceptor::from(Arc::new(config)), seen })
    }

    /// Looks at the files once. Blocks for as long as they take to be read.
    pub fn renew(&self) -> Renewal {
        let read = Texts::read(&self.files);
        let now = match &read {
            Ok(texts) => Seen::Hash(texts.hash()),
            Err(error) => Seen::Fault(error.to_string()),
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if *seen == now {
            return Renewal::Unchanged;
        }
        *seen = now;
        match read.and_then(|texts| certified(&self.files, &texts, &self.provider)) {
            Ok(certified) => {
                *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(certified);
                Renewal::Renewed
            }
            Err(error) => Renewal::Kept(error),
        }
    }

    /// Looks at the files every half a minute, and at once on a SIGHUP, for as long as it is polled.
    ///
    /// Looking is for those who renew certificates without a word, as volumes of Kubernetes do; their content is compared,
    /// since such files are links whose times say nothing. The signal is heard from this call on.
    pub fn keep_renewed(self: Arc<Self>) -> impl Future<Output = ()> + Send + use<> {
        let mut hangups =
            signal(SignalKind::hangup()).inspect_err(|error| tracing::warn!(%error, "SIGHUP cannot be heard")).ok();
        async move {
            loop {
                tokio::select! {
                    () = sleep(LOOK_EVERY) => {}
                    () = heard(&mut hangups) => {}
                }
                let tls = self.clone();
                match tokio::task::spawn_blocking(move || tls.renew()).await {
                    Ok(Renewal::Renewed) => tracing::info!("the certificate was renewed"),
                    Ok(Renewal::Kept(error)) => tracing::error!(%error, "the certificate stays as it is"),
                    Ok(Renewal::Unchanged) => {}
                    Err(error) => tracing::error!(%error, "the certificate could not be looked at"),
                }
            }
        }
    }

    /// Begins TLS on a connection.
    pub(super) async fn shake_hands<T>(&self, stream: T) -> io::Result<TlsStream<T>>
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.read().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

/// Shows no key.
impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

async fn heard(hangups: &mut Option<Signal>) {
    if let Some(signal) = hangups
        && signal.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}

/// Whether somebody begins with a method of HTTP; TLS begins with the number 22.
pub(super) async fn speaks_plainly(stream: &TcpStream) -> io::Result<bool> {
    let mut first = [0];
    Ok(stream.peek(&mut first).await? == 1 && first[0].is_ascii_uppercase())
}

/// Tells somebody who speaks HTTP what is wrong, which a connection that just ends does not.
pub(super) async fn say_https(mut stream: TcpStream) -> io::Error {
    // What stays unread would reset the connection, and with it lose what we say.
    let _whatever_it_was = stream.try_read(&mut vec![0; PLAIN_BYTES]);
    match stream.write_all(SAY_HTTPS.as_bytes()).await {
        Ok(()) => io::Error::new(io::ErrorKind::InvalidData, "plain HTTP where TLS is spoken"),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_what_is_said_is_right() {
        let (head, body) = SAY_HTTPS.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{}", body.len());
    }
}
