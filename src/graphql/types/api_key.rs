//! API keys.

use async_graphql::{ID, SimpleObject};

use super::words::ApiKeyRole;
use crate::{
    domain::id::Noun,
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
    /// The first characters of the secret, to tell keys apart.
    pub prefix: String,
    /// When it was made.
    pub created_at: DateTime,
    /// When it stops working; null when it never does by itself.
    pub expires_at: Option<DateTime>,
    /// When it was revoked; null while it works.
    pub revoked_at: Option<DateTime>,
    /// When it was last used, as far as it was noted.
    pub last_used_at: Option<DateTime>,
}

impl From<models::ApiKey> for ApiKey {
    fn from(row: models::ApiKey) -> Self {
        Self {
            id: written(Noun::ApiKey, row.id),
            name: row.name,
            role: row.role.into(),
            prefix: row.prefix,
            created_at: row.created_at.into(),
            expires_at: row.expires_at.map(DateTime),
            revoked_at: row.revoked_at.map(DateTime),
            last_used_at: row.last_used_at.map(DateTime),
        }
    }
}
