//! Prepares a parsed document for the executor: which operation is meant, and one root field for a subscription.
//!
//! async-graphql 8.0.0-rc.5 looks only at the plain fields of a subscription's root (`subscription.rs`): a fragment there,
//! which Relay sends, or a field that is skipped gives a stream that ends at once, without any error. So fragments at the
//! root are put in place here, and everything that would be silent is refused.

use std::collections::HashSet;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection, SelectionSet,
    VariableDefinition,
};
use async_graphql::{Name, Positioned, ServerError, Value, Variables};

use super::problem::bad_request;

/// Most selections and fragments looked at while the root of a subscription is flattened.
pub const MAX_ROOT_SELECTIONS: usize = 100;

/// The name of the schema's subscription root, as the contract has it.
pub const SUBSCRIPTION_ROOT: &str = "Subscription";

/// A document of which the executor can run the operation that is meant.
#[derive(Debug)]
pub struct Prepared {
    /// The document, changed only when it is a subscription.
    pub document: ExecutableDocument,
    /// What the chosen operation is.
    pub kind: OperationType,
}

/// Finds the operation that is meant, makes sure that its variables are there, and that it is one field when it is a
/// subscription.
///
/// # Errors
/// A request error: no such operation, an operation name is needed, a variable is missing, or a subscription's root is
/// not one field.
pub fn prepare(
    mut document: ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
) -> Result<Prepared, ServerError> {
    let operation = chosen(&mut document, operation_name)?;
    check_variables(operation, variables)?;
    let kind = operation.ty;
    if kind == OperationType::Subscription {
        flatten_root(&mut document, operation_name)?;
    }
    Ok(Prepared { document, kind })
}

fn chosen<'a>(
    document: &'a mut ExecutableDocument,
    operation_name: Option<&str>,
) -> Result<&'a mut OperationDefinition, ServerError> {
    let found = match (&mut document.operations, operation_name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(named), Some(name)) => named.get_mut(name),
        (DocumentOperations::Multiple(named), None) if named.len() > 1 => {
            return Err(bad_request("The document has several operations: `operationName` must say which."));
        }
        (DocumentOperations::Multiple(named), None) => named.values_mut().next(),
    };
    let found = found.ok_or_else(|| bad_request("The document has no operation of the name in `operationName`."))?;
    Ok(&mut found.node)
}

/// Refuses an operation whose variables are not all there.
///
/// The executor finds out only where such a variable is used, and then fails that one field: a mutation's first fields
/// would have been run. The specification makes it an error of the request (section 6.1.2, Coercing Variable Values).
fn check_variables(operation: &OperationDefinition, variables: &Variables) -> Result<(), ServerError> {
    let is_given = |name: &Name| variables.get(name).is_some_and(|value| *value != Value::Null);
    for definition in &operation.variable_definitions {
        let VariableDefinition { name, var_type, default_value, .. } = &definition.node;
        if !var_type.node.nullable && default_value.is_none() && !is_given(&name.node) {
            let mut error = bad_request(format!("Variable `${}` of type `{}` is missing.", name.node, var_type.node));
            error.locations.push(definition.pos);
            return Err(error);
        }
    }
    Ok(())
}

/// Replaces the root of the chosen subscription by its one field, and drops fragments that were only needed there.
fn flatten_root(document: &mut ExecutableDocument, operation_name: Option<&str>) -> Result<(), ServerError> {
    let root = std::mem::take(&mut chosen(document, operation_name)?.selection_set.node);
    let mut flattening = Flattening { document, field: None, inlined: HashSet::new(), left: MAX_ROOT_SELECTIONS };
    flattening.take_all(&root)?;
    let Flattening { field, inlined, .. } = flattening;
    let field = field.ok_or_else(|| bad_request("A subscription needs a field."))?;
    let pos = field.pos;
    chosen(document, operation_name)?.selection_set.node.items = vec![Positioned::new(Selection::Field(field), pos)];
    drop_unneeded(document, &inlined);
    Ok(())
}

