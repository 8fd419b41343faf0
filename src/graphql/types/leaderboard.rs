//! Boards: pages, places and live updates.

use async_graphql::{Context, Object, SimpleObject};

use super::user::User;
use crate::{
    domain::{
        decimal,
        id::Id,
        time::Timestamp,
        words::{Metric, Period},
    },
    engine::{
        self, Engine,
        leaderboard::{self, BoardEntry, BoardPage, EntriesRequest, Place},
    },
    graphql::{
        caller::Sight,
        connection::{End, ListTag, PageInfo, Paging, read_cursor, write_cursor},
        errors::ApiError,
        loaders::BoardKey,
        scalars::{BigInt, Decimal},
        scope::Scope,
        types::money::major,
    },
    store::StoreError,
};

/// Which page of which board.
#[derive(Clone, Debug)]
pub struct BoardRequest {
    /// The board; its present period, unless `at` says.
    pub board: BoardKey,
    /// An instant in the period that is meant.
    pub at: Option<Timestamp>,
    /// Which page.
    pub cut: BoardCut,
}

/// Bytes of a place in a cursor: score, instant and id.
const PLACE_BYTES: usize = 32;

/// A place as a cursor.
fn write_place(place: Place) -> String {
    let (score, reached_at) = (place.score.to_be_bytes(), place.reached_at.micros().to_be_bytes());
    write_cursor(ListTag::Board, &[&score, &reached_at, place.user.uuid().as_bytes().as_slice()].concat())
}

fn read_place(argument: &str, cursor: &str) -> Result<Place, ApiError> {
    let bytes = read_cursor::<PLACE_BYTES>(ListTag::Board, argument, cursor)?;
    let number = |from: usize| bytes[from..from + 8].iter().fold(0_i64, |value, byte| value << 8 | i64::from(*byte));
    let user = bytes[16..].iter().fold(0_u128, |value, byte| value << 8 | u128::from(*byte));
    Ok(Place {
        score: number(0),
        reached_at: Timestamp::from_micros(number(8)),
        user: Id::from_uuid(uuid::Uuid::from_u128(user)),
    })
}

/// Which page of a board.
#[derive(Clone, Copy, Debug)]
pub struct BoardCut {
    after: Option<Place>,
    before: Option<Place>,
    end: End,
}

impl BoardCut {
    /// Checks the arguments of a page.
    pub fn of(paging: &Paging) -> Result<Self, ApiError> {
        let place = |argument: &str, cursor: &Option<String>| {
            cursor.as_deref().map(|cursor| read_place(argument, cursor)).transpose()
        };
        let (after, before) = (place("after", &paging.after)?, place("before", &paging.before)?);
        Ok(Self { after, before, end: paging.end()? })
    }
}

/// Reads a page of a board, and the viewer's own entry of it; nothing when there is no such program.
pub async fn read_page(
    engine: &Engine,
    request: BoardRequest,
    viewer: Option<Id>,
) -> Result<Option<BoardPage>, engine::Error> {
    let BoardRequest { board: BoardKey { program, metric, period }, at, cut } = request;
    let (length, from_end) = match cut.end {
        End::First(length) => (length, false),
        End::Last(length) => (length, true),
    };
    let limit = usize::try_from(length).unwrap_or(1);
    let BoardCut { after, before, .. } = cut;
    let asked = leaderboard::BoardRequest { program, metric, period, at, after, before, limit, from_end, viewer };
    engine.leaderboard(asked).await
}

/// Reads the places of some users on the present period of a board; those who are not on it are left out.
pub async fn read_entries(engine: &Engine, board: BoardKey, users: Vec<Id>) -> Result<Vec<BoardEntry>, StoreError> {
    let BoardKey { program, metric, period } = board;
    let read = engine.board_entries(EntriesRequest { program, metric, period, at: None, users }).await;
    read.map_err(|error| match error {
        engine::Error::Failed(failure) => failure,
        // The arguments were checked, and the present period is always there.
        engine::Error::Refused(refusal) => StoreError::Corrupt(refusal.message),
    })
}

/// A user's place on a leaderboard.
#[derive(Clone, Copy)]
pub struct LeaderboardEntry {
    entry: BoardEntry,
    board: BoardKey,
    sight: Sight,
}

impl LeaderboardEntry {
    /// The places of a page, each user seen as the caller may.
    async fn of_page(scope: &Scope, board: BoardKey, page: &BoardPage) -> Result<Vec<Self>, ApiError> {
        let mut entries = Vec::with_capacity(page.entries.len());
        for entry in &page.entries {
            let sight = scope.passing_sight_of(entry.user).await?;
            entries.push(Self { entry: *entry, board, sight });
        }
        Ok(entries)
    }

    /// The currency of the board's program.
    async fn currency(&self, ctx: &Context<'_>) -> Result<String, ApiError> {
        let program = Scope::of(ctx)?.program_of(self.board.program).await?;
        program.map(|program| program.currency.clone()).ok_or_else(|| ApiError::missing("a program"))
    }
}

/// A user's place on a leaderboard. Of equal scores the one who got there first comes first.
#[Object]
impl LeaderboardEntry {
    /// The rank, with gaps after ties: 1, 1, 3.
    async fn rank(&self) -> i32 {
        i32::try_from(self.entry.rank).unwrap_or(i32::MAX)
    }

