//! API keys.

use async_graphql::{ID, SimpleObject};

use super::words::{ApiKeyRole, ApiKeyScope};
use crate::{
    domain::{id::Noun, scopes::Scopes, words::KeyRole},
    graphql::scalars::{DateTime, written},
    store::models,
};

/// A credential of the host. The secret is shown once, when the key is made.
#[derive(SimpleObject, Clone, Debug)]
pub struct ApiKey {
    /// The key's id, for `revokeApiKey`.
    pub id: ID,
    /// A name for people.
    pub name: String,
    /// What its holder may do.
    pub role: ApiKeyRole,
    /// What of that it may do; null for an admin key, which does everything.
    pub scopes: Option<Vec<ApiKeyScope>>,
    /// How much may be asked for with it, in cost of documents a second; null when it has no limit.
    pub cost_per_second: Option<i32>,
    /// The first characters of the secret, to tell keys apart.
    pub prefix: String,
    /// When it was made.
    pub created_at: DateTime,
    /// When it stops working; null when it never does by itself.
    pub expires_at: Option<DateTime>,
    /// When it was revoked; null while it works.
    pub revoked_at: Option<DateTime>,
    /// When it was last used, to the minute; null when it never was.
    pub last_used_at: Option<DateTime>,
}

impl From<models::ApiKey> for ApiKey {
    fn from(row: models::ApiKey) -> Self {
        let scopes = match row.role {
            KeyRole::Server => Some(Scopes::from_stored(row.scopes.as_deref()).iter().map(Into::into).collect()),
            KeyRole::Admin => None,
        };
        Self {
            id: written(Noun::ApiKey, row.id),
            name: row.name,
            role: row.role.into(),
            scopes,
            cost_per_second: row.cost_per_second,
            prefix: row.prefix,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(DateTime),
            revoked_at: row.revoked_at.map(DateTime),
            last_used_at: row.last_used_at.map(DateTime),
        }
    }
}
