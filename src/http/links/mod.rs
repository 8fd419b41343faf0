//! `/r/{code}`: a referral link, and its QR code.

mod purpose;
mod qr;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE,
    USER_AGENT, VARY, X_FRAME_OPTIONS,
};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use cookie::{Cookie, SameSite};
use ipnet::IpNet;
use url::form_urlencoded;

use self::purpose::Reason;
use super::visitor::{CLICKS_COOKIE, clicks_cookie, visitor};
use crate::domain::code::{CodeKey, INPUT_MAX_LEN};
use crate::domain::landing::CAMPAIGN;
use crate::engine::clicks::{self, Busy, Clicks, Visit, Way};

/// Longest value of a campaign's parameter that is kept, in characters, and longest name of a browser.
const VALUE_MAX_CHARS: usize = 200;
const BROWSER_MAX_CHARS: usize = 512;
/// Most parameters of a link that are looked at.
const PARAMETERS_MAX: usize = 50;
/// When to come again, in seconds, if clicks cannot be recorded now.
const RETRY_SECONDS: &str = "1";
/// How long one day is, in seconds.
const DAY_SECONDS: i64 = 86_400;

/// A link leads on, and is to be followed anew each time. Nobody may lay it under a page of theirs.
const HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (X_FRAME_OPTIONS, "DENY"),
    (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (HeaderName::from_static("x-robots-tag"), "noindex, nofollow"),
];

/// What the links need from the house.
#[derive(Clone)]
pub struct LinkDoor {
    /// Where clicks are recorded.
    pub clicks: Clicks,
    /// Base of the links, without a slash at the end; with `https` the cookie is sent over encrypted lines only.
    pub public_url: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// The routes of links. Everybody may follow them.
pub fn router(door: LinkDoor) -> Router {
    Router::new().route("/r/{code}", get(follow)).route("/r/{code}/qr.svg", get(qr_code)).with_state(door)
}

async fn follow(
    State(door): State<LinkDoor>,
    method: Method,
    code: Result<Path<String>, axum::extract::rejection::PathRejection>,
    RawQuery(query): RawQuery,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let Some(purpose) = purpose::of(&method, &headers) else { return not_now(Reason::Prefetch) };
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let (campaign, page) = parameters(query.as_deref().unwrap_or_default());
    let visit = Visit {
        code: code.map(|Path(code)| code).unwrap_or_default(),
        purpose,
        address: visitor(&extensions, &headers, &door.trusted_proxies).address,
        user_agent: text(USER_AGENT).map(|name| name.chars().take(BROWSER_MAX_CHARS).collect()),
        campaign,
        page,
        // Whichever site led here: following links of others is what a link is for.
        cookie: clicks_cookie(&headers),
    };
    match door.clicks.follow(visit).await {
        Ok(way) => go_on(way, door.public_url.starts_with("https://")),
        Err(Busy) => not_now(Reason::Busy),
    }
}

/// What is kept of a link's own parameters: those of a campaign, and the page that it names.
fn parameters(query: &str) -> (Vec<(&'static str, String)>, Option<String>) {
    let (mut campaign, mut page): (Vec<(&'static str, String)>, _) = (Vec::new(), None);
    for (name, value) in form_urlencoded::parse(query.as_bytes()).take(PARAMETERS_MAX) {
        let of_campaign = CAMPAIGN.iter().find(|known| **known == name);
        match of_campaign {
            Some(known) if campaign.iter().all(|(name, _)| name != known) => {
                let value: String = value.chars().filter(|symbol| !symbol.is_control()).take(VALUE_MAX_CHARS).collect();
                campaign.push((*known, value));
            }
            None if name == "to" => page = page.or_else(|| Some(value.into_owned())),
            Some(_) | None => {}
        }
    }
    (campaign, page)
}

fn go_on(way: Way, is_encrypted: bool) -> Response {
    let Ok(location) = HeaderValue::from_str(&way.page) else { return not_now(Reason::Busy) };
    let mut response = guarded(StatusCode::FOUND.into_response());
    response.headers_mut().insert(LOCATION, location);
    if let Some(Ok(cookie)) = way.cookie.map(|cookie| set_cookie(cookie, is_encrypted)) {
        response.headers_mut().insert(SET_COOKIE, cookie);
    }
    response
}

fn set_cookie(
    clicks::Cookie { value, days }: clicks::Cookie,
    is_encrypted: bool,
) -> Result<HeaderValue, axum::http::header::InvalidHeaderValue> {
    let cookie = Cookie::build((CLICKS_COOKIE, value)).path("/").http_only(true).same_site(SameSite::Lax);
    let cookie = cookie.secure(is_encrypted).build();
    // Written by hand: the crate's `max_age` takes a type of another crate.
    HeaderValue::from_str(&format!("{cookie}; Max-Age={}", i64::from(days) * DAY_SECONDS))
}

/// A visit that is not to be taken now, and may be made again.
fn not_now(reason: Reason) -> Response {
    let mut response = guarded((StatusCode::SERVICE_UNAVAILABLE, reason.sentence()).into_response());
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    headers.insert(VARY, HeaderValue::from_static("sec-purpose, purpose, x-moz"));
    response
}

fn guarded(mut response: Response) -> Response {
    for (name, value) in HEADERS {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A picture of the link. Nothing is looked up, so it does not tell whether the code exists.
async fn qr_code(
    State(door): State<LinkDoor>,
    code: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Response {
    let drawn = code.ok().filter(|Path(code)| is_code(code)).and_then(|Path(code)| {
        let link = format!("{}/r/{}", door.public_url, code.trim());
        qr::draw(&link)
    });
    let Some(svg) = drawn else { return guarded((StatusCode::NOT_FOUND, "No such code.\n").into_response()) };
    let headers = [
        (CONTENT_TYPE, "image/svg+xml"),
        (CACHE_CONTROL, "public, max-age=86400"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ];
    (headers, svg).into_response()
}

fn is_code(text: &str) -> bool {
    text.len() <= INPUT_MAX_LEN && CodeKey::fold(text).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_bounded_and_the_first_counts() {
        let long = "x".repeat(500);
        let (campaign, page) =
            parameters(&format!("utm_source=a&utm_source=b&x=1&to=https%3A%2F%2Fa&to=b&utm_term=%0Dc&utm_id={long}"));
        let text = |value: &str| value.to_owned();
        let expected = [("utm_source", text("a")), ("utm_term", text("c")), ("utm_id", "x".repeat(VALUE_MAX_CHARS))];
        assert_eq!((campaign.as_slice(), page.as_deref()), (expected.as_slice(), Some("https://a")));
    }
}
