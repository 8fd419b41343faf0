//! Which web pages may open a WebSocket: browsers do not ask first, they only say where the page is from.

use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};

use crate::http::cors::Origin;

/// Says whether the origin is the server's own, or listed; no origin at all means that it is not a browser.
pub(super) fn is_allowed(headers: &HeaderMap, listed: &[Origin]) -> bool {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (origin, None) = (origins.next(), origins.next()) else { return false };
    let Some(origin) = origin else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    listed.iter().any(|one| one.as_bytes() == origin.as_bytes()) || is_same_host(origin, headers)
}

fn is_same_host(origin: &str, headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| !host.is_empty());
    let from = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    matches!((from, host), (Some(from), Some(host)) if from.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(origin: &'static str, listed: &[&str]) -> bool {
        let headers = [(HOST, "banyan.example:8080"), (ORIGIN, origin)];
        let headers = headers.into_iter().map(|(name, value)| (name, value.parse().unwrap())).collect();
        is_allowed(&headers, &listed.iter().map(|one| one.parse().unwrap()).collect::<Vec<_>>())
    }

    #[test]
    fn who_is_no_browser_is_let_in() {
        assert!(is_allowed(&HeaderMap::new(), &[]));
    }

    #[test]
    fn our_own_pages_are_let_in() {
        assert!(allowed("http://banyan.example:8080", &[]));
        assert!(allowed("https://Banyan.Example:8080", &[]));
    }

    #[test]
    fn other_pages_only_when_listed() {
        let listed = ["https://app.example"];
        assert!(allowed("https://app.example", &listed));
        for other in ["http://app.example", "https://app.example.evil.example", "null", "", "banyan.example:8080"] {
            assert!(!allowed(other, &listed), "{other}");
        }
        assert!(!allowed("http://banyan.example", &[]), "another port is another origin");
    }

    #[test]
    fn two_origins_are_none_we_know() {
        let mut headers = HeaderMap::from_iter([(HOST, "a".parse().unwrap())]);
        headers.append(ORIGIN, "http://a".parse().unwrap());
        headers.append(ORIGIN, "http://b".parse().unwrap());
        assert!(!is_allowed(&headers, &[]));
    }
}
