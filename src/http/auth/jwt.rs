//! Verifying the host's tokens, after [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725).

use std::fmt;

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Header, Validation};

use super::claims::{Claims, Expected};
use super::credential::MAX_CREDENTIAL_BYTES;
use super::jwks::{KeySet, KeysUnavailable, Pace};
use super::key::Key;
use super::settings::{JwtSettings, SettingsError};

/// Kinds of token that are access tokens: others a host may sign with the same key (RFC 8725, 3.11).
const ACCEPTED_TYPES: [&str; 2] = ["JWT", "at+jwt"];

/// Verifies tokens with the keys the operator named.
pub struct Verifier {
    keys: Vec<Key>,
    key_set: Option<KeySet>,
    expected: Expected,
}

/// Whom a token speaks for, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// `sub`: the host's own id of the user, 1 to 255 characters, none of them a control character.
    pub subject: String,
    /// When it is not believed any more, in seconds since 1970: a little after `exp`, since clocks differ.
    pub believed_until_unix_seconds: u64,
}

/// Why a token is not believed. The texts may be shown to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// No keys are configured.
    #[error("tokens are not accepted here")]
    NotConfigured,
    /// Longer than 8 KB.
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url, not JSON, or claims of a wrong type.
    #[error("the token is malformed")]
    Malformed,
    /// A `typ` of something else than an access token, or a `crit` we do not know.
    #[error("the token is of another kind")]
    Kind,
    /// No key is known that verifies its algorithm.
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    /// Its `kid` is not among the published keys.
    #[error("the token's key is unknown")]
    UnknownKey,
    /// The signature is not by a known key.
    #[error("the token's signature is wrong")]
    Signature,
    /// No `exp`.
    #[error("the token does not expire")]
    NoExpiry,
    /// `exp` is past.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `iss` is absent or another.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` is absent or others.
    #[error("the token is meant for another audience")]
    Audience,
    /// `sub` is absent, empty, too long or has control characters.
    #[error("the token names no usable subject")]
    Subject,
    /// The published keys could not be fetched yet; not the caller's fault.
    #[error("tokens can not be checked at the moment")]
    KeysUnavailable,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("keys", &self.keys).field("expected", &self.expected).finish_non_exhaustive()
    }
}

impl From<KeysUnavailable> for TokenRefused {
    fn from(_: KeysUnavailable) -> Self {
        Self::KeysUnavailable
    }
}

impl Verifier {
    /// A verifier for the given settings. Fetches nothing: published keys are asked for by the first token.
    ///
    /// # Errors
    ///
    /// [`SettingsError`] if a key is weak, private or of no known kind, or the URL is not safe.
    pub fn new(settings: &JwtSettings) -> Result<Self, SettingsError> {
        Self::paced(settings, Pace::default())
    }

    /// As [`Verifier::new`], with published keys fetched at another pace.
    pub(super) fn paced(settings: &JwtSettings, pace: Pace) -> Result<Self, SettingsError> {
        // Without a backend chosen the library panics at the first token; that another one was chosen before is fine.
        let _ = jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER.install_default();
        let secret = settings.secret.as_deref().map(Key::from_secret).transpose()?;
        let public_key = settings.public_key_pem.as_deref().map(Key::from_public_pem).transpose()?;
        let key_set = settings.jwks_url.as_deref().map(|url| KeySet::new(url, pace)).transpose()?;
        let JwtSettings { issuer, audience, .. } = settings.clone();
        if [&issuer, &audience].into_iter().flatten().any(String::is_empty) {
            return Err(SettingsError::EmptyName);
        }
        let keys = secret.into_iter().chain(public_key).collect();
        Ok(Self { keys, key_set, expected: Expected { issuer, audience } })
    }

    /// Verifies a token at the given time.
    ///
    /// # Errors
    ///
    /// [`TokenRefused`] says what is wrong with it; [`TokenRefused::KeysUnavailable`] that nothing is.
    pub async fn verify(&self, token: &str, now_unix_seconds: u64) -> Result<Verified, TokenRefused> {
        if self.keys.is_empty() && self.key_set.is_none() {
            return Err(TokenRefused::NotConfigured);
        }
        let header = header(token)?;
        let own = self.keys.iter().filter(|key| key.algorithms.contains(&header.alg));
        let mut signed = signed_by(own, token, &header);
        if let (Err(TokenRefused::Algorithm | TokenRefused::Signature), Some(key_set)) = (&signed, &self.key_set)
            && KeySet::may_hold(header.alg)
        {
            // `jku`, `jwk`, `x5u` and `x5c` are not looked at: a token does not get to say how it is to be checked.
            let published = key_set.find(header.kid.as_deref(), header.alg).await?;
            if published.is_empty() {
                return Err(TokenRefused::UnknownKey);
            }
            signed = signed_by(&published, token, &header);
        }
        signed?.check(&self.expected, now_unix_seconds)
    }
}

/// The claims of a token that one of the keys signed.
fn signed_by<'a>(
    keys: impl IntoIterator<Item = &'a Key>,
    token: &str,
    header: &Header,
) -> Result<Claims, TokenRefused> {
    let mut refused = TokenRefused::Algorithm;
    for key in keys {
        match claims(token, key, header) {
            Err(TokenRefused::Signature) => refused = TokenRefused::Signature,
            claims => return claims,
        }
    }
    Err(refused)
}

fn header(token: &str) -> Result<Header, TokenRefused> {
    if token.len() > MAX_CREDENTIAL_BYTES {
        return Err(TokenRefused::TooLong);
    }
    if token.bytes().filter(|&byte| byte == b'.').count() != 2 {
        return Err(TokenRefused::Malformed);
    }
    // Unknown algorithms, `none` among them, are no header at all to the library.
    let header = jsonwebtoken::decode_header(token).map_err(|_| TokenRefused::Malformed)?;
    let is_accepted = |kind: &String| ACCEPTED_TYPES.iter().any(|accepted| accepted.eq_ignore_ascii_case(kind));
    let other_kind = header.typ.as_ref().is_some_and(|kind| !is_accepted(kind));
    if other_kind || header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
        return Err(TokenRefused::Kind);
    }
    Ok(header)
}

/// The claims of a token that this key signed.
///
/// The library checks the signature only: `exp` and `nbf` against our clock, and `iss` and `aud`, are
/// [`Claims::check`]'s.
fn claims(token: &str, key: &Key, header: &Header) -> Result<Claims, TokenRefused> {
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    let decoded = jsonwebtoken::decode::<Claims>(token, &key.decoding, &validation);
    decoded.map(|decoded| decoded.claims).map_err(|error| match error.kind() {
        ErrorKind::Json(_) | ErrorKind::Base64(_) | ErrorKind::Utf8(_) => TokenRefused::Malformed,
        _ => TokenRefused::Signature,
    })
}
