//! Who is at the other end of a line: the client's own address past the proxies in front of us, and what its browser
//! remembers.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::header::COOKIE;
use axum::http::{Extensions, HeaderMap, HeaderName};
use cookie::Cookie;
use ipnet::IpNet;

use crate::domain::visitor::Visitor;

/// The cookie that remembers clicks.
pub(super) const CLICKS_COOKIE: &str = "referral_code";

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who sent a request.
///
/// Proxies are believed only as far as they are trusted. A cookie that another site made the browser send is left out:
/// `SameSite=Lax` lets it come along when a page of another site leads here.
pub(super) fn visitor(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> Visitor {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip());
    let foreign = headers.get(FETCH_SITE).is_some_and(|site| site == "cross-site");
    let cookie = if foreign { None } else { clicks_cookie(headers) };
    Visitor { address: peer.map(|peer| client_address(peer, headers, trusted)), cookie }
}

/// The value of the cookie `referral_code`; of several the first.
pub(super) fn clicks_cookie(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find(|cookie| cookie.name() == CLICKS_COOKIE).map(|cookie| cookie.value().to_owned())
}

/// The client's address: walks `X-Forwarded-For` from the right for as long as whoever added the entry is trusted.
///
/// What stands further to the left anybody may have written. Entries that are no addresses are passed over.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let lines: Vec<&str> = headers.get_all(FORWARDED_FOR).into_iter().filter_map(|line| line.to_str().ok()).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).filter_map(|hop| address(hop.trim()));
    let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
    let mut client = peer.to_canonical();
    while is_trusted(client) {
        match hops.next() {
            Some(hop) => client = hop.to_canonical(),
            None => break,
        }
    }
    client
}

/// An address, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&'static str]) -> String {
        let trusted: Vec<IpNet> = ["10.0.0.0/8", "2001:db8::/32"].iter().map(|net| net.parse().unwrap()).collect();
        let lines = forwarded.iter().map(|line| (FORWARDED_FOR, HeaderValue::from_static(line)));
        client_address(peer.parse().unwrap(), &lines.collect(), &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        for (peer, forwarded, expected) in [
            ("203.0.113.1", vec![], "203.0.113.1"),
            ("203.0.113.1", vec!["192.0.2.1"], "203.0.113.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            ("10.0.0.1", vec!["192.0.2.1"], "192.0.2.1"),
            ("::ffff:10.0.0.1", vec!["192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", vec!["1.1.1.1, 192.0.2.1"], "192.0.2.1"),
            ("10.0.0.1", vec!["1.1.1.1, 192.0.2.1, 10.9.9.9"], "192.0.2.1"),
            ("10.0.0.1", vec!["1.1.1.1", "192.0.2.1", "10.9.9.9"], "192.0.2.1"),
            ("10.0.0.1", vec!["192.0.2.1, unknown, , 10.9.9.9"], "192.0.2.1"),
            ("10.0.0.1", vec!["192.0.2.1:4711"], "192.0.2.1"),
            ("10.0.0.1", vec!["[2001:db9::1]:4711"], "2001:db9::1"),
            ("10.0.0.1", vec!["2001:db9::1, 2001:db8::5"], "2001:db9::1"),
            ("10.0.0.1", vec!["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            ("10.0.0.1", vec!["garbage"], "10.0.0.1"),
        ] {
            assert_eq!(client(peer, &forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_cookie_counts_unless_another_site_sent_it() {
        let headers = |site: &'static str| {
            let cookie = HeaderValue::from_static("a=1; referral_code=x.y; b=2");
            HeaderMap::from_iter([(COOKIE, cookie), (FETCH_SITE, HeaderValue::from_static(site))])
        };
        for (site, expected) in [("same-origin", Some("x.y")), ("same-site", Some("x.y")), ("cross-site", None)] {
            let visitor = visitor(&Extensions::new(), &headers(site), &[]);
            assert_eq!(visitor.cookie.as_deref(), expected, "{site}");
        }
    }
}
