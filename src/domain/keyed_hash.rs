//! Keyed hashes of personal data: comparable, not readable (rule 22).

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// HMAC-SHA-256 (RFC 2104) of a value, its purpose mixed in so that equal texts of different kinds differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct KeyedHash(pub [u8; 32]);

impl KeyedHash {
    /// Whether this is a hash that somebody else shows, compared in a time that does not tell how much of it is right.
    pub fn is(&self, shown: &[u8]) -> bool {
        let differences = self.0.iter().zip(shown).fold(0, |differences, (ours, theirs)| differences | (ours ^ theirs));
        shown.len() == self.0.len() && std::hint::black_box(differences) == 0
    }
}

/// The key of the hashes, and the one before it while hashes made with that are still around. Its debug form shows neither.
#[derive(Clone)]
pub struct HashKey {
    present: [u8; 32],
    former: Option<[u8; 32]>,
}

impl HashKey {
    /// Derives the key from any secret text.
    pub fn from_secret(secret: &str) -> Self {
        Self { present: Sha256::digest(secret.as_bytes()).into(), former: None }
    }

    /// The same, where hashes made with another secret are still to be recognised.
    pub fn with_former(self, secret: &str) -> Self {
        Self { former: Some(Sha256::digest(secret.as_bytes()).into()), ..self }
    }

    /// A key of its own for another use, from which this one cannot be told.
    pub fn derived(&self, purpose: &str) -> Self {
        let former = self.former_hash("key", purpose).map(|hash| hash.0);
        Self { present: self.hash("key", purpose).0, former }
    }

    /// Hashes one value of one purpose (`email`, `ip`, ...).
    pub fn hash(&self, purpose: &str, value: &str) -> KeyedHash {
        keyed(&self.present, purpose, value)
    }

    /// The same with the key before this one, while there is one.
    pub fn former_hash(&self, purpose: &str, value: &str) -> Option<KeyedHash> {
        self.former.as_ref().map(|key| keyed(key, purpose, value))
    }
}

fn keyed(key: &[u8; 32], purpose: &str, value: &str) -> KeyedHash {
    let mut mac = Hmac::<Sha256>::new(&hmac_key(key));
    mac.update(purpose.as_bytes());
    mac.update(&[0]);
    mac.update(value.as_bytes());
    KeyedHash(mac.finalize().into_bytes().into())
}

/// HMAC keys shorter than the hash's block of 64 bytes are padded with zeros (RFC 2104, section 2).
fn hmac_key(secret: &[u8; 32]) -> hmac::digest::Key<Hmac<Sha256>> {
    let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
    key[..secret.len()].copy_from_slice(secret);
    key
}

impl std::fmt::Debug for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashKey(..)")
    }
}

/// SHA-256 of a request's fields, in order: two requests under one idempotency key are the same when this is.
/// Each field is preceded by its length, so that no two lists of fields run together.
pub fn fingerprint(fields: &[Option<&str>]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for field in fields {
        let length = field.map_or(u64::MAX, |text| text.len() as u64);
        hasher.update(length.to_be_bytes());
        hasher.update(field.unwrap_or_default().as_bytes());
    }
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purpose_and_key_matter() {
        let key = HashKey::from_secret("one");
        assert_eq!(key.hash("ip", "x"), key.hash("ip", "x"));
        assert_ne!(key.hash("ip", "x"), key.hash("device", "x"));
        assert_ne!(key.hash("ip", "x"), HashKey::from_secret("two").hash("ip", "x"));
        assert_eq!(format!("{key:?}"), "HashKey(..)");
        assert_ne!(key.derived("cookie").hash("ip", "x"), key.hash("ip", "x"));
    }

    #[test]
    fn a_hash_is_only_itself() {
        let hash = HashKey::from_secret("one").hash("ip", "x");
        assert!(hash.is(&hash.0));
        let mut other = hash.0;
        other[31] ^= 1;
        assert!(!hash.is(&other) && !hash.is(&hash.0[..31]) && !hash.is(&[]));
    }

    #[test]
    fn the_key_before_is_remembered() {
        let old = HashKey::from_secret("one");
        let new = HashKey::from_secret("two").with_former("one");
        assert_eq!(new.former_hash("ip", "x"), Some(old.hash("ip", "x")));
        assert_ne!(new.hash("ip", "x"), old.hash("ip", "x"));
        assert_eq!(old.former_hash("ip", "x"), None);
    }

    #[test]
    fn fields_do_not_run_together() {
        assert_ne!(fingerprint(&[Some("ab"), Some("c")]), fingerprint(&[Some("a"), Some("bc")]));
        assert_ne!(fingerprint(&[None]), fingerprint(&[Some("")]));
    }
}
