//! The pages that people look at: GraphiQL, built from `web/` into the binary by `build.rs`.
//!
//! Nothing is read from disk and nothing comes from elsewhere, so that the pages work in a closed network and under a
//! policy that allows this server only. Names of assets carry a hash of their content and are cached for ever; the
//! pages themselves are asked for again each time, and answered with 304 while they are the same.
//!
//! Files are kept compressed, as nearly every client takes them. For the others they are unpacked while being sent.

use std::{convert::Infallible, io::Read};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::OriginalUri,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use flate2::read::GzDecoder;
use futures_util::stream;

/// The address of the GraphiQL page.
pub const GRAPHIQL: &str = "/graphiql";

/// What a page may load and reach: this server, and no inline script. Styles may be inline, since the editor sets its
/// own; `frame-ancestors` keeps others from laying the page, which may hold a key, under theirs.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
    font-src 'self' data:; img-src 'self' data:; connect-src 'self'; worker-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Sent with every answer of this room, assets too: a worker obeys the policy of its own script.
const SAFETY: [(header::HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

const CACHE_PAGE: &str = "no-cache";
const CACHE_ASSET: &str = "public, max-age=31536000, immutable";
const CACHE_NOTHING: &str = "no-store";

/// How much of a file is unpacked at a time for a client that does not take gzip, in bytes.
const UNPACK_BYTES: usize = 64 * 1024;

/// One file of a page, as `build.rs` writes it.
struct File {
    path: &'static str,
    content_type: &'static str,
    /// Of the content, as hexadecimal digits.
    hash: &'static str,
    /// Unpacked, in bytes.
    size: u64,
    gzip: &'static [u8],
}

/// The files of all pages, in the order of their paths; empty when they were not built in.
static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// Whether this binary holds the pages, or only the word that they are missing.
#[must_use]
pub fn built_in() -> bool {
    find("/graphiql/index.html").is_some()
}

/// The routes of the pages: `/graphiql` and its assets. Everybody may read them; they hold no data.
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route(GRAPHIQL, get(graphiql))
        .route("/graphiql/", get(graphiql))
        .route("/graphiql/assets/{name}", get(asset))
}

async fn graphiql(request: HeaderMap) -> Response {
    match find("/graphiql/index.html") {
        Some(file) => answer(file, &request, CACHE_PAGE),
        // Not 200, or a check of the address would take the notice for the page; not 5xx, since nothing is wrong.
        None => refuse(StatusCode::NOT_FOUND, "text/html; charset=utf-8", NOT_BUILT_IN),
    }
}

async fn asset(OriginalUri(uri): OriginalUri, request: HeaderMap) -> Response {
    match find(uri.path()) {
        Some(file) => answer(file, &request, CACHE_ASSET),
        None => refuse(StatusCode::NOT_FOUND, "text/plain; charset=utf-8", "No such file.\n"),
    }
}

fn find(path: &str) -> Option<&'static File> {
    let index = FILES.binary_search_by_key(&path, |file| file.path).ok()?;
    FILES.get(index)
}

fn answer(file: &'static File, request: &HeaderMap, cache: &'static str) -> Response {
    let packed = accepts_gzip(request);
    let mut response = if holds(request, file.hash) {
        StatusCode::NOT_MODIFIED.into_response()
    } else if packed {
        ([(header::CONTENT_ENCODING, "gzip")], file.gzip).into_response()
    } else {
        ([(header::CONTENT_LENGTH, file.size)], unpacked(file)).into_response()
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(file.content_type));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&entity_tag(file.hash, packed)) {
        headers.insert(header::ETAG, tag);
    }
    guarded(response)
}

fn refuse(status: StatusCode, content_type: &'static str, text: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, CACHE_NOTHING)];
    guarded((status, headers, text).into_response())
}

fn guarded(mut response: Response) -> Response {
    for (name, value) in SAFETY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The tag of one form of a file: packed and unpacked differ in their bytes, so their strong tags must too.
fn entity_tag(hash: &str, packed: bool) -> String {
    if packed { format!("\"{hash}-gzip\"") } else { format!("\"{hash}\"") }
}

/// Whether the client already has this content, in either form (RFC 9110, 13.1.2: compared weakly).
fn holds(request: &HeaderMap, hash: &str) -> bool {
    items(request, header::IF_NONE_MATCH).any(|tag| {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || tag == entity_tag(hash, true) || tag == entity_tag(hash, false)
    })
}

/// Whether the client takes gzip (RFC 9110, 12.5.3): named, or by `*`, and not with a weight of zero.
fn accepts_gzip(request: &HeaderMap) -> bool {
    let mut by_star = false;
    for item in items(request, header::ACCEPT_ENCODING) {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let coding = coding.trim();
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            return wanted(parameters);
        }
        by_star |= coding == "*" && wanted(parameters);
    }
    by_star
}

fn wanted(parameters: &str) -> bool {
    let weight = parameters.trim().strip_prefix("q=").or_else(|| parameters.trim().strip_prefix("Q="));
    weight.is_none_or(|weight| weight.parse::<f32>().is_ok_and(|weight| weight > 0.0))
}

