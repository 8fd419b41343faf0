//! Moving users to other referrers.

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, halves, named};
use crate::{
    domain::id::Noun,
    engine::move_user::MoveUser,
    graphql::{caller::Operator, errors::ApiError, scope::Scope, types::user::User},
};

/// Whom to move, where, and why.
#[derive(InputObject, Clone, Debug)]
pub struct MoveUserInput {
    /// The user; everybody below goes along.
    pub user_id: ID,
    /// The new referrer, who must not stand below the user.
    pub referrer_id: ID,
    /// Why, 1 to 500 characters; kept in the history of the tree and in the audit log.
    pub reason: String,
}

/// What came of moving a user.
#[derive(SimpleObject)]
pub struct MoveUserPayload {
    /// The user as they are now; null when nothing was done.
    pub user: Option<User>,
    /// Why nothing was done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// Moves a user.
pub(super) async fn move_user(scope: &Scope, input: MoveUserInput) -> Result<MoveUserPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let MoveUserInput { user_id, referrer_id, reason } = input;
    let moving = async {
        let user = named(Noun::User, "userId", &user_id)?;
        let referrer = named(Noun::User, "referrerId", &referrer_id)?;
        scope.engine.move_user(MoveUser { user, referrer, reason }, by.key).await
    };
    let (user, user_errors) = halves(moving.await, User::for_staff)?;
    Ok(MoveUserPayload { user, user_errors })
}
