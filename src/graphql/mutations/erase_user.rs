//! Forgetting users.

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, halves, named};
use crate::{
    domain::id::Noun,
    engine::erase_user::EraseUser,
    graphql::{caller::Operator, errors::ApiError, scope::Scope, types::user::User},
};

/// Whom to forget, and why.
#[derive(InputObject, Clone, Debug)]
pub struct EraseUserInput {
    /// The user.
    pub user_id: ID,
    /// Why, 1 to 500 characters; kept in the audit log, so it must not name the person.
    pub reason: String,
}

/// What came of erasing a user.
#[derive(SimpleObject)]
pub struct EraseUserPayload {
    /// What is left of the user; null when nothing was done.
    pub user: Option<User>,
    /// Why nothing was done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// Erases a user.
pub(super) async fn erase_user(scope: &Scope, input: EraseUserInput) -> Result<EraseUserPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let EraseUserInput { user_id, reason } = input;
    let erasing = async {
        let user = named(Noun::User, "userId", &user_id)?;
        scope.engine.erase_user(EraseUser { user, reason }, by.key).await
    };
    let (user, user_errors) = halves(erasing.await, User::for_staff)?;
    Ok(EraseUserPayload { user, user_errors })
}
