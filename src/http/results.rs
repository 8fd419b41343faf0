//! What comes of an operation, one result after the other, for the transports that stream.

use std::panic::AssertUnwindSafe;

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, ServerError, Value};
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::Door;
use super::operations::{Operations, Session};
use super::problem::{is_request_error, trim_request_errors};
use super::run::{Admitted, broken, run};

/// One thing that comes of an operation.
#[derive(Debug)]
pub(crate) enum Told {
    /// A result; more may follow.
    Result(Response),
    /// It was not run, or it broke; nothing follows.
    Refused(Vec<ServerError>),
}

/// What comes of an operation. Dropping it ends a query or a subscription; a mutation finishes unheard.
pub(crate) type Results = BoxStream<'static, Told>;

impl Told {
    /// An operation was not run.
    pub(crate) fn refused(mut errors: Vec<ServerError>) -> Self {
        trim_request_errors(&mut errors);
        Self::Refused(errors)
    }

    fn of(response: Response) -> Self {
        if is_request_error(&response) { Self::refused(response.errors) } else { Self::Result(response) }
    }

    /// The executor has no other way to say that a subscription was refused by its resolver.
    fn of_first(response: Response) -> Self {
        match Self::of(response) {
            Self::Result(response) if response.data == Value::Null && !response.errors.is_empty() => {
                Self::Refused(response.errors)
            }
            told => told,
        }
    }
}

/// Begins an operation; nothing happens before the first result is asked for.
pub(crate) fn results<O: Operations>(door: Door<O>, admitted: Admitted, session: Session) -> Results {
    match admitted.kind {
        OperationType::Subscription => follow(door, admitted, session),
        OperationType::Query | OperationType::Mutation => {
            let running = async move { run(door.operations, admitted, session, &door.settings.shutdown).await };
            stream::once(running).map(Told::of).boxed()
        }
    }
}

/// Follows a subscription to its end; a panic becomes an `INTERNAL` error.
fn follow<O: Operations>(door: Door<O>, admitted: Admitted, session: Session) -> Results {
    let Admitted { request, price, meters, .. } = admitted;
    let responses = stream::once(async move { door.operations.stream(request, &session) }).flatten();
    let told = responses.enumerate().map(move |(place, mut response)| {
        if place > 0 {
            return Told::of(response);
        }
        if let Some(price) = price {
            price.tell(&mut response);
        }
        meters.stamp(&mut response);
        Told::of_first(response)
    });
    let unbroken =
        |told: Result<Told, _>| told.unwrap_or_else(|_| Told::Refused(vec![broken("a subscription panicked")]));
    AssertUnwindSafe(told).catch_unwind().map(unbroken).boxed()
}
