//! Which text a request means: one that it sends, one that was sent before, or one of a file of trusted documents.
//!
//! Automatic persisted queries, as Apollo's clients send them: a client sends only the hash of its document; when that is
//! not known here, it sends the document and the hash once, and from then on the hash alone will do. What is kept is
//! bounded and lives in this process only, since whoever is told that a hash is not known just sends the document again.
//!
//! With a file of trusted documents nothing else is run, whoever asks, except for operators, who explore.

use std::fmt;
use std::sync::Arc;

use async_graphql::ServerError;
use sha2::{Digest, Sha256};

use super::cache::{Cache, Weigh};
use super::refusal;
use crate::domain::caller::Caller;

mod trusted;

pub use trusted::{ManifestError, Trusted};

/// What may stand before a hash in an id. Source: GraphQL over HTTP, appendix A.
pub const HASH_PREFIX: &str = "sha256:";

/// How a request names its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// By its text.
    Text(String),
    /// By its text and the hash of that, which is to be known from then on.
    Hashed {
        /// The text.
        text: String,
        /// Its SHA-256 hash, as the client computed it, in hexadecimal.
        hash: String,
    },
    /// By its hash alone, or by its id in the file of trusted documents.
    Known(String),
}

/// A document that was found.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// Its text.
    pub text: String,
    /// The hash under which it is to be kept.
    hash: Option<String>,
}

/// The documents that requests need not send, and those that they are held to.
#[derive(Default)]
pub struct Library {
    kept: Cache<String>,
    trusted: Option<Trusted>,
}

impl Weigh for String {
    fn weight_bytes(&self) -> usize {
        self.len()
    }
}

impl Library {
    /// One that holds nobody to anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that holds everybody but operators to trusted documents.
    pub fn of(trusted: Trusted) -> Self {
        Self { trusted: Some(trusted), ..Self::default() }
    }

    /// Finds the text that is meant.
    ///
    /// # Errors
    ///
    /// With `extensions.code` [`PERSISTED_QUERY_NOT_FOUND`](super::PERSISTED_QUERY_NOT_FOUND) for a hash or id that is
    /// not known, [`BAD_USER_INPUT`](super::BAD_USER_INPUT) for a hash of another text, and
    /// [`FORBIDDEN`](super::FORBIDDEN) for a text that is not trusted.
    pub fn find(&self, asked: Asked, caller: &Caller) -> Result<Found, ServerError> {
        let held_to = self.held_to(caller);
        let found = match asked {
            Asked::Known(name) => {
                let text = self.known(&name, held_to).ok_or_else(refusal::not_found)?;
                return Ok(Found { text, hash: None });
            }
            Asked::Text(text) => Found { text, hash: None },
            Asked::Hashed { text, hash } if hash == hash_of(&text) => Found { text, hash: Some(hash) },
            Asked::Hashed { .. } => return Err(refusal::wrong_hash()),
        };
        match held_to {
            None => Ok(found),
            Some(trusted) if trusted.holds(&found.text) => Ok(Found { hash: None, ..found }),
            Some(_) => Err(refusal::untrusted()),
        }
    }

    /// Keeps a document for requests with its hash alone. To be called once it is known to be sound.
    pub fn keep(&self, found: &Found) {
        let Some(hash) = &found.hash else { return };
        if self.kept.get(hash).is_none() {
            self.kept.put(hash, Arc::new(found.text.clone()));
        }
    }

    /// The documents that a caller is held to, if to any.
    fn held_to(&self, caller: &Caller) -> Option<&Trusted> {
        match caller {
            Caller::Admin { .. } => None,
            Caller::Anonymous | Caller::Member { .. } | Caller::Server { .. } => self.trusted.as_ref(),
        }
    }

    /// What operators sent is kept for operators: who is held to trusted documents never gets it.
    fn known(&self, name: &str, held_to: Option<&Trusted>) -> Option<String> {
        let trusted = self.trusted.as_ref().and_then(|trusted| trusted.text(name));
        match held_to {
            Some(_) => trusted.map(str::to_owned),
            None => trusted.map(str::to_owned).or_else(|| self.kept.get(name).map(|text| text.as_str().to_owned())),
        }
    }
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("trusted", &self.trusted).finish_non_exhaustive()
    }
}

