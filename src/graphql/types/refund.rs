//! Money that users were given back.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{event::Event, money::Money};
use crate::{
    domain::id::Noun,
    graphql::{
        errors::{ApiError, Nullable},
        scalars::{DateTime, written},
        scope::Scope,
    },
    store::{StoreError, Tx, models, run},
};

/// Money taken back from an event; only the host and operators ever see one.
#[derive(Clone)]
pub struct Refund(pub Arc<models::Refund>);

impl Refund {
    async fn event_of(&self, ctx: &Context<'_>) -> Result<Option<Event>, ApiError> {
        let key = &self.0.event_key;
        let scope = Scope::of(ctx)?;
        let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, events::by_key(key)));
        let row = look.await.map_err(|failure: StoreError| ApiError::from(failure))?;
        Ok(row.map(|row| Event { row: Arc::new(row), sight: scope.sight_of_written() }))
    }
}

/// An event, or a part of it, that was taken back.
#[Object]
impl Refund {
    /// The id.
    async fn id(&self) -> ID {
        written(Noun::Refund, self.0.id)
    }

    /// The event that it takes from; null while that event has not been recorded.
    async fn event(&self, ctx: &Context<'_>) -> Nullable<Event> {
        self.event_of(ctx).await.transpose()
    }

    /// Idempotency key of the event.
    async fn event_key(&self) -> &str {
        &self.0.event_key
    }

    /// The amount that was asked for; null means all that was left.
    async fn amount(&self) -> Option<Money> {
        Some(Money::of_minor(self.0.amount?, self.0.currency.as_deref()?))
    }

    /// Idempotency key of the refund.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// When it was told.
    async fn received_at(&self) -> DateTime {
        self.0.received_at.into()
    }
}