/// The work of walking through a subscription's root.
struct Flattening<'a> {
    document: &'a ExecutableDocument,
    field: Option<Positioned<Field>>,
    inlined: HashSet<Name>,
    left: usize,
}

impl Flattening<'_> {
    fn take_all(&mut self, root: &SelectionSet) -> Result<(), ServerError> {
        root.items.iter().try_for_each(|selection| self.take(&selection.node))
    }

    /// Recursion ends with the budget, also where fragments contain each other.
    fn take(&mut self, selection: &Selection) -> Result<(), ServerError> {
        self.left = self.left.checked_sub(1).ok_or_else(too_wide)?;
        let conditional = |name: &str| name == "skip" || name == "include";
        if selection.directives().iter().any(|directive| conditional(&directive.node.name.node)) {
            return Err(bad_request("The root field of a subscription can be neither skipped nor included."));
        }
        match selection {
            Selection::Field(field) => self.merge(field),
            Selection::InlineFragment(inline) => {
                check_type(inline.node.type_condition.as_ref().map(|condition| &condition.node.on.node))?;
                self.take_all(&inline.node.selection_set.node)
            }
            Selection::FragmentSpread(spread) => {
                let name = &spread.node.fragment_name.node;
                let fragment = self.document.fragments.get(name);
                let fragment =
                    &fragment.ok_or_else(|| bad_request("The subscription spreads an unknown fragment."))?.node;
                check_type(Some(&fragment.type_condition.node.on.node))?;
                // A second spread of the same fragment selects nothing new.
                if self.inlined.insert(name.clone()) { self.take_all(&fragment.selection_set.node) } else { Ok(()) }
            }
        }
    }

    /// Fields of one response key are one field, as in any selection set; Relay's fragments repeat it.
    fn merge(&mut self, field: &Positioned<Field>) -> Result<(), ServerError> {
        let Some(first) = &mut self.field else {
            self.field = Some(field.clone());
            return Ok(());
        };
        let same = first.node.response_key().node == field.node.response_key().node
            && first.node.name.node == field.node.name.node
            && first.node.arguments == field.node.arguments;
        if !same {
            return Err(bad_request("A subscription has exactly one root field; send a second subscription instead."));
        }
        first.node.selection_set.node.items.extend(field.node.selection_set.node.items.iter().cloned());
        Ok(())
    }
}

fn check_type(on: Option<&Name>) -> Result<(), ServerError> {
    match on {
        Some(name) if name.as_str() != SUBSCRIPTION_ROOT => {
            Err(bad_request("A fragment at the root of a subscription must be on the type `Subscription`."))
        }
        _ => Ok(()),
    }
}

fn too_wide() -> ServerError {
    bad_request(format!("The root of a subscription is wider or deeper than {MAX_ROOT_SELECTIONS} selections."))
}