    /// The rank without gaps: 1, 1, 2. Null beyond the first 10,000 scores.
    async fn dense_rank(&self) -> Option<i32> {
        self.entry.dense_rank.and_then(|rank| i32::try_from(rank).ok())
    }

    /// The place in the list: 1, 2, 3.
    async fn row_number(&self) -> i32 {
        i32::try_from(self.entry.row_number).unwrap_or(i32::MAX)
    }

    /// The score: a count, or for `REWARDS` an amount in major units of the program's currency.
    async fn score(&self, ctx: &Context<'_>) -> Result<Decimal, ApiError> {
        match self.board.metric {
            Metric::Rewards => Ok(major(self.entry.score, &self.currency(ctx).await?)),
            Metric::Signups | Metric::Referrals | Metric::Network => {
                Ok(Decimal(decimal::Decimal::new(i128::from(self.entry.score), 0)))
            }
        }
    }

    /// Whose place it is; members see other people's names masked.
    async fn user(&self, ctx: &Context<'_>) -> Result<User, ApiError> {
        User::referred_to(Scope::of(ctx)?, self.entry.user, self.sight).await
    }
}

/// One place on a leaderboard and its cursor.
#[derive(SimpleObject, Clone)]
pub struct LeaderboardEdge {
    /// The place in the list, to be given as `after` or `before`. Opaque; valid for this leaderboard only.
    pub cursor: String,
    /// The entry.
    pub node: LeaderboardEntry,
}

/// A page of a leaderboard.
pub struct LeaderboardConnection {
    page: BoardPage,
    entries: Vec<LeaderboardEntry>,
    board: BoardKey,
}

impl LeaderboardConnection {
    /// Reads a page; nothing when there is no such program.
    pub async fn read(scope: &Scope, request: BoardRequest) -> Result<Option<Self>, ApiError> {
        let board = request.board;
        let viewer = scope.me().await?;
        let Some(page) = read_page(&scope.engine, request, viewer).await? else { return Ok(None) };
        let entries = LeaderboardEntry::of_page(scope, board, &page).await?;
        Ok(Some(Self { page, entries, board }))
    }
}

/// A page of a leaderboard, highest score first.
#[Object]
impl LeaderboardConnection {
    /// The entries with their cursors.
    async fn edges(&self) -> Vec<LeaderboardEdge> {
        let edge = |node: &LeaderboardEntry| LeaderboardEdge { cursor: write_place(node.entry.place()), node: *node };
        self.entries.iter().map(edge).collect()
    }

    /// The entries without their cursors.
    async fn nodes(&self) -> &[LeaderboardEntry] {
        &self.entries
    }

    /// Where the page stands in the list.
    async fn page_info(&self) -> PageInfo {
        PageInfo {
            has_next_page: self.page.has_next,
            has_previous_page: self.page.has_previous,
            start_cursor: self.page.entries.first().map(|entry| write_place(entry.place())),
            end_cursor: self.page.entries.last().map(|entry| write_place(entry.place())),
        }
    }

    /// The caller's own place, wherever on the board it is; null for who is not on it, and for API keys.
    async fn viewer_entry(&self) -> Option<LeaderboardEntry> {
        self.page.viewer.map(|entry| LeaderboardEntry { entry, board: self.board, sight: Sight::Own })
    }

    /// Rises with every change of the board.
    async fn version(&self) -> BigInt {
        BigInt(self.page.version)
    }
}

/// The top of a leaderboard at one moment.
#[derive(SimpleObject)]
pub struct LeaderboardUpdate {
    /// Rises with every change of the board; a message with a version that is not above the one you have is old.
    pub version: BigInt,
    /// The entries, highest score first.
    pub entries: Vec<LeaderboardEntry>,
}

impl LeaderboardUpdate {
    /// Shows a page that was read for every subscriber to one of them.
    pub async fn show(scope: &Scope, board: BoardKey, page: &BoardPage) -> Result<Self, ApiError> {
        Ok(Self { version: BigInt(page.version), entries: LeaderboardEntry::of_page(scope, board, page).await? })
    }
}

/// A user's place on the present period of a board, where it is shown to the caller.
pub async fn place_of(
    ctx: &Context<'_>,
    board: Result<BoardKey, ApiError>,
    user: &User,
) -> Result<Option<LeaderboardEntry>, ApiError> {
    if !user.sight.has_tree() {
        return Ok(None);
    }
    let board = checked(board?)?;
    let entry = Scope::of(ctx)?.loaders.set().places().load((board, user.row.id)).await?;
    Ok(entry.map(|entry| LeaderboardEntry { entry, board, sight: user.sight }))
}

/// Networks are counted for all time only.
pub fn checked(board: BoardKey) -> Result<BoardKey, ApiError> {
    match (board.metric, board.period) {
        (Metric::Network, Period::Day | Period::Week | Period::Month) => {
            Err(ApiError::bad_input("the metric NETWORK exists for the period ALL_TIME only"))
        }
        _ => Ok(board),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_its_cursor() {
        let user = Id::from_uuid(uuid::Uuid::from_u128(7 << 100 | 3));
        for score in [0, 12, i64::MAX, -1] {
            let place = Place { score, reached_at: Timestamp::from_micros(1_234_567_890_123_456), user };
            assert_eq!(read_place("after", &write_place(place)).unwrap(), place);
        }
        assert!(read_place("after", &write_cursor(ListTag::Users, &[0; PLACE_BYTES])).is_err());
    }
}
