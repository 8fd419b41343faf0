//! Which of a document's operations is asked for.

use async_graphql::parser::types::{DocumentOperations, OperationDefinition};
use async_graphql::{Positioned, ServerError};

use super::refusal::{bad_input, quoted};

/// The operation of that name; without a name, the only one
/// ([GetOperation](https://spec.graphql.org/September2025/#GetOperation())).
pub(super) fn chosen<'a>(
    operations: &'a DocumentOperations,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, ServerError> {
    match (operations, name) {
        (DocumentOperations::Single(operation), None) => Ok(operation),
        (DocumentOperations::Multiple(named), Some(name)) if named.contains_key(name) => Ok(&named[name]),
        (DocumentOperations::Multiple(named), None) => match named.values().collect::<Vec<_>>()[..] {
            [operation] => Ok(operation),
            _ => Err(bad_input("The document has several operations: operationName must say which one to run", None)),
        },
        (_, Some(name)) => Err(bad_input(format!("The document has no operation named {}", quoted(name)), None)),
    }
}

/// As [`chosen`], to be changed.
pub(super) fn chosen_mut<'a>(
    operations: &'a mut DocumentOperations,
    name: Option<&str>,
) -> Option<&'a mut Positioned<OperationDefinition>> {
    match (operations, name) {
        (DocumentOperations::Single(operation), _) => Some(operation),
        (DocumentOperations::Multiple(named), Some(name)) => named.get_mut(name),
        (DocumentOperations::Multiple(named), None) => named.values_mut().next(),
    }
}
