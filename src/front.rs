//! The house as the doors see it: who is asking, what they may send, and the schema behind it.

use std::{net::IpAddr, sync::Arc, time::Duration};

use async_graphql::{Request, Response, ServerError, Variables, parser::types::ExecutableDocument};
use futures_util::stream::BoxStream;

use crate::{
    domain::{caller::Caller, scopes::Scopes, time::SECOND_MICROS, visitor::Visitor, words::KeyRole},
    engine::{Engine, Error},
    graphql::{Api, document::DocumentGuard},
    http::{
        KeyInUse, Operations, Refused, Session,
        auth::{Credential, TokenRefused, Verifier},
    },
    store::models::ApiKey,
};

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
                expires_in: Some(Duration::from_secs(verified.expires_at_unix_seconds.saturating_sub(now))),
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
    async fn authenticate(&self, authorization: Option<&str>, _peer: IpAddr) -> Result<Session, Refused> {
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

    fn admit(
        &self,
        query: &str,
        operation_name: Option<&str>,
        variables: &Variables,
        session: &Session,
    ) -> Result<ExecutableDocument, ServerError> {
        if let Some(key) = &session.key {
            self.engine.note_use(key.id);
        }
        self.guard.admit(query, operation_name, variables).map(|admitted| admitted.document)
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
