//! `/graphql` as a stream of events: the protocol of `graphql-sse`, with a request for each operation.
//!
//! Source: `PROTOCOL.md` of github.com/enisdenjo/graphql-sse, "distinct connections mode". The other mode, in which one
//! connection carries the results of all requests of a client, is left out: it wants a state between requests that each
//! server of several would have to share, and who has many operations on HTTP/1 has the WebSocket.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use tokio::time::sleep;

use super::Door;
use super::answer::{Outcome, answer, status, to_fields_and_json, to_json};
use super::deadline::Deadline;
use super::media::{EVENTS, Media};
use super::operations::{Operations, Session};
use super::problem::{UNAUTHENTICATED, coded};
use super::rate_limit::Meters;
use super::results::{Results, Told, results};
use super::run::Admitted;
use super::shutdown::Shutdown;

/// Says that no more results come. Its data is empty but there, since browsers pass over events without any.
const COMPLETE: &str = "event: complete\ndata:\n\n";
/// Says nothing, so that nobody between here and the client takes the connection for dead.
const COMMENT: &str = ":\n\n";
/// Proxies after nginx's example collect an answer before they pass it on, unless it says this.
const UNBUFFERED: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Answers with what is known already: one event and the end.
///
/// What HTTP itself understands keeps its status and is answered as JSON. The rest would fail the client's connection
/// without telling it why, so that comes as a result: it is what `application/json` has status 200 for.
pub(super) fn answer_whole(outcome: Outcome) -> Response {
    if status(&outcome, Media::Json) != StatusCode::OK {
        return answer(outcome, Media::Json);
    }
    let (fields, json) = to_fields_and_json(outcome);
    respond(fields, Body::from(event(&json) + COMPLETE))
}

/// Answers with results as they come.
pub(super) fn answer_stream(subscribed: Subscribed) -> Response {
    let mut fields = HeaderMap::new();
    subscribed.meters.write_headers(&mut fields);
    let events =
        stream::unfold(Some(subscribed), async |subscribed: Option<Subscribed>| Some(subscribed?.next().await));
    respond(fields, Body::from_stream(events.map(Ok::<_, Infallible>)))
}

fn respond(fields: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().extend(fields);
    let headers = [(CONTENT_TYPE, EVENTS), (CACHE_CONTROL, "no-store"), (UNBUFFERED, "no")];
    response.headers_mut().extend(headers.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}

/// A result as an event.
fn result(outcome: Outcome) -> String {
    event(&to_json(outcome))
}

/// JSON has no line breaks of its own.
fn event(json: &str) -> String {
    format!("event: next\ndata: {json}\n\n")
}

/// A subscription, and all that may end it.
pub(super) struct Subscribed {
    results: Results,
    /// How the caller's limits stood when it began.
    meters: Meters,
    expiry: Deadline,
    /// Ends when the credential is revoked.
    revocation: BoxFuture<'static, ()>,
    shutdown: Shutdown,
    longest_silence: Duration,
}

impl Subscribed {
    pub(super) fn new<O: Operations>(door: Door<O>, admitted: Admitted, session: Session) -> Self {
        let expiry = Deadline::of(&session);
        let (shutdown, longest_silence) = (door.settings.shutdown.clone(), door.settings.patience.ping);
        let (operations, holder) = (door.operations.clone(), session.clone());
        let revocation = async move { operations.revoked(&holder).await }.boxed();
        let meters = admitted.meters.clone();
        Self { results: results(door, admitted, session), meters, expiry, revocation, shutdown, longest_silence }
    }

    /// What to send next, and whatever sends something after that.
    async fn next(mut self) -> (String, Option<Self>) {
        // Whichever is ready, in no fixed order: a stream that always has something must not keep the end from coming.
        tokio::select! {
            told = self.results.next() => self.pass_on(told),
            () = sleep(self.longest_silence) => (COMMENT.to_owned(), Some(self)),
            () = self.expiry.passed() => last(coded("The credential has expired.", UNAUTHENTICATED).into()),
            () = &mut self.revocation => last(coded("The credential was revoked.", UNAUTHENTICATED).into()),
            // Not that it is complete: whose stream just ends comes back, to another server.
            () = self.shutdown.begun() => (COMMENT.to_owned(), None),
        }
    }

    fn pass_on(self, told: Option<Told>) -> (String, Option<Self>) {
        match told {
            Some(Told::Result(response)) => (result(Outcome::Executed(response)), Some(self)),
            Some(Told::Refused(errors)) => last(Outcome::RequestError(errors)),
            None => (COMPLETE.to_owned(), None),
        }
    }
}

/// A result after which nothing comes.
fn last(outcome: Outcome) -> (String, Option<Subscribed>) {
    (result(outcome) + COMPLETE, None)
}
