//! Requests to be paid.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{money::Money, reward::Reward, user::User, words::ClaimStatus};
use crate::{
    domain::id::Noun,
    graphql::{
        caller::Sight,
        errors::{ApiError, Nullable},
        scalars::{DateTime, written},
        scope::Scope,
    },
    store::models,
};

/// A request to be paid.
#[derive(Clone)]
pub struct Claim {
    /// The stored claim.
    pub row: Arc<models::Claim>,
    /// How much of its owner the caller sees.
    pub sight: Sight,
}

impl Claim {
    async fn taken(&self, ctx: &Context<'_>) -> Result<Vec<Reward>, ApiError> {
        let rows = Scope::of(ctx)?.loaders.set().rewards_of_claim().load(self.row.id).await?;
        Ok(rows.iter().map(|row| Reward { row: row.clone(), sight: self.sight }).collect())
    }

    async fn owner(&self, ctx: &Context<'_>) -> Result<User, ApiError> {
        User::referred_to(Scope::of(ctx)?, self.row.user_id, self.sight).await
    }
}

/// A user's request to be paid, in one currency.
#[Object]
impl Claim {
    /// The id.
    pub async fn id(&self) -> ID {
        written(Noun::Claim, self.row.id)
    }

    /// Who asks.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<User> {
        Some(self.owner(ctx).await)
    }

    /// What is to be paid: the sum of the rewards, less what was owed, plus what was owed to the user.
    async fn amount(&self) -> Money {
        Money::of_minor(self.row.amount, &self.row.currency)
    }

    /// What was owed after refunds and taken off.
    async fn netted(&self) -> Option<Money> {
        Some(Money::of_minor(self.row.netted, &self.row.currency))
    }

    /// What was owed to the user and paid on top: an earlier claim had been reduced by it for a payout that then failed.
    async fn credited(&self) -> Option<Money> {
        Some(Money::of_minor(self.row.credited, &self.row.currency))
    }

    /// The state of the claim.
    async fn status(&self) -> ClaimStatus {
        self.row.status.into()
    }

    /// The rewards that it pays. Those of a failed claim can be claimed again and are no longer listed here.
    async fn rewards(&self, ctx: &Context<'_>) -> Nullable<Vec<Reward>> {
        Some(self.taken(ctx).await)
    }

    /// The payout's own reference, as `settleClaim` was told.
    async fn reference(&self) -> Option<&str> {
        self.row.reference.as_deref()
    }

    /// When it was asked for.
    async fn created_at(&self) -> Option<DateTime> {
        Some(self.row.created_at.into())
    }

    /// When it was paid or failed; null while it waits.
    async fn settled_at(&self) -> Option<DateTime> {
        self.row.settled_at.map(DateTime)
    }
}
