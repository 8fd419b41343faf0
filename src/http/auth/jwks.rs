//! The keys that the host publishes, fetched when needed.
//!
//! The format is that of [RFC 7517, 5](https://www.rfc-editor.org/rfc/rfc7517#section-5).

use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::Uri;
use jsonwebtoken::Algorithm;
use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::spawn_blocking;
use ureq::Agent;

use super::key::Key;
use super::settings::SettingsError;

/// The largest answer that is read, in bytes.
const MAX_BODY_BYTES: u64 = 256 * 1024;
/// Keys of an answer that are looked at.
const MAX_KEYS: usize = 64;
/// Keys that one token is tried with.
const MAX_TRIED: usize = 4;
/// How long a fetch may take, connecting and reading included.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// How often keys are fetched.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Keys older than that are fetched again, while the old ones go on being used.
    pub refresh: Duration,
    /// A token of an unknown key makes them be fetched at most that often: anybody can invent a `kid`.
    pub unknown_key: Duration,
    /// As `unknown_key`, while nothing was ever fetched.
    pub first: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            refresh: Duration::from_secs(5 * 60),
            unknown_key: Duration::from_secs(30),
            first: Duration::from_secs(2),
        }
    }
}

/// No keys were fetched so far, and just now they could not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KeysUnavailable;

/// A published set of keys. Clones share it.
#[derive(Clone)]
pub(super) struct KeySet {
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    agent: Agent,
    pace: Pace,
    known: StdMutex<Known>,
    /// Held by whoever fetches; others wait for it rather than ask twice.
    turn: Arc<Mutex<()>>,
}

