//! What a request for a link is for, told from what browsers say of it.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use axum::http::header::USER_AGENT;
use axum::http::{HeaderMap, Method};

use crate::engine::clicks::Purpose;

/// Signs of a visit ahead of time: what browsers of today send, and what those of yesterday did.
const AHEAD: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];
/// Where the answer goes; only a page that a person sees is a visit.
const DESTINATION: &str = "sec-fetch-dest";
const PAGE: &str = "document";
/// A maker of telephones whose name looks like a bot's, and browsers without a screen that name no bot.
const TELEPHONE: &str = "cubot";
const WITHOUT_SCREEN: &str = "headless";

/// Why a visit is not taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It is ahead of time.
    Prefetch,
    /// Clicks cannot be recorded.
    Busy,
}

impl Reason {
    pub(super) const fn sentence(self) -> &'static str {
        match self {
            Self::Prefetch => "This link is followed when somebody follows it.\n",
            Self::Busy => "Too busy right now; try again in a moment.\n",
        }
    }
}

/// What a request is for; nothing when it comes ahead of a visit that may never be made.
///
/// A browser that fetches ahead may show what it got without asking again, and then the click would be lost. Refused, it
/// asks again when the person really follows the link.
///
/// An image, a frame or a script with a link in it is somebody who wants to be paid for visits that nobody made.
pub(super) fn of(method: &Method, headers: &HeaderMap) -> Option<Purpose> {
    let says = |name: &str, word: &str| {
        let mut values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.any(|value| value.to_ascii_lowercase().contains(word))
    };
    if AHEAD.iter().any(|name| says(name, "prefetch") || says(name, "prerender") || says(name, "preview")) {
        return None;
    }
    let elsewhere = headers.get(DESTINATION).is_some_and(|destination| destination != PAGE);
    let looks = method == Method::HEAD || elsewhere || is_bot(headers);
    Some(if looks { Purpose::Look } else { Purpose::Follow })
}

/// Whether a request calls itself a bot's, or nothing that a person's browser would.
fn is_bot(headers: &HeaderMap) -> bool {
    let name = headers.get(USER_AGENT).and_then(|name| name.to_str().ok()).unwrap_or_default();
    let name = name.to_ascii_lowercase().replace(TELEPHONE, "");
    name.contains(WITHOUT_SCREEN) || iscrawl::is_crawler(&told_apart(&name))
}

/// A name with eight digits behind it that are its own.
///
/// `iscrawl` 1.2 remembers what it said by the place of a text in memory, its length, and its first and last eight bytes,
/// and says it again of any other text that has those in common. Names of the same digits are not to be had on purpose.
fn told_apart(name: &str) -> String {
    static KEYS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    format!("{name} {:08}", KEYS.hash_one(name) % 100_000_000)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";

    fn purpose(method: Method, headers: &[(&'static str, &'static str)]) -> Option<Purpose> {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        of(&method, &headers.iter().map(header).collect())
    }

    #[test]
    fn only_a_page_for_a_person_is_a_visit() {
        assert_eq!(purpose(Method::GET, &[("user-agent", FIREFOX)]), Some(Purpose::Follow));
        assert_eq!(purpose(Method::HEAD, &[("user-agent", FIREFOX)]), Some(Purpose::Look));
        for (destination, expected) in [
            ("document", Purpose::Follow),
            ("image", Purpose::Look),
            ("iframe", Purpose::Look),
            ("script", Purpose::Look),
            ("empty", Purpose::Look),
            ("style", Purpose::Look),
            ("frame", Purpose::Look),
        ] {
            let headers = [("user-agent", FIREFOX), ("sec-fetch-dest", destination)];
            assert_eq!(purpose(Method::GET, &headers), Some(expected), "{destination}");
        }
    }

    #[test]
    fn what_comes_ahead_is_no_visit() {
        for (name, value) in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("purpose", "prefetch"),
            ("x-moz", "prefetch"),
            ("purpose", "preview"),
        ] {
            let headers = [("user-agent", FIREFOX), (name, value)];
            assert_eq!(purpose(Method::GET, &headers), None, "{name}: {value}");
        }
    }

    #[test]
    fn bots_are_known_by_what_they_call_themselves() {
        for (name, expected) in [
            ("", Purpose::Look),
            ("curl/8.1", Purpose::Look),
            ("WhatsApp/2.23.20.0", Purpose::Look),
            ("facebookexternalhit/1.1", Purpose::Look),
            ("Twitterbot/1.0", Purpose::Look),
            ("Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", Purpose::Look),
            (
                "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Googlebot/2.1) Chrome/99 Safari/537.36",
                Purpose::Look,
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120 Safari/537.36",
                Purpose::Look,
            ),
            (FIREFOX, Purpose::Follow),
            (
                "Mozilla/5.0 (Linux; Android 8.1.0; CUBOT_X18) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/80.0 Mobile Safari/537.36",
                Purpose::Follow,
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/440.0]",
                Purpose::Follow,
            ),
        ] {
            assert_eq!(purpose(Method::GET, &[("user-agent", name)]), Some(expected), "{name}");
        }
    }

    #[test]
    fn names_that_differ_in_the_middle_only_are_told_apart() {
        const PERSON: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36";
        const BOT: &str = "Mozilla/5.0 (X11; Linux botbot) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36";
        assert_eq!(PERSON.len(), BOT.len());
        for round in 0..20 {
            for (name, expected) in [(BOT, Purpose::Look), (PERSON, Purpose::Follow), (PERSON, Purpose::Follow)] {
                assert_eq!(purpose(Method::GET, &[("user-agent", name)]), Some(expected), "{name} in round {round}");
            }
        }
    }
}
