//! One key that tokens may be signed with, and the algorithms it is good for.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};

use super::settings::SettingsError;

/// HS256 needs as many bytes of key as SHA-256 gives
/// ([RFC 7518, 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
const MIN_SECRET_BYTES: usize = 32;
/// RSA keys are of 2048 bits or more ([RFC 7518, 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)).
const MIN_MODULUS_BYTES: usize = 2048 / 8;
/// RSA keys are of 4096 bits or less: the library verifies no larger ones.
const MAX_MODULUS_BYTES: usize = 4096 / 8;
/// A coordinate on P-256, and a public key of Ed25519.
const COORDINATE_BYTES: usize = 32;

/// A key and the algorithms it verifies, which are fixed by its kind and never taken from a token.
///
/// [RFC 8725, 3.1](https://www.rfc-editor.org/rfc/rfc8725#section-3.1). `Debug` shows no part of the key.
#[derive(Clone)]
pub(super) struct Key {
    /// The name under which a key set lists it.
    pub id: Option<String>,
    pub algorithms: &'static [Algorithm],
    pub decoding: DecodingKey,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("id", &self.id).field("algorithms", &self.algorithms).finish_non_exhaustive()
    }
}

impl Key {
    /// The key of HS256.
    pub(super) fn from_secret(secret: &str) -> Result<Self, SettingsError> {
        if secret.len() < MIN_SECRET_BYTES {
            return Err(SettingsError::WeakSecret);
        }
        let decoding = DecodingKey::from_secret(secret.as_bytes());
        Ok(Self { id: None, algorithms: &[Algorithm::HS256], decoding })
    }

    /// The public key in a PEM, whose kind is read from it.
    pub(super) fn from_public_pem(pem: &str) -> Result<Self, SettingsError> {
        let pem = pem.replace("\\n", "\n");
        if pem.contains("PRIVATE KEY") {
            return Err(SettingsError::PrivateKey);
        }
        if !pem.contains("-----BEGIN PUBLIC KEY-----") && !pem.contains("-----BEGIN RSA PUBLIC KEY-----") {
            return Err(SettingsError::PublicKey);
        }
        let pem = pem.as_bytes();
        let kinds = [DecodingKey::from_ec_pem, DecodingKey::from_ed_pem, DecodingKey::from_rsa_pem];
        let key = kinds.iter().find_map(|kind| kind(pem).ok()).ok_or(SettingsError::PublicKey)?;
        let jwk = Jwk::from_decoding_key(&key, None).map_err(|_| SettingsError::PublicKey)?;
        if matches!(&jwk.algorithm, AlgorithmParameters::RSA(rsa) if decoded_bytes(&rsa.n) < MIN_MODULUS_BYTES) {
            return Err(SettingsError::WeakPublicKey);
        }
        Self::from_jwk(&jwk).ok_or(SettingsError::PublicKey)
    }

    /// A key of a key set; none if it is not for signatures, not public, too weak or of a kind we do not verify.
    ///
    /// Lengths are checked here because the library takes them for granted: it panics on an Ed25519 key that is short.
    pub(super) fn from_jwk(jwk: &Jwk) -> Option<Self> {
        if jwk.common.public_key_use.as_ref().is_some_and(|usage| *usage != PublicKeyUse::Signature) {
            return None;
        }
        let algorithms = narrowed(algorithms_of(&jwk.algorithm)?, jwk.common.key_algorithm)?;
        let decoding = DecodingKey::from_jwk(jwk).ok()?;
        Some(Self { id: jwk.common.key_id.clone(), algorithms, decoding })
    }
}

fn algorithms_of(parameters: &AlgorithmParameters) -> Option<&'static [Algorithm]> {
    match parameters {
        AlgorithmParameters::RSA(rsa) if (MIN_MODULUS_BYTES..=MAX_MODULUS_BYTES).contains(&decoded_bytes(&rsa.n)) => {
            Some(&[Algorithm::RS256, Algorithm::PS256])
        }
        AlgorithmParameters::EllipticCurve(ec)
            if ec.curve == EllipticCurve::P256 && [&ec.x, &ec.y].map(|x| decoded_bytes(x)) == [COORDINATE_BYTES; 2] =>
        {
            Some(&[Algorithm::ES256])
        }
        AlgorithmParameters::OctetKeyPair(ed)
            if ed.curve == EllipticCurve::Ed25519 && decoded_bytes(&ed.x) == COORDINATE_BYTES =>
        {
            Some(&[Algorithm::EdDSA])
        }
        _ => None,
    }
}

