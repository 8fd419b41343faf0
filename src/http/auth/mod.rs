//! Who is calling, as far as the `authorization` header or `connection_init` says.
//!
//! [`Credential`] tells the host's tokens from our own keys, [`Verifier`] checks the former. Keys are looked up in the
//! database, which is not done here.

mod claims;
mod credential;
mod jwks;
mod jwt;
mod key;
mod settings;
#[cfg(test)]
mod test_keys;
#[cfg(test)]
mod tests;

pub use credential::{Credential, CredentialRefused};
pub use jwt::{TokenRefused, Verified, Verifier};
pub use settings::{JwtSettings, SettingsError};
