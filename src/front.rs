//! The house as the doors see it: who is asking, what they may send, and the schema behind it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_graphql::{Request, Response, ServerError, Variables};
use futures_util::stream::BoxStream;

use crate::{
    domain::{caller::Caller, scopes::Scopes, time::SECOND_MICROS, visitor::Visitor, words::KeyRole},
    engine::{
        Engine, Error,
        charge::{Bill, Payer, Price},
    },
    graphql::{
        Api,
        document::{Admitted, DocumentGuard},
    },
    http::{
        self, Accepted, KeyInUse, Operations, Refused, Session,
        auth::{Credential, TokenRefused, Verifier},
        rate_limit::Meters,
    },
    store::models::ApiKey,
};

/// The field whose use is limited by the number, besides the cost of its document.
const CLAIM_FIELD: &str = "claimRewards";

/// The GraphQL API with its doorkeeper.
#[derive(Clone)]
pub struct Front {
    engine: Engine,
    api: Api,
    guard: Arc<DocumentGuard>,
    verifier: Arc<Verifier>,
}

impl Front {
    /// Puts an API behind a guard of documents and a verifier of tokens.
    pub fn new(engine: Engine, api: Api, guard: DocumentGuard, verifier: Verifier) -> Self {
        Self { engine, api, guard: Arc::new(guard), verifier: Arc::new(verifier) }
    }

    async fn by_key(&self, secret: &str) -> Result<Session, Refused> {
        let key = self.engine.key_of(secret).await.map_err(|error| unavailable(&error))?;
        let key = key.ok_or(Refused::Credential("this API key is unknown, revoked or expired"))?;
        let left = key.expires_at.map(|at| (at.micros() - self.engine.context.now().micros()).max(0));
        let expires_in = left.map(|micros| Duration::from_micros(micros.unsigned_abs()));
        let cost_per_second = key.cost_per_second.and_then(|cost| u32::try_from(cost).ok());
        let in_use = KeyInUse { id: key.id, cost_per_second };
        Ok(Session { caller: caller(key), expires_in, visitor: Visitor::default(), key: Some(in_use) })
    }

    async fn by_token(&self, token: &str) -> Result<Session, Refused> {
        let now = self.engine.context.now().micros() / SECOND_MICROS;
        let now = u64::try_from(now).unwrap_or(0);
        match self.verifier.verify(token, now).await {
            Ok(verified) => Ok(Session {
                caller: Caller::Member { external_id: verified.subject },
                expires_in: Some(Duration::from_secs(verified.believed_until_unix_seconds.saturating_sub(now))),
                visitor: Visitor::default(),
                key: None,
            }),
            Err(TokenRefused::KeysUnavailable) => Err(Refused::Unavailable),
            Err(TokenRefused::Expired) => Err(Refused::Credential("the token has expired")),
            Err(refusal) => {
                tracing::debug!(%refusal, "a token was refused");
                Err(Refused::Credential("the token is not accepted"))
            }
        }
    }

    /// Charges whoever a session belongs to, and notes that its key is in use.
    async fn charge(&self, session: &Session, price: Price) -> Result<Meters, ServerError> {
        if let Some(key) = &session.key {
            self.engine.note_use(key.id);
        }
        Meters::of(self.engine.charge(payer(session), price).await)
    }

    async fn by_credential(&self, authorization: Option<&str>) -> Result<Session, Refused> {
        let credential = authorization.map(Credential::from_header).transpose();
        match credential
            .map_err(|_| Refused::Credential("the credential must be `Bearer` and a key or token"))?
            .flatten()
        {
            None => Ok(Session { caller: Caller::Anonymous, expires_in: None, visitor: Visitor::default(), key: None }),
            Some(Credential::Key(secret)) => self.by_key(&secret).await,
            Some(Credential::Token(token)) => self.by_token(&token).await,
        }
    }
}

/// Who pays for what is asked in a session.
fn payer(session: &Session) -> Payer<'_> {
    match (&session.key, &session.caller) {
        (Some(KeyInUse { id, cost_per_second }), _) => Payer::Key { id: *id, cost_per_second: *cost_per_second },
        (None, Caller::Member { external_id }) => Payer::Member(external_id),
        (None, Caller::Anonymous | Caller::Server { .. } | Caller::Admin { .. }) => {
            Payer::Address(session.visitor.address)
        }
    }
}

/// What a document costs; one that is refused was read all the same.
fn price(checked: &Result<Admitted, ServerError>) -> Price {
    let Ok(Admitted { cost, root_fields, .. }) = checked else { return Price::LEAST };
    let claims = root_fields.iter().filter(|field| field.as_str() == CLAIM_FIELD).count() as u64;
    Price { cost: *cost, claims }
}

fn caller(key: ApiKey) -> Caller {
    match key.role {
        KeyRole::Server => Caller::Server { key: key.name, scopes: Scopes::from_stored(key.scopes.as_deref()) },
        KeyRole::Admin => Caller::Admin { key: key.name },
    }
}

fn unavailable(error: &Error) -> Refused {
    tracing::warn!(%error, "an API key could not be looked up");
    Refused::Unavailable
}

impl Operations for Front {
    /// A credential that is not good is a request like one without any: nobody tries many from one address.
    async fn authenticate(&self, authorization: Option<&str>, client: IpAddr) -> Result<Session, Refused> {
        let found = self.by_credential(authorization).await;
        if let Err(Refused::Credential(_)) = found
            && let Bill { retry_after_seconds: Some(seconds), .. } =
                self.engine.charge(Payer::Address(Some(client)), Price::LEAST).await
        {
            return Err(Refused::TooMany { retry_after: Duration::from_secs(seconds.unsigned_abs()) });
        }
        found
    }

    async fn admit(
        &self,
        query: &str,
        operation_name: Option<&str>,
        variables: &Variables,
        session: &Session,
    ) -> Result<Accepted, ServerError> {
        let checked = self.guard.admit(query, operation_name, variables);
        let meters = self.charge(session, price(&checked)).await?;
        match checked {
            Ok(admitted) => {
                let price = http::Price { requested: admitted.cost, limit: self.guard.limits().cost };
                Ok(Accepted { document: admitted.document, price, meters })
            }
            Err(mut refused) => {
                meters.attach(&mut refused);
                Err(refused)
            }
        }
    }

    async fn turn_away(&self, mut refused: ServerError, session: &Session) -> ServerError {
        match self.charge(session, Price::LEAST).await {
            Ok(meters) => {
                meters.attach(&mut refused);
                refused
            }
            Err(has_to_wait) => has_to_wait,
        }
    }

    async fn revoked(&self, session: &Session) {
        match &session.key {
            Some(key) => self.engine.key_revoked(key.id).await,
            None => std::future::pending().await,
        }
    }

    async fn execute(&self, request: Request, session: &Session) -> Response {
        self.api.execute(request.data(session.visitor.clone()), session.caller.clone()).await
    }

    fn stream(&self, request: Request, session: &Session) -> BoxStream<'static, Response> {
        self.api.stream(request.data(session.visitor.clone()), session.caller.clone())
    }

    async fn ready(&self) -> Result<(), String> {
        self.engine.ready().await.map_err(|error| error.to_string())
    }
}
