//! Pages of the lists that hang below a user: one statement for all parents that are asked for the same page.

use std::{collections::HashMap, sync::Arc};

use super::batched::Found;
use crate::{
    domain::id::Id,
    engine::Engine,
    graphql::connection::Page,
    store::{
        Tx,
        fanout::{FirstOfEach, List, Window},
        models::{Claim, Event, Referral, Reward, User},
        run,
    },
};

/// One page of one parent's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fan {
    /// Whose list.
    pub parent: Id,
    /// Only rows in this state.
    pub status: Option<&'static str>,
    /// Which piece, with one row more than is shown.
    pub window: Window,
}

type Pages<T> = HashMap<Fan, Arc<Page<T>>>;

/// The statements that a batch needs: one for each kind of page.
fn statements(list: List, fans: Vec<Fan>) -> Vec<FirstOfEach> {
    let mut kinds: HashMap<(Option<&'static str>, Window), Vec<Id>> = HashMap::new();
    for Fan { parent, status, window } in fans {
        kinds.entry((status, window)).or_default().push(parent);
    }
    let statement = |((status, window), parents)| FirstOfEach { list, parents, status, window };
    kinds.into_iter().map(statement).collect()
}

/// Deals the rows of one statement out to their parents; `keys` gives a row's parent and its own id.
fn deal<T>(pages: &mut Pages<T>, asked: &FirstOfEach, rows: Vec<T>, keys: impl Fn(&T) -> (Id, Id)) {
    let mut hands: HashMap<Id, Vec<(Id, T)>> = asked.parents.iter().map(|parent| (*parent, Vec::new())).collect();
    for row in rows {
        let (parent, id) = keys(&row);
        hands.entry(parent).or_default().push((id, row));
    }
    let FirstOfEach { list, status, window, .. } = *asked;
    let largest_first = list.newest_first() != window.from_end;
    for (parent, mut hand) in hands {
        hand.sort_by(|(a, _), (b, _)| if largest_first { b.cmp(a) } else { a.cmp(b) });
        let page = Page::cut(&window, hand.into_iter().map(|(_, row)| row).collect());
        pages.insert(Fan { parent, status, window }, Arc::new(page));
    }
}

/// Defines fetches of pages.
macro_rules! fetches {
    ($($name:ident: $row:ty = $list:expr, $module:ident::$query:ident by $keys:expr;)+) => { $(
        pub(super) async fn $name(engine: Arc<Engine>, fans: Vec<Fan>) -> Found<Fan, Arc<Page<$row>>> {
            let mut pages = HashMap::new();
            for asked in statements($list, fans) {
                let rows = engine.store.look(async |tx: &mut Tx| run!(tx, $module::$query(asked.clone()))).await?;
                deal(&mut pages, &asked, rows, $keys);
            }
            Ok(pages)
        }
    )+ };
}

fetches! {
    referrals: Referral = List::Referrals, referrals::made_by by |row: &Referral| (row.referrer_id, row.referred_id);
    pairs: (Id, User) = List::Referrals, users::referred_by by |(parent, user): &(Id, User)| (*parent, user.id);
    rewards: Reward = List::Rewards, rewards::first_of_each by |row: &Reward| (row.user_id, row.id);
    claims: Claim = List::Claims, claims::first_of_each by |row: &Claim| (row.user_id, row.id);
    events: Event = List::Events, events::first_of_each by |row: &Event| (row.user_id, row.id);
}

pub(super) async fn referred_users(engine: Arc<Engine>, fans: Vec<Fan>) -> Found<Fan, Arc<Page<User>>> {
    let pages = pairs(engine, fans).await?;
    Ok(pages.into_iter().map(|(fan, page)| (fan, Arc::new(page.map(|(_, user)| user.clone())))).collect())
}
