//! What a caller sent to prove who they are, before it is believed.

use std::fmt;

/// The longest credential that is looked at, in bytes; tokens of hosts are seldom over 2 KB.
pub(super) const MAX_CREDENTIAL_BYTES: usize = 8 * 1024;

/// A token of the host or a key of ours. `Debug` shows which, never what.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// A JSON Web Token of the host product; not yet verified.
    Token(String),
    /// An API key; not yet looked up.
    Key(String),
}

/// Why an `authorization` value was not even looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialRefused {
    /// Another scheme than `Bearer`.
    #[error("the authorization scheme must be Bearer")]
    Scheme,
    /// `Bearer` and nothing after it, or more than one word, or characters that neither tokens nor keys have.
    #[error("the authorization header is malformed")]
    Malformed,
    /// More than 8 KB.
    #[error("the authorization header is too long")]
    TooLong,
}

impl Credential {
    /// Reads the value of an `authorization` header (or of that name in `connection_init`); none if it is blank.
    ///
    /// A token is what has exactly two dots; anything else is a key
    /// ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
    ///
    /// # Errors
    ///
    /// [`CredentialRefused`] if it is there but can not be a credential: such a caller is refused, not anonymous.
    pub fn from_header(value: &str) -> Result<Option<Self>, CredentialRefused> {
        let value = value.trim_matches([' ', '\t']);
        if value.is_empty() {
            return Ok(None);
        }
        if value.len() > MAX_CREDENTIAL_BYTES {
            return Err(CredentialRefused::TooLong);
        }
        let (scheme, credential) = value.split_once(' ').unwrap_or((value, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(CredentialRefused::Scheme);
        }
        let credential = credential.trim_start_matches(' ');
        if credential.is_empty() || !credential.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(CredentialRefused::Malformed);
        }
        let is_token = credential.bytes().filter(|&byte| byte == b'.').count() == 2;
        let credential = credential.to_owned();
        Ok(Some(if is_token { Self::Token(credential) } else { Self::Key(credential) }))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(..)",
            Self::Key(_) => "Key(..)",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_keys_are_told_apart_by_their_dots() {
        let token = |text: &str| Ok(Some(Credential::Token(text.to_owned())));
        let key = |text: &str| Ok(Some(Credential::Key(text.to_owned())));
        let long = format!("Bearer {}", "x".repeat(MAX_CREDENTIAL_BYTES));
        let table = [
            ("", Ok(None)),
            ("  ", Ok(None)),
            ("Bearer aa.bb.cc", token("aa.bb.cc")),
            ("bearer   aa.bb.cc ", token("aa.bb.cc")),
            ("BEARER key_live_0123", key("key_live_0123")),
            ("Bearer one.dot", key("one.dot")),
            ("Bearer three.dots.in.it", key("three.dots.in.it")),
            ("Bearer", Err(CredentialRefused::Malformed)),
            ("Bearer a b", Err(CredentialRefused::Malformed)),
            ("Bearer a\tb", Err(CredentialRefused::Malformed)),
            ("Bearer \u{e9}", Err(CredentialRefused::Malformed)),
            ("Bearer a\0b", Err(CredentialRefused::Malformed)),
            ("Basic YTpi", Err(CredentialRefused::Scheme)),
            ("aa.bb.cc", Err(CredentialRefused::Scheme)),
            (&long, Err(CredentialRefused::TooLong)),
        ];
        for (value, expected) in table {
            assert_eq!(Credential::from_header(value), expected, "{:?}", &value[..value.len().min(40)]);
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        for value in ["Bearer hush.hush.hush", "Bearer hush"] {
            assert!(!format!("{:?}", Credential::from_header(value)).contains("hush"));
        }
    }
}
