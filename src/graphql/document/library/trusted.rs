//! The file of trusted documents, in either of the two forms that build tools write.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{HASH_PREFIX, hash_of};
use crate::graphql::document::DocumentGuard;

/// Most documents of one file.
pub const MAX_DOCUMENTS: usize = 20_000;

/// What Apollo's manifests call themselves.
const APOLLO_FORMAT: &str = "apollo-persisted-query-manifest";
/// The one version of them that there is.
const APOLLO_VERSION: u64 = 1;

/// What is wrong with a file of trusted documents; told to whoever starts the server.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// JSON of some other kind.
    #[error("it must be a map from ids to documents, or an `{APOLLO_FORMAT}` of version {APOLLO_VERSION}")]
    AnotherFormat,
    /// An operation of a manifest without its id or text.
    #[error("operation {0} needs an `id` and a `body`")]
    Incomplete(usize),
    /// Nothing could be run.
    #[error("it holds no documents")]
    Empty,
    /// More than anybody has.
    #[error("it holds more than {MAX_DOCUMENTS} documents")]
    TooMany,
    /// An id has to say which document is meant.
    #[error("two different documents have the id `{0}`")]
    Ambiguous(String),
    /// A document that would never be run.
    #[error("document `{id}`: {message}")]
    Refused {
        /// The id of the document.
        id: String,
        /// What the guard says.
        message: String,
    },
}

/// Documents that may be run.
pub struct Trusted {
    by_id: HashMap<String, Arc<str>>,
    by_hash: HashMap<String, Arc<str>>,
}

impl Trusted {
    /// Reads a map `{id: text}`, as Relay's compiler and others write it, or a manifest of Apollo's.
    ///
    /// # Errors
    ///
    /// A [`ManifestError`].
    pub fn parse(json: &str) -> Result<Self, ManifestError> {
        let Value::Object(file) = serde_json::from_str(json)? else { return Err(ManifestError::AnotherFormat) };
        let documents = if file.contains_key("operations") { of_apollo(file) } else { of_map(file) }?;
        match documents.len() {
            0 => return Err(ManifestError::Empty),
            1..=MAX_DOCUMENTS => {}
            _ => return Err(ManifestError::TooMany),
        }
        let mut trusted = Self { by_id: HashMap::new(), by_hash: HashMap::new() };
        documents.into_iter().try_for_each(|(id, text)| trusted.add(id, text))?;
        Ok(trusted)
    }

    fn add(&mut self, id: String, text: String) -> Result<(), ManifestError> {
        let id = id.strip_prefix(HASH_PREFIX).map(str::to_owned).unwrap_or(id);
        let text: Arc<str> = text.into();
        self.by_hash.insert(hash_of(&text), Arc::clone(&text));
        match self.by_id.insert(id.clone(), Arc::clone(&text)) {
            Some(former) if former != text => Err(ManifestError::Ambiguous(id)),
            _ => Ok(()),
        }
    }

    /// Makes sure that the guard lets every document pass: better said at the start than to the first who sends its id.
    ///
    /// # Errors
    ///
    /// [`ManifestError::Refused`] with the first, by id, that it refuses.
    pub fn check(&self, guard: &DocumentGuard) -> Result<(), ManifestError> {
        let mut documents: Vec<_> = self.by_id.iter().collect();
        documents.sort_unstable();
        documents.into_iter().try_for_each(|(id, text)| {
            let refused = |message| ManifestError::Refused { id: id.clone(), message };
            guard.check_text(text).map_err(|error| refused(error.message))
        })
    }

    /// The document of an id or a hash.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.by_id.get(name).or_else(|| self.by_hash.get(name)).map(AsRef::as_ref)
    }

    /// Whether a text is one of them, to the letter.
    pub(super) fn holds(&self, text: &str) -> bool {
        self.by_hash.contains_key(&hash_of(text))
    }
}

/// Says how many, not which.
impl fmt::Debug for Trusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} documents", self.by_id.len())
    }
}

fn of_map(file: Map<String, Value>) -> Result<Vec<(String, String)>, ManifestError> {
    let document = |(id, text)| match text {
        Value::String(text) => Ok((id, text)),
        _ => Err(ManifestError::AnotherFormat),
    };
    file.into_iter().map(document).collect()
}

fn of_apollo(file: Map<String, Value>) -> Result<Vec<(String, String)>, ManifestError> {
    let named = file.get("format").and_then(Value::as_str) == Some(APOLLO_FORMAT);
    let version = file.get("version").and_then(Value::as_u64);
    match file.get("operations") {
        Some(Value::Array(operations)) if named && version == Some(APOLLO_VERSION) => {
            operations.iter().zip(1..).map(of_operation).collect()
        }
        _ => Err(ManifestError::AnotherFormat),
    }
}

fn of_operation((operation, number): (&Value, usize)) -> Result<(String, String), ManifestError> {
    let text = |name| operation.get(name).and_then(Value::as_str).map(str::to_owned);
    text("id").zip(text("body")).ok_or(ManifestError::Incomplete(number))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graphql::document::sample::guard;

    fn apollo(operations: Value) -> Value {
        json!({"format": APOLLO_FORMAT, "version": 1, "operations": operations})
    }

    fn wrong(file: Value) -> String {
        let checked = Trusted::parse(&file.to_string()).and_then(|trusted| trusted.check(&guard()));
        checked.unwrap_err().to_string()
    }

    #[test]
    fn a_map_and_a_manifest_are_read() {
        let text = "query Q { viewer { id } }";
        let operation = json!({"id": "sha256:one", "name": "Q", "type": "query", "body": text});
        for file in [json!({"one": text}), apollo(json!([operation, operation]))] {
            let trusted = Trusted::parse(&file.to_string()).unwrap();
            trusted.check(&guard()).unwrap();
            assert_eq!(trusted.text("one"), Some(text));
            assert_eq!(trusted.text(&hash_of(text)), Some(text));
            assert_eq!(trusted.text("two"), None);
            assert!(trusted.holds(text) && !trusted.holds("query Q { viewer { id  } }"));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let operation = |id: &str, body: &str| json!({"id": id, "body": body});
        let two = json!([operation("a", "{ viewer { id } }"), operation("a", "{ viewer { code } }")]);
        for (file, expected) in [
            (json!([]), "must be a map"),
            (json!({"a": 1}), "must be a map"),
            (json!({"format": "other", "version": 1, "operations": []}), "must be a map"),
            (json!({"format": APOLLO_FORMAT, "version": 2, "operations": []}), "must be a map"),
            (apollo(json!([operation("a", "{ viewer { id } }"), {"id": "b"}])), "operation 2 needs"),
            (apollo(json!([7])), "operation 1 needs"),
            (apollo(json!([])), "no documents"),
            (json!({}), "no documents"),
            (apollo(two), "the id `a`"),
            (json!({"a": "{ viewer {"}), "document `a`: Syntax error"),
            (json!({"a": "{ viewer { id } }", "b": ""}), "document `b`: "),
        ] {
            let said = wrong(file);
            assert!(said.contains(expected), "{said}");
        }
        assert!(Trusted::parse("{").unwrap_err().to_string().starts_with("it is not JSON: "));
    }
}
