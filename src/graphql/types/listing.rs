//! Entries of the allow list and the block list.

use std::sync::Arc;

use async_graphql::{ID, Object};

use super::fraud_words::{ListingEffect, ListingSubject};
use crate::{
    domain::id::Noun,
    graphql::scalars::{DateTime, written},
    store::fraud,
};

/// An entry of the allow list or the block list.
#[derive(Clone)]
pub struct Listing(pub Arc<fraud::Listing>);

/// An entry of the allow list or the block list. What it names is kept as a keyed hash and cannot be shown.
#[Object]
impl Listing {
    /// The id.
    pub async fn id(&self) -> ID {
        written(Noun::Listing, self.0.id)
    }

    /// On which list it is.
    async fn effect(&self) -> ListingEffect {
        self.0.effect.into()
    }

    /// What kind of thing it names.
    async fn subject(&self) -> ListingSubject {
        self.0.subject.into()
    }

    /// Why.
    async fn reason(&self) -> &str {
        &self.0.reason
    }

    /// Who listed it.
    async fn actor(&self) -> &str {
        &self.0.actor
    }

    /// Until when; null: for good.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// When it was listed.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}
