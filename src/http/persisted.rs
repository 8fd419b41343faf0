//! How a request names its document: by the text, by a hash, or by an id.
//!
//! Sources: GraphQL over HTTP, appendix A (`documentId`), and Apollo's automatic persisted queries
//! (`extensions.persistedQuery`).

use async_graphql::{Extensions, ServerError, Value};

use super::problem::bad_request;
use crate::graphql::document::Asked;
use crate::graphql::document::library::HASH_PREFIX;

/// The one version of `extensions.persistedQuery` that there is.
const VERSION: u64 = 1;

/// What stands for a text, or comes with one.
#[derive(Debug)]
enum Name {
    /// A hash of the text.
    Hash(String),
    /// An id that somebody gave it.
    Id(String),
}

/// Says which document is meant.
///
/// # Errors
/// A request error when none is named, or two.
pub(super) fn asked(
    text: Option<String>,
    document_id: Option<String>,
    extensions: &Extensions,
) -> Result<Asked, ServerError> {
    let text = text.filter(|text| !text.is_empty());
    match (text, name(document_id, extensions)?) {
        (Some(text), None) => Ok(Asked::Text(text)),
        (Some(text), Some(Name::Hash(hash))) => Ok(Asked::Hashed { text, hash }),
        (None, Some(Name::Hash(name) | Name::Id(name))) => Ok(Asked::Known(name)),
        (Some(_), Some(Name::Id(_))) => Err(bad_request("Send `query` or `documentId`, not both.")),
        (None, None) => Err(bad_request("`query` is missing.")),
    }
}

fn name(document_id: Option<String>, extensions: &Extensions) -> Result<Option<Name>, ServerError> {
    let of_id = |id: String| match id.strip_prefix(HASH_PREFIX) {
        Some(hash) => Name::Hash(hash.to_owned()),
        None => Name::Id(id),
    };
    let id = document_id.filter(|id| !id.is_empty()).map(of_id);
    let hash = extensions.get("persistedQuery").filter(|value| **value != Value::Null).map(persisted).transpose()?;
    match (id, hash) {
        (Some(_), Some(_)) => Err(bad_request("Send `documentId` or `extensions.persistedQuery`, not both.")),
        (id, hash) => Ok(id.or(hash)),
    }
}

fn persisted(value: &Value) -> Result<Name, ServerError> {
    let wrong = || bad_request("`extensions.persistedQuery` must hold `version: 1` and a `sha256Hash`.");
    let Value::Object(fields) = value else { return Err(wrong()) };
    match (fields.get("version"), fields.get("sha256Hash")) {
        (Some(Value::Number(version)), Some(Value::String(hash)))
            if version.as_u64() == Some(VERSION) && !hash.is_empty() =>
        {
            Ok(Name::Hash(hash.clone()))
        }
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked_for(text: Option<&str>, id: Option<&str>, extensions: serde_json::Value) -> Result<Asked, String> {
        let extensions = serde_json::from_value(extensions).unwrap();
        asked(text.map(str::to_owned), id.map(str::to_owned), &extensions).map_err(|error| error.message)
    }

    fn hash(version: serde_json::Value) -> serde_json::Value {
        json!({"persistedQuery": {"version": version, "sha256Hash": "ab"}})
    }

    #[test]
    fn a_document_is_named_by_text_hash_or_id() {
        let hashed = || Asked::Hashed { text: "{ a }".to_owned(), hash: "ab".to_owned() };
        let known = |name: &str| Asked::Known(name.to_owned());
        for (text, id, extensions, expected) in [
            (Some("{ a }"), None, json!({}), Asked::Text("{ a }".to_owned())),
            (Some("{ a }"), Some(""), json!({"persistedQuery": null}), Asked::Text("{ a }".to_owned())),
            (Some("{ a }"), None, hash(json!(1)), hashed()),
            (Some("{ a }"), Some("sha256:ab"), json!({}), hashed()),
            (None, None, hash(json!(1)), known("ab")),
            (Some(""), Some("sha256:ab"), json!({}), known("ab")),
            (None, Some("viewer-1"), json!({}), known("viewer-1")),
        ] {
            assert_eq!(asked_for(text, id, extensions), Ok(expected));
        }
    }

    #[test]
    fn none_or_two_names_are_refused() {
        for (text, id, extensions, expected) in [
            (None, None, json!({}), "missing"),
            (Some("{ a }"), Some("viewer-1"), json!({}), "not both"),
            (None, Some("viewer-1"), hash(json!(1)), "not both"),
            (None, None, hash(json!(2)), "must hold"),
            (None, None, hash(json!("1")), "must hold"),
            (Some("{ a }"), None, json!({"persistedQuery": true}), "must hold"),
            (Some("{ a }"), None, json!({"persistedQuery": {"version": 1, "sha256Hash": ""}}), "must hold"),
        ] {
            let refused = asked_for(text, id, extensions).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
