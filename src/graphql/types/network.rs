//! Counts of everybody below a user.

use async_graphql::{ID, SimpleObject};

use crate::{
    domain::id::{Id, Noun},
    graphql::scalars::{BigInt, written},
    store::models::Totals,
};

/// Everybody within ten levels below a user.
#[derive(SimpleObject, Clone, Debug)]
pub struct Network {
    /// How many people, over all ten levels; rejected referrals are not counted.
    pub size: i32,
    /// The same by level, from level 1 (brought in directly) to level 10.
    pub levels: Vec<NetworkLevel>,
}

/// One level of a network.
#[derive(SimpleObject, Clone, Debug)]
pub struct NetworkLevel {
    /// The level: 1 for people brought in directly, 2 for those whom they brought in, and so on.
    pub level: i32,
    /// How many people signed up on this level; rejected referrals are not counted.
    pub signups: i32,
    /// How many of their referrals are completed.
    pub completed: i32,
}

impl Network {
    /// Shows stored counters; a user without any has an empty network.
    pub fn of(totals: Option<&Totals>) -> Self {
        let signups = totals.map_or([0; 10], Totals::signups);
        let completed = totals.map_or([0; 10], Totals::completed);
        let level = |(level, (signups, completed))| NetworkLevel { level, signups, completed };
        Self {
            size: totals.map_or(0, |totals| totals.network),
            levels: (1..).zip(signups.into_iter().zip(completed)).map(level).collect(),
        }
    }
}

/// The counts of one user at one moment.
#[derive(SimpleObject, Clone, Debug)]
pub struct ReferralCount {
    /// The user.
    pub user_id: ID,
    /// People brought in directly; rejected referrals are not counted.
    pub direct: i32,
    /// Completed direct referrals.
    pub completed: i32,
    /// Everybody within ten levels below.
    pub network: i32,
    /// Rises with every change of the user's counts, rewards or claims; a message with a version that is not above the
    /// one you have is old.
    pub version: BigInt,
}

impl ReferralCount {
    /// Shows stored counters.
    pub fn of(user: Id, totals: Option<&Totals>) -> Self {
        Self {
            user_id: written(Noun::User, user),
            direct: totals.map_or(0, |totals| totals.signups_1),
            completed: totals.map_or(0, |totals| totals.completed_1),
            network: totals.map_or(0, |totals| totals.network),
            version: BigInt(totals.map_or(0, |totals| totals.version)),
        }
    }
}
