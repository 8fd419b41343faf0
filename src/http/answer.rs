//! Turns what came of a request into an HTTP answer: which status, which fields, which type.

use std::collections::BTreeMap;

use async_graphql::{Response, ServerError, Value};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::IntoResponse;
use serde::Serialize;

use super::body::BodyError;
use super::media::Media;
use super::problem::{self, code_of, is_request_error, trim_request_errors};
use super::rate_limit::Meters;
use super::run::broken;

/// What came of a request to `/graphql`.
#[derive(Debug)]
pub enum Outcome {
    /// It was run; the response has a `data` entry, which may be null.
    Executed(Response),
    /// It was understood as HTTP but not run: syntax, validation, limits, credentials.
    RequestError(Vec<ServerError>),
    /// The body was not read.
    Body(BodyError),
    /// The JSON, or one of the parameters in it, is not what GraphQL over HTTP asks for.
    Parameters(ServerError),
    /// The method is not spoken here, or not for this operation; the methods that are.
    Method(&'static str),
    /// No media type we speak is acceptable to the client.
    NotAcceptable,
    /// It took too long.
    TooSlow,
}

impl From<Response> for Outcome {
    fn from(response: Response) -> Self {
        if is_request_error(&response) { Self::RequestError(response.errors) } else { Self::Executed(response) }
    }
}

impl From<ServerError> for Outcome {
    fn from(error: ServerError) -> Self {
        Self::RequestError(vec![error])
    }
}

/// Which status an outcome has under a media type: the one place that decides it.
///
/// The draft of August 2026 would answer 422 for what is not valid, and 294 for data with errors. What clients do, and
/// what the audit of the `graphql-http` package asks, is 400 and 200, and 200 for both under `application/json`. What
/// HTTP itself understands (401, 403, 429, 5xx) has its own status under either.
pub fn status(outcome: &Outcome, media: Media) -> StatusCode {
    match outcome {
        Outcome::Executed(_) => StatusCode::OK,
        Outcome::RequestError(errors) => match errors.first().and_then(code_of) {
            Some(problem::UNAUTHENTICATED) => StatusCode::UNAUTHORIZED,
            Some(problem::FORBIDDEN) => StatusCode::FORBIDDEN,
            Some(problem::RATE_LIMITED) => StatusCode::TOO_MANY_REQUESTS,
            Some(problem::UNAVAILABLE) => StatusCode::SERVICE_UNAVAILABLE,
            Some(problem::INTERNAL) => StatusCode::INTERNAL_SERVER_ERROR,
            _ if media == Media::Json => StatusCode::OK,
            _ => StatusCode::BAD_REQUEST,
        },
        Outcome::Body(BodyError::UnsupportedType) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Outcome::Body(BodyError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        Outcome::Body(BodyError::TooSlow) => StatusCode::REQUEST_TIMEOUT,
        Outcome::Body(BodyError::Broken | BodyError::NotJson) | Outcome::Parameters(_) => StatusCode::BAD_REQUEST,
        Outcome::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
        Outcome::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Outcome::TooSlow => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Makes the answer. Request errors have no `data` entry, and nothing that is in them is longer than it should be.
pub fn answer(outcome: Outcome, media: Media) -> axum::response::Response {
    let status = status(&outcome, media);
    let allow = if let Outcome::Method(methods) = &outcome { Some(*methods) } else { None };
    let shown = Shown::from(outcome);
    let soon = (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1);
    let retry_after = shown.errors.first().and_then(retry_after).or(soon);
    let mut response = (status, shown.to_json()).into_response();
    let headers = response.headers_mut();
    headers.extend(shown.http_headers);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media.content_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    allow.map(|methods| headers.insert(ALLOW, HeaderValue::from_static(methods)));
    retry_after.map(|seconds| headers.insert(RETRY_AFTER, HeaderValue::from(seconds)));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The JSON of an answer, without what HTTP says around it.
pub(crate) fn to_json(outcome: Outcome) -> String {
    to_fields_and_json(outcome).1
}

/// The JSON of an answer, and the header fields that say more about it than its form.
pub(crate) fn to_fields_and_json(outcome: Outcome) -> (HeaderMap, String) {
    let shown = Shown::from(outcome);
    let json = shown.to_json();
    (shown.http_headers, json)
}

fn retry_after(error: &ServerError) -> Option<u64> {
    match error.extensions.as_ref()?.get(problem::RETRY_AFTER)? {
        Value::Number(seconds) => seconds.as_u64(),
        _ => None,
    }
}

/// The JSON of an answer.
#[derive(Debug, Serialize)]
struct Shown {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<ServerError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    extensions: BTreeMap<String, Value>,
    #[serde(skip)]
    http_headers: HeaderMap,
}

impl Shown {
    fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| {
            // Only a scalar that serializes into a map with keys that are not strings could do it.
            let broken = Self::from(Outcome::from(broken("a response could not be serialized")));
            serde_json::to_string(&broken).unwrap_or_default()
        })
    }
}

impl From<Outcome> for Shown {
    fn from(outcome: Outcome) -> Self {
        let mut errors = match outcome {
            Outcome::Executed(response) => {
                let Response { errors, data, extensions, http_headers, .. } = response;
                return Self { errors, data: Some(data), extensions, http_headers };
            }
            Outcome::RequestError(errors) => errors,
            Outcome::Body(error) => vec![problem::bad_request(error.to_string())],
            Outcome::Parameters(error) => vec![error],
            Outcome::Method(methods) => vec![problem::bad_request(format!("Use {methods} for this."))],
            Outcome::NotAcceptable => vec![problem::bad_request(
                "Accept application/graphql-response+json, application/json or text/event-stream: nothing else is sent.",
            )],
            Outcome::TooSlow => vec![problem::coded("The request took too long.", problem::UNAVAILABLE)],
        };
        let mut http_headers = HeaderMap::new();
        errors.first().and_then(Meters::carried_by).inspect(|meters| meters.write_headers(&mut http_headers));
        trim_request_errors(&mut errors);
        Self { errors, data: None, extensions: BTreeMap::new(), http_headers }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::PathSegment;

    use super::*;

    #[test]
    fn what_was_run_is_200_even_when_it_gave_null() {
        let error = ServerError::new("boom", None);
        let failed = Response::from_errors(vec![ServerError { path: vec![PathSegment::Field("a".into())], ..error }]);
        let outcome = Outcome::from(failed);
        assert!(matches!(outcome, Outcome::Executed(_)));
        assert_eq!(status(&outcome, Media::GraphqlResponse), 200);
    }

    #[test]
    fn what_was_not_run_is_400_for_the_newer_type_and_200_for_the_older() {
        let outcome = Outcome::from(Response::from_errors(vec![ServerError::new("no such field", None)]));
        assert_eq!(status(&outcome, Media::GraphqlResponse), 400);
        assert_eq!(status(&outcome, Media::Json), 200);
    }

    #[test]
    fn what_http_understands_has_its_status_under_both_types() {
        for (code, expected) in [
            (problem::UNAUTHENTICATED, 401),
            (problem::FORBIDDEN, 403),
            (problem::RATE_LIMITED, 429),
            (problem::UNAVAILABLE, 503),
            (problem::INTERNAL, 500),
        ] {
            for media in [Media::Json, Media::GraphqlResponse] {
                assert_eq!(status(&Outcome::from(problem::coded("no", code)), media), expected, "{code}");
            }
        }
    }

    #[test]
    fn who_has_to_wait_is_told_how_long() {
        let refused = super::super::Refused::TooMany { retry_after: std::time::Duration::from_secs(7) };
        let answer = answer(Outcome::from(ServerError::from(refused)), Media::Json);
        assert_eq!(answer.headers()[RETRY_AFTER], "7");
    }
}
