//! What is believed and what is not: tokens by the threats that RFC 8725 lists, and keys as a host publishes them.

mod published;
mod tokens;

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::TokenRefused;

pub(super) const NOW: u64 = 1_800_000_000;
pub(super) const SECRET: &str = "a test secret of forty bytes, not a real";

pub(super) fn hmac(secret: &str) -> EncodingKey {
    EncodingKey::from_secret(secret.as_bytes())
}

pub(super) fn ec(pem: &str) -> EncodingKey {
    EncodingKey::from_ec_pem(pem.as_bytes()).unwrap()
}

pub(super) fn ann() -> Value {
    json!({ "sub": "ann", "exp": NOW + 600 })
}

pub(super) fn signed(algorithm: Algorithm, key: &EncodingKey, claims: &Value) -> String {
    jsonwebtoken::encode(&Header::new(algorithm), claims, key).unwrap()
}

pub(super) fn ok() -> Result<String, TokenRefused> {
    Ok("ann".to_owned())
}
