//! Suspending users and taking them back.

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, halves, named};
use crate::{
    domain::id::Noun,
    engine::standing::ChangeStanding,
    graphql::{caller::Operator, errors::ApiError, scope::Scope, types::user::User},
};

/// Whom to suspend, and why.
#[derive(InputObject, Clone, Debug)]
pub struct SuspendUserInput {
    /// The user.
    pub user_id: ID,
    /// Why, 1 to 500 characters; kept in the audit log.
    pub reason: String,
}

/// Whom to take back, and why.
#[derive(InputObject, Clone, Debug)]
pub struct ReinstateUserInput {
    /// The user.
    pub user_id: ID,
    /// Why, 1 to 500 characters; kept in the audit log.
    pub reason: String,
}

/// What came of suspending a user.
#[derive(SimpleObject)]
pub struct SuspendUserPayload {
    /// The user as they are now; null when nothing was done.
    pub user: Option<User>,
    /// Why nothing was done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// What came of taking a user back.
#[derive(SimpleObject)]
pub struct ReinstateUserPayload {
    /// The user as they are now; null when nothing was done.
    pub user: Option<User>,
    /// Why nothing was done; empty when it was.
    pub user_errors: Vec<UserError>,
}

/// Suspends a user.
pub(super) async fn suspend_user(scope: &Scope, input: SuspendUserInput) -> Result<SuspendUserPayload, ApiError> {
    let SuspendUserInput { user_id, reason } = input;
    let (user, user_errors) = change(scope, &user_id, (false, reason)).await?;
    Ok(SuspendUserPayload { user, user_errors })
}

/// Takes a user back.
pub(super) async fn reinstate_user(scope: &Scope, input: ReinstateUserInput) -> Result<ReinstateUserPayload, ApiError> {
    let ReinstateUserInput { user_id, reason } = input;
    let (user, user_errors) = change(scope, &user_id, (true, reason)).await?;
    Ok(ReinstateUserPayload { user, user_errors })
}

async fn change(scope: &Scope, id: &ID, to: (bool, String)) -> Result<(Option<User>, Vec<UserError>), ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let (active, reason) = to;
    let changing = async {
        let user = named(Noun::User, "userId", id)?;
        scope.engine.change_standing(ChangeStanding { user, active, reason }, by.key).await
    };
    halves(changing.await, User::for_staff)
}
