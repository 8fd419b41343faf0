//! Everything that has an id.

use async_graphql::{ID, Interface};

use super::{claim::Claim, event::Event, program::Program, referral::Referral, reward::Reward, user::User};
use crate::{
    domain::id::{Id, Noun},
    graphql::{
        caller::{Sight, Staff},
        errors::ApiError,
        scope::Scope,
    },
};

/// Something with an id of its own, which `node(id:)` finds again.
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "ID", desc = "The id, unique over everything: a type prefix and 26 symbols."))]
pub enum Node {
    /// A person.
    User(User),
    /// An edge of the tree.
    Referral(Referral),
    /// Something a user did.
    Event(Event),
    /// What a rule granted.
    Reward(Reward),
    /// A request to be paid.
    Claim(Claim),
    /// A set of rules.
    Program(Program),
}

impl Node {
    /// Finds whatever has this id, if the caller may see it.
    pub async fn find(scope: &Scope, noun: Noun, id: Id) -> Result<Option<Self>, ApiError> {
        let set = scope.loaders.set();
        Ok(match noun {
            Noun::User => User::find(scope, id).await?.map(Self::User),
            Noun::Referral => match set.referral_of().load(id).await? {
                Some(row) => scope.sight_of(id).await?.map(|sight| Self::Referral(Referral { row, sight })),
                None => None,
            },
            Noun::Event => match set.events().load(id).await? {
                Some(row) => private(scope, row.user_id).await?.map(|sight| Self::Event(Event { row, sight })),
                None => None,
            },
            Noun::Reward => match set.rewards().load(id).await? {
                Some(row) => private(scope, row.user_id).await?.map(|sight| Self::Reward(Reward { row, sight })),
                None => None,
            },
            Noun::Claim => match set.claims().load(id).await? {
                Some(row) => private(scope, row.user_id).await?.map(|sight| Self::Claim(Claim { row, sight })),
                None => None,
            },
            Noun::Program if scope.caller_as::<Staff>().is_ok() => set.programs().load(id).await?.map(Self::of_program),
            Noun::Program | Noun::Refund | Noun::Click | Noun::Review | Noun::Listing | Noun::ApiKey => None,
        })
    }

    fn of_program(row: std::sync::Arc<crate::store::models::Program>) -> Self {
        Self::Program(Program(row))
    }
}

/// How the caller sees something of a user's own; nothing when it is not theirs to see.
async fn private(scope: &Scope, owner: Id) -> Result<Option<Sight>, ApiError> {
    Ok(scope.sight_of(owner).await?.filter(|sight| sight.is_private()))
}
