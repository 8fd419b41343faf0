//! What an operation costs, before it is run.

use std::convert::Infallible;

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition};
use async_graphql::{Name, Value, Variables};
use async_graphql_value::Value as Written;

use super::expand::{Expansion, Open};
use super::shape::{Many, Paging, Shape};

/// How many a list is taken to hold when nothing says so, and a page when nothing was asked for.
const USUAL_LENGTH: u64 = 10;
/// The longest page any field gives.
const LONGEST_PAGE: u64 = 100;
/// The largest tree any field gives.
const LARGEST_TREE: u64 = 5_000;
/// What everything about one person costs, which comes as one scalar.
const EXPORT: u64 = 1_000;

/// Prices one operation: an object costs 1 and a scalar nothing, times every list and page it is in.
///
/// A page or list of n objects costs n times (1 and what is selected of each). The lists inside a page, which are
/// `nodes` and `edges` (and an edge's `node`), are the objects already paid for and cost nothing more; `pageInfo` is
/// free; the other fields of a connection belong to the page, not to its objects. Introspection costs nothing here: it
/// has limits of its own.
pub(super) struct Pricing<'a> {
    pub document: &'a ExecutableDocument,
    pub operation: &'a OperationDefinition,
    pub shape: &'a Shape,
    pub variables: &'a Variables,
}

/// What [`Pricing`] found.
#[derive(Debug, Default)]
pub(super) struct Price {
    pub cost: u64,
    pub root_fields: Vec<Name>,
}

/// Where a selection stands.
#[derive(Clone, Copy)]
enum Place {
    Root,
    Object,
    /// Directly in a page, of that many objects.
    Page(u64),
    /// Directly in an edge.
    Edge,
}

/// How often a selection is answered, and where it stands.
#[derive(Clone, Copy)]
struct Answered {
    times: u64,
    place: Place,
}

/// What an argument says that bears on the cost.
enum Given {
    Number(u64),
    ListOf(u64),
}

