//! What users did.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{money::Money, reward::Reward, user::User, words::DecisionOutcome};
use crate::{
    domain::{
        history::{Decision, Decisions},
        id::Noun,
    },
    graphql::{
        caller::Sight,
        errors::{ApiError, Nullable},
        scalars::{DateTime, written},
        scope::Scope,
    },
    store::models,
};

/// Something a user did.
#[derive(Clone)]
pub struct Event {
    /// The stored event.
    pub row: Arc<models::Event>,
    /// How much of the user who did it the caller sees.
    pub sight: Sight,
}

impl Event {
    /// What the event brought to whom the caller may see: a member sees what it brought to themselves.
    async fn rewards_in_sight(&self, ctx: &Context<'_>) -> Result<Vec<Reward>, ApiError> {
        let scope = Scope::of(ctx)?;
        let me = scope.me().await?;
        let rows = scope.loaders.set().rewards_of_event().load(self.row.id).await?;
        let sight = if scope.is_staff() { Sight::Staff } else { Sight::Own };
        let mine = rows.iter().filter(|row| sight == Sight::Staff || Some(row.user_id) == me);
        Ok(mine.map(|row| Reward { row: row.clone(), sight }).collect())
    }

    fn stored_decisions(&self) -> Result<Option<Vec<EventDecision>>, ApiError> {
        let (Sight::Staff, Some(text)) = (self.sight, &self.row.decisions) else { return Ok(None) };
        let decisions: Decisions = serde_json::from_str(text)
            .map_err(|error| ApiError::internal(&format!("decisions of event {}: {error}", self.row.id)))?;
        let shown = |(rule, level, decision): (&str, i32, Decision)| EventDecision {
            rule: rule.to_owned(),
            level,
            decision: decision.into(),
        };
        Ok(Some(decisions.iter().map(shown).collect()))
    }
}

/// Something a user did that rules may pay for.
#[Object]
impl Event {
    /// The id.
    pub async fn id(&self) -> ID {
        written(Noun::Event, self.row.id)
    }

    /// Who did it.
    async fn user(&self, ctx: &Context<'_>) -> Nullable<User> {
        let scope = match Scope::of(ctx) {
            Ok(scope) => scope,
            Err(error) => return Some(Err(error)),
        };
        Some(User::referred_to(scope, self.row.user_id, self.sight).await)
    }

    /// What happened: `signup`, `purchase`, or any name of the host's own.
    #[graphql(name = "type")]
    async fn event_type(&self) -> &str {
        &self.row.event_type
    }

    /// The amount, before refunds; null for events without one, and of other people's events for members.
    async fn amount(&self) -> Option<Money> {
        let (true, Some(amount), Some(currency)) = (self.sight.is_private(), self.row.amount, &self.row.currency)
        else {
            return None;
        };
        Some(Money::of_minor(amount, currency))
    }

    /// How much of the amount was refunded so far; null where `amount` is.
    async fn refunded(&self) -> Option<Money> {
        let (true, Some(amount), Some(currency)) = (self.sight.is_private(), self.row.amount, &self.row.currency)
        else {
            return None;
        };
        let left = self.row.remaining.unwrap_or(amount);
        Some(Money::of_minor(amount - left, currency))
    }

    /// The host's idempotency key; empty on other people's events for members.
    async fn key(&self) -> &str {
        if self.sight.is_private() { &self.row.key } else { "" }
    }

    /// When it happened, as the host says.
    async fn occurred_at(&self) -> Option<DateTime> {
        Some(self.row.occurred_at.into())
    }

    /// When it was told: holds, caps and leaderboards count from here.
    async fn received_at(&self) -> Option<DateTime> {
        Some(self.row.received_at.into())
    }

    /// What it brought. Decided shortly after the event came; members see their own rewards only.
    async fn rewards(&self, ctx: &Context<'_>) -> Result<Vec<Reward>, ApiError> {
        self.rewards_in_sight(ctx).await
    }

    /// What was decided, rule by rule and level by level; null until then. For the host and operators only.
    async fn decisions(&self) -> Nullable<Vec<EventDecision>> {
        self.stored_decisions().transpose()
    }
}

/// What was decided about one event, one rule and one level. It is decided once; afterwards only refunds and denials change what
/// was granted.
#[derive(SimpleObject, Clone, Debug)]
pub struct EventDecision {
    /// Key of the rule.
    pub rule: String,
    /// Who would be paid: 0 for the referred user, 1 for the referrer, and so on.
    pub level: i32,
    /// What was decided.
    pub decision: DecisionOutcome,
}
