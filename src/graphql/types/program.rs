//! Programs and what they promise.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, SimpleObject};

use super::{
    fraud_policy::FraudPolicy,
    money::major,
    rule::{RewardRule, RewardTrigger},
    words::{AttributionModel, ProgramStatus},
};
use crate::{
    domain::{
        id::{Id, Noun},
        program::{Definition, Rule},
    },
    graphql::{
        caller::Operator,
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

    async fn all_versions(&self, ctx: &Context<'_>) -> Result<Vec<ProgramVersion>, ApiError> {
        let scope = Scope::of(ctx)?;
        let rows = scope.engine.program_versions(self.0.id).await?;
        let currency = &self.0.currency;
        let shown = rows.into_iter().map(|(row, definition)| ProgramVersion {
            version: row.version,
            created_at: row.created_at.into(),
            actor: scope.caller_as::<Operator<'_>>().ok().map(|_| row.actor),
            qualifying: RewardTrigger::of(&definition.qualifying, currency),
            rules: definition.rules.iter().map(|rule| RewardRule::of(rule, currency)).collect(),
            fraud: scope.is_staff().then(|| FraudPolicy::from(&definition.fraud)),
        });
        Ok(shown.collect())
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

    /// Which click counts when there were several.
    async fn attribution(&self, ctx: &Context<'_>) -> Nullable<AttributionModel> {
        Some(self.definition(ctx).await.map(|definition| definition.attribution.into()))
    }

    /// Where this program's referral links lead; null when that is the landing page of the installation.
    async fn landing_url(&self) -> Option<&str> {
        self.0.landing_url.as_deref()
    }

    /// Name of the parameter by which a link passes the code on to the landing page.
    async fn ref_parameter(&self) -> &str {
        &self.0.ref_parameter
    }

    /// Name of the parameter by which a link passes the click on to the landing page.
    async fn click_id_parameter(&self) -> &str {
        &self.0.click_parameter
    }

    /// The smallest claim, in major units; null when claims of any amount are taken.
    async fn minimum_claim(&self, ctx: &Context<'_>) -> Nullable<Decimal> {
        let shown =
            |definition: Arc<Definition>| definition.minimum_claim.map(|minor| Ok(major(minor, &self.0.currency)));
        self.definition(ctx).await.map_or_else(|error| Some(Err(error)), shown)
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

    /// What is made of signs of fraud, in the version in force. For the host and operators only.
    async fn fraud(&self, ctx: &Context<'_>) -> Nullable<FraudPolicy> {
        let policy = self.definition(ctx).await.map(|definition| FraudPolicy::from(&definition.fraud));
        Scope::of(ctx).map_or_else(|error| Some(Err(error)), |scope| scope.is_staff().then_some(policy))
    }

    /// Every version that there was, newest first, at most 100. A version is never changed.
    async fn versions(&self, ctx: &Context<'_>) -> Nullable<Vec<ProgramVersion>> {
        Some(self.all_versions(ctx).await)
    }
}

/// What a program promised, as it was written then.
#[derive(SimpleObject, Clone, Debug)]
pub struct ProgramVersion {
    /// The number of the version, from 1 on.
    pub version: i32,
    /// When it was made.
    pub created_at: DateTime,
    /// Who made it. For operators only.
    pub actor: Option<String>,
    /// What the referred user has to do for the referral to be completed.
    pub qualifying: RewardTrigger,
    /// Who is paid what for what.
    pub rules: Vec<RewardRule>,
    /// What was made of signs of fraud. For the host and operators only.
    pub fraud: Option<FraudPolicy>,
}