impl Pricing<'_> {
    /// The price of the operation. Saturates; linear in the expanded selections.
    pub(super) fn price(&self) -> Price {
        let mut price = Price::default();
        let root = Open {
            set: &self.operation.selection_set.node,
            parent: self.shape.type_id(self.shape.root_name(self.operation.ty)),
            context: Answered { times: 1, place: Place::Root },
        };
        let Ok(()) = Expansion { document: self.document, shape: self.shape }.walk(root, |field, parent, at| {
            let name = &field.name.node;
            if name.starts_with("__") {
                return Ok::<_, Infallible>(None);
            }
            if matches!(at.place, Place::Root) {
                price.root_fields.push(name.clone());
            }
            let shape = self.shape.field_of(parent, name);
            // A field the schema does not have is priced as an object; the validator refuses it later.
            let (cost, below) = self.step(field, shape.map_or(&Many::One, |shape| &shape.many), *at);
            price.cost = price.cost.saturating_add(cost);
            Ok(Some((shape.and_then(|shape| shape.leads_to), below)))
        });
        price
    }

    /// What a field adds, and how often what is below it is answered.
    fn step(&self, field: &Field, many: &Many, at: Answered) -> (u64, Answered) {
        let times = |factor: u64| at.times.saturating_mul(factor);
        let free = |times, place| (0, Answered { times, place });
        let paid = |cost, times, place| (cost, Answered { times, place });
        match (at.place, field.name.node.as_str(), many) {
            (Place::Root, "exportUser", Many::Leaf) => paid(times(EXPORT), at.times, Place::Object),
            (Place::Page(length), "edges", Many::List) => free(times(length), Place::Edge),
            (Place::Page(length), _, Many::List) => free(times(length), Place::Object),
            (Place::Page(_), "pageInfo", _) | (Place::Edge, "node", _) | (_, _, Many::Leaf) => {
                free(at.times, Place::Object)
            }
            (_, _, Many::One) => paid(at.times, at.times, Place::Object),
            (_, _, Many::List) => {
                let cost = times(self.list_length(field));
                paid(cost, cost, Place::Object)
            }
            (_, _, Many::Page(paging)) => {
                let length = self.page_length(field, paging);
                let cost = times(length);
                if paging.bare { paid(cost, cost, Place::Object) } else { paid(cost, at.times, Place::Page(length)) }
            }
        }
    }

    fn page_length(&self, field: &Field, paging: &Paging) -> u64 {
        let number = |name| match self.argument(field, name) {
            Some(Given::Number(number)) => Some(number),
            _ => None,
        };
        let asked = number("first").or_else(|| number("last")).or(paging.first).unwrap_or(USUAL_LENGTH);
        match paging.depth {
            None => asked.clamp(1, LONGEST_PAGE),
            Some(usual) => asked.saturating_mul(number("depth").unwrap_or(usual)).clamp(1, LARGEST_TREE),
        }
    }

    /// A list is taken to be of the usual length, or as long as the list of what was asked for (`nodes(ids:)`).
    fn list_length(&self, field: &Field) -> u64 {
        let asked = field.arguments.iter().filter_map(|(name, _)| match self.argument(field, &name.node) {
            Some(Given::ListOf(length)) => Some(length),
            _ => None,
        });
        asked.fold(USUAL_LENGTH, u64::max).min(LONGEST_PAGE)
    }

    /// What an argument says, read where it stands: a variable may hold more than should be copied for each field.
    fn argument(&self, field: &Field, name: &str) -> Option<Given> {
        match &field.get_argument(name)?.node {
            Written::Variable(name) => self.variable(name).and_then(given),
            Written::Number(number) => number.as_u64().map(Given::Number),
            Written::List(items) => Some(Given::ListOf(items.len() as u64)),
            _ => None,
        }
    }

    fn variable(&self, name: &Name) -> Option<&Value> {
        self.variables.get(name).or_else(|| {
            let mut definitions = self.operation.variable_definitions.iter();
            let definition = definitions.find(|definition| definition.node.name.node == *name)?;
            definition.node.default_value.as_ref().map(|value| &value.node)
        })
    }
}

