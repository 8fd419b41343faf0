//! Bringing a subscription into the one form that the executor streams.
//!
//! `subscription { ...F }`, which Relay sends, and `@skip` at the root both end in a stream that never says anything:
//! the executor looks for fields directly at the root and finds none. So fragments at the root are replaced by their
//! fields, and what the specification forbids there is refused in words
//! ([Single Root Field](https://spec.graphql.org/September2025/#sec-Single-Root-Field)).

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{Directive, ExecutableDocument, Field, FragmentDefinition, Selection, SelectionSet};
use async_graphql::{Name, Positioned, ServerError};

use super::fragments::reachable;
use super::operation::chosen_mut;
use super::refusal::{bad_input, quoted};

/// Rewrites the chosen subscription so that its root is one field, standing there itself; `root` names its type.
///
/// Fields of one response key are merged as the specification merges them. Fragments that nothing uses any more are
/// dropped, or the validator would complain of them.
pub(super) fn inline_root_fragments(
    document: &mut ExecutableDocument,
    operation_name: Option<&str>,
    root: &str,
) -> Result<(), ServerError> {
    let ExecutableDocument { operations, fragments } = document;
    let Some(operation) = chosen_mut(operations, operation_name) else { return Ok(()) };
    let set = &mut operation.node.selection_set;
    let mut roots = RootFields { fragments, root, inlined: HashSet::new(), fields: Vec::new() };
    roots.collect(&set.node)?;
    let RootFields { inlined, fields, .. } = roots;
    let field = only_one(fields)?;
    set.node.items = vec![field.position_node(Selection::Field(field.clone()))];
    let still_used = reachable(document);
    document.fragments.retain(|name, _| still_used.contains(name.as_str()) || !inlined.contains(name));
    Ok(())
}

/// The fields at the root of a subscription, those in fragments included.
struct RootFields<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    root: &'a str,
    inlined: HashSet<Name>,
    fields: Vec<Positioned<Field>>,
}

impl<'a> RootFields<'a> {
    /// Takes the fields of a selection set in the order in which they stand.
    fn collect(&mut self, set: &SelectionSet) -> Result<(), ServerError> {
        let mut ahead: Vec<&Positioned<Selection>> = set.items.iter().rev().collect();
        while let Some(selection) = ahead.pop() {
            refuse_conditions(selection.node.directives())?;
            let inner = match &selection.node {
                Selection::Field(field) => {
                    self.fields.push(field.clone());
                    continue;
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    self.enter(condition.map(|condition| &condition.node.on), &inline.node.directives)?;
                    &inline.node.selection_set.node
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name;
                    let fragment = self
                        .fragments
                        .get(&name.node)
                        .ok_or_else(|| bad_input(format!("Unknown fragment {}", quoted(&name.node)), Some(name.pos)))?;
                    self.enter(Some(&fragment.node.type_condition.node.on), &spread.node.directives)?;
                    self.inlined.insert(name.node.clone());
                    &fragment.node.selection_set.node
                }
            };
            ahead.extend(inner.items.iter().rev());
        }
        Ok(())
    }

    /// Refuses a fragment whose disappearance would hide something from the validator.
    fn enter(&self, on: Option<&Positioned<Name>>, directives: &[Positioned<Directive>]) -> Result<(), ServerError> {
        if let Some(directive) = directives.first() {
            let name = quoted(&directive.node.name.node);
            let message = format!("Directive {name} is not supported on a fragment at the root of a subscription");
            return Err(bad_input(message, Some(directive.pos)));
        }
        match on {
            Some(on) if on.node.as_str() != self.root => {
                let message = format!("A fragment on {} can not stand at the root of a subscription", quoted(&on.node));
                Err(bad_input(message, Some(on.pos)))
            }
            _ => Ok(()),
        }
    }
}

fn refuse_conditions(directives: &[Positioned<Directive>]) -> Result<(), ServerError> {
    let conditional =
        |directive: &&Positioned<Directive>| matches!(directive.node.name.node.as_str(), "skip" | "include");
    match directives.iter().find(conditional) {
        Some(directive) => {
            let message = "@skip and @include are not allowed at the root of a subscription";
            Err(bad_input(message, Some(directive.pos)))
        }
        None => Ok(()),
    }
}

/// The one root field, its repetitions merged into it.
fn only_one(fields: Vec<Positioned<Field>>) -> Result<Positioned<Field>, ServerError> {
    let mut fields = fields.into_iter();
    let Some(mut first) = fields.next() else { return Err(bad_input("A subscription needs one root field", None)) };
    if first.node.name.node.starts_with("__") {
        return Err(bad_input("The root field of a subscription must be one of its own", Some(first.pos)));
    }
    for mut other in fields {
        if !is_repetition(&first.node, &other.node) {
            return Err(bad_input("A subscription must have exactly one root field", Some(other.pos)));
        }
        first.node.selection_set.node.items.append(&mut other.node.selection_set.node.items);
    }
    Ok(first)
}

