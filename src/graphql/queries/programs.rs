//! Queries about programs and boards.

use std::sync::Arc;

use async_graphql::{Context, ID, Object, OneofObject};

use crate::{
    domain::id::Noun,
    graphql::{
        caller::{Known, Staff},
        connection::{Connection, ListTag, Page, Paging},
        errors::{ApiError, Nullable},
        loaders::BoardKey,
        scalars::{DateTime, id_argument},
        scope::Scope,
        types::{
            leaderboard::{BoardCut, BoardRequest, LeaderboardConnection, checked},
            program::Program,
            words::{LeaderboardMetric, LeaderboardPeriod},
        },
    },
    store::{StoreError, Tx, models, run},
};

/// Which program is meant.
#[derive(OneofObject, Clone, Debug)]
pub enum ProgramBy {
    /// By its id: `program_01h...`.
    Id(ID),
    /// By its key, such as `default`.
    Key(String),
}

/// Programs and boards.
#[derive(Default)]
pub struct ProgramQueries;

#[Object]
impl ProgramQueries {
    /// Who brought in most, highest score first. Members see other people's names masked.
    async fn leaderboard(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What is counted.", default_with = "Some(LeaderboardMetric::Referrals)")] metric: Option<
            LeaderboardMetric,
        >,
        #[graphql(desc = "Over which time.", default_with = "Some(LeaderboardPeriod::AllTime)")] period: Option<
            LeaderboardPeriod,
        >,
        #[graphql(desc = "An instant in the period that is meant; now unless told.")] at: Option<DateTime>,
        #[graphql(desc = "The program; the default program unless told.")] program_id: Option<ID>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<LeaderboardConnection> {
        let board = board_argument(metric, period, program_id);
        leaderboard(ctx, board, at, Paging { first, after, last, before }).await.transpose()
    }

    /// One program; null when there is none. For the host and operators.
    async fn program(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which program: exactly one of `id` and `key`.")] by: ProgramBy,
    ) -> Nullable<Program> {
        program(ctx, by).await.transpose()
    }

    /// Every program, oldest first. For the host and operators.
    async fn programs(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "How many from the start, 1 to 100; 10 unless told.")] first: Option<i32>,
        #[graphql(desc = "Only what comes after this cursor.")] after: Option<String>,
        #[graphql(desc = "How many from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only what comes before this cursor.")] before: Option<String>,
    ) -> Nullable<Connection<Program>> {
        Some(programs(ctx, Paging { first, after, last, before }).await)
    }
}

/// The board that arguments name.
pub fn board_argument(
    metric: Option<LeaderboardMetric>,
    period: Option<LeaderboardPeriod>,
    program: Option<ID>,
) -> Result<BoardKey, ApiError> {
    checked(BoardKey {
        program: program.map(|id| id_argument(Noun::Program, &id)).transpose()?,
        metric: metric.unwrap_or(LeaderboardMetric::Referrals).into(),
        period: period.unwrap_or(LeaderboardPeriod::AllTime).into(),
    })
}

async fn leaderboard(
    ctx: &Context<'_>,
    board: Result<BoardKey, ApiError>,
    at: Option<DateTime>,
    paging: Paging,
) -> Result<Option<LeaderboardConnection>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Known>()?;
    let cut = BoardCut::of(&paging)?;
    LeaderboardConnection::read(scope, BoardRequest { board: board?, at: at.map(|at| at.0), cut }).await
}

async fn program(ctx: &Context<'_>, by: ProgramBy) -> Result<Option<Program>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Staff>()?;
    match by {
        ProgramBy::Id(id) => Program::find(ctx, id_argument(Noun::Program, &id)?).await,
        ProgramBy::Key(key) => {
            let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, programs::by_key(&key)));
            let row = look.await.map_err(|failure: StoreError| ApiError::from(failure))?;
            Ok(row.map(|row| Program(Arc::new(row))))
        }
    }
}

async fn programs(ctx: &Context<'_>, paging: Paging) -> Result<Connection<Program>, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.caller_as::<Staff>()?;
    let window = paging.window(ListTag::Programs)?;
    let look = scope.engine.store.look(async |tx: &mut Tx| run!(tx, programs::page(window)));
    let page = Page::cut(&window, look.await.map_err(|failure: StoreError| ApiError::from(failure))?);
    let show = |row: &Arc<models::Program>| Program(row.clone());
    Ok(Connection::of(ListTag::Programs, &page, |row| row.id, show))
}
