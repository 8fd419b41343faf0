//! Which pages of other sites may use `/graphql`, and what their browsers are told: CORS.
//!
//! Source: the fetch standard, section 3.2 (<https://fetch.spec.whatwg.org/#http-cors-protocol>).

use std::str::FromStr;
use std::time::Duration;

use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};
use url::Url;

use super::rate_limit::{POLICY, STANDING};

/// How long a browser may remember what it was told before it asks again.
const MAX_AGE: Duration = Duration::from_secs(60 * 60);

/// Schemes of addresses from which no page comes, or only pages that share one origin.
const NO_PAGES: [&str; 4] = ["ws", "wss", "ftp", "file"];

/// Where a page is from, to the letter as its browser says it: `https://app.example`, `http://localhost:3000`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// A text is no origin, or not written as browsers write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an origin")]
pub struct NotAnOrigin;

impl Origin {
    /// Its bytes, as they stand in a header.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl FromStr for Origin {
    type Err = NotAnOrigin;

    /// Takes a scheme, a host and a port that is not the usual one, and nothing else.
    ///
    /// What would only be similar to what browsers send would never be found, and nobody would know why. Apps of a phone
    /// have schemes of their own (`capacitor://localhost`).
    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let url = Url::parse(text).map_err(|_| NotAnOrigin)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(NotAnOrigin)?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        let written = format!("{}://{host}{port}", url.scheme());
        if written != text || NO_PAGES.contains(&url.scheme()) {
            return Err(NotAnOrigin);
        }
        HeaderValue::try_from(written).map(Self).map_err(|_| NotAnOrigin)
    }
}

/// What browsers are told about pages of these origins.
///
/// Cookies may come along, for the one that there is: the click of a member on the same site. It opens nothing; who
/// somebody is says the header alone.
pub(super) fn cors(origins: &[Origin]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().map(|origin| origin.0.clone())))
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::OPTIONS])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, ACCEPT])
        .expose_headers([POLICY, STANDING, RETRY_AFTER])
        .max_age(MAX_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_taken_as_browsers_write_it() {
        for text in [
            "https://app.example",
            "http://localhost:3000",
            "http://127.0.0.1:5173",
            "http://[::1]:8080",
            "https://xn--bcher-kva.example",
            "capacitor://localhost",
        ] {
            assert_eq!(text.parse::<Origin>().unwrap().as_bytes(), text.as_bytes());
        }
    }

    #[test]
    fn what_no_browser_would_send_is_refused() {
        for text in [
            "",
            "*",
            "null",
            "app.example",
            "//app.example",
            "https://",
            "https://*.app.example/",
            "https://app.example/",
            "https://app.example/shop",
            "https://app.example?a",
            "https://app.example#a",
            "https://ann@app.example",
            "https://app.example:443",
            "http://app.example:80",
            "https://App.example",
            "HTTPS://app.example",
            "https://bücher.example",
            "https://app.example,https://other.example",
            "https://app.example\r\nx: y",
            " https://app.example",
            "localhost:3000",
            "wss://app.example",
            "file:///index.html",
            "file://host",
            "capacitor://localhost/",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(NotAnOrigin), "{text}");
        }
    }
}
