//! Moving users to other referrers.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, settled};
use crate::{
    domain::id::{self, Noun},
    engine::{Refusal, RefusalCode, move_user::MoveUser},
    graphql::{
        caller::{Operator, Sight},
        errors::ApiError,
        scope::Scope,
        types::user::User,
    },
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
    let refused = |error: UserError| MoveUserPayload { user: None, user_errors: vec![error] };
    let named = |field, id: &ID| {
        let parsed = id::parse_as(Noun::User, id);
        parsed.map_err(|error| UserError::from(Refusal::new(RefusalCode::UserNotFound, field, error.to_string())))
    };
    let (user, referrer) = match (named("userId", &input.user_id), named("referrerId", &input.referrer_id)) {
        (Ok(user), Ok(referrer)) => (user, referrer),
        (Err(error), _) | (_, Err(error)) => return Ok(refused(error)),
    };
    let request = MoveUser { user, referrer, reason: input.reason };
    Ok(match settled(scope.engine.move_user(request, by.key).await)? {
        Ok(row) => {
            MoveUserPayload { user: Some(User { row: Arc::new(row), sight: Sight::Staff }), user_errors: Vec::new() }
        }
        Err(error) => refused(error),
    })
}
