//! Headers that every answer carries.

use axum::Router;
use axum::http::header::{HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Response};
use axum::middleware::map_response;

/// Browsers must not guess a type, and must not tell other sites which page led there.
const SECURITY_HEADERS: [(HeaderName, &str); 2] =
    [(X_CONTENT_TYPE_OPTIONS, "nosniff"), (REFERRER_POLICY, "no-referrer")];

/// Wraps routes so that all their answers carry the security headers; a value that is already there is kept.
pub fn with_security_headers(routes: Router) -> Router {
    routes.layer(map_response(add_headers))
}

async fn add_headers<B>(mut response: Response<B>) -> Response<B> {
    for (name, value) in SECURITY_HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;

    #[tokio::test]
    async fn even_a_missing_page_carries_them() {
        let routes = with_security_headers(Router::new());
        let answer = routes.oneshot(Request::get("/nowhere").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 404);
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
    }

    #[tokio::test]
    async fn a_value_set_by_a_page_is_kept() {
        let page = axum::routing::get(|| async { [("referrer-policy", "same-origin")] });
        let routes = with_security_headers(Router::new().route("/", page));
        let answer = routes.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.headers().get_all("referrer-policy").iter().collect::<Vec<_>>(), ["same-origin"]);
    }
}