/// Drops the fragments that were put in place and that nothing spreads any more; validation refuses unused ones.
fn drop_unneeded(document: &mut ExecutableDocument, inlined: &HashSet<Name>) {
    let mut needed = HashSet::new();
    let mut to_visit: Vec<&SelectionSet> =
        document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node).collect();
    let others = document.fragments.iter().filter(|(name, _)| !inlined.contains(*name));
    to_visit.extend(others.map(|(_, fragment)| &fragment.node.selection_set.node));
    // Every fragment is visited at most twice, and a selection set of the document once per visit.
    while let Some(selections) = to_visit.pop() {
        for selection in &selections.items {
            match &selection.node {
                Selection::Field(field) => to_visit.push(&field.node.selection_set.node),
                Selection::InlineFragment(inline) => to_visit.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if needed.insert(name.clone())
                        && let Some(fragment) = document.fragments.get(name)
                    {
                        to_visit.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    document.fragments.retain(|name, _| needed.contains(name) || !inlined.contains(name));
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn prepared(text: &str) -> Result<Prepared, String> {
        prepare(parse_query(text).unwrap(), None, &Variables::default()).map_err(|error| error.message)
    }

    fn root_of(prepared: &mut Prepared) -> Vec<(String, usize)> {
        let root = &chosen(&mut prepared.document, None).unwrap().selection_set.node;
        let field = |selection: &Positioned<Selection>| match &selection.node {
            Selection::Field(field) => (field.node.name.node.to_string(), field.node.selection_set.node.items.len()),
            other => panic!("not a field: {other:?}"),
        };
        root.items.iter().map(field).collect()
    }

    #[test]
    fn the_operation_name_decides_what_kind_it_is() {
        let text = "query Read { a } mutation Write { b }";
        let kind =
            |name| prepare(parse_query(text).unwrap(), name, &Variables::default()).map(|prepared| prepared.kind);
        assert_eq!(kind(Some("Read")).unwrap(), OperationType::Query);
        assert_eq!(kind(Some("Write")).unwrap(), OperationType::Mutation);
        assert!(kind(None).unwrap_err().message.contains("several operations"));
        assert!(kind(Some("Other")).unwrap_err().message.contains("no operation"));
    }

    #[test]
    fn an_anonymous_operation_has_no_name_to_ask_for() {
        assert!(prepare(parse_query("{ a }").unwrap(), Some("a"), &Variables::default()).is_err());
        assert_eq!(prepared("query Only { a }").unwrap().kind, OperationType::Query);
    }

    #[test]
    fn a_variable_that_must_be_there_is_asked_for() {
        let text = "mutation($a: Int!, $b: Int, $c: Int! = 1) { write(a: $a, b: $b, c: $c) }";
        let ask = |json| prepare(parse_query(text).unwrap(), None, &Variables::from_json(json)).map(|_| ());
        assert_eq!(ask(serde_json::json!({"a": 1})), Ok(()));
        for json in [serde_json::json!({}), serde_json::json!({"a": null})] {
            assert_eq!(ask(json).unwrap_err().message, "Variable `$a` of type `Int!` is missing.");
        }
    }

    #[test]
    fn fragments_at_the_root_are_put_in_place_and_dropped() {
        let mut found = prepared(
            "subscription { ...A ... on Subscription { count { c } } ... { count { d } } }
             fragment A on Subscription { ...B count { a ...Deep } }
             fragment B on Subscription { count { b } }
             fragment Deep on Count { deep }",
        )
        .unwrap();
        assert_eq!(root_of(&mut found), [("count".to_owned(), 5)]);
        assert_eq!(found.document.fragments.keys().map(Name::as_str).collect::<Vec<_>>(), ["Deep"]);
    }

    #[test]
    fn a_fragment_that_another_operation_uses_stays() {
        let text = "subscription S { ...A } subscription T { ...A } fragment A on Subscription { count }";
        let found = prepare(parse_query(text).unwrap(), Some("S"), &Variables::default()).unwrap();
        assert!(found.document.fragments.contains_key("A"));
    }

    #[test]
    fn a_fragment_nobody_used_stays_for_validation_to_refuse() {
        let found = prepared("subscription { count } fragment A on Subscription { count }").unwrap();
        assert!(found.document.fragments.contains_key("A"));
    }

    #[test]
    fn what_would_be_a_silent_stream_is_refused() {
        for (text, why) in [
            ("subscription { a b }", "exactly one"),
            ("subscription { a(n: 1) a(n: 2) }", "exactly one"),
            ("subscription { a ... on Subscription { b: a } }", "exactly one"),
            ("subscription { a @skip(if: true) }", "neither skipped"),
            ("subscription { ...A @include(if: false) } fragment A on Subscription { a }", "neither skipped"),
            ("subscription { ...A } fragment A on Query { a }", "must be on"),
            ("subscription { ...Gone }", "unknown fragment"),
            ("subscription { ...A } fragment A on Subscription { ...A }", "needs a field"),
        ] {
            let refused = prepared(text).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
    }

    #[test]
    fn a_root_as_wide_as_the_document_allows_is_bounded_work() {
        let wide = format!("subscription {{ {} }}", "a ".repeat(MAX_ROOT_SELECTIONS));
        assert!(prepared(&wide).is_ok());
        let wider = format!("subscription {{ {} }}", "a ".repeat(MAX_ROOT_SELECTIONS + 1));
        assert!(prepared(&wider).unwrap_err().contains("wider"));
    }
}
