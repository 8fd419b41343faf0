//! What a document looks like once expanded: how deep, how wide at the root, and whether it asks about the schema.

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{Pos, Positioned, ServerError};

use super::expand::{Expansion, Open};
use super::limits::Limits;
use super::refusal::{too_complex, too_many};

/// `__schema` is answered once per operation.
const SCHEMAS: u64 = 1;
/// `__type` is answered that often per operation.
const TYPES: u64 = 10;
/// Of the lists that lead from types to types, so many may stand inside each other, and none inside itself.
///
/// `fields { type { fields { .. } } }` multiplies the schema by itself at each turn. The rule is a little stricter than
/// graphql-js's `MaxIntrospectionDepthRule` (three lists) and milder than graphql-java's (one of each per document).
const NESTED_LISTS: u32 = 2;
const LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// Whether a document asks about the schema itself (`__schema`, `__type`); `__typename` does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Introspection {
    /// It does not.
    None,
    /// It does, beside other fields.
    Some,
    /// It asks for nothing else.
    Only,
}

/// Refuses a document that is too deep, too wide at its root or introspects in bad faith.
///
/// Visits every expanded selection: `selections`, counted before, says that there are not too many.
pub(super) fn survey(expansion: Expansion<'_>, selections: u64, limits: &Limits) -> Result<Introspection, ServerError> {
    if selections > limits.selections {
        return Err(too_complex("selections", selections, limits.selections));
    }
    let mut seen = Seen::default();
    for (_, operation) in expansion.document.operations.iter() {
        seen.add(expansion, operation, limits)?;
    }
    let introspection = seen.introspection();
    let (selection_limit, depth_limit) = match introspection {
        Introspection::Only => (limits.introspection_selections, limits.introspection_depth),
        Introspection::None | Introspection::Some => (limits.selections, limits.depth),
    };
    if selections > selection_limit {
        return Err(too_complex("selections", selections, selection_limit));
    }
    if seen.depth > depth_limit {
        return Err(too_complex("depth", seen.depth as u64, depth_limit as u64));
    }
    Ok(introspection)
}

/// Over all operations of a document.
#[derive(Default)]
struct Seen {
    depth: usize,
    introspects: bool,
    reads_data: bool,
}

/// The way from the root to a selection.
#[derive(Clone, Copy, Default)]
struct Way {
    depth: usize,
    /// Below `__schema` or `__type`.
    in_schema: bool,
    /// Which of `LISTS` lie on the way, a bit each.
    lists: u32,
}

impl Seen {
    fn add(
        &mut self,
        expansion: Expansion<'_>,
        operation: &Positioned<OperationDefinition>,
        limits: &Limits,
    ) -> Result<(), ServerError> {
        let (mut roots, mut schemas, mut types) = (0, 0, 0);
        let Expansion { shape, .. } = expansion;
        let root = Open {
            set: &operation.node.selection_set.node,
            parent: shape.type_id(shape.root_name(operation.node.ty)),
            context: Way::default(),
        };
        expansion.walk(root, |field, _, way| {
            let name = field.name.node.as_str();
            let mut way = Way { depth: way.depth + 1, ..*way };
            self.depth = self.depth.max(way.depth);
            roots += u64::from(way.depth == 1);
            match name {
                "__schema" => schemas += 1,
                "__type" => types += 1,
                _ if way.in_schema => way.lists = with_list(way.lists, name, field.name.pos)?,
                _ => self.reads_data |= !name.starts_with("__"),
            }
            way.in_schema |= matches!(name, "__schema" | "__type");
            self.introspects |= way.in_schema;
            Ok::<_, ServerError>(Some((None, way)))
        })?;
        let counts = [
            ("root fields", roots, limits.root_fields as u64),
            ("__schema", schemas, SCHEMAS),
            ("__type", types, TYPES),
        ];
        match counts.into_iter().find(|(_, found, limit)| found > limit) {
            Some((what, found, limit)) => Err(too_complex(what, found, limit)),
            None => Ok(()),
        }
    }

    fn introspection(&self) -> Introspection {
        match (self.introspects, self.reads_data) {
            (false, _) => Introspection::None,
            (true, true) => Introspection::Some,
            (true, false) => Introspection::Only,
        }
    }
}

/// Adds a list to those on the way, or says why it may not stand there.
fn with_list(lists: u32, name: &str, at: Pos) -> Result<u32, ServerError> {
    let Some(index) = LISTS.iter().position(|list| *list == name) else { return Ok(lists) };
    let longer = lists | (1 << index);
    if longer == lists || longer.count_ones() > NESTED_LISTS {
        let mut error = too_many("introspection lists inside each other", u64::from(NESTED_LISTS));
        error.locations.push(at);
        return Err(error);
    }
    Ok(longer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graphql::document::sample::{INTROSPECTION, admit, exceeded};

    #[test]
    fn introspection_has_limits_of_its_own() {
        let standard = admit(INTROSPECTION).unwrap();
        assert_eq!((standard.introspection, standard.cost), (Introspection::Only, 0));
        for text in [
            "{ __typename }",
            "{ __schema { queryType { name } } }",
            "query($name: String!) { __type(name: $name) { name kind fields { name type { name ofType { name } } } } }",
            "{ __type(name: \"Mutation\") { fields { args { type { ofType { inputFields { name } } } } } } }",
        ] {
            assert!(admit(text).is_ok(), "{text}");
        }
        assert_eq!(admit("{ __typename }").unwrap().introspection, Introspection::None);
        assert_eq!(admit("{ __typename viewer { id } }").unwrap().introspection, Introspection::None);
        assert_eq!(
            admit("{ __schema { queryType { name } } viewer { id } }").unwrap().introspection,
            Introspection::Some
        );
        assert_eq!(
            admit("{ ...S } fragment S on Query { __schema { x } }").unwrap().introspection,
            Introspection::Only
        );
    }

    #[test]
    fn introspection_in_bad_faith_is_refused() {
        let of_types = |text: &str| format!("{{ __schema {{ types {{ {text} }} }} }}");
        let table = [
            ("__schema", "{ __schema { x } again: __schema { x } }".to_owned()),
            ("__schema", "{ ...S ...S } fragment S on Query { __schema { x } }".to_owned()),
            ("__type", format!("{{ {} }}", "__type(name: \"A\") { name } ".repeat(11))),
            ("introspection lists inside each other", of_types("fields { type { fields { name } } }")),
            (
                "introspection lists inside each other",
                of_types("...F")
                    + "fragment F on __Type { fields { type { ...G } } }
                fragment G on __Type { ofType { fields { name } } }",
            ),
            (
                "introspection lists inside each other",
                of_types("fields { type { interfaces { possibleTypes { name } } } }"),
            ),
            ("depth", format!("{{ __schema {{ types {{ {} name {} }} }} }}", "ofType { ".repeat(18), "} ".repeat(18))),
            (
                "selections",
                of_types(&"ofType { name } ".repeat(100)).replace("ofType { name }", "...T")
                    + "fragment T on __Type { name kind ofType { name kind } }",
            ),
        ];
        for (limit, text) in table {
            assert_eq!(exceeded(&text), limit, "{text}");
        }
        // With data beside it a document is no longer one that only introspects.
        let deep = format!(
            "{{ viewer {{ id }} __schema {{ types {{ {} name {} }} }} }}",
            "ofType { ".repeat(14),
            "} ".repeat(14)
        );
        assert_eq!(exceeded(&deep), "depth");
    }
}
