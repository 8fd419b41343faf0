//! Human decisions on referrals.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    fraud_words::{FraudSignal, ReviewStatus},
    referral::Referral,
    user::User,
};
use crate::{
    domain::id::Noun,
    graphql::{
        caller::Sight,
        errors::{ApiError, Nullable},
        scalars::{DateTime, written},
        scope::Scope,
    },
    store::fraud,
};

/// A human decision on a referral, or that one is waited for.
#[derive(Clone)]
pub struct Review(pub Arc<fraud::Review>);

impl Review {
    async fn reviewed(&self, ctx: &Context<'_>) -> Result<Referral, ApiError> {
        let row = Scope::of(ctx)?.loaders.set().referral_of().load(self.0.referred_id).await?;
        let row = row.ok_or_else(|| ApiError::missing("a referral"))?;
        Ok(Referral { row, sight: Sight::Staff })
    }
}

/// A human decision on a referral, or that one is waited for. While it is, the referral's rewards are held back.
#[Object]
impl Review {
    /// The id.
    pub async fn id(&self) -> ID {
        written(Noun::Review, self.0.id)
    }

    /// The referral; what was found is in its `risk`.
    async fn referral(&self, ctx: &Context<'_>) -> Nullable<Referral> {
        Some(self.reviewed(ctx).await)
    }

    /// Whether it is decided, and how.
    async fn status(&self) -> ReviewStatus {
        self.0.status.into()
    }

    /// The score when the referral came to review.
    async fn score(&self) -> i32 {
        self.0.score
    }

    /// Why it was decided so; null while it waits.
    async fn reason(&self) -> Option<&str> {
        self.0.reason.as_deref()
    }

    /// Who decided: an operator, or `banyan` where the score alone decided; null while it waits.
    async fn actor(&self) -> Option<&str> {
        self.0.actor.as_deref()
    }

    /// When the referral came to review.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// When it was decided; null while it waits.
    async fn decided_at(&self) -> Option<DateTime> {
        self.0.decided_at.map(DateTime)
    }
}

/// Reviews of people whom one referrer brought in, with one sign.
#[derive(SimpleObject)]
pub struct ReviewGroup {
    /// The referrer.
    pub referrer: User,
    /// The sign; a review with several signs is in several groups.
    pub signal: FraudSignal,
    /// How many reviews.
    pub reviews: i32,
    /// The highest score among them.
    pub highest_score: i32,
}

impl ReviewGroup {
    /// Shows a counted group.
    pub async fn of(scope: &Scope, row: fraud::ReviewGroup) -> Result<Self, ApiError> {
        Ok(Self {
            referrer: User::referred_to(scope, row.referrer_id, Sight::Staff).await?,
            signal: row.signal.into(),
            reviews: i32::try_from(row.reviews).unwrap_or(i32::MAX),
            highest_score: row.score,
        })
    }
}
