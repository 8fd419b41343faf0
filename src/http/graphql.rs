//! `/graphql` over HTTP.
//!
//! GET runs queries only, POST takes JSON only, so that no page of another site can change anything without the browser
//! asking first. A GET that asks for an upgrade goes on to [`websocket`].

use std::net::{IpAddr, Ipv4Addr};

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError};
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse;

use super::Door;
use super::answer::{Outcome, answer};
use super::body::read_json;
use super::media::Media;
use super::operations::{Operations, Refused, Session};
use super::parameters::Parameters;
use super::problem::bad_request;
use super::run::{admit, run};
use super::visitor::visitor;
use super::websocket;

const METHODS: &str = "GET, POST";
/// The address of a client when no listener said it, as in tests without a network.
pub(crate) const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Answers any request to `/graphql`.
pub(crate) async fn answer_graphql<O: Operations>(
    State(door): State<Door<O>>,
    request: Request,
) -> axum::response::Response {
    let (mut parts, body) = request.into_parts();
    if parts.method == Method::GET && asks_for_websocket(&parts.headers) {
        return match axum::extract::WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
            Ok(upgrade) => websocket::accept(door, upgrade, &parts),
            Err(rejection) => rejection.into_response(),
        };
    }
    let Some(media) = Media::negotiate(&parts.headers) else {
        return answer(Outcome::NotAcceptable, Media::GraphqlResponse);
    };
    let patience = door.settings.patience.request;
    let outcome = tokio::time::timeout(patience, respond(door, parts, body)).await;
    answer(outcome.unwrap_or(Ok(Outcome::TooSlow)).unwrap_or_else(|refused| refused), media)
}

/// The way of a request, each step of which may refuse it.
async fn respond<O: Operations>(door: Door<O>, parts: Parts, body: axum::body::Body) -> Result<Outcome, Outcome> {
    let parameters = match parts.method {
        Method::GET => Parameters::from_uri(&parts.uri),
        Method::POST => {
            let json = read_json(&parts.headers, body, door.settings.patience.body).await;
            Parameters::from_json(json.map_err(Outcome::Body)?)
        }
        _ => return Err(Outcome::Method(METHODS)),
    };
    let parameters = parameters.map_err(Outcome::Parameters)?;
    let session = authenticate(&door, &parts).await.map_err(ServerError::from)?;
    let admitted = admit(&door.operations, parameters, &session).await?;
    match admitted.kind {
        OperationType::Subscription => {
            return Err(bad_request("Subscriptions need a WebSocket: connect with `graphql-transport-ws`.").into());
        }
        OperationType::Mutation if parts.method == Method::GET => return Err(Outcome::Method("POST")),
        OperationType::Query | OperationType::Mutation => {}
    }
    let response: Response = run(door.operations, admitted, session, &door.settings.shutdown).await;
    Ok(response.into())
}

/// Other upgrades may be ignored, as HTTP says; some clients offer `h2c` with every request.
fn asks_for_websocket(headers: &HeaderMap) -> bool {
    headers.get(UPGRADE).is_some_and(|to| to.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

async fn authenticate<O: Operations>(door: &Door<O>, parts: &Parts) -> Result<Session, Refused> {
    let visitor = visitor(&parts.extensions, &parts.headers, &door.settings.trusted_proxies);
    let client = visitor.address.unwrap_or(UNKNOWN);
    let session = door.operations.authenticate(authorization(&parts.headers)?, client).await?;
    Ok(Session { visitor, ..session })
}

/// The one `Authorization` header, if there is one that can be read.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<&str>, Refused> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(Some).map_err(|_| Refused::Credential("The credential is malformed."))
        }
        (Some(_), Some(_)) => Err(Refused::Credential("Send one credential only.")),
    }
}
