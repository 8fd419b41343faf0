//! Making and revoking API keys.

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, settled};
use crate::{
    domain::{
        id::{self, Noun},
        words::KeyScope,
    },
    engine::{RefusalCode, api_keys::CreateApiKey},
    graphql::{
        caller::Operator,
        errors::ApiError,
        scalars::DateTime,
        scope::Scope,
        types::{
            api_key::ApiKey,
            words::{ApiKeyRole, ApiKeyScope},
        },
    },
};

/// What the key is called and may do.
#[derive(InputObject, Clone, Debug)]
pub struct CreateApiKeyInput {
    /// A name for people, such as `shop back end`.
    pub name: String,
    /// What its holder may do.
    pub role: ApiKeyRole,
    /// What of that it may do; everything unless told. Only for server keys.
    pub scopes: Option<Vec<ApiKeyScope>>,
    /// When it stops working; never unless told.
    pub expires_at: Option<DateTime>,
    /// How much may be asked for with it, in cost of documents a second, 1 to 10,000; five seconds of that at once. No
    /// limit unless told.
    pub cost_per_second: Option<i32>,
}

impl CreateApiKeyInput {
    fn request(self) -> CreateApiKey {
        CreateApiKey {
            name: self.name,
            role: self.role.into(),
            scopes: self.scopes.map(|scopes| scopes.into_iter().map(KeyScope::from).collect()),
            expires_at: self.expires_at.map(|at| at.0),
            // Less than nothing is refused as nothing is.
            cost_per_second: self.cost_per_second.map(|cost| u32::try_from(cost).unwrap_or(0)),
        }
    }
}

/// What came of making a key.
#[derive(SimpleObject)]
pub struct CreateApiKeyPayload {
    /// The key; null when it was refused.
    pub api_key: Option<ApiKey>,
    /// The secret, to be sent as `Authorization: Bearer ...`. Shown this once.
    pub secret: Option<String>,
    /// Why the key was refused; empty when it was not.
    pub user_errors: Vec<UserError>,
}

/// Makes a key.
pub(super) async fn create_api_key(scope: &Scope, input: CreateApiKeyInput) -> Result<CreateApiKeyPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    Ok(match settled(scope.engine.create_api_key(input.request(), by.key).await)? {
        Ok((key, secret)) => {
            CreateApiKeyPayload { api_key: Some(key.into()), secret: Some(secret), user_errors: Vec::new() }
        }
        Err(error) => CreateApiKeyPayload { api_key: None, secret: None, user_errors: vec![error] },
    })
}

/// Which key.
#[derive(InputObject, Clone, Debug)]
pub struct RevokeApiKeyInput {
    /// The key's id, from `apiKeys`.
    pub api_key_id: ID,
}

/// What came of revoking a key.
#[derive(SimpleObject)]
pub struct RevokeApiKeyPayload {
    /// The key, revoked now or before; null when there is none.
    pub api_key: Option<ApiKey>,
    /// Why nothing was revoked; empty when the key is revoked.
    pub user_errors: Vec<UserError>,
}

/// Revokes a key.
pub(super) async fn revoke_api_key(scope: &Scope, input: RevokeApiKeyInput) -> Result<RevokeApiKeyPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let refused = |message: &str| {
        let error = UserError::new(RefusalCode::InvalidInput, "apiKeyId", message);
        RevokeApiKeyPayload { api_key: None, user_errors: vec![error] }
    };
    let id = match id::parse_as(Noun::ApiKey, &input.api_key_id) {
        Ok(id) => id,
        Err(error) => return Ok(refused(&error.to_string())),
    };
    Ok(match settled(scope.engine.revoke_api_key(id, by.key).await)? {
        Ok(Some(key)) => RevokeApiKeyPayload { api_key: Some(key.into()), user_errors: Vec::new() },
        Ok(None) => refused("there is no such key"),
        Err(error) => RevokeApiKeyPayload { api_key: None, user_errors: vec![error] },
    })
}
