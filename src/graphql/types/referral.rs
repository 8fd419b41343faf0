//! Edges of the tree.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    attribution::Click,
    program::Program,
    risk::Risk,
    user::User,
    words::{AttributionVia, ReferralStatus},
};
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

/// An edge of the tree.
#[derive(Clone)]
pub struct Referral {
    /// The stored edge.
    pub row: Arc<models::Referral>,
    /// How much of the referred user the caller sees.
    pub sight: Sight,
}

/// Who brought in whom. Every user has at most one referral that brought them, ever.
#[Object]
impl Referral {
    /// The id.
    pub async fn id(&self) -> ID {
        written(Noun::Referral, self.row.referred_id)
    }

    /// Who brought the other in.
    async fn referrer(&self, ctx: &Context<'_>) -> Result<User, ApiError> {
        User::referred_to(Scope::of(ctx)?, self.row.referrer_id, self.sight.above(1)).await
    }

    /// Who was brought in.
    async fn referred(&self, ctx: &Context<'_>) -> Result<User, ApiError> {
        User::referred_to(Scope::of(ctx)?, self.row.referred_id, self.sight).await
    }

    /// The program whose rules pay for this referral.
    async fn program(&self, ctx: &Context<'_>) -> Result<Program, ApiError> {
        Program::referred_to(ctx, self.row.program_id).await
    }

    /// The state of the referral.
    async fn status(&self) -> ReferralStatus {
        self.row.status.into()
    }

    /// How the referral came about.
    async fn via(&self) -> Option<AttributionVia> {
        Some(self.row.via.into())
    }

    /// The code that was used, as it is shown; null when none was. Members see the code by which they came and their own,
    /// not those of other people.
    async fn code(&self) -> Option<&str> {
        self.row.code.as_deref().filter(|_| self.sight.shows_code_used())
    }

    /// The click that brought the referred user, and what campaign it belonged to; null when there was none. For the host
    /// and operators only.
    async fn click(&self, ctx: &Context<'_>) -> Nullable<Click> {
        let click = self.row.click_id.filter(|_| self.sight == Sight::Staff)?;
        Click::find(ctx, click).await.transpose()
    }

    /// When the referral was made.
    async fn created_at(&self) -> Option<DateTime> {
        Some(self.row.created_at.into())
    }

    /// When the referred user did what the program asks for; null unless `status` is `COMPLETED`.
    async fn completed_at(&self) -> Option<DateTime> {
        self.row.completed_at.map(DateTime)
    }

    /// When the referral was refused; null unless `status` is `REJECTED`.
    async fn rejected_at(&self) -> Option<DateTime> {
        self.row.rejected_at.map(DateTime)
    }

    /// What is known of fraud. For the host and operators only.
    async fn risk(&self) -> Option<Risk> {
        (self.sight == Sight::Staff).then(|| Risk { referral: self.row.clone() })
    }
}
