//! Watching the top of a board.

use std::sync::Arc;

use futures_util::{Stream, StreamExt};

use super::delivery::{Due, deliver};
use crate::{
    domain::words::Metric,
    engine::{self, Engine, leaderboard::BoardPage},
    graphql::{
        caller::Known,
        connection::Paging,
        errors::ApiError,
        loaders::BoardKey,
        scope::Scope,
        types::leaderboard::{BoardCut, BoardRequest, LeaderboardUpdate, read_page},
    },
    live::{BoardMetric, Topic, Versioned, WatchKey},
    store::StoreError,
};

/// See [`Subscription`](super::Subscription).
pub(super) async fn leaderboard(
    scope: Arc<Scope>,
    board: BoardKey,
    first: Option<i32>,
) -> Result<impl Stream<Item = Result<LeaderboardUpdate, ApiError>> + use<>, ApiError> {
    scope.caller_as::<Known>()?;
    let cut = BoardCut::of(&Paging { first, ..Paging::default() })?;
    let program = scope.program_of(board.program).await?;
    let program = program.ok_or_else(|| ApiError::bad_input("there is no such program"))?;
    let board = BoardKey { program: Some(program.id), ..board };
    let topic = Topic::Board { program: program.id.uuid(), metric: topic_metric(board.metric) };
    let detail = format!("{}/{}", board.period.word(), first.unwrap_or_default());
    let engine = scope.engine.clone();
    let read = move || read_top(engine.clone(), BoardRequest { board, at: None, cut });
    let pages = scope.engine.live.watch(WatchKey::new(topic, detail), read);
    let pages = pages.map(|page| page.map_err(|failure| ApiError::of_engine(&failure)));
    Ok(deliver(pages.boxed(), Due::Newest, move |page| {
        let scope = scope.clone();
        async move {
            scope.loaders.renew();
            LeaderboardUpdate::show(&scope.anew(), board, &page).await
        }
    }))
}

async fn read_top(engine: Arc<Engine>, request: BoardRequest) -> Result<Versioned<BoardPage>, engine::Error> {
    let page = read_page(&engine, request, None).await?;
    let page = page.ok_or_else(|| StoreError::Corrupt("a program is gone".to_owned()))?;
    Ok(Versioned::new(page.version, page))
}

const fn topic_metric(metric: Metric) -> BoardMetric {
    match metric {
        Metric::Signups => BoardMetric::Signups,
        Metric::Referrals => BoardMetric::Referrals,
        Metric::Rewards => BoardMetric::Rewards,
        Metric::Network => BoardMetric::Network,
    }
}
