//! The parameters of a GraphQL request, out of a JSON body or a query string.

use async_graphql::{Extensions, ServerError, Variables};
use axum::extract::Query;
use axum::http::Uri;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::persisted::asked;
use super::problem::bad_request;
use crate::graphql::document::Asked;

/// What a GraphQL request consists of, whichever way it came.
#[derive(Debug)]
pub struct Parameters {
    /// Which document is meant.
    pub document: Asked,
    /// Which of its operations is meant.
    pub operation_name: Option<String>,
    /// Values of its variables.
    pub variables: Variables,
    /// Whatever else the client says. Read here are `persistedQuery` and `cost`.
    pub extensions: Extensions,
}

impl Parameters {
    /// Reads them from the body of a POST or the payload of a `subscribe` message.
    ///
    /// # Errors
    /// A request error that names the parameter of the wrong type, or says that batches are not taken.
    pub fn from_json(body: Value) -> Result<Self, ServerError> {
        match body {
            Value::Object(map) => Self::from_map(map),
            Value::Array(_) => Err(bad_request("Batches are not supported: send one operation per request.")),
            _ => Err(bad_request("The request must be a JSON object.")),
        }
    }

    fn from_map(mut map: Map<String, Value>) -> Result<Self, ServerError> {
        let query = text(map.remove("query"), "query")?;
        let document_id = text(map.remove("documentId"), "documentId")?;
        let extensions = object(map.remove("extensions"), "extensions")?;
        Ok(Self {
            document: asked(query, document_id, &extensions)?,
            operation_name: text(map.remove("operationName"), "operationName")?,
            variables: object(map.remove("variables"), "variables")?,
            extensions,
        })
    }

    /// Reads them from the query string of a GET; an empty parameter counts as none.
    ///
    /// # Errors
    /// A request error.
    pub fn from_uri(uri: &Uri) -> Result<Self, ServerError> {
        let malformed = |_| bad_request("The query string is malformed.");
        let Query(raw) = Query::<RawParameters>::try_from_uri(uri).map_err(malformed)?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let extensions = object(parsed(given(raw.extensions), "extensions")?, "extensions")?;
        Ok(Self {
            document: asked(raw.query, raw.document_id, &extensions)?,
            operation_name: given(raw.operation_name),
            variables: object(parsed(given(raw.variables), "variables")?, "variables")?,
            extensions,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawParameters {
    query: Option<String>,
    document_id: Option<String>,
    operation_name: Option<String>,
    variables: Option<String>,
    extensions: Option<String>,
}

fn text(value: Option<Value>, name: &str) -> Result<Option<String>, ServerError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(bad_request(format!("`{name}` must be a string."))),
    }
}

fn object<T: DeserializeOwned + Default>(value: Option<Value>, name: &str) -> Result<T, ServerError> {
    let wrong = || bad_request(format!("`{name}` must be an object."));
    match value {
        None | Some(Value::Null) => Ok(T::default()),
        Some(map @ Value::Object(_)) => serde_json::from_value(map).map_err(|_| wrong()),
        Some(_) => Err(wrong()),
    }
}

fn parsed(text: Option<String>, name: &str) -> Result<Option<Value>, ServerError> {
    let wrong = |_| bad_request(format!("`{name}` must be JSON."));
    text.map(|text| serde_json::from_str(&text).map_err(wrong)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn null_is_the_same_as_absent() {
        let body = json!({"query": "{ a }", "operationName": null, "variables": null, "extensions": null});
        let read = Parameters::from_json(body).unwrap();
        assert_eq!((read.document, read.operation_name), (Asked::Text("{ a }".to_owned()), None));
    }

    #[test]
    fn a_wrong_type_is_named_but_not_repeated() {
        for (name, value) in [
            ("query", json!(0)),
            ("documentId", json!(1)),
            ("operationName", json!({})),
            ("variables", json!("x".repeat(999))),
        ] {
            let mut body = json!({"query": "{ a }"});
            body[name] = value;
            let refused = Parameters::from_json(body).unwrap_err().message;
            assert!(refused.contains(name) && refused.len() < 60, "{refused}");
        }
    }

    #[test]
    fn batches_are_refused_with_the_reason() {
        let refused = Parameters::from_json(json!([{"query": "{ a }"}])).unwrap_err();
        assert!(refused.message.contains("Batches"), "{}", refused.message);
    }

    #[test]
    fn a_query_string_carries_variables_as_json() {
        let uri = "/graphql?query=%7Ba%7D&variables=%7B%22n%22%3A1%7D&operationName=&extensions=".parse().unwrap();
        let read = Parameters::from_uri(&uri).unwrap();
        assert_eq!(read.document, Asked::Text("{a}".to_owned()));
        assert_eq!(read.operation_name, None);
        assert_eq!(read.variables, Variables::from_json(json!({"n": 1})));
    }

    #[test]
    fn a_query_string_may_name_a_document() {
        let named = |uri: &str| Parameters::from_uri(&uri.parse().unwrap()).unwrap().document;
        assert_eq!(named("/graphql?documentId=sha256%3Aab"), Asked::Known("ab".to_owned()));
        let hash =
            "/graphql?extensions=%7B%22persistedQuery%22%3A%7B%22version%22%3A1%2C%22sha256Hash%22%3A%22ab%22%7D%7D";
        assert_eq!(named(hash), Asked::Known("ab".to_owned()));
    }

    #[test]
    fn a_query_string_without_a_document_is_refused() {
        for uri in ["/graphql", "/graphql?query=", "/graphql?query=%7Ba%7D&variables=%5B", "/graphql?query=a&query=b"] {
            assert!(Parameters::from_uri(&uri.parse().unwrap()).is_err(), "{uri}");
        }
    }
}