/// The members of a list header, over all its lines. The server bounds the bytes of a request's head.
fn items(request: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    request
        .get_all(name)
        .into_iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

/// The content of a file, unpacked piece by piece as the client reads it, so that none is held whole.
fn unpacked(file: &'static File) -> Body {
    Body::from_stream(stream::unfold(GzDecoder::new(file.gzip), |mut decoder| async move {
        let mut piece = Vec::with_capacity(UNPACK_BYTES);
        // Reading memory that the build packed cannot fail; if it did, the length would not match and the client knows.
        match decoder.by_ref().take(UNPACK_BYTES as u64).read_to_end(&mut piece) {
            Ok(1..) => Some((Ok::<_, Infallible>(Bytes::from(piece)), decoder)),
            Ok(0) | Err(_) => None,
        }
    }))
}

/// Shown in place of a page by a binary that was built without them.
const NOT_BUILT_IN: &str = include_str!("pages_missing.html");

#[cfg(test)]
mod tests {
    use axum::{body::to_bytes, http::Request};
    use tower::ServiceExt;

    use super::*;

    const PAGE_LIMIT_BYTES: usize = 16 << 20;

    async fn ask(path: &str, headers: &[(header::HeaderName, &str)]) -> Response {
        let mut request = Request::get(path);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
    }

    async fn bytes(response: Response) -> Bytes {
        to_bytes(response.into_body(), PAGE_LIMIT_BYTES).await.unwrap()
    }

    fn header_of(response: &Response, name: header::HeaderName) -> &str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn every_answer_keeps_to_this_server_and_out_of_frames() {
        for path in ["/graphiql", "/graphiql/", "/graphiql/assets/none.js"] {
            let response = ask(path, &[]).await;
            for (name, value) in SAFETY {
                assert_eq!(header_of(&response, name), value, "{path}");
            }
        }
        assert!(!POLICY.contains("script-src 'self' "), "nothing but this server's own files may run");
    }

    #[tokio::test]
    async fn an_unknown_asset_is_not_found_and_not_kept() {
        for path in ["/graphiql/assets/none.js", "/graphiql/assets/index.html", "/graphiql/assets/..%2Findex.html"] {
            let response = ask(path, &[]).await;
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
            assert_eq!(header_of(&response, header::CACHE_CONTROL), "no-store");
        }
    }

    #[tokio::test]
    async fn the_page_is_there_or_says_how_to_get_it() {
        let response = ask(GRAPHIQL, &[]).await;
        assert_eq!(header_of(&response, header::CONTENT_TYPE), "text/html; charset=utf-8");
        assert_eq!(response.status(), if built_in() { StatusCode::OK } else { StatusCode::NOT_FOUND });
        let page = String::from_utf8(bytes(response).await.to_vec()).unwrap();
        assert!(page.contains(if built_in() { "id=\"graphiql\"" } else { "Node.js" }), "{page}");
        assert!(!page.contains("<script>"), "the policy forbids inline scripts");
    }

    #[tokio::test]
    async fn every_file_is_the_same_packed_and_unpacked() {
        for file in FILES {
            let path = file.path.trim_end_matches("/index.html");
            let plain = ask(path, &[]).await;
            assert_eq!(header_of(&plain, header::CONTENT_LENGTH), file.size.to_string());
            assert_eq!(header_of(&plain, header::CONTENT_ENCODING), "");
            let packed = ask(path, &[(header::ACCEPT_ENCODING, "br, gzip")]).await;
            assert_eq!(header_of(&packed, header::CONTENT_ENCODING), "gzip");

            let mut content = Vec::new();
            GzDecoder::new(&*bytes(packed).await).read_to_end(&mut content).unwrap();
            assert!(content == bytes(plain).await, "{path}");
        }
    }

    #[tokio::test]
    async fn a_client_that_has_the_content_is_not_sent_it_again() {
        for file in FILES {
            let path = file.path.trim_end_matches("/index.html");
            let first = ask(path, &[(header::ACCEPT_ENCODING, "gzip")]).await;
            let tag = header_of(&first, header::ETAG);
            let again = ask(path, &[(header::IF_NONE_MATCH, &format!("\"other\", W/{tag}"))]).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
            assert!(bytes(again).await.is_empty());
            assert_eq!(ask(path, &[(header::IF_NONE_MATCH, "\"other\"")]).await.status(), StatusCode::OK, "{path}");
        }
    }

    #[test]
    fn files_are_in_order_for_the_search() {
        assert!(FILES.is_sorted_by_key(|file| file.path));
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        let takes = |value: &'static str| {
            accepts_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]))
        };
        for value in ["gzip", "deflate, GZIP;q=0.5", "*", "br;q=1, *;q=0.1", "x-gzip"] {
            assert!(takes(value), "{value}");
        }
        for value in ["", "br", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzip;q=never", "identity"] {
            assert!(!takes(value), "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
