//! Queries about people and the tree.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, OneofObject};
use futures_util::future::join_all;

use crate::{
    domain::id::{self, Noun},
    engine::look_up_code::LookUp,
    graphql::{
        caller::{Known, Sight, Staff},
        connection::{Connection, ListTag, Page, Paging, Total, UserConnection},
        errors::{ApiError, Nullable},
        scalars::id_argument,
        scope::Scope,
        types::{
            code::ReferralCodePreview,
            node::Node,
            tree::{ReferralTree, TreeSize},
            user::User,
        },
    },
    store::{StoreError, Tx, models, run},
};

/// Most ids of one `nodes`.
const MAX_NODES: usize = 100;
/// Longest text to search for, in characters.
const SEARCH_MAX_CHARS: usize = 100;

/// Which user is meant.
#[derive(OneofObject, Clone, Debug)]
pub enum UserBy {
    /// By our id: `user_01h...`.
    Id(ID),
    /// By the host's own id.
    ExternalId(String),
    /// By one of the user's referral codes.
    Code(String),
}

/// People and the tree.
#[derive(Default)]
pub struct PeopleQueries;

#[Object]
impl PeopleQueries {
    /// The user whose token the request carries; null for API keys, and before the user has signed up.
    async fn viewer(&self, ctx: &Context<'_>) -> Nullable<User> {
        viewer(ctx).await.transpose()
    }

    /// Whatever has this id; null when there is nothing, or nothing that you may see.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "The id.")] id: ID) -> Nullable<Node> {
        node(ctx, &id).await.transpose()
    }

    /// Whatever has these ids, in their order, with null for what there is not.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The ids, at most 100.")] ids: Vec<ID>,
    ) -> Result<Vec<Nullable<Node>>, ApiError> {
        if ids.len() > MAX_NODES {
            return Err(ApiError::bad_input(format!("at most {MAX_NODES} ids at once")));
        }
        let found = ids.iter().map(async |id| node(ctx, id).await.transpose());
        Ok(join_all(found).await)
    }

    /// One user; null when there is none, or none that you may see.
    async fn user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which user: exactly one of `id`, `externalId` and `code`.")] by: UserBy,
    ) -> Nullable<User> {
        user(ctx, by).await.transpose()
    }

    /// Everybody, oldest first. For the host and operators.
    async fn users(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Only users whose external id or name begins with this; capital letters of ASCII do not matter."
        )]
        search: Option<String>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<UserConnection> {
        Some(users(ctx, search, Paging { first, after, last, before }).await)
    }

    /// What anybody may know of a referral code before signing up with it; null when there is no such code. Needs no
    /// credential. Whoever asks for too many codes that do not exist is told nothing for a while (`RATE_LIMITED`).
    async fn referral_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The code, as it was typed.")] code: String,
    ) -> Nullable<ReferralCodePreview> {
        preview(ctx, &code).await.transpose()
    }

    /// A user and the people below them, flat, to be drawn; null when there is no such user, or none that you may see.
    async fn referral_tree(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who is at the top.")] user_id: ID,
        #[graphql(desc = "How many levels below, 1 to 10; 3 unless told.", default_with = "Some(3)")] depth: Option<
            i32,
        >,
        #[graphql(
            desc = "How many children of each person, oldest first, 1 to 100; 10 unless told.",
            default_with = "Some(10)"
        )]
        first: Option<i32>,
    ) -> Nullable<ReferralTree> {
        tree(ctx, &user_id, (depth.unwrap_or(3), first.unwrap_or(10))).await.transpose()
    }
}

async fn viewer(ctx: &Context<'_>) -> Result<Option<User>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Known>()?;
    match scope.me().await? {
        Some(me) => User::in_sight(scope, me, Sight::Own).await,
        None => Ok(None),
    }
}

async fn node(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Known>()?;
    let (noun, id) = id::parse(id).map_err(|error| ApiError::bad_input(error.to_string()))?;
    Node::find(scope, noun, id).await
}

async fn user(ctx: &Context<'_>, by: UserBy) -> Result<Option<User>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Known>()?;
    let id = match by {
        UserBy::Id(id) => Some(id_argument(Noun::User, &id)?),
        UserBy::ExternalId(external_id) => scope.user_called(&external_id).await?.map(|user| user.id),
        UserBy::Code(code) => scope.engine.code_typed(&code).await?.map(|code| code.user_id),
    };
    match id {
        Some(id) => User::find(scope, id).await,
        None => Ok(None),
    }
}

async fn users(ctx: &Context<'_>, search: Option<String>, paging: Paging) -> Result<UserConnection, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Staff>()?;
    let search = search.filter(|text| !text.is_empty());
    if search.as_ref().is_some_and(|text| text.chars().count() > SEARCH_MAX_CHARS) {
        return Err(ApiError::bad_input(format!("`search` has at most {SEARCH_MAX_CHARS} characters")));
    }
    let window = paging.window(ListTag::Users)?;
    let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, users::page(search.clone(), window)));
    let page = Page::cut(&window, look.await.map_err(|failure: StoreError| ApiError::from(failure))?);
    let show = |row: &Arc<models::User>| User { row: row.clone(), sight: Sight::Staff };
    Ok(UserConnection::new(Connection::of(ListTag::Users, &page, |row| row.id, show), Total::Unknown))
}

async fn preview(ctx: &Context<'_>, typed: &str) -> Result<Option<ReferralCodePreview>, ApiError> {
    let scope = Scope::of(ctx)?;
    if scope.is_staff() {
        let code = scope.engine.code_typed(typed).await?;
        return Ok(match code {
            Some(code) => Some(ReferralCodePreview::of(scope, code).await?),
            None => None,
        });
    }
    match scope.engine.look_up_code(typed, Scope::visitor(ctx).address).await? {
        LookUp::Found(code) => ReferralCodePreview::of(scope, *code).await.map(Some),
        LookUp::Unknown => Ok(None),
        LookUp::Refused { retry_after_seconds } => Err(ApiError::RateLimited { retry_after_seconds }),
    }
}

async fn tree(ctx: &Context<'_>, root: &ID, (depth, first): (i32, i32)) -> Result<Option<ReferralTree>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Known>()?;
    ReferralTree::read(scope, id_argument(Noun::User, root)?, TreeSize::new(depth, first)?).await
}
