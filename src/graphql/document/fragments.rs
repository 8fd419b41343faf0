//! What a document has in total: things written in it, and selections once every spread is replaced.

use std::collections::{HashMap, HashSet};

use async_graphql::ServerError;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};

use super::limits::Limits;
use super::refusal::{bad_input, quoted, too_complex};

/// Refuses a document that has too much of something written in it, or a fragment that contains itself.
///
/// Returns how many selections it has once every spread is replaced by its fragment, over all operations. Each
/// fragment is counted once and its count used again, saturating, so that the work is linear in the text whatever the
/// number is: 22 levels of two spreads each stand for four million selections and are written in 883 bytes.
pub(super) fn count_selections(document: &ExecutableDocument, limits: &Limits) -> Result<u64, ServerError> {
    let mut written = Written::default();
    let mut outlines = HashMap::new();
    for (name, fragment) in &document.fragments {
        written.directives += fragment.node.directives.len();
        outlines.insert(name.as_str(), outline(&fragment.node.selection_set.node, &mut written));
    }
    let mut operations = Vec::new();
    for (_, operation) in document.operations.iter() {
        written.directives += operation.node.directives.len();
        written.directives +=
            operation.node.variable_definitions.iter().map(|variable| variable.node.directives.len()).sum::<usize>();
        operations.push(outline(&operation.node.selection_set.node, &mut written));
    }
    written.check(document.fragments.len(), limits)?;
    let totals = totals(&outlines)?;
    Ok(operations.iter().fold(0, |sum: u64, operation| sum.saturating_add(expanded(operation, &totals))))
}

/// What is written in a document, wherever it stands.
#[derive(Default)]
struct Written {
    aliases: usize,
    spreads: usize,
    directives: usize,
}

impl Written {
    fn check(&self, fragments: usize, limits: &Limits) -> Result<(), ServerError> {
        let counts = [
            ("aliases", self.aliases, limits.aliases),
            ("fragments", fragments, limits.fragments),
            ("fragment spreads", self.spreads, limits.spreads),
            ("directives", self.directives, limits.directives),
        ];
        match counts.into_iter().find(|(_, found, limit)| found > limit) {
            Some((what, found, limit)) => Err(too_complex(what, found as u64, limit as u64)),
            None => Ok(()),
        }
    }
}

/// Names of the fragments that the operations of a document reach.
pub(super) fn reachable(document: &ExecutableDocument) -> HashSet<String> {
    let mut unused = Written::default();
    let mut reached = HashSet::new();
    let operations = document.operations.iter().map(|(_, operation)| &operation.node.selection_set.node);
    let mut open: Vec<_> = operations.collect();
    while let Some(set) = open.pop() {
        for name in outline(set, &mut unused).spreads {
            if let Some(fragment) = document.fragments.get(name).filter(|_| reached.insert(name.to_owned())) {
                open.push(&fragment.node.selection_set.node);
            }
        }
    }
    reached
}

/// One operation or fragment by itself: its own selections, spreads counted as one, and whom it spreads.
#[derive(Default)]
struct Outline<'a> {
    own: u64,
    spreads: Vec<&'a str>,
}

fn outline<'a>(root: &'a SelectionSet, written: &mut Written) -> Outline<'a> {
    let mut outline = Outline::default();
    let mut open = vec![root];
    while let Some(set) = open.pop() {
        for selection in &set.items {
            outline.own += 1;
            written.directives += selection.node.directives().len();
            match &selection.node {
                Selection::Field(field) => {
                    written.aliases += usize::from(field.node.alias.is_some());
                    open.push(&field.node.selection_set.node);
                }
                Selection::InlineFragment(inline) => open.push(&inline.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    written.spreads += 1;
                    outline.spreads.push(spread.node.fragment_name.node.as_str());
                }
            }
        }
    }
    outline
}

