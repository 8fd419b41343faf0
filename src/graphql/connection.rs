//! Pages of lists, after the Relay connections (<https://relay.dev/graphql/connections.htm>).

use std::{borrow::Cow, sync::Arc};

use async_graphql::{Context, Object, OutputType, SimpleObject, TypeName};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use super::{
    errors::{ApiError, Nullable},
    types::{referral::Referral, user::User},
};
use crate::{domain::id::Id, graphql::scope::Scope, store::fanout::Window};

/// How many are given when neither `first` nor `last` says.
const USUAL_LENGTH: i32 = 10;
/// The longest page.
pub const LONGEST_PAGE: i32 = 100;

/// A list, as its cursors are marked: a cursor of another list is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ListTag {
    /// Everybody.
    Users = 1,
    /// People whom a user brought in.
    ReferredUsers,
    /// Referrals that a user made.
    Referrals,
    /// Rewards.
    Rewards,
    /// Claims.
    Claims,
    /// Events.
    Events,
    /// Programs.
    Programs,
    /// Boards.
    Board,
    /// Transfers.
    Transfers,
    /// What operators did.
    AuditLog,
    /// Reviews.
    Reviews,
    /// Entries of the allow list and the block list.
    Listings,
}

/// Writes a cursor: the list's mark and bytes that say where in the list.
pub fn write_cursor(list: ListTag, place: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode([&[list as u8], place].concat())
}

/// Reads a cursor of this list whose place has `N` bytes.
pub fn read_cursor<const N: usize>(list: ListTag, argument: &str, cursor: &str) -> Result<[u8; N], ApiError> {
    let bytes = if cursor.len() > 4 * N + 8 { None } else { URL_SAFE_NO_PAD.decode(cursor).ok() };
    let place = bytes.as_deref().and_then(<[u8]>::split_first).filter(|(mark, _)| **mark == list as u8);
    place.and_then(|(_, place)| place.try_into().ok()).ok_or_else(|| {
        ApiError::bad_input(format!("`{argument}` is not a cursor of this list; take one from `pageInfo` or `edges`"))
    })
}

/// The arguments of a page, as they came.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    /// How many from the start.
    pub first: Option<i32>,
    /// Only what comes after this cursor.
    pub after: Option<String>,
    /// How many from the end.
    pub last: Option<i32>,
    /// Only what comes before this cursor.
    pub before: Option<String>,
}

/// Which end of a list a page is taken from, and how many of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// From the start.
    First(i32),
    /// From the end.
    Last(i32),
}

impl Paging {
    /// The length of the page and the end it is taken from.
    pub fn end(&self) -> Result<End, ApiError> {
        let checked = |name: &str, length: i32| match length {
            1..=LONGEST_PAGE => Ok(length),
            _ => Err(ApiError::bad_input(format!("`{name}` must be between 1 and {LONGEST_PAGE}, not {length}"))),
        };
        match (self.first, self.last) {
            (Some(_), Some(_)) => Err(ApiError::bad_input("give `first` or `last`, not both")),
            (None, None) => Ok(End::First(USUAL_LENGTH)),
            (Some(first), None) => checked("first", first).map(End::First),
            (None, Some(last)) => checked("last", last).map(End::Last),
        }
    }

    /// The window of a list that is ordered by id, one row longer than the page: whether it is there says whether the
    /// list goes on.
    pub fn window(&self, list: ListTag) -> Result<Window, ApiError> {
        let (length, from_end) = match self.end()? {
            End::First(length) => (length, false),
            End::Last(length) => (length, true),
        };
        let id = |argument: &str, cursor: &Option<String>| {
            let bytes = cursor.as_deref().map(|cursor| read_cursor::<16>(list, argument, cursor)).transpose()?;
            Ok::<_, ApiError>(bytes.map(|bytes| Id::from_uuid(Uuid::from_bytes(bytes))))
        };
        let (after, before) = (id("after", &self.after)?, id("before", &self.before)?);
        Ok(Window { after, before, limit: i64::from(length) + 1, from_end })
    }
}

