//! The root of subscriptions: the current value first, then each change.
//!
//! What a topic holds is read once per change, for all subscribers together; each of them sees it with their own eyes
//! afterwards. Loaders are renewed before each message, since a subscription outlives what they remember; for the same
//! reason who may watch whom is asked before each message and not only at the start.

mod boards;
mod delivery;
mod people;

use async_graphql::{Context, ID, Subscription as GraphqlSubscription};
use futures_util::Stream;

use super::{
    errors::ApiError,
    queries::board_argument,
    scope::Scope,
    types::{
        leaderboard::LeaderboardUpdate,
        network::ReferralCount,
        reward::Reward,
        words::{LeaderboardMetric, LeaderboardPeriod},
    },
};

/// Everything that can be watched. Versions only rise; who reads slowly skips to the newest value.
#[derive(Default)]
pub struct Subscription;

/// Everything that can be watched. Versions only rise; who reads slowly skips to the newest value.
#[GraphqlSubscription]
impl Subscription {
    /// A user's counts: now, and after every change. Members watch themselves and their network.
    async fn referral_count(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose counts.")] user_id: ID,
    ) -> Result<impl Stream<Item = Result<ReferralCount, ApiError>> + use<>, ApiError> {
        people::referral_count(Scope::of(ctx)?.clone(), user_id).await
    }

    /// The top of a leaderboard: now, and after every change. Members see other people's names masked.
    async fn leaderboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is counted.", default_with = "Some(LeaderboardMetric::Referrals)")] metric: Option<
            LeaderboardMetric,
        >,
        #[graphql(desc = "Over which time.", default_with = "Some(LeaderboardPeriod::AllTime)")] period: Option<
            LeaderboardPeriod,
        >,
        #[graphql(desc = "The program; the default program unless told.")] program_id: Option<ID>,
        #[graphql(desc = "How many entries, 1 to 100; 10 unless told.", default_with = "Some(10)")] first: Option<i32>,
    ) -> Result<impl Stream<Item = Result<LeaderboardUpdate, ApiError>> + use<>, ApiError> {
        let board = board_argument(metric, period, program_id)?;
        boards::leaderboard(Scope::of(ctx)?.clone(), board, first).await
    }

    /// A user's rewards as they change: the one that changed last, then each that changes. Members watch their own.
    async fn reward_updated(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose rewards.")] user_id: ID,
    ) -> Result<impl Stream<Item = Result<Reward, ApiError>> + use<>, ApiError> {
        people::reward_updated(Scope::of(ctx)?.clone(), user_id).await
    }
}
