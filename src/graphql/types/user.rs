//! People.

use std::sync::Arc;

use async_graphql::{Context, ID, Object};

use super::{
    claim::Claim,
    code::ReferralCode,
    event::Event,
    leaderboard::{self, LeaderboardEntry},
    money::Balance,
    network::Network,
    referral::Referral,
    reward::Reward,
    words::{LeaderboardMetric, LeaderboardPeriod, ReferralStatus, RewardStatus, UserStatus},
};
use crate::{
    domain::id::{Id, Noun},
    graphql::{
        caller::{Sight, masked},
        connection::{Connection, LONGEST_PAGE, ListTag, Paging, ReferralConnection, Total, UserConnection},
        errors::{ApiError, Nullable},
        loaders::{BoardKey, Fan, LoaderSet},
        scalars::{DateTime, id_argument, written},
        scope::Scope,
    },
    store::models,
};

/// A person of the host product, as the caller sees them.
#[derive(Clone)]
pub struct User {
    /// The stored person.
    pub row: Arc<models::User>,
    /// How much of them the caller sees.
    pub sight: Sight,
}

impl User {
    /// A user as operators and the host see them.
    pub fn for_staff(row: models::User) -> Self {
        Self { row: Arc::new(row), sight: Sight::Staff }
    }

    /// The user with this id, if the caller may see them.
    pub async fn find(scope: &Scope, id: Id) -> Result<Option<Self>, ApiError> {
        match scope.sight_of(id).await? {
            Some(sight) => Self::in_sight(scope, id, sight).await,
            None => Ok(None),
        }
    }

    /// The user with this id, seen in a known way.
    pub async fn in_sight(scope: &Scope, id: Id, sight: Sight) -> Result<Option<Self>, ApiError> {
        let row = scope.loaders.set().users().load(id).await?;
        Ok(row.map(|row| Self { row, sight }))
    }

    /// The same, of a user that something else refers to. Whether it is the caller's own record, the id alone tells: since a
    /// place in the tree was read, somebody else may have come to stand there.
    pub async fn referred_to(scope: &Scope, id: Id, sight: Sight) -> Result<Self, ApiError> {
        let sight = match sight {
            Sight::Own if scope.me().await? != Some(id) => Sight::Name,
            Sight::Own | Sight::Staff | Sight::Network(_) | Sight::Name => sight,
        };
        Self::in_sight(scope, id, sight).await?.ok_or_else(|| ApiError::missing("a user"))
    }

    /// The loaders, where this part of the user is shown to the caller.
    fn loaders_if(&self, ctx: &Context<'_>, is_shown: bool) -> Result<Option<Arc<LoaderSet>>, ApiError> {
        if is_shown { Scope::of(ctx).map(|scope| Some(scope.loaders.set())) } else { Ok(None) }
    }

    async fn own_codes(&self, ctx: &Context<'_>) -> Result<Option<Arc<Vec<Arc<models::Code>>>>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.is_private())? else { return Ok(None) };
        set.codes().load(self.row.id).await.map(Some)
    }

    /// The code that the user shares, as it is shown.
    async fn main_code(&self, ctx: &Context<'_>) -> Result<Option<String>, ApiError> {
        let Some(codes) = self.own_codes(ctx).await? else { return Ok(None) };
        let now = Scope::of(ctx)?.engine.context.now();
        Ok(ReferralCode::main(&codes, now).map(|code| code.shown.clone()))
    }

    async fn totals(&self, ctx: &Context<'_>) -> Result<Option<Option<Arc<models::Totals>>>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.has_tree())? else { return Ok(None) };
        set.totals().load(self.row.id).await.map(Some)
    }

    fn fan(&self, list: ListTag, status: Option<&'static str>, paging: &Paging) -> Result<Fan, ApiError> {
        Ok(Fan { parent: self.row.id, status, window: paging.window(list)? })
    }

    async fn upline_within(&self, ctx: &Context<'_>, first: i32) -> Result<Option<Vec<Self>>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.has_tree())? else { return Ok(None) };
        if !(1..=LONGEST_PAGE).contains(&first) {
            return Err(ApiError::bad_input(format!("`first` must be between 1 and {LONGEST_PAGE}, not {first}")));
        }
        let chain = set.uplines().load(self.row.id).await?;
        let scope = Scope::of(ctx)?;
        let steps = chain.iter().zip(1_u8..).take(usize::try_from(first).unwrap_or(0));
        let above = steps.map(|(id, level)| Self::referred_to(scope, *id, self.sight.above(level)));
        futures_util::future::try_join_all(above).await.map(Some)
    }

    async fn referrer_above(&self, ctx: &Context<'_>) -> Result<Option<Self>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.has_tree())? else { return Ok(None) };
        let Some(edge) = set.referral_of().load(self.row.id).await? else { return Ok(None) };
        Self::referred_to(Scope::of(ctx)?, edge.referrer_id, self.sight.above(1)).await.map(Some)
    }

