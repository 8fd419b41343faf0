//! Suspending users and taking them back.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, settled};
use crate::{
    domain::id::{self, IdError, Noun},
    engine::{Refusal, RefusalCode, standing::ChangeStanding},
    graphql::{
        caller::{Operator, Sight},
        errors::ApiError,
        scope::Scope,
        types::user::User,
    },
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
    Ok(match change(scope, &user_id, (false, reason)).await? {
        Ok(user) => SuspendUserPayload { user: Some(user), user_errors: Vec::new() },
        Err(error) => SuspendUserPayload { user: None, user_errors: vec![error] },
    })
}

/// Takes a user back.
pub(super) async fn reinstate_user(scope: &Scope, input: ReinstateUserInput) -> Result<ReinstateUserPayload, ApiError> {
    let ReinstateUserInput { user_id, reason } = input;
    Ok(match change(scope, &user_id, (true, reason)).await? {
        Ok(user) => ReinstateUserPayload { user: Some(user), user_errors: Vec::new() },
        Err(error) => ReinstateUserPayload { user: None, user_errors: vec![error] },
    })
}

async fn change(scope: &Scope, id: &ID, to: (bool, String)) -> Result<Result<User, UserError>, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let user = match id::parse_as(Noun::User, id) {
        Ok(user) => user,
        Err(error) => return Ok(Err(unknown(RefusalCode::UserNotFound, "userId")(error).into())),
    };
    let (active, reason) = to;
    let outcome = scope.engine.change_standing(ChangeStanding { user, active, reason }, by.key).await;
    Ok(settled(outcome)?.map(|row| User { row: Arc::new(row), sight: Sight::Staff }))
}

fn unknown(code: RefusalCode, field: &'static str) -> impl Fn(IdError) -> Refusal {
    move |error| Refusal::new(code, field, error.to_string())
}
