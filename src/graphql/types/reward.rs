//! What rules granted.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{event::Event, money::Money, program::Program, referral::Referral, user::User, words::RewardStatus};
use crate::{
    domain::{
        explanation::{Explained, Explanation},
        id::Noun,
        money::Currency,
    },
    graphql::{
        caller::Sight,
        errors::{ApiError, Nullable},
        scalars::{DateTime, written},
        scope::Scope,
    },
    store::models,
};

/// What a rule granted to one user because of one event.
#[derive(Clone)]
pub struct Reward {
    /// The stored reward.
    pub row: Arc<models::Reward>,
    /// How much of its owner the caller sees.
    pub sight: Sight,
}

impl Reward {
    /// How the caller sees the person whose event this is: by their place in the tree as it is now. The reward's level does
    /// not tell it: levels may have skipped people, and people may have been moved since.
    async fn sight_of_referred(&self, scope: &Scope) -> Result<Sight, ApiError> {
        Ok(scope.sight_of(self.row.referred_id).await?.unwrap_or(Sight::Name))
    }

    async fn moves(&self, ctx: &Context<'_>) -> Result<Vec<RewardMove>, ApiError> {
        let moves = Scope::of(ctx)?.loaders.set().history().load(self.row.id).await?;
        let shown = moves.iter().map(|row| RewardMove {
            from_status: row.from_status.into(),
            to_status: row.to_status.into(),
            net: Money::of_minor(row.net, &self.row.currency),
            reason: row.reason.clone(),
            actor: (self.sight == Sight::Staff).then(|| row.actor.clone()),
            at: row.created_at.into(),
        });
        Ok(shown.collect())
    }
}

/// What a rule granted to one user because of one event.
#[Object]
impl Reward {
    /// The id.
    pub async fn id(&self) -> ID {
        written(Noun::Reward, self.row.id)
    }

    /// Who earned it.
    async fn user(&self, ctx: &Context<'_>) -> Result<User, ApiError> {
        User::referred_to(Scope::of(ctx)?, self.row.user_id, self.sight).await
    }

    /// The referral that it was paid for.
    async fn referral(&self, ctx: &Context<'_>) -> Result<Referral, ApiError> {
        let scope = Scope::of(ctx)?;
        let row = scope.loaders.set().referral_of().load(self.row.referred_id).await?;
        let row = row.ok_or_else(|| ApiError::missing("a referral"))?;
        Ok(Referral { row, sight: self.sight_of_referred(scope).await? })
    }

    /// The event that it was granted for.
    async fn event(&self, ctx: &Context<'_>) -> Result<Event, ApiError> {
        let scope = Scope::of(ctx)?;
        let row = scope.loaders.set().events().load(self.row.event_id).await?;
        let row = row.ok_or_else(|| ApiError::missing("an event"))?;
        Ok(Event { row, sight: self.sight_of_referred(scope).await? })
    }

    /// The program whose rule granted it.
    async fn program(&self, ctx: &Context<'_>) -> Nullable<Program> {
        Program::find(ctx, self.row.program_id).await.transpose()
    }

    /// The version of the program under which the event came.
    async fn version(&self) -> i32 {
        self.row.program_version
    }

    /// Key of the rule that granted it.
    async fn rule(&self) -> &str {
        &self.row.rule_key
    }

    /// What it is called on screens, such as `referral_bonus`.
    async fn kind(&self) -> &str {
        &self.row.kind
    }

    /// How far below the owner the event happened: 0 for the referred user's own reward, 1 for the referrer's, and so on.
    async fn level(&self) -> i32 {
        self.row.level
    }

    /// What was granted.
    async fn amount(&self) -> Money {
        Money::of_minor(self.row.amount, &self.row.currency)
    }

    /// What of it still stands after refunds. What was paid out already is not taken back but becomes a debt.
    async fn net(&self) -> Money {
        Money::of_minor(self.row.net, &self.row.currency)
    }

    /// The state of the reward.
    async fn status(&self) -> RewardStatus {
        self.row.status.into()
    }

    /// From when on it can be claimed.
    async fn available_at(&self) -> Option<DateTime> {
        Some(self.row.available_at.into())
    }

    /// When it lapses unless it is claimed; null when it never does.
    async fn expires_at(&self) -> Option<DateTime> {
        self.row.expires_at.map(DateTime)
    }

    /// When it was granted.
    async fn created_at(&self) -> Option<DateTime> {
        Some(self.row.created_at.into())
    }

    /// Why it was granted and how its amount came about, in a sentence.
    async fn explanation(&self) -> Option<String> {
        let currency = Currency::stored(&self.row.currency);
        let of = Explained {
            rule: &self.row.rule_key,
            version: self.row.program_version,
            level: self.row.level,
            amount: self.row.amount,
            currency: &currency,
        };
        Explanation::stored(&self.row.explanation).ok().map(|explanation| explanation.sentence(of))
    }

    /// How it got into its present state, oldest first.
    async fn history(&self, ctx: &Context<'_>) -> Nullable<Vec<RewardMove>> {
        Some(self.moves(ctx).await)
    }
}

/// A change of a reward.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardMove {
    /// The state before.
    pub from_status: RewardStatus,
    /// The state afterwards.
    pub to_status: RewardStatus,
    /// What of the reward still stood afterwards.
    pub net: Money,
    /// Why.
    pub reason: String,
    /// Who or what did it. For the host and operators only.
    pub actor: Option<String>,
    /// When.
    pub at: DateTime,
}