    async fn referral_above(&self, ctx: &Context<'_>) -> Result<Option<Referral>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.has_tree())? else { return Ok(None) };
        let row = set.referral_of().load(self.row.id).await?;
        Ok(row.map(|row| Referral { row, sight: self.sight }))
    }

    async fn referrals_made(
        &self,
        ctx: &Context<'_>,
        status: Option<ReferralStatus>,
        paging: Paging,
    ) -> Result<Option<ReferralConnection>, ApiError> {
        let Some(sight) = self.sight.below(1) else { return Ok(None) };
        let word = status.map(|status| crate::domain::words::ReferralStatus::from(status).word());
        let fan = self.fan(ListTag::Referrals, word, &paging)?;
        let page = Scope::of(ctx)?.loaders.set().referrals().load(fan).await?;
        let show = |row: &Arc<models::Referral>| Referral { row: row.clone(), sight };
        let connection = Connection::of(ListTag::Referrals, &page, |row| row.referred_id, show);
        let total = match status {
            None => Total::Signups(self.row.id),
            Some(ReferralStatus::Completed) => Total::Completed(self.row.id),
            Some(ReferralStatus::Pending) => Total::Pending(self.row.id),
            Some(ReferralStatus::Rejected) => Total::Unknown,
        };
        Ok(Some(ReferralConnection::new(connection, total)))
    }

    async fn brought_in(&self, ctx: &Context<'_>, paging: Paging) -> Result<Option<UserConnection>, ApiError> {
        let Some(sight) = self.sight.below(1) else { return Ok(None) };
        let fan = self.fan(ListTag::ReferredUsers, None, &paging)?;
        let page = Scope::of(ctx)?.loaders.set().referred_users().load(fan).await?;
        let show = |row: &Arc<models::User>| Self { row: row.clone(), sight };
        let connection = Connection::of(ListTag::ReferredUsers, &page, |row| row.id, show);
        Ok(Some(UserConnection::new(connection, Total::Signups(self.row.id))))
    }

    async fn own_rewards(
        &self,
        ctx: &Context<'_>,
        status: Option<RewardStatus>,
        paging: Paging,
    ) -> Result<Option<Connection<Reward>>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.is_private())? else { return Ok(None) };
        let word = status.map(|status| crate::domain::reward::RewardStatus::from(status).word());
        let page = set.rewards_of_user().load(self.fan(ListTag::Rewards, word, &paging)?).await?;
        let show = |row: &Arc<models::Reward>| Reward { row: row.clone(), sight: self.sight };
        Ok(Some(Connection::of(ListTag::Rewards, &page, |row| row.id, show)))
    }

    async fn own_claims(&self, ctx: &Context<'_>, paging: Paging) -> Result<Option<Connection<Claim>>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.is_private())? else { return Ok(None) };
        let page = set.claims_of_user().load(self.fan(ListTag::Claims, None, &paging)?).await?;
        let show = |row: &Arc<models::Claim>| Claim { row: row.clone(), sight: self.sight };
        Ok(Some(Connection::of(ListTag::Claims, &page, |row| row.id, show)))
    }

    async fn own_events(&self, ctx: &Context<'_>, paging: Paging) -> Result<Option<Connection<Event>>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.is_private())? else { return Ok(None) };
        let page = set.events_of_user().load(self.fan(ListTag::Events, None, &paging)?).await?;
        let show = |row: &Arc<models::Event>| Event { row: row.clone(), sight: self.sight };
        Ok(Some(Connection::of(ListTag::Events, &page, |row| row.id, show)))
    }

    async fn own_balances(&self, ctx: &Context<'_>) -> Result<Option<Vec<Balance>>, ApiError> {
        let Some(set) = self.loaders_if(ctx, self.sight.is_private())? else { return Ok(None) };
        let accounts = set.accounts().load(self.row.id).await?;
        Ok(Some(accounts.iter().map(|account| Balance::of(account)).collect()))
    }
}

/// A person of the host product. Fields that you may not see are null, without an error: a member sees their own record
/// whole, their network without money and codes, and of everybody else a masked name.
#[Object]
impl User {
    /// The id.
    pub async fn id(&self) -> ID {
        written(Noun::User, self.row.id)
    }

    /// Whether the user takes part.
    async fn status(&self) -> UserStatus {
        self.row.status.into()
    }

    /// When the user signed up, or was imported to have done so.
    async fn created_at(&self) -> DateTime {
        self.row.created_at.into()
    }

    /// The host's own id of the user; null for who was erased.
    async fn external_id(&self) -> Option<&str> {
        let is_known = self.row.status != crate::domain::words::UserStatus::Erased;
        (self.sight.is_private() && is_known).then_some(&self.row.external_id)
    }

    /// The name shown to others; masked (`A*** L***`) for who is neither the user nor above them.
    async fn display_name(&self) -> Option<String> {
        let name = self.row.display_name.as_deref()?;
        Some(if self.sight.has_tree() { name.to_owned() } else { masked(name) })
    }