/// One page of rows, in the order of the list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<Arc<T>>,
    /// Whether the list goes on behind them.
    pub has_next: bool,
    /// Whether there is something before them.
    pub has_previous: bool,
}

impl<T> Default for Page<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), has_next: false, has_previous: false }
    }
}

impl<T> Page<T> {
    /// Makes a page of what a window brought, in the order in which it was read.
    pub fn cut(window: &Window, read: Vec<T>) -> Self {
        let length = usize::try_from(window.limit - 1).unwrap_or(0);
        let more = read.len() > length;
        let mut rows: Vec<_> = read.into_iter().take(length).map(Arc::new).collect();
        if window.from_end {
            rows.reverse();
        }
        let (after, before) = (window.after.is_some(), window.before.is_some());
        let (has_next, has_previous) = if window.from_end { (before, more || after) } else { (more || before, after) };
        Self { rows, has_next, has_previous }
    }

    /// The same page of something else.
    pub fn map<U>(&self, change: impl Fn(&T) -> U) -> Page<U> {
        let rows = self.rows.iter().map(|row| Arc::new(change(row))).collect();
        Page { rows, has_next: self.has_next, has_previous: self.has_previous }
    }
}

/// Where a page stands in its list.
#[derive(SimpleObject, Clone, Debug, Default)]
pub struct PageInfo {
    /// Whether there is more behind this page: ask for `after: endCursor`.
    pub has_next_page: bool,
    /// Whether there is more before this page: ask for `before: startCursor`.
    pub has_previous_page: bool,
    /// Cursor of the first item of the page; null when the page is empty.
    pub start_cursor: Option<String>,
    /// Cursor of the last item of the page; null when the page is empty.
    pub end_cursor: Option<String>,
}

/// One item of a page and its place in the list.
#[derive(SimpleObject, Clone)]
#[graphql(name_type)]
pub struct Edge<T: OutputType> {
    /// The place in the list, to be given as `after` or `before`. Opaque; valid for this list only.
    pub cursor: String,
    /// The item.
    pub node: T,
}

/// A page of a list.
#[derive(SimpleObject)]
#[graphql(name_type)]
pub struct Connection<T: OutputType> {
    /// The items with their cursors.
    pub edges: Vec<Edge<T>>,
    /// The items without their cursors.
    pub nodes: Vec<T>,
    /// Where the page stands in the list.
    pub page_info: PageInfo,
}

impl<T: OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Edge", T::type_name()).into()
    }
}

impl<T: OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        format!("{}Connection", T::type_name()).into()
    }
}

/// Where the length of a list is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Total {
    /// Nowhere: counting would read the whole list.
    Unknown,
    /// A user's direct referrals that are not rejected.
    Signups(Id),
    /// A user's direct referrals that are completed.
    Completed(Id),
    /// A user's direct referrals that are neither.
    Pending(Id),
}

impl<T: OutputType + Clone> Connection<T> {
    /// Shows a page: `id` gives a row's place in the list, `show` what becomes of it.
    pub fn of<R>(list: ListTag, page: &Page<R>, id: impl Fn(&R) -> Id, show: impl Fn(&Arc<R>) -> T) -> Self {
        let edge = |row: &Arc<R>| Edge { cursor: write_cursor(list, id(row).uuid().as_bytes()), node: show(row) };
        let edges: Vec<_> = page.rows.iter().map(edge).collect();
        let page_info = PageInfo {
            has_next_page: page.has_next,
            has_previous_page: page.has_previous,
            start_cursor: edges.first().map(|edge| edge.cursor.clone()),
            end_cursor: edges.last().map(|edge| edge.cursor.clone()),
        };
        let nodes = edges.iter().map(|edge| edge.node.clone()).collect();
        Self { edges, nodes, page_info }
    }
}