/// The SHA-256 hash of a text, in hexadecimal.
fn hash_of(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::scopes::Scopes;
    use crate::graphql::document::sample::refusal;

    const TEXT: &str = "{ viewer { id } }";

    fn admin() -> Caller {
        Caller::Admin { key: "ops".to_owned() }
    }

    fn hashed(text: &str) -> Asked {
        Asked::Hashed { text: text.to_owned(), hash: hash_of(text) }
    }

    fn code(found: Result<Found, ServerError>) -> String {
        refusal(&found.unwrap_err()).0
    }

    #[test]
    fn the_hash_is_the_one_of_the_specification() {
        // The example of appendix A.
        let text = "query($id:ID!){user(id:$id){name}}";
        assert_eq!(hash_of(text), "71f7dc5758652baac68e4a10c50be732b741c892ade2883a99358f52b555286b");
    }

    #[test]
    fn a_hash_is_known_once_its_text_was_kept() {
        let library = Library::new();
        let alone = || Asked::Known(hash_of(TEXT));
        let missing = library.find(alone(), &Caller::Anonymous).unwrap_err();
        assert_eq!(missing.message, "PersistedQueryNotFound");
        assert_eq!(refusal(&missing).0, "PERSISTED_QUERY_NOT_FOUND");

        let found = library.find(hashed(TEXT), &Caller::Anonymous).unwrap();
        assert!(library.find(alone(), &Caller::Anonymous).is_err(), "not kept before it is known to be sound");
        library.keep(&found);
        assert_eq!(library.find(alone(), &Caller::Anonymous).unwrap().text, TEXT);
    }

    #[test]
    fn the_hash_of_another_text_is_refused_and_keeps_nothing() {
        let library = Library::new();
        let asked = Asked::Hashed { text: "{ other }".to_owned(), hash: hash_of(TEXT) };
        assert_eq!(code(library.find(asked, &Caller::Anonymous)), "BAD_USER_INPUT");
        assert!(library.find(Asked::Known(hash_of(TEXT)), &Caller::Anonymous).is_err());
    }

    #[test]
    fn who_sends_only_a_text_leaves_nothing_behind() {
        let library = Library::new();
        library.keep(&library.find(Asked::Text(TEXT.to_owned()), &Caller::Anonymous).unwrap());
        assert!(library.find(Asked::Known(hash_of(TEXT)), &Caller::Anonymous).is_err());
    }

    #[test]
    fn only_trusted_documents_are_found_except_for_operators() {
        let library = Library::of(Trusted::parse(&format!(r#"{{"viewer-1": "{TEXT}"}}"#)).unwrap());
        let server = Caller::Server { key: "shop".to_owned(), scopes: Scopes::ALL };
        let member = Caller::Member { external_id: "ann".to_owned() };
        for caller in [Caller::Anonymous, member, server] {
            for asked in [
                Asked::Text(TEXT.to_owned()),
                hashed(TEXT),
                Asked::Known(hash_of(TEXT)),
                Asked::Known("viewer-1".to_owned()),
            ] {
                assert_eq!(library.find(asked, &caller).unwrap(), Found { text: TEXT.to_owned(), hash: None });
            }
            for other in [Asked::Text("{ other }".to_owned()), hashed("{ other }")] {
                assert_eq!(code(library.find(other, &caller)), "FORBIDDEN");
            }
            assert_eq!(code(library.find(Asked::Known("viewer-2".to_owned()), &caller)), "PERSISTED_QUERY_NOT_FOUND");
        }
        assert!(library.find(Asked::Text("{ other }".to_owned()), &admin()).is_ok());
        assert_eq!(library.find(Asked::Known("viewer-1".to_owned()), &admin()).unwrap().text, TEXT);
    }

    #[test]
    fn what_an_operator_sent_is_not_trusted() {
        let library = Library::of(Trusted::parse(&format!(r#"{{"a": "{TEXT}"}}"#)).unwrap());
        library.keep(&library.find(hashed("{ other }"), &admin()).unwrap());
        let alone = || Asked::Known(hash_of("{ other }"));
        assert_eq!(library.find(alone(), &admin()).unwrap().text, "{ other }");
        assert_eq!(code(library.find(alone(), &Caller::Anonymous)), "PERSISTED_QUERY_NOT_FOUND");
    }
}