/// A key that names its algorithm is good for that one only.
fn narrowed(of_kind: &'static [Algorithm], named: Option<KeyAlgorithm>) -> Option<&'static [Algorithm]> {
    let Some(named) = named else { return Some(of_kind) };
    let index = of_kind.iter().position(|algorithm| KeyAlgorithm::from(*algorithm) == named)?;
    of_kind.get(index..=index)
}

/// How many bytes a number in base64url has, leading zeros aside; 0 if it is none.
fn decoded_bytes(text: &str) -> usize {
    URL_SAFE_NO_PAD.decode(text).map_or(0, |bytes| bytes.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::auth::test_keys::{EC_PUBLIC, ED_PUBLIC, P384_PUBLIC, RSA_PRIVATE, RSA_PUBLIC, WEAK_RSA_PUBLIC};

    fn algorithms(pem: &str) -> Result<Vec<Algorithm>, SettingsError> {
        Key::from_public_pem(pem).map(|key| key.algorithms.to_vec())
    }

    #[test]
    fn the_kind_of_a_key_is_read_from_its_pem() {
        assert_eq!(algorithms(RSA_PUBLIC), Ok(vec![Algorithm::RS256, Algorithm::PS256]));
        assert_eq!(algorithms(EC_PUBLIC), Ok(vec![Algorithm::ES256]));
        assert_eq!(algorithms(ED_PUBLIC), Ok(vec![Algorithm::EdDSA]));
        assert_eq!(algorithms(&ED_PUBLIC.replace('\n', "\\n")), Ok(vec![Algorithm::EdDSA]));
    }

    #[test]
    fn weak_private_and_foreign_keys_are_refused_at_the_start() {
        assert_eq!(algorithms(RSA_PRIVATE), Err(SettingsError::PrivateKey));
        assert_eq!(algorithms(WEAK_RSA_PUBLIC), Err(SettingsError::WeakPublicKey));
        assert_eq!(algorithms(P384_PUBLIC), Err(SettingsError::PublicKey));
        assert_eq!(algorithms(&RSA_PUBLIC.replace("PUBLIC KEY", "CERTIFICATE")), Err(SettingsError::PublicKey));
        assert_eq!(
            algorithms("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
            Err(SettingsError::PublicKey)
        );
        assert_eq!(algorithms(""), Err(SettingsError::PublicKey));
        assert_eq!(Key::from_secret(&"x".repeat(31)).err(), Some(SettingsError::WeakSecret));
        assert!(Key::from_secret(&"x".repeat(32)).is_ok());
    }

    #[test]
    fn of_a_key_set_only_sound_public_signature_keys_are_taken() {
        let coordinate = URL_SAFE_NO_PAD.encode([7; 32]);
        let ec = |crv: &str, x: &str| json!({ "kty": "EC", "crv": crv, "x": x, "y": coordinate });
        let ed = |x: &str| json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
        let rsa = |bytes: usize| json!({ "kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(vec![0xFF; bytes]) });
        let with = |mut key: serde_json::Value, name: &str, value: &str| {
            key[name] = value.into();
            key
        };
        let table = [
            (ec("P-256", &coordinate), Some(1)),
            (ec("P-256", "AAAA"), None),
            (ec("P-384", &coordinate), None),
            (ed(&coordinate), Some(1)),
            (ed("AAAA"), None),
            (ed("not base64!"), None),
            (rsa(256), Some(2)),
            (rsa(255), None),
            (rsa(1024), None),
            (with(rsa(256), "alg", "PS256"), Some(1)),
            (with(rsa(256), "alg", "RS512"), None),
            (with(rsa(256), "alg", "HS256"), None),
            (with(rsa(256), "alg", "whatever"), None),
            (with(rsa(256), "use", "sig"), Some(2)),
            (with(rsa(256), "use", "enc"), None),
            (json!({ "kty": "oct", "k": coordinate }), None),
            (json!({ "kty": "AKP", "pub": coordinate }), None),
        ];
        for (key, algorithms) in table {
            let jwk: Jwk = serde_json::from_value(key.clone()).unwrap();
            assert_eq!(Key::from_jwk(&jwk).map(|key| key.algorithms.len()), algorithms, "{key}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let shown = format!("{:?}", Key::from_secret(&"hush".repeat(8)).unwrap());
        assert!(shown.contains("HS256") && !shown.contains("hush"), "{shown}");
    }
}