fn expanded(outline: &Outline<'_>, totals: &HashMap<&str, u64>) -> u64 {
    let spread = |name: &&str| totals.get(name).copied().unwrap_or(0);
    outline.spreads.iter().map(spread).fold(outline.own, u64::saturating_add)
}

/// The expanded size of every fragment, children before parents; an error if one contains itself.
///
/// Depth-first with a stack of its own: a chain of fragments must not become a chain of calls.
fn totals<'a>(outlines: &HashMap<&'a str, Outline<'a>>) -> Result<HashMap<&'a str, u64>, ServerError> {
    let mut totals = HashMap::new();
    let mut on_path = HashSet::new();
    for &start in outlines.keys() {
        let mut path = vec![(start, 0)];
        while let Some((name, next)) = path.pop() {
            let Some(outline) = outlines.get(name) else { continue };
            if totals.contains_key(name) {
                continue;
            }
            if next == 0 && !on_path.insert(name) {
                return Err(bad_input(format!("Fragment {} contains itself", quoted(name)), None));
            }
            match outline.spreads.get(next) {
                Some(child) => path.extend([(name, next + 1), (*child, 0)]),
                None => {
                    on_path.remove(name);
                    totals.insert(name, expanded(outline, &totals));
                }
            }
        }
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn count(text: &str) -> Result<u64, ServerError> {
        count_selections(&parse_query(text).unwrap(), &Limits::default())
    }

    fn fan_out(levels: usize, width: usize) -> String {
        let mut text = "{ me { ...F0 } }".to_owned();
        for level in 0..levels {
            let spreads = format!("...F{} ", level + 1).repeat(width);
            text.push_str(&format!(" fragment F{level} on User {{ {spreads} }}"));
        }
        text + &format!(" fragment F{levels} on User {{ id }}")
    }

    #[test]
    fn spreads_count_as_what_they_stand_for() {
        assert_eq!(count("{ a b { c } }").unwrap(), 3);
        assert_eq!(count("{ ...F ...F } fragment F on Query { a b { c } }").unwrap(), 2 + 2 * 3);
        assert_eq!(count("query A { ...F } query B { ...F } fragment F on Query { a }").unwrap(), 4);
        assert_eq!(count("{ ... { a } ... on Query { b } }").unwrap(), 4);
        assert_eq!(count("{ ...Unknown }").unwrap(), 1);
        assert_eq!(count("{ a } fragment Unused on Query { a b c }").unwrap(), 1);
    }

    #[test]
    fn a_fan_out_is_counted_without_being_walked() {
        assert_eq!(count(&fan_out(3, 2)).unwrap(), 2 + (2 + 4 + 8) + 8);
        assert!(count(&fan_out(24, 2)).unwrap() > 10_000_000);
        assert!(count(&fan_out(50, 2)).unwrap() > 1_000_000_000_000_000);
        assert_eq!(count(&fan_out(90, 3)).unwrap(), u64::MAX);
    }

    #[test]
    fn a_fragment_that_contains_itself_is_refused() {
        for text in [
            "{ ...F } fragment F on Query { ...F }",
            "{ ...F } fragment F on Query { a { ...G } } fragment G on User { b { ...F } }",
            "{ a } fragment F on Query { ... { ...G } } fragment G on User { ...H } fragment H on User { ...G }",
        ] {
            let error = count(text).unwrap_err();
            assert!(error.message.ends_with("contains itself"), "{}", error.message);
        }
    }

    #[test]
    fn a_long_chain_of_fragments_needs_no_stack() {
        let limits = Limits { fragments: 100_000, spreads: 100_000, ..Limits::default() };
        let document = parse_query(fan_out(5_000, 1)).unwrap();
        let on_a_small_stack = std::thread::Builder::new().stack_size(256 * 1024);
        let counting = on_a_small_stack.spawn(move || count_selections(&document, &limits).unwrap());
        assert_eq!(counting.unwrap().join().unwrap(), 2 + 5_000 + 1);
    }
}