    /// The code to share: the first of the user's codes that is in use.
    async fn code(&self, ctx: &Context<'_>) -> Nullable<String> {
        self.main_code(ctx).await.transpose()
    }

    /// The link to share: it leads to the host's site and notes the click.
    async fn link(&self, ctx: &Context<'_>) -> Nullable<String> {
        let scope = Scope::of(ctx).ok()?;
        self.main_code(ctx).await.map(|code| code.map(|code| scope.settings.link(&code))).transpose()
    }

    /// Address of a picture of that link, to be printed or shown: a QR code as SVG.
    async fn qr_code_url(&self, ctx: &Context<'_>) -> Nullable<String> {
        let scope = Scope::of(ctx).ok()?;
        self.main_code(ctx).await.map(|code| code.map(|code| scope.settings.qr_code(&code))).transpose()
    }

    /// Every code of the user, oldest first, switched off ones included.
    async fn codes(&self, ctx: &Context<'_>) -> Nullable<Vec<ReferralCode>> {
        let codes = self.own_codes(ctx).await.transpose()?;
        Some(codes.map(|codes| codes.iter().map(|code| ReferralCode(code.clone())).collect()))
    }

    /// Who brought this user in.
    async fn referrer(&self, ctx: &Context<'_>) -> Nullable<User> {
        self.referrer_above(ctx).await.transpose()
    }

    /// The chain of referrers above this user, nearest first, ten levels at most.
    async fn upline(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many levels; 10 unless told.", default_with = "Some(10)")] first: Option<i32>,
    ) -> Nullable<Vec<User>> {
        self.upline_within(ctx, first.unwrap_or(10)).await.transpose()
    }

    /// The referral that brought this user; null for users whom nobody brought in.
    async fn referral(&self, ctx: &Context<'_>) -> Nullable<Referral> {
        self.referral_above(ctx).await.transpose()
    }

    /// The referrals that this user made, oldest first, rejected ones included.
    async fn referrals(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only referrals in this state.")] status: Option<ReferralStatus>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<ReferralConnection> {
        self.referrals_made(ctx, status, Paging { first, after, last, before }).await.transpose()
    }

    /// The people whom this user brought in, oldest first.
    async fn referred_users(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<UserConnection> {
        self.brought_in(ctx, Paging { first, after, last, before }).await.transpose()
    }

    /// How many people this user brought in directly; rejected referrals are not counted.
    async fn referral_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
        let totals = self.totals(ctx).await.transpose()?;
        Some(totals.map(|totals| totals.map_or(0, |totals| totals.signups_1)))
    }

    /// How many of this user's direct referrals are completed.
    async fn completed_referral_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
        let totals = self.totals(ctx).await.transpose()?;
        Some(totals.map(|totals| totals.map_or(0, |totals| totals.completed_1)))
    }

    /// Counts of everybody within ten levels below this user.
    async fn network(&self, ctx: &Context<'_>) -> Nullable<Network> {
        let totals = self.totals(ctx).await.transpose()?;
        Some(totals.map(|totals| Network::of(totals.as_deref())))
    }

    /// This user's place on a leaderboard, now; null for who is not on it.
    async fn rank(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is counted.", default_with = "Some(LeaderboardMetric::Referrals)")] metric: Option<
            LeaderboardMetric,
        >,
        #[graphql(desc = "Over which time.", default_with = "Some(LeaderboardPeriod::AllTime)")] period: Option<
            LeaderboardPeriod,
        >,
        #[graphql(desc = "The program; the default program unless told.")] program_id: Option<ID>,
    ) -> Nullable<LeaderboardEntry> {
        let program = program_id.map(|id| id_argument(Noun::Program, &id)).transpose();
        let board = program.map(|program| BoardKey {
            program,
            metric: metric.unwrap_or(LeaderboardMetric::Referrals).into(),
            period: period.unwrap_or(LeaderboardPeriod::AllTime).into(),
        });
        leaderboard::place_of(ctx, board, self).await.transpose()
    }

    /// What this user was granted, newest first, reversed rewards included.
    async fn rewards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only rewards in this state.")] status: Option<RewardStatus>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Reward>> {
        self.own_rewards(ctx, status, Paging { first, after, last, before }).await.transpose()
    }

    /// What this user asked to be paid, newest first.
    async fn claims(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Claim>> {
        self.own_claims(ctx, Paging { first, after, last, before }).await.transpose()
    }

    /// What this user did, as far as the host told, newest first.
    async fn events(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Event>> {
        self.own_events(ctx, Paging { first, after, last, before }).await.transpose()
    }

    /// What this user has, in each currency in which there ever was a reward.
    async fn balances(&self, ctx: &Context<'_>) -> Nullable<Vec<Balance>> {
        self.own_balances(ctx).await.transpose()
    }
}
