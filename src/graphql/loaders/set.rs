//! The loaders of one operation.

use std::sync::{Arc, OnceLock};

use super::{
    batched::Batched,
    lists::{self, Fan},
    places::{self, BoardKey},
    rows,
};
use crate::{
    domain::{id::Id, program::Definition},
    engine::{Engine, leaderboard::BoardEntry},
    graphql::connection::Page,
    store::fraud::{FoundSignal, Review, Risk},
    store::models::{Account, Claim, Click, Code, Event, NewRewardMove, Program, Referral, Reward, Totals, User},
};

/// Declares the loaders: each is made when it is first needed, since most operations need few.
macro_rules! loaders {
    ($($(#[$meta:meta])* $name:ident: $key:ty => $value:ty = $fetch:path;)+) => {
        /// Every loader, for one operation.
        pub struct LoaderSet {
            engine: Arc<Engine>,
            $($name: OnceLock<Batched<$key, $value>>,)+
        }

        impl LoaderSet {
            /// Loaders that remember nothing yet.
            pub fn new(engine: Arc<Engine>) -> Self {
                Self { engine, $($name: OnceLock::new(),)+ }
            }

            $(
                $(#[$meta])*
                pub fn $name(&self) -> &Batched<$key, $value> {
                    self.$name.get_or_init(|| {
                        let engine = self.engine.clone();
                        Batched::new(move |keys| $fetch(engine.clone(), keys))
                    })
                }
            )+
        }
    };
}

loaders! {
    /// Users by id.
    users: Id => Option<Arc<User>> = rows::users;
    /// Programs by id.
    programs: Id => Option<Arc<Program>> = rows::programs;
    /// What a version of a program promises.
    definitions: (Id, i32) => Option<Arc<Definition>> = rows::definitions;
    /// The referral that brought a user.
    referral_of: Id => Option<Arc<Referral>> = rows::referral_of;
    /// What the signs of fraud against a referral came to, by its referred user.
    risk_of: Id => Option<Arc<Risk>> = rows::risk_of;
    /// The signs of fraud on a referral, by its referred user.
    signals_of: Id => Arc<Vec<Arc<FoundSignal>>> = rows::signals_of;
    /// Reviews of a referral, by its referred user, oldest first.
    reviews_of: Id => Arc<Vec<Arc<Review>>> = rows::reviews_of;
    /// The counters of a user.
    totals: Id => Option<Arc<Totals>> = rows::totals;
    /// The codes of a user, oldest first.
    codes: Id => Arc<Vec<Arc<Code>>> = rows::codes;
    /// The balances of a user, by currency.
    accounts: Id => Arc<Vec<Arc<Account>>> = rows::accounts;
    /// The ancestors of a user within ten levels, nearest first.
    uplines: Id => Arc<Vec<Id>> = rows::uplines;
    /// Events by id.
    events: Id => Option<Arc<Event>> = rows::events;
    /// Rewards by id.
    rewards: Id => Option<Arc<Reward>> = rows::rewards;
    /// Claims by id.
    claims: Id => Option<Arc<Claim>> = rows::claims;
    /// Visits through links by id.
    clicks: Id => Option<Arc<Click>> = rows::clicks;
    /// What an event brought.
    rewards_of_event: Id => Arc<Vec<Arc<Reward>>> = rows::rewards_of_event;
    /// What a claim took.
    rewards_of_claim: Id => Arc<Vec<Arc<Reward>>> = rows::rewards_of_claim;
    /// Moves of a reward from state to state, oldest first.
    history: Id => Arc<Vec<Arc<NewRewardMove>>> = rows::history;
    /// A page of the referrals that a user made.
    referrals: Fan => Arc<Page<Referral>> = lists::referrals;
    /// A page of the people whom a user brought in.
    referred_users: Fan => Arc<Page<User>> = lists::referred_users;
    /// A page of a user's rewards.
    rewards_of_user: Fan => Arc<Page<Reward>> = lists::rewards;
    /// A page of a user's claims.
    claims_of_user: Fan => Arc<Page<Claim>> = lists::claims;
    /// A page of a user's events.
    events_of_user: Fan => Arc<Page<Event>> = lists::events;
    /// A user's place on a board.
    places: (BoardKey, Id) => Option<BoardEntry> = places::places;
}
