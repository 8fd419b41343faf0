//! What is known of fraud on a referral: for the host and operators only, fraud rules are not revealed.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::{
    fraud_words::{FraudSignal, RiskStanding},
    review::Review,
};
use crate::{
    domain::id::Id,
    graphql::{
        errors::{ApiError, Nullable},
        scalars::{DateTime, Json},
        scope::Scope,
    },
    store::{fraud, models},
};

/// What is known of fraud on a referral.
#[derive(Clone)]
pub struct Risk {
    /// The referral.
    pub referral: Arc<models::Referral>,
}

/// One sign of fraud, with what it weighed when it was found.
#[derive(SimpleObject, Clone, Debug)]
pub struct FoundSignal {
    /// Which sign.
    pub signal: FraudSignal,
    /// What it adds to the score; of several signs of one fact the heaviest counts.
    pub weight: i32,
    /// Whether it is only reported, and not scored.
    pub shadow: bool,
    /// What it rests on: some of the users it is shared with, how many there are, how long something took.
    pub evidence: Json,
    /// Version of the program whose policy weighed it.
    pub policy_version: i32,
    /// When it was found.
    pub found_at: DateTime,
}

impl From<&fraud::FoundSignal> for FoundSignal {
    fn from(row: &fraud::FoundSignal) -> Self {
        Self {
            signal: row.signal.into(),
            weight: row.weight,
            shadow: row.shadow,
            evidence: Json(serde_json::from_str(&row.evidence).unwrap_or_default()),
            policy_version: row.program_version,
            found_at: row.created_at.into(),
        }
    }
}

impl Risk {
    fn referred(&self) -> Id {
        self.referral.referred_id
    }

    async fn weighed(&self, ctx: &Context<'_>) -> Result<Option<Arc<fraud::Risk>>, ApiError> {
        Scope::of(ctx)?.loaders.set().risk_of().load(self.referred()).await
    }

    async fn all_signals(&self, ctx: &Context<'_>) -> Result<Vec<FoundSignal>, ApiError> {
        let rows = Scope::of(ctx)?.loaders.set().signals_of().load(self.referred()).await?;
        Ok(rows.iter().map(|row| FoundSignal::from(&**row)).collect())
    }

    async fn all_reviews(&self, ctx: &Context<'_>) -> Result<Vec<Review>, ApiError> {
        let rows = Scope::of(ctx)?.loaders.set().reviews_of().load(self.referred()).await?;
        Ok(rows.iter().map(|row| Review(row.clone())).collect())
    }
}

/// What is known of fraud on a referral. For the host and operators only.
#[Object]
impl Risk {
    /// The score: the heaviest sign of each fact, added up. It only ever rises.
    async fn score(&self) -> i32 {
        self.referral.risk_score
    }

    /// What the score, or whoever reviewed the referral, made of it.
    async fn standing(&self, ctx: &Context<'_>) -> Nullable<RiskStanding> {
        let standing = self.weighed(ctx).await.map(|risk| risk.map(|risk| risk.standing.into()));
        Some(standing.map(|standing| standing.unwrap_or(RiskStanding::Clear)))
    }

    /// Version of the program whose policy was applied last; null when nothing was found.
    async fn policy_version(&self, ctx: &Context<'_>) -> Nullable<i32> {
        self.weighed(ctx).await.map(|risk| risk.map(|risk| risk.program_version)).transpose()
    }

    /// Every sign that was found.
    async fn signals(&self, ctx: &Context<'_>) -> Nullable<Vec<FoundSignal>> {
        Some(self.all_signals(ctx).await)
    }

    /// Reviews of the referral, oldest first.
    async fn reviews(&self, ctx: &Context<'_>) -> Nullable<Vec<Review>> {
        Some(self.all_reviews(ctx).await)
    }
}
