//! Programs and what they promise.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    money::major,
    words::{Beneficiary, ProgramStatus},
};
use crate::{
    domain::{
        id::{Id, Noun},
        program::{Definition, Pay, Rule, Trigger},
    },
    graphql::{
        errors::{ApiError, Nullable},
        scalars::{DateTime, Decimal, written},
        scope::Scope,
    },
    store::models,
};

/// A named set of reward rules.
#[derive(Clone)]
pub struct Program(pub Arc<models::Program>);

impl Program {
    /// The program with this id.
    pub async fn find(ctx: &Context<'_>, id: Id) -> Result<Option<Self>, ApiError> {
        let row = Scope::of(ctx)?.loaders.set().programs().load(id).await?;
        Ok(row.map(Self))
    }

    /// The same, of a program that something else refers to.
    pub async fn referred_to(ctx: &Context<'_>, id: Id) -> Result<Self, ApiError> {
        Self::find(ctx, id).await?.ok_or_else(|| ApiError::missing("a program"))
    }

    async fn definition(&self, ctx: &Context<'_>) -> Result<Arc<Definition>, ApiError> {
        let found = Scope::of(ctx)?.loaders.set().definitions().load((self.0.id, self.0.version)).await?;
        found.ok_or_else(|| ApiError::missing("a version of a program"))
    }
}

/// A named set of reward rules, with a currency, a time zone and a state.
#[Object]
impl Program {
    /// The id.
    pub async fn id(&self) -> ID {
        written(Noun::Program, self.0.id)
    }

    /// A short unique name for programs to use; the first program is `default`.
    async fn key(&self) -> &str {
        &self.0.key
    }

    /// A name for people.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// The currency of every reward of this program; events with another one are refused.
    async fn currency_code(&self) -> &str {
        &self.0.currency
    }

    /// The time zone in which days, weeks and months begin: an IANA name such as `Europe/Berlin`.
    async fn time_zone(&self) -> &str {
        &self.0.time_zone
    }

    /// Whether the program runs.
    async fn status(&self) -> ProgramStatus {
        self.0.status.into()
    }

    /// The version in force. Every change makes a new one; an event is paid by the version under which it came.
    async fn version(&self) -> i32 {
        self.0.version
    }

    /// When the program begins; null when it began at once.
    async fn starts_at(&self) -> Option<DateTime> {
        self.0.starts_at.map(DateTime)
    }

    /// When the program ends; null when no end is set.
    async fn ends_at(&self) -> Option<DateTime> {
        self.0.ends_at.map(DateTime)
    }

    /// When the program was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }

    /// How long a click on a referral link counts, in days of 24 hours.
    async fn attribution_window_days(&self, ctx: &Context<'_>) -> Nullable<u32> {
        Some(self.definition(ctx).await.map(|definition| definition.attribution_window_days))
    }

    /// What the referred user has to do for the referral to be completed.
    async fn qualifying(&self, ctx: &Context<'_>) -> Nullable<RewardTrigger> {
        let currency = &self.0.currency;
        Some(self.definition(ctx).await.map(|definition| RewardTrigger::of(&definition.qualifying, currency)))
    }

    /// Who is paid what for what, in the version in force.
    async fn rules(&self, ctx: &Context<'_>) -> Nullable<Vec<RewardRule>> {
        let show = |rule: &Rule| RewardRule::of(rule, &self.0.currency);
        Some(self.definition(ctx).await.map(|definition| definition.rules.iter().map(show).collect()))
    }
}

/// One promise of a program.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardRule {
    /// Name of the rule, unique in its program.
    pub key: String,
    /// What the reward is called on screens, such as `referral_bonus`.
    pub kind: String,
    /// What it is paid for.
    pub on: RewardTrigger,
    /// Who is paid.
    pub to: Beneficiary,
    /// How much.
    pub pay: RewardPay,
    /// Days of 24 hours before the reward can be claimed.
    pub hold_days: u32,
    /// Days of 24 hours after which a reward that was not claimed lapses; null when it never does.
    pub expires_after_days: Option<u32>,
}

/// When an event counts.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardTrigger {
    /// The type of the event, such as `purchase`.
    pub event: String,
    /// The smallest amount that counts, in major units, after refunds. Null: events without an amount count as well.
    pub min_amount: Option<Decimal>,
    /// Which of the user's events that count: 1 for the first.
    pub count: i32,
    /// Whether every such event counts.
    pub every: bool,
}

/// How much a rule pays.
#[derive(SimpleObject, Clone, Debug)]
pub struct RewardPay {
    /// The same each time, in major units of the program's currency.
    pub fixed: Option<Decimal>,
}

impl RewardTrigger {
    fn of(trigger: &Trigger, currency: &str) -> Self {
        Self {
            event: trigger.event.clone(),
            min_amount: trigger.min_amount.map(|minor| major(minor, currency)),
            count: i32::try_from(trigger.count).unwrap_or(i32::MAX),
            every: trigger.every,
        }
    }
}

impl RewardRule {
    fn of(rule: &Rule, currency: &str) -> Self {
        Self {
            key: rule.key.clone(),
            kind: rule.kind.clone(),
            on: RewardTrigger::of(&rule.on, currency),
            to: rule.to.into(),
            pay: RewardPay::of(&rule.pay, currency),
            hold_days: rule.hold_days,
            expires_after_days: rule.expires_after_days,
        }
    }
}

impl RewardPay {
    fn of(pay: &Pay, currency: &str) -> Self {
        match pay {
            Pay::Fixed(minor) => Self { fixed: Some(major(*minor, currency)) },
        }
    }
}