fn is_repetition(one: &Field, other: &Field) -> bool {
    let same_arguments = || {
        one.arguments.len() == other.arguments.len()
            && one.arguments.iter().all(|(name, value)| other.get_argument(&name.node) == Some(value))
    };
    one.response_key().node == other.response_key().node
        && one.name.node == other.name.node
        && one.directives.is_empty()
        && other.directives.is_empty()
        && same_arguments()
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::types::OperationType;
    use async_graphql::{EmptyMutation, Request, Schema, Variables};
    use futures_util::StreamExt;
    use serde_json::json;

    use super::*;
    use crate::graphql::document::sample::{admit, bad_input};
    use crate::graphql::document::{Admitted, DocumentGuard, Limits};

    /// Names of the fields at the root of an admitted subscription, and of the fragments left.
    fn root_of(admitted: &Admitted) -> (Vec<String>, Vec<String>) {
        let operation = admitted.document.operations.iter().next().unwrap().1;
        let name = |selection: &Positioned<Selection>| match &selection.node {
            Selection::Field(field) => field.node.response_key().node.to_string(),
            _ => "a fragment".to_owned(),
        };
        let fields = operation.node.selection_set.node.items.iter().map(name).collect();
        (fields, admitted.document.fragments.keys().map(Name::to_string).collect())
    }

    #[test]
    fn fragments_at_the_root_of_a_subscription_are_inlined() {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let table: [(&str, &[&str], &[&str]); 6] = [
            ("subscription { referralCount(userId: 1) { direct } }", &["referralCount"], &[]),
            ("subscription S { ...F } fragment F on Subscription { referralCount(userId: 1) { direct } }", &["referralCount"], &[]),
            ("subscription S { ... { ... on Subscription { c: referralCount(userId: 1) { direct } } } }", &["c"], &[]),
            ("subscription S { ...F } fragment F on Subscription { ...G } fragment G on Subscription { leaderboard { ...H } }
              fragment H on LeaderboardUpdate { entries { rank } }", &["leaderboard"], &["H"]),
            ("subscription S { ...F ...G } fragment F on Subscription { referralCount(userId: 1) { direct } }
              fragment G on Subscription { referralCount(userId: 1) { network } }", &["referralCount"], &[]),
            ("subscription S { leaderboard { entries { rank } } } fragment Unused on User { id }", &["leaderboard"], &["Unused"]),
        ];
        for (text, fields, fragments) in table {
            let admitted = admit(text).unwrap_or_else(|error| panic!("{text}: {}", error.message));
            assert_eq!(admitted.kind, OperationType::Subscription);
            assert_eq!(root_of(&admitted), (owned(fields), owned(fragments)), "{text}");
        }
        let merged = admit(table[4].0).unwrap();
        let operation = merged.document.operations.iter().next().unwrap().1;
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else { panic!() };
        assert_eq!(field.node.selection_set.node.items.len(), 2);
    }

    #[test]
    fn subscriptions_that_would_stay_silent_are_refused() {
        for (text, word) in [
            ("subscription { referralCount(userId: 1) { direct } leaderboard { entries { rank } } }", "exactly one"),
            ("subscription { a: leaderboard { entries { rank } } b: leaderboard { entries { rank } } }", "exactly one"),
            ("subscription { referralCount(userId: 1) { direct } referralCount(userId: 2) { direct } }", "exactly one"),
            (
                "subscription { leaderboard { entries { rank } } ...F } fragment F on Subscription { c: leaderboard { entries { rank } } }",
                "exactly one",
            ),
            ("subscription { leaderboard @skip(if: true) { entries { rank } } }", "@skip"),
            ("subscription($x: Boolean!) { leaderboard @include(if: $x) { entries { rank } } }", "@skip"),
            (
                "subscription { ...F @skip(if: false) } fragment F on Subscription { leaderboard { entries { rank } } }",
                "@skip",
            ),
            ("subscription { ... @include(if: true) { leaderboard { entries { rank } } } }", "@skip"),
            ("subscription { ...F @other } fragment F on Subscription { leaderboard { entries { rank } } }", "other"),
            ("subscription { ...F } fragment F on Query { leaderboard { nodes { rank } } }", "Query"),
            ("subscription { ...Unknown }", "Unknown"),
            ("subscription { __typename }", "one of its own"),
        ] {
            let error = bad_input(text);
            assert!(error.message.contains(word), "{text}: {}", error.message);
        }
    }

    struct Query;

    #[async_graphql::Object]
    impl Query {
        async fn ready(&self) -> bool {
            true
        }
    }

    struct Subscription;

    #[async_graphql::Subscription]
    impl Subscription {
        async fn count(&self, from: i32) -> impl futures_util::Stream<Item = i32> {
            futures_util::stream::iter([from, from + 1])
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_executor_streams_what_was_inlined() {
        let schema = Schema::build(Query, EmptyMutation, Subscription).finish();
        let guard = DocumentGuard::new(&schema.sdl(), Limits::default()).unwrap();
        let text = "subscription S($from: Int!) { ...F } fragment F on Subscription { count(from: $from) }";
        let variables = Variables::from_json(json!({ "from": 7 }));
        let admitted = guard.admit(text, Some("S"), &variables).unwrap();
        let mut request = Request::new(text).variables(variables).operation_name("S");
        request.set_parsed_query(admitted.document);
        let answers: Vec<_> = schema.execute_stream(request).collect().await;
        let data: Vec<_> = answers.into_iter().map(|answer| answer.into_result().unwrap().data.to_string()).collect();
        assert_eq!(data, ["{count: 7}", "{count: 8}"]);
    }
}
