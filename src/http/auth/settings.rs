//! How the host's tokens are to be checked, as the operator set it.

use std::fmt;

/// The environment's word on tokens; all may be absent, and then no token is accepted.
///
/// Several sources of keys may be set at once, which is how a host moves from one to another without a gap.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct JwtSettings {
    /// `JWT_SECRET`: the key of HS256, 32 bytes or more.
    pub secret: Option<String>,
    /// `JWT_PUBLIC_KEY`: an RSA (2048 bits or more), P-256 or Ed25519 public key in PEM; `\n` may stand for line ends.
    pub public_key_pem: Option<String>,
    /// `JWKS_URL`: where the host publishes its keys; https, or http to this machine.
    pub jwks_url: Option<String>,
    /// `JWT_ISSUER`: what `iss` must be.
    pub issuer: Option<String>,
    /// `JWT_AUDIENCE`: what `aud` must be or contain.
    pub audience: Option<String>,
}

/// Why the settings of tokens are refused at the start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettingsError {
    /// RFC 7518 asks for as many bits as the hash has.
    #[error("JWT_SECRET must be at least 32 bytes long")]
    WeakSecret,
    /// No PEM, or of something else.
    #[error("JWT_PUBLIC_KEY must be the PEM of an RSA, P-256 or Ed25519 public key")]
    PublicKey,
    /// A private key has no business here.
    #[error("JWT_PUBLIC_KEY holds a private key; only the public half belongs there")]
    PrivateKey,
    /// RFC 7518 asks for 2048 bits.
    #[error("JWT_PUBLIC_KEY must be an RSA key of at least 2048 bits")]
    WeakPublicKey,
    /// Keys that come unprotected over a network can be anybody's.
    #[error("JWKS_URL must be an https URL (http is accepted for this machine only) without user name and password")]
    JwksUrl,
    /// An issuer or audience that is set but empty would match nothing.
    #[error("JWT_ISSUER and JWT_AUDIENCE must not be empty when they are set")]
    EmptyName,
}

impl fmt::Debug for JwtSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |value: &Option<String>| value.as_ref().map(|_| "..");
        f.debug_struct("JwtSettings")
            .field("secret", &set(&self.secret))
            .field("public_key_pem", &set(&self.public_key_pem))
            .field("jwks_url", &set(&self.jwks_url))
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_what_is_set_and_no_secret() {
        let settings = JwtSettings {
            secret: Some("hush".into()),
            jwks_url: Some("https://hush@example.com".into()),
            issuer: Some("https://issuer.example".into()),
            ..JwtSettings::default()
        };
        let shown = format!("{settings:?}");
        assert!(shown.contains("issuer.example") && shown.contains("public_key_pem: None"), "{shown}");
        assert!(!shown.contains("hush"), "{shown}");
    }
}