impl Total {
    async fn read(self, ctx: &Context<'_>) -> Result<Option<i32>, ApiError> {
        let (Self::Signups(user) | Self::Completed(user) | Self::Pending(user)) = self else { return Ok(None) };
        let totals = Scope::of(ctx)?.loaders.set().totals().load(user).await?;
        let (signups, completed) = totals.map_or((0, 0), |totals| (totals.signups_1, totals.completed_1));
        Ok(match self {
            Self::Unknown => None,
            Self::Signups(_) => Some(signups),
            Self::Completed(_) => Some(completed),
            Self::Pending(_) => Some(signups - completed),
        })
    }
}

/// Declares pages of lists whose length may be known.
macro_rules! counted {
    ($($name:ident of $item:ty;)+) => { $(
        #[doc = "A page of a list, and the length of the list where it is known."]
        pub struct $name {
            page: Connection<$item>,
            total: Total,
        }

        impl $name {
            /// A page of a list whose length is known from there.
            pub fn new(page: Connection<$item>, total: Total) -> Self {
                Self { page, total }
            }
        }

        /// A page of a list.
        #[Object]
        impl $name {
            /// The items with their cursors.
            async fn edges(&self) -> &[Edge<$item>] {
                &self.page.edges
            }

            /// The items without their cursors.
            async fn nodes(&self) -> &[$item] {
                &self.page.nodes
            }

            /// Where the page stands in the list.
            async fn page_info(&self) -> &PageInfo {
                &self.page.page_info
            }

            /// How many items the whole list has, rejected referrals not counted; null where counting would be slow.
            async fn total_count(&self, ctx: &Context<'_>) -> Nullable<i32> {
                self.total.read(ctx).await.transpose()
            }
        }
    )+ };
}

counted! {
    UserConnection of User;
    ReferralConnection of Referral;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(first: Option<i32>, last: Option<i32>) -> Result<Window, ApiError> {
        Paging { first, last, ..Paging::default() }.window(ListTag::Users)
    }

    #[test]
    fn a_page_has_one_end_and_a_length_within_bounds() {
        assert_eq!(window(None, None).unwrap().limit, 11);
        assert_eq!(window(Some(100), None).unwrap().limit, 101);
        assert!(window(None, Some(1)).unwrap().from_end);
        for (first, last) in [(Some(1), Some(1)), (Some(0), None), (None, Some(-1)), (Some(101), None)] {
            assert!(matches!(window(first, last), Err(ApiError::BadUserInput(_))), "{first:?} {last:?}");
        }
    }

    #[test]
    fn a_cursor_belongs_to_its_list() {
        let cursor = write_cursor(ListTag::Users, &[7; 16]);
        assert_eq!(read_cursor::<16>(ListTag::Users, "after", &cursor).unwrap(), [7; 16]);
        let long = "A".repeat(100_000);
        for (list, cursor) in [
            (ListTag::Rewards, cursor.as_str()),
            (ListTag::Users, ""),
            (ListTag::Users, "user_01h455vb4pex5vsknk084sn02q"),
            (ListTag::Users, "ÿ"),
            (ListTag::Users, &cursor[..8]),
            (ListTag::Users, &long),
        ] {
            assert!(read_cursor::<16>(list, "after", cursor).is_err(), "{list:?}");
        }
    }

    #[test]
    fn one_row_more_tells_that_the_list_goes_on() {
        let id = Some(Id::from_uuid(Uuid::nil()));
        let forward = Window { after: None, before: None, limit: 3, from_end: false };
        let page = Page::cut(&forward, vec![1, 2, 3]);
        assert_eq!((page.rows.len(), page.has_next, page.has_previous), (2, true, false));
        let page = Page::cut(&Window { after: id, ..forward }, vec![1, 2]);
        assert_eq!((page.rows.len(), page.has_next, page.has_previous), (2, false, true));
        let page = Page::cut(&Window { before: id, from_end: true, ..forward }, vec![3, 2, 1]);
        assert_eq!(page.rows, [Arc::new(2), Arc::new(3)], "in the order of the list");
        assert_eq!((page.has_next, page.has_previous), (true, true));
    }
}
