//! What the doors need from the house: one trait, and nothing of the schema behind it.

use std::net::IpAddr;
use std::time::Duration;

use async_graphql::parser::types::ExecutableDocument;
use async_graphql::{Request, Response, ServerError, Variables};
use futures_util::stream::BoxStream;

use super::price::Price;
use super::rate_limit::Meters;
use crate::domain::{caller::Caller, id::Id, visitor::Visitor};

/// What the doors need from the house to run GraphQL operations.
///
/// Every method may be called many times at once; clones share what is behind them.
pub trait Operations: Clone + Send + Sync + 'static {
    /// Says who sends a request; called once per HTTP request and once per `connection_init`.
    ///
    /// `authorization` is the whole value of the header (`Bearer ...`), `client` the address of the client, past the
    /// proxies that are trusted.
    ///
    /// # Errors
    /// A [`Refused`], when a credential was sent and is not good, or when nobody can be let in right now. No credential
    /// at all is not an error but an anonymous caller.
    fn authenticate(
        &self,
        authorization: Option<&str>,
        client: IpAddr,
    ) -> impl Future<Output = Result<Session, Refused>> + Send;

    /// Parses a document, checks its size and cost, and charges the caller for it, before it is validated.
    ///
    /// # Errors
    /// An error with `extensions.code` set; it becomes a request error (no `data`).
    /// [`problem::syntax_error`](super::problem::syntax_error) makes one of a parser's error.
    fn admit(
        &self,
        query: &str,
        operation_name: Option<&str>,
        variables: &Variables,
        session: &Session,
    ) -> impl Future<Output = Result<Accepted, ServerError>> + Send;

    /// Charges the caller for a request whose document was refused before it was looked at, as when its hash is not known.
    ///
    /// Returns the refusal, which then tells how the caller's limits stand; or another, for who has to wait.
    fn turn_away(&self, refused: ServerError, session: &Session) -> impl Future<Output = ServerError> + Send;

    /// Runs a query or a mutation.
    ///
    /// The request carries its parsed document; the implementation adds its own data (caller, loaders).
    fn execute(&self, request: Request, session: &Session) -> impl Future<Output = Response> + Send;

    /// Runs a subscription as a stream of results. Dropping the stream ends it.
    fn stream(&self, request: Request, session: &Session) -> BoxStream<'static, Response>;

    /// Waits until the credential of a session is good no more, except by the time in [`Session::expires_in`]: for ever,
    /// unless the house says otherwise. A WebSocket is closed when it is over.
    fn revoked(&self, _session: &Session) -> impl Future<Output = ()> + Send {
        std::future::pending()
    }

    /// Says whether the house can answer (database reachable, migrated).
    ///
    /// # Errors
    /// The reason, for the log; callers of `/health/ready` never see it.
    fn ready(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// A document that may be validated and run.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The parsed document.
    pub document: ExecutableDocument,
    /// What it may cost.
    pub price: Price,
    /// How the caller's limits stand now that it is paid for.
    pub meters: Meters,
}

/// Who sends a request, and for how long that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who it is.
    pub caller: Caller,
    /// How long the credential is still good, counted from the moment it was checked; `None` when it does not expire.
    ///
    /// A duration and not an instant: the clock belongs to the implementation. A WebSocket or a stream of
    /// events ends when it is over.
    pub expires_in: Option<Duration>,
    /// Where the request comes from, as the door saw it. The house leaves it empty.
    pub visitor: Visitor,
    /// The API key that was sent; nothing for members and who has no credential.
    pub key: Option<KeyInUse>,
}

/// The API key of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyInUse {
    /// Which key.
    pub id: Id,
    /// Its limit, if it has one.
    pub cost_per_second: Option<u32>,
}

/// Why a caller was not let in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The credential is malformed, unknown, revoked or expired; the sentence is shown to the caller.
    #[error("{0}")]
    Credential(&'static str),
    /// Too many attempts; try again after this long.
    #[error("too many requests")]
    TooMany {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The credential cannot be checked right now.
    #[error("credentials cannot be checked right now")]
    Unavailable,
}
