//! Which Redis: the URL of the configuration.

use redis::Client;

use crate::live::LiveError;

/// Schemes that are part of the configuration's contract and not spoken yet.
const LATER: [&str; 4] = ["redis-cluster", "rediss-cluster", "redis-sentinel", "rediss-sentinel"];

/// A client of the one node the URL names; no connection is made.
pub(super) fn client(url: &str) -> Result<Client, LiveError> {
    let (scheme, _) = url.split_once("://").unwrap_or_default();
    match scheme {
        "redis" | "rediss" => {}
        later if LATER.contains(&later) => return Err(LiveError::NotSupported { scheme: later.to_owned() }),
        _ => return Err(LiveError::Url { reason: "it must begin with redis:// or rediss://".to_owned() }),
    }
    // Only the kind of the fault is shown: the URL may hold a password.
    Client::open(url).map_err(|error| LiveError::Url { reason: format!("it is malformed ({})", error.category()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_node_is_spoken() {
        for url in ["redis://127.0.0.1", "redis://user:secret@localhost:6380/3", "rediss://cache.example:6379"] {
            assert!(client(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_is_not_spoken_yet_says_so() {
        for url in ["redis-cluster://a:1,b:2", "redis-sentinel://a:1,b:2/main"] {
            let refused = client(url).unwrap_err();
            assert_eq!(refused.code(), "REDIS_URL_NOT_SUPPORTED");
            assert!(refused.to_string().contains("not supported yet"), "{refused}");
        }
    }

    #[test]
    fn a_refusal_never_repeats_the_password() {
        for url in [
            "http://me:secret@localhost",
            "localhost:6379",
            "",
            "redis://me:secret@localhost:port",
            "redis://me:secret@h/x",
        ] {
            let refused = client(url).unwrap_err();
            assert_eq!(refused.code(), "REDIS_URL_INVALID", "{url}");
            assert!(!refused.to_string().contains("secret"), "{refused}");
        }
    }
}