/// What is known of the set. Keys are replaced by a fetch that succeeds and by nothing else.
#[derive(Clone, Default)]
struct Known {
    keys: Arc<[Key]>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

#[derive(Debug, thiserror::Error)]
enum FetchFailed {
    #[error(transparent)]
    Http(#[from] ureq::Error),
    #[error("answered with status {0}")]
    Status(u16),
    #[error("answered something else than a key set: {0}")]
    Json(#[from] serde_json::Error),
    #[error("lists no key that can be used")]
    NoKeys,
}

#[derive(Deserialize)]
struct Published {
    keys: Vec<Value>,
}

impl KeySet {
    /// The set published at a URL; nothing is fetched yet.
    pub(super) fn new(url: &str, pace: Pace) -> Result<Self, SettingsError> {
        let config = Agent::config_builder().timeout_global(Some(FETCH_TIMEOUT)).max_redirects(0);
        let agent = match reach(url).ok_or(SettingsError::JwksUrl)? {
            Reach::Network => config.https_only(true).build(),
            // A proxy named in the environment leads away from this machine.
            Reach::ThisMachine => config.proxy(None).build(),
        };
        let known = StdMutex::new(Known::default());
        let shared = Shared { url: url.to_owned(), agent: agent.into(), pace, known, turn: Arc::default() };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Whether a key of such a set can be good for an algorithm: only public keys are published.
    pub(super) fn may_hold(algorithm: Algorithm) -> bool {
        matches!(algorithm, Algorithm::RS256 | Algorithm::PS256 | Algorithm::ES256 | Algorithm::EdDSA)
    }

    /// The keys of that id (all, without one) that are good for an algorithm, at most four.
    ///
    /// Fetches the set if it was not yet, or if it holds no such key and was not asked for lately.
    pub(super) async fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Result<Vec<Key>, KeysUnavailable> {
        let known = self.shared.known();
        let found = known.find(id, algorithm);
        if !found.is_empty() {
            self.refresh_if_old(&known);
            return Ok(found);
        }
        let turn = Arc::clone(&self.shared.turn).lock_owned().await;
        if self.shared.known().may_be_fetched(&self.shared.pace) {
            self.fetch(turn).await;
        }
        let known = self.shared.known();
        if known.fetched.is_none() { Err(KeysUnavailable) } else { Ok(known.find(id, algorithm)) }
    }

    /// Starts a fetch that nobody waits for, unless one is under way.
    fn refresh_if_old(&self, known: &Known) {
        let pace = &self.shared.pace;
        let is_old = known.fetched.is_none_or(|at| at.elapsed() >= pace.refresh);
        if is_old
            && known.may_be_fetched(pace)
            && let Ok(turn) = Arc::clone(&self.shared.turn).try_lock_owned()
        {
            drop(self.fetch(turn));
        }
    }

    /// Fetches the set on a thread of its own, which goes on when the caller does not wait for it.
    fn fetch(&self, turn: OwnedMutexGuard<()>) -> impl Future<Output = ()> + use<> {
        let shared = Arc::clone(&self.shared);
        let fetching = spawn_blocking(move || {
            shared.learn();
            drop(turn);
        });
        async move {
            if fetching.await.is_err() {
                tracing::warn!("fetching the published token keys was cut off");
            }
        }
    }
}

impl Shared {
    fn known(&self) -> Known {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self) {
        let answer = self.ask();
        let now = Some(Instant::now());
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.tried = now;
        match answer {
            Ok(keys) => {
                known.keys = keys.into();
                known.fetched = now;
            }
            Err(error) => tracing::warn!(%error, "the published token keys could not be fetched"),
        }
    }

    fn ask(&self) -> Result<Vec<Key>, FetchFailed> {
        let mut answer = self.agent.get(&self.url).header("accept", "application/json").call()?;
        if answer.status() != 200 {
            return Err(FetchFailed::Status(answer.status().as_u16()));
        }
        let body = answer.body_mut().with_config().limit(MAX_BODY_BYTES).read_to_vec()?;
        let published: Published = serde_json::from_slice(&body)?;
        let readable = published.keys.into_iter().take(MAX_KEYS).filter_map(|key| serde_json::from_value(key).ok());
        let keys: Vec<Key> = readable.filter_map(|jwk: Jwk| Key::from_jwk(&jwk)).collect();
        if keys.is_empty() { Err(FetchFailed::NoKeys) } else { Ok(keys) }
    }
}

impl Known {
    fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Vec<Key> {
        let fits =
            |key: &&Key| key.algorithms.contains(&algorithm) && id.is_none_or(|id| key.id.as_deref() == Some(id));
        self.keys.iter().filter(fits).take(MAX_TRIED).cloned().collect()
    }

    fn may_be_fetched(&self, pace: &Pace) -> bool {
        let apart = if self.fetched.is_some() { pace.unknown_key } else { pace.first };
        self.tried.is_none_or(|at| at.elapsed() >= apart)
    }
}

enum Reach {
    Network,
    ThisMachine,
}

/// Where a URL leads; none if it is not to be followed.
fn reach(url: &str) -> Option<Reach> {
    let uri: Uri = url.parse().ok()?;
    if uri.authority()?.as_str().contains('@') {
        return None;
    }
    let host = uri.host()?.trim_matches(['[', ']']);
    let is_this_machine = host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
    match (uri.scheme_str()?, is_this_machine) {
        ("https" | "http", true) => Some(Reach::ThisMachine),
        ("https", false) => Some(Reach::Network),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_that_nobody_can_tamper_with_are_accepted() {
        for url in [
            "https://keys.example/jwks",
            "http://127.0.0.1:9/x",
            "http://localhost/x",
            "http://[::1]:80/x",
            "https://10.0.0.1/x",
        ] {
            assert!(KeySet::new(url, Pace::default()).is_ok(), "{url}");
        }
        for url in [
            "http://keys.example/jwks",
            "http://10.0.0.1/x",
            "http://127.0.0.1.example/x",
            "http://localhost@evil.example/x",
            "https://user:hush@keys.example/x",
            "ftp://localhost/x",
            "file:///etc/passwd",
            "/jwks",
            "keys.example",
            "",
        ] {
            assert!(matches!(KeySet::new(url, Pace::default()), Err(SettingsError::JwksUrl)), "{url}");
        }
    }
}
