//! What operators look at when they look for fraud.

use async_graphql::{Context, ID, Object};

use crate::{
    domain::{fraud::Signal, id::Noun, words},
    graphql::{
        caller::Operator,
        connection::{Connection, ListTag, Page, Paging},
        errors::{ApiError, Nullable},
        scalars::id_argument,
        scope::Scope,
        types::{
            fraud_words::{FraudSignal, ListingEffect, ReviewStatus},
            listing::Listing,
            review::{Review, ReviewGroup},
        },
    },
    store::{StoreError, Tx, fraud::ReviewFilter, run},
};

/// Most groups of reviews that are shown.
const GROUPS_MAX: i32 = 100;

/// Reviews and lists.
#[derive(Default)]
pub struct ReviewQueries;

#[Object]
impl ReviewQueries {
    /// Referrals that came to review, oldest first. For operators.
    async fn reviews(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only reviews in this state.", default_with = "Some(ReviewStatus::Pending)")] status: Option<
            ReviewStatus,
        >,
        #[graphql(desc = "Only those of people whom this user brought in.")] referrer_id: Option<ID>,
        #[graphql(desc = "Only those with this sign.")] signal: Option<FraudSignal>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Review>> {
        let filter = ReviewArguments { status, referrer_id, signal };
        Some(reviews(ctx, filter, Paging { first, after, last, before }).await)
    }

    /// Reviews by referrer and sign, the largest groups first: whoever brought in a ring stands at the top. For operators.
    async fn review_groups(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only reviews in this state.", default_with = "Some(ReviewStatus::Pending)")] status: Option<
            ReviewStatus,
        >,
        #[graphql(desc = "How many, 1 to 100; 10 unless told.", default_with = "Some(10)")] first: Option<i32>,
    ) -> Nullable<Vec<ReviewGroup>> {
        Some(groups(ctx, status.unwrap_or(ReviewStatus::Pending), first.unwrap_or(10)).await)
    }

    /// The allow list and the block list, oldest entries first. For operators.
    async fn listings(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only one of the two lists.")] effect: Option<ListingEffect>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Listing>> {
        Some(listings(ctx, effect, Paging { first, after, last, before }).await)
    }
}

struct ReviewArguments {
    status: Option<ReviewStatus>,
    referrer_id: Option<ID>,
    signal: Option<FraudSignal>,
}

async fn reviews(ctx: &Context<'_>, of: ReviewArguments, paging: Paging) -> Result<Connection<Review>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Operator<'_>>()?;
    let window = paging.window(ListTag::Reviews)?;
    let filter = ReviewFilter {
        status: of.status.map(words::ReviewStatus::from),
        referrer: of.referrer_id.map(|id| id_argument(Noun::User, &id)).transpose()?,
        signal: of.signal.map(Signal::from),
    };
    let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, reviews::page(filter, window)));
    let page = Page::cut(&window, look.await.map_err(|failure: StoreError| ApiError::from(failure))?);
    Ok(Connection::of(ListTag::Reviews, &page, |row| row.id, |row| Review(row.clone())))
}

async fn groups(ctx: &Context<'_>, status: ReviewStatus, first: i32) -> Result<Vec<ReviewGroup>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Operator<'_>>()?;
    if !(1..=GROUPS_MAX).contains(&first) {
        return Err(ApiError::bad_input(format!("`first` must be between 1 and {GROUPS_MAX}, not {first}")));
    }
    let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, reviews::groups(status.into(), first.into())));
    let rows = look.await.map_err(|failure: StoreError| ApiError::from(failure))?;
    futures_util::future::try_join_all(rows.into_iter().map(|row| ReviewGroup::of(scope, row))).await
}

async fn listings(
    ctx: &Context<'_>,
    effect: Option<ListingEffect>,
    paging: Paging,
) -> Result<Connection<Listing>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Operator<'_>>()?;
    let window = paging.window(ListTag::Listings)?;
    let effect = effect.map(words::ListingEffect::from);
    let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, listings::page(effect, window)));
    let page = Page::cut(&window, look.await.map_err(|failure: StoreError| ApiError::from(failure))?);
    Ok(Connection::of(ListTag::Listings, &page, |row| row.id, |row| Listing(row.clone())))
}
