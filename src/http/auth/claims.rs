//! What a token says, once its signature is believed.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Number;

use super::jwt::{TokenRefused, Verified};

/// How far the host's clock may be from ours, in seconds.
const LEEWAY_SECONDS: u64 = 30;
/// The longest `sub`, in characters: that of an external id.
const MAX_SUBJECT_CHARS: usize = 255;

/// The registered claims that are looked at; the types are strict, so that `"exp": "1"` is not an absent `exp`.
#[derive(Deserialize)]
pub(super) struct Claims {
    sub: Option<String>,
    #[serde(default, deserialize_with = "seconds")]
    exp: Option<u64>,
    #[serde(default, deserialize_with = "seconds")]
    nbf: Option<u64>,
    iss: Option<String>,
    aud: Option<Audience>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Whom a token must come from and be meant for, where the operator said so.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    pub issuer: Option<String>,
    pub audience: Option<String>,
}

impl Claims {
    /// Checks the claims against what is expected and against the clock.
    pub(super) fn check(self, expected: &Expected, now_unix_seconds: u64) -> Result<Verified, TokenRefused> {
        let believed_until_unix_seconds = self.exp.ok_or(TokenRefused::NoExpiry)?.saturating_add(LEEWAY_SECONDS);
        if now_unix_seconds >= believed_until_unix_seconds {
            return Err(TokenRefused::Expired);
        }
        if self.nbf.is_some_and(|from| from > now_unix_seconds.saturating_add(LEEWAY_SECONDS)) {
            return Err(TokenRefused::NotYetValid);
        }
        if expected.issuer.is_some() && self.iss != expected.issuer {
            return Err(TokenRefused::Issuer);
        }
        if expected.audience.as_ref().is_some_and(|audience| !self.is_for(audience)) {
            return Err(TokenRefused::Audience);
        }
        let subject = self.sub.filter(|subject| is_subject(subject)).ok_or(TokenRefused::Subject)?;
        Ok(Verified { subject, believed_until_unix_seconds })
    }

    fn is_for(&self, audience: &str) -> bool {
        match &self.aud {
            None => false,
            Some(Audience::One(one)) => one == audience,
            Some(Audience::Several(several)) => several.iter().any(|one| one == audience),
        }
    }
}

fn is_subject(subject: &str) -> bool {
    (1..=MAX_SUBJECT_CHARS).contains(&subject.chars().count()) && !subject.chars().any(char::is_control)
}

/// A NumericDate ([RFC 7519, 2](https://www.rfc-editor.org/rfc/rfc7519#section-2)) in whole seconds; fractions are cut.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let number = Number::deserialize(deserializer)?;
    let whole =
        number.as_u64().or_else(|| number.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64));
    whole.map(Some).ok_or_else(|| D::Error::custom("a date must be a number of seconds since 1970"))
}
