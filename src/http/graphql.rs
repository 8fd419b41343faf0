//! `/graphql` over HTTP.
//!
//! GET runs queries and subscriptions, POST takes JSON only, so that no page of another site can change anything without
//! the browser asking first. A GET that asks for an upgrade goes on to [`websocket`]; who accepts a stream of events gets
//! one from `events`.

use std::net::{IpAddr, Ipv4Addr};

use async_graphql::ServerError;
use async_graphql::parser::types::OperationType;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{AUTHORIZATION, UPGRADE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse;

use super::Door;
use super::answer::{Outcome, answer};
use super::body::read_json;
use super::events::{Subscribed, answer_stream, answer_whole};
use super::media::{Accepts, Media};
use super::operations::{Operations, Refused, Session};
use super::parameters::Parameters;
use super::problem::{UNAVAILABLE, bad_request, coded};
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
    let Some(accepts) = Accepts::negotiate(&parts.headers) else {
        return answer(Outcome::NotAcceptable, Media::GraphqlResponse);
    };
    let patience = door.settings.patience.request;
    let reply = tokio::time::timeout(patience, respond(door, parts, body, accepts)).await;
    match (reply.unwrap_or(Err(Outcome::TooSlow)).unwrap_or_else(Reply::Whole), accepts) {
        (Reply::Events(subscribed), _) => answer_stream(subscribed),
        (Reply::Whole(outcome), Accepts::Events) => answer_whole(outcome),
        (Reply::Whole(outcome), Accepts::Whole(media) | Accepts::Either(media)) => answer(outcome, media),
    }
}

/// What a request is answered with.
enum Reply {
    /// With what came of it.
    Whole(Outcome),
    /// With what comes of it, for as long as that goes on.
    Events(Subscribed),
}

/// The way of a request, each step of which may refuse it.
async fn respond<O: Operations>(
    door: Door<O>,
    parts: Parts,
    body: axum::body::Body,
    accepts: Accepts,
) -> Result<Reply, Outcome> {
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
    let admitted = admit(&door, parameters, &session).await?;
    match admitted.kind {
        OperationType::Subscription => {
            may_subscribe(&door, accepts)?;
            Ok(Reply::Events(Subscribed::new(door, admitted, session)))
        }
        OperationType::Mutation if parts.method == Method::GET => Err(Outcome::Method("POST")),
        OperationType::Query | OperationType::Mutation => {
            let response = run(door.operations, admitted, session, &door.settings.shutdown).await;
            Ok(Reply::Whole(response.into()))
        }
    }
}

/// A stream that would be ended at once is refused, so that its client goes to another server.
fn may_subscribe<O: Operations>(door: &Door<O>, accepts: Accepts) -> Result<(), ServerError> {
    match accepts {
        Accepts::Whole(_) => Err(bad_request(
            "Subscriptions are streams: accept `text/event-stream`, or connect a WebSocket with `graphql-transport-ws`.",
        )),
        Accepts::Events | Accepts::Either(_) if door.settings.shutdown.has_begun() => {
            Err(coded("The server is shutting down.", UNAVAILABLE))
        }
        Accepts::Events | Accepts::Either(_) => Ok(()),
    }
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