fn given(value: &Value) -> Option<Given> {
    match value {
        Value::Number(number) => number.as_u64().map(Given::Number),
        Value::List(items) => Some(Given::ListOf(items.len() as u64)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{parse_query, parse_schema};
    use serde_json::json;

    use super::*;
    use crate::graphql::document::sample::SDL;

    fn price(text: &str, variables: serde_json::Value) -> Price {
        let shape = Shape::new(&parse_schema(SDL).unwrap());
        let document = parse_query(text).unwrap();
        let operation = document.operations.iter().next().unwrap().1;
        let variables = Variables::from_json(variables);
        Pricing { document: &document, operation: &operation.node, shape: &shape, variables: &variables }.price()
    }

    #[test]
    fn the_table_of_costs() {
        let table = [
            ("{ viewer { id status } }", 1),
            ("{ viewer { referrer { referrer { id } } } }", 3),
            ("{ a: viewer { id } b: viewer { id } }", 2),
            ("{ viewer { id } viewer { code } }", 2),
            // Pages: the objects, and what is selected of each.
            ("{ users { nodes { id } } }", 10),
            ("{ users(first: 100) { nodes { id } } }", 100),
            ("{ users(last: 7) { nodes { id } } }", 7),
            ("{ users(first: 0) { nodes { id } } }", 1),
            ("{ users(first: -5) { nodes { id } } }", 10),
            ("{ users(first: 1000000) { nodes { id } } }", 100),
            ("{ users(first: null, last: 3) { nodes { id } } }", 3),
            ("{ users(first: \"x\") { nodes { id } } }", 10),
            ("{ users(first: 5) { totalCount pageInfo { hasNextPage } nodes { id } } }", 5),
            ("{ users(first: 5) { edges { cursor node { id } } } }", 5),
            ("{ users(first: 5) { nodes { referrer { id } } } }", 5 + 5),
            ("{ users(first: 5) { edges { node { referrer { id } } } } }", 5 + 5),
            ("{ users(first: 5) { nodes { referredUsers(first: 4) { nodes { referrer { id } } } } } }", 5 + 20 + 20),
            ("{ leaderboard(first: 50) { viewerEntry { user { id } } nodes { user { id } } } }", 50 + 2 + 50),
            // Plain lists: as usual, or as long as what was asked for; lists of scalars are scalars.
            ("{ viewer { balances { currencyCode } } }", 1 + 10),
            ("{ viewer { upline(first: 3) { referrer { id } } } }", 1 + 3 + 3),
            ("{ viewer { upline { id } } }", 1 + 10),
            ("{ nodes(ids: [1, 2]) { id } }", 10),
            ("{ ledgerCheck { ok differences } }", 1),
            // The tree: levels times children.
            ("{ referralTree(userId: 1) { nodes { level } } }", 30),
            ("{ referralTree(userId: 1, depth: 10, first: 100) { nodes { user { id } } } }", 1_000 + 1_000),
            ("{ referralTree(userId: 1, depth: 99999, first: 99999) { nodes { level } } }", 5_000),
            ("{ referralTree(userId: 1, depth: 2) { truncated root { id } nodes { level } } }", 20 + 1),
            ("{ a: exportUser b: exportUser }", 2_000),
            // Fragments cost what they stand for.
            (
                "{ users(first: 5) { ...P } } fragment P on UserConnection { nodes { ...U } }
              fragment U on User { referrer { id } }",
                5 + 5,
            ),
            ("{ node(id: 1) { ... on User { rewards { nodes { id } } } ... on Reward { user { id } } } }", 1 + 10 + 1),
            // Introspection is free here, and so is what the validator will refuse anyway.
            ("{ __typename __schema { types { fields { name } } } viewer { __typename } }", 1),
            ("mutation { signUp(input: {}) { user { id } userErrors { code } } }", 1 + 1 + 10),
            ("subscription { leaderboard(first: 3) { entries { user { id } } } }", 3 + 3),
        ];
        for (text, cost) in table {
            assert_eq!(price(text, json!({})).cost, cost, "{text}");
        }
    }

    #[test]
    fn variables_size_pages_too() {
        let page = "query Q($n: Int = 20, $m: Int) { users(first: $n, last: $m) { nodes { id } } }";
        let ids = "query Q($ids: [ID!]!) { nodes(ids: $ids) { id } }";
        let table = [
            (page, json!({}), 20),
            (page, json!({ "n": 3 }), 3),
            (page, json!({ "n": null }), 10),
            (page, json!({ "n": null, "m": 4 }), 4),
            (page, json!({ "n": 1e300 }), 10),
            (page, json!({ "n": u64::MAX }), 100),
            (ids, json!({ "ids": vec!["x"; 64] }), 64),
            (ids, json!({ "ids": vec!["x"; 5_000] }), 100),
            (ids, json!({}), 10),
        ];
        for (text, variables, cost) in table {
            assert_eq!(price(text, variables.clone()).cost, cost, "{text} with {variables}");
        }
    }

    #[test]
    fn the_price_of_deep_pages_saturates() {
        let deep = "referredUsers(first: 100) { nodes { ".repeat(12);
        let text = format!("{{ viewer {{ {deep} id {} }} }}", "} }".repeat(12));
        assert_eq!(price(&text, json!({})).cost, u64::MAX);
    }

    #[test]
    fn root_fields_are_named_through_fragments() {
        let text = "mutation { a: claimRewards(input: {}) { userErrors { code } } ...F __typename }
                    fragment F on Mutation { signUp(input: {}) { user { id } } ... { claimRewards(input: {}) { x } } }";
        let mut names: Vec<String> = price(text, json!({})).root_fields.iter().map(Name::to_string).collect();
        names.sort();
        assert_eq!(names, ["claimRewards", "claimRewards", "signUp"]);
    }
}
