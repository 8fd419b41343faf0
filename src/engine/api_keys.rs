//! API keys: shown once, stored as hashes.
//!
//! A key is `banyan_` and its role, then 52 symbols of base32 from 256 random bits. With that many bits a plain SHA-256
//! is enough to store: there is nothing to guess and so nothing to slow down.

use sha2::{Digest, Sha256};

use super::{Engine, Error, Refusal, RefusalCode, audit::Deed, input};
use crate::{
    domain::{
        id::{Id, Noun},
        keyed_hash::KeyedHash,
        scopes::Scopes,
        time::Timestamp,
        words::KeyRole,
    },
    store::{StoreError, Tx, models, run},
};

const SYMBOLS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Symbols of a secret that are kept readable, so that people can tell their keys apart.
const PREFIX_CHARS: usize = 20;
/// Shortest key that may be given from outside.
pub const OWN_KEY_MIN_CHARS: usize = 32;
/// Largest limit of a key, in cost of documents a second. Where more is wanted none is needed.
pub const COST_PER_SECOND_MAX: u32 = 10_000;

/// What to make.
#[derive(Clone, Debug)]
pub struct CreateApiKey {
    /// A name for people.
    pub name: String,
    /// What its holder may do.
    pub role: KeyRole,
    /// Which of that; everything, unless told. Operators' keys do everything always.
    pub scopes: Option<Scopes>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
    /// How much may be asked for with it, in cost of documents a second; no limit, unless told.
    pub cost_per_second: Option<u32>,
}

impl CreateApiKey {
    /// A key that may do everything its role may, without a limit and for ever.
    pub fn new(name: impl Into<String>, role: KeyRole) -> Self {
        Self { name: name.into(), role, scopes: None, expires_at: None, cost_per_second: None }
    }

    fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        let invalid = |field, message: &str| Err(Refusal::new(RefusalCode::InvalidInput, field, message));
        input::text("name", &self.name, input::NAME_MAX_CHARS)?;
        match (self.role, self.scopes) {
            (KeyRole::Admin, Some(_)) => return invalid("scopes", "an admin key has no scopes: it does everything"),
            (KeyRole::Server, Some(scopes)) if scopes.is_empty() => {
                return invalid("scopes", "give at least one scope, or none to give them all");
            }
            (KeyRole::Admin | KeyRole::Server, _) => {}
        }
        if self.expires_at.is_some_and(|at| at <= now) {
            return invalid("expiresAt", "a key has to expire later than now");
        }
        if self.cost_per_second.is_some_and(|cost| !(1..=COST_PER_SECOND_MAX).contains(&cost)) {
            return invalid("costPerSecond", "the limit of a key is 1 to 10,000 of cost a second");
        }
        Ok(())
    }
}

impl Engine {
    /// Makes a key; the text is the secret, which is stored nowhere.
    pub async fn create_api_key(&self, request: CreateApiKey, actor: &str) -> Result<(models::ApiKey, String), Error> {
        request.check(self.context.now())?;
        let bytes: [u8; 32] = self.context.random();
        let symbols = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let symbols: String = symbols.map(|digit| char::from(SYMBOLS[usize::from(digit)])).collect();
        let secret = format!("banyan_{}_{symbols}", request.role.word().to_lowercase());
        let key = self.store_key(&request, &secret, actor).await?;
        Ok((key, secret))
    }

    /// Makes a key with a secret that was chosen elsewhere; the one that is there when it is known already.
    pub async fn adopt_api_key(
        &self,
        request: CreateApiKey,
        secret: &str,
        actor: &str,
    ) -> Result<models::ApiKey, Error> {
        self.store_key(&request, secret, actor).await
    }

    async fn store_key(&self, request: &CreateApiKey, secret: &str, actor: &str) -> Result<models::ApiKey, Error> {
        let key = models::ApiKey {
            id: self.context.new_id(),
            name: request.name.clone(),
            role: request.role,
            prefix: secret.chars().take(PREFIX_CHARS.min(secret.chars().count() / 2)).collect(),
            hash: hash(secret),
            created_at: self.context.now(),
            expires_at: request.expires_at,
            revoked_at: None,
            last_used_at: None,
            scopes: request.scopes.and_then(Scopes::to_stored),
            cost_per_second: request.cost_per_second.and_then(|cost| i32::try_from(cost).ok()),
        };
        let stored = self.store.write(async |tx: &mut Tx| {
            if run!(tx, keys::insert(key.clone()))? {
                let deed = Deed { actor, action: "createApiKey", at: key.created_at };
                run!(tx, audit::insert(deed.to(key.id.typed(Noun::ApiKey))))?;
            }
            run!(tx, keys::by_hash(key.hash))
        });
        stored.await?.ok_or_else(|| StoreError::Corrupt("a key vanished".to_owned()).into())
    }

    /// Revokes a key for good. Nothing when there is no such key.
    pub async fn revoke_api_key(&self, id: Id, actor: &str) -> Result<Option<models::ApiKey>, Error> {
        let now = self.context.now();
        let revoked = self.store.write(async |tx: &mut Tx| {
            let (key, is_new) = run!(tx, keys::revoke(id, now))?;
            if is_new {
                let deed = Deed { actor, action: "revokeApiKey", at: now };
                run!(tx, audit::insert(deed.to(id.typed(Noun::ApiKey))))?;
            }
            Ok::<_, StoreError>(key)
        });
        revoked.await.map_err(Error::from)
    }

    /// The live key with this secret.
    pub async fn key_of(&self, secret: &str) -> Result<Option<models::ApiKey>, Error> {
        let (hash, now) = (hash(secret), self.context.now());
        let key = self.store.look(async |tx: &mut Tx| run!(tx, keys::by_hash(hash))).await?;
        let live = |key: &models::ApiKey| key.revoked_at.is_none() && key.expires_at.is_none_or(|at| now < at);
        Ok(key.filter(live))
    }

    /// Every key, oldest first.
    pub async fn api_keys(&self) -> Result<Vec<models::ApiKey>, Error> {
        self.store.look(async |tx: &mut Tx| run!(tx, keys::all()).map_err(Error::from)).await
    }
}

fn hash(secret: &str) -> KeyedHash {
    KeyedHash(Sha256::digest(secret.as_bytes()).into())
}
