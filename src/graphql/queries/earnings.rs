//! Queries about rewards and claims of everybody.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, SimpleObject};
use uuid::Uuid;

use crate::{
    domain::{
        id::{Id, Noun},
        reward, words,
    },
    graphql::{
        caller::{Operator, Sight, Staff},
        connection::{Connection, ListTag, Page, Paging},
        errors::{ApiError, Nullable},
        loaders::Fan,
        scalars::{BigInt, DateTime, id_argument, written},
        scope::Scope,
        types::{
            claim::Claim,
            money::Money,
            reward::Reward,
            words::{ClaimStatus, RewardStatus},
        },
    },
    store::{StoreError, Tx, models, run},
};

/// Which rewards are wanted; what is left out does not matter.
#[derive(InputObject, Clone, Debug, Default)]
pub struct RewardFilter {
    /// Only rewards of this user.
    pub user_id: Option<ID>,
    /// Only rewards in this state.
    pub status: Option<RewardStatus>,
}

/// A movement of money between two accounts of a user, or from or to the issuer, whose balance is minus the sum of all
/// others. Transfers are only ever added.
#[derive(SimpleObject, Clone, Debug)]
pub struct Transfer {
    /// The number of the transfer; later ones are higher.
    pub number: BigInt,
    /// Where it came from: `ISSUER`, `PENDING`, `AVAILABLE`, `WITHHELD`, `CLAIMED`, `PAID` or `DEBT`.
    pub from: String,
    /// Where it went to, in the same words.
    pub to: String,
    /// How much.
    pub amount: Money,
    /// Id of the reward that it belongs to, if it does.
    pub reward_id: Option<ID>,
    /// Id of the claim that it belongs to, if it does.
    pub claim_id: Option<ID>,
    /// Why.
    pub reason: String,
    /// When.
    pub created_at: DateTime,
}

/// Rewards and claims of everybody.
#[derive(Default)]
pub struct EarningsQueries;

#[Object]
impl EarningsQueries {
    /// Everybody's rewards, newest first. For the host and operators.
    async fn rewards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which rewards; all unless told.")] filter: Option<RewardFilter>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Reward>> {
        Some(rewards(ctx, filter.unwrap_or_default(), Paging { first, after, last, before }).await)
    }

    /// A user's ledger: every movement of their money, newest first. For operators.
    async fn ledger(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose.")] user_id: ID,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Transfer>> {
        Some(ledger(ctx, &user_id, Paging { first, after, last, before }).await)
    }

    /// Everybody's claims, newest first. For the host and operators.
    async fn claims(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only claims in this state.")] status: Option<ClaimStatus>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Claim>> {
        Some(claims(ctx, status, Paging { first, after, last, before }).await)
    }
}

async fn rewards(ctx: &Context<'_>, filter: RewardFilter, paging: Paging) -> Result<Connection<Reward>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Staff>()?;
    let window = paging.window(ListTag::Rewards)?;
    let status = filter.status.map(reward::RewardStatus::from);
    let page = match filter.user_id {
        Some(user) => {
            let parent = id_argument(Noun::User, &user)?;
            let fan = Fan { parent, status: status.map(reward::RewardStatus::word), window };
            scope.loaders.set().rewards_of_user().load(fan).await?
        }
        None => {
            let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, rewards::page(status, window)));
            Arc::new(Page::cut(&window, look.await.map_err(|failure: StoreError| ApiError::from(failure))?))
        }
    };
    let show = |row: &Arc<models::Reward>| Reward { row: row.clone(), sight: Sight::Staff };
    Ok(Connection::of(ListTag::Rewards, &page, |row| row.id, show))
}

async fn ledger(ctx: &Context<'_>, user: &ID, paging: Paging) -> Result<Connection<Transfer>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Operator<'_>>()?;
    let (user, window) = (id_argument(Noun::User, user)?, paging.window(ListTag::Transfers)?);
    let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, accounts::transfers_of(user, window)));
    let page = Page::cut(&window, look.await.map_err(|failure: StoreError| ApiError::from(failure))?);
    let number = |row: &models::Transfer| Id::from_uuid(Uuid::from_u128(u128::from(row.id.unsigned_abs())));
    Ok(Connection::of(ListTag::Transfers, &page, number, |row| Transfer {
        number: BigInt(row.id),
        from: row.from_account.clone(),
        to: row.to_account.clone(),
        amount: Money::of_minor(row.amount, &row.currency),
        reward_id: row.reward_id.map(|id| written(Noun::Reward, id)),
        claim_id: row.claim_id.map(|id| written(Noun::Claim, id)),
        reason: row.reason.clone(),
        created_at: row.created_at.into(),
    }))
}

async fn claims(ctx: &Context<'_>, status: Option<ClaimStatus>, paging: Paging) -> Result<Connection<Claim>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Staff>()?;
    let window = paging.window(ListTag::Claims)?;
    let status = status.map(words::ClaimStatus::from);
    let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, claims::page(status, window)));
    let page = Page::cut(&window, look.await.map_err(|failure: StoreError| ApiError::from(failure))?);
    let show = |row: &Arc<models::Claim>| Claim { row: row.clone(), sight: Sight::Staff };
    Ok(Connection::of(ListTag::Claims, &page, |row| row.id, show))
}
