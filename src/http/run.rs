//! Runs an admitted operation to its one response, the same for every transport.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};

use async_graphql::parser::types::OperationType;
use async_graphql::{Request, Response, ServerError};
use futures_util::FutureExt;

use super::Door;
use super::document::{Prepared, prepare};
use super::operations::{Accepted, Operations, Session};
use super::parameters::Parameters;
use super::price::Price;
use super::problem::{INTERNAL, coded};
use super::rate_limit::Meters;
use super::shutdown::Shutdown;

/// A request whose document was admitted and prepared.
#[derive(Debug)]
pub struct Admitted {
    /// The request, with its parsed document.
    pub request: Request,
    /// What it asks for.
    pub kind: OperationType,
    /// What it may cost, if the request asked for that.
    pub price: Option<Price>,
    /// How the caller's limits stand.
    pub meters: Meters,
}

/// Finds the document that is meant, has it checked and paid for, and finds the operation that is meant: the one way in
/// for every transport.
///
/// # Errors
/// A request error with a code.
pub(crate) async fn admit<O: Operations>(
    door: &Door<O>,
    parameters: Parameters,
    session: &Session,
) -> Result<Admitted, ServerError> {
    let Parameters { document, operation_name, variables, extensions } = parameters;
    let library = &door.settings.library;
    let found = match library.find(document, &session.caller) {
        Ok(found) => found,
        // Looking was work too: nobody tries hashes for nothing.
        Err(refused) => return Err(door.operations.turn_away(refused, session).await),
    };
    let Accepted { document, price, meters } =
        door.operations.admit(&found.text, operation_name.as_deref(), &variables, session).await?;
    // Not before: what is refused would push out what is of use.
    library.keep(&found);
    let prepared = prepare(document, operation_name.as_deref(), &variables);
    let Prepared { document, kind } = prepared.map_err(|mut error| {
        meters.attach(&mut error);
        error
    })?;
    let price = Price::is_asked_for(&extensions).then_some(price);
    let mut request = Request::new(found.text).variables(variables);
    request.operation_name = operation_name;
    request.extensions = extensions;
    request.set_parsed_query(document);
    Ok(Admitted { request, kind, price, meters })
}

/// Runs a query or a mutation to its response; a panic becomes an `INTERNAL` error.
///
/// A mutation runs in a task of its own. axum drops a handler when its client goes away, and a mutation dropped in its
/// middle would leave half of what it does undone.
pub async fn run<O: Operations>(operations: O, admitted: Admitted, session: Session, shutdown: &Shutdown) -> Response {
    let Admitted { request, kind, price, meters } = admitted;
    let running = async move { operations.execute(request, &session).await };
    let finished = match kind {
        OperationType::Mutation => {
            let held = shutdown.hold();
            let task = tokio::spawn(async move {
                let response = running.await;
                drop(held);
                response
            });
            task.await.ok()
        }
        OperationType::Query | OperationType::Subscription => AssertUnwindSafe(running).catch_unwind().await.ok(),
    };
    let mut response = finished.unwrap_or_else(|| Response::from_errors(vec![broken("an operation panicked")]));
    if let Some(price) = price {
        price.tell(&mut response);
    }
    meters.stamp(&mut response);
    response
}

/// Makes the error of something that broke on our side: an id for the caller, the same id and the cause for the log.
pub(crate) fn broken(cause: &'static str) -> ServerError {
    static INCIDENTS: AtomicU64 = AtomicU64::new(1);
    let incident = format!("{:x}-{:x}", std::process::id(), INCIDENTS.fetch_add(1, Ordering::Relaxed));
    tracing::error!(incident, cause, "internal error");
    coded(format!("Something broke on our side (incident {incident})."), INTERNAL)
}
