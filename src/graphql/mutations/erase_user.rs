//! Forgetting users.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, settled};
use crate::{
    domain::id::{self, Noun},
    engine::{RefusalCode, erase_user::EraseUser},
    graphql::{
        caller::{Operator, Sight},
        errors::ApiError,
        scope::Scope,
        types::user::User,
    },
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
    let refused = |error: UserError| EraseUserPayload { user: None, user_errors: vec![error] };
    let user = match id::parse_as(Noun::User, &input.user_id) {
        Ok(user) => user,
        Err(error) => return Ok(refused(UserError::new(RefusalCode::UserNotFound, "userId", error.to_string()))),
    };
    let request = EraseUser { user, reason: input.reason };
    Ok(match settled(scope.engine.erase_user(request, by.key).await)? {
        Ok(row) => {
            EraseUserPayload { user: Some(User { row: Arc::new(row), sight: Sight::Staff }), user_errors: Vec::new() }
        }
        Err(error) => refused(error),
    })
}
