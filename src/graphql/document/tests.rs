//! The guard as the doors use it: what passes, what does not, and that nothing makes it work long or panic.

use async_graphql::parser::types::DocumentOperations;
use proptest::prelude::*;
use serde_json::json;

use super::sample::{admit, bad_input, exceeded, fan_out, guard, refusal};
use super::*;

#[test]
fn an_ordinary_query_is_parsed_priced_and_handed_over() {
    let admitted = admit("{ viewer { id referredUsers(first: 20) { nodes { id code } } } }").unwrap();
    assert_eq!(admitted.cost, 21);
    assert_eq!(admitted.kind, OperationType::Query);
    assert_eq!(admitted.introspection, Introspection::None);
    assert_eq!(admitted.root_fields, [Name::new("viewer")]);
    assert!(matches!(admitted.document.operations, DocumentOperations::Single(_)));
}

#[test]
fn fragments_that_explode_are_refused_and_cost_nothing() {
    assert_eq!(exceeded(&fan_out(7, 10)), "selections");
    assert_eq!(exceeded(&fan_out(15, 10)), "selections");
    assert_eq!(exceeded(&fan_out(24, 2)), "selections");
    assert_eq!(exceeded(&fan_out(70, 3)), "selections");
    assert_eq!(exceeded(&fan_out(60, 4).replace("on User", "on Query").replace("viewer", "...")), "selections");
    assert!(admit(&fan_out(5, 3)).is_ok());
}

#[test]
fn fragments_that_contain_themselves_are_refused() {
    let error = bad_input("{ ...A } fragment A on Query { ...B } fragment B on Query { viewer { id } ...A }");
    assert!(error.message.contains("contains itself"));
}

#[test]
fn each_limit_names_itself() {
    let repeated = |text: &str, times: usize| (0..times).map(|n| text.replace('N', &n.to_string())).collect::<String>();
    let nested = |open: &str, times: usize| format!("{{ viewer {} id {} }}", open.repeat(times), "}".repeat(times));
    let table = [
        ("bytes", format!("{{ viewer {{ id }} }} # {}", "x".repeat(20_000))),
        ("bytes", "{ ".repeat(500_000)),
        ("tokens", format!("{{ {} }}", "a ".repeat(2_000))),
        ("tokens", "!".repeat(16_000)),
        ("nesting", "{ a ".repeat(300)),
        ("nesting", format!("{{ a(x: {}{}) }}", "[".repeat(400), "]".repeat(400))),
        ("nesting", format!("{{ a(x: {}1{}) }}", "{ x: ".repeat(100), "}".repeat(100))),
        ("aliases", format!("{{ viewer {{ {} }} }}", repeated("aN: id ", 31))),
        ("tokens", format!("{{ {} }}", repeated("aN:a ", 1_500))),
        ("bytes", format!("mutation {{ {} }}", repeated("aN: claimRewards(input: {}) { x } ", 10_000))),
        ("root fields", format!("{{ {} }}", repeated("viewer { id } ", 21))),
        (
            "root fields",
            format!("{{ {} }} fragment F on Query {{ viewer {{ id }} node {{ id }} }}", "...F ".repeat(11)),
        ),
        ("fragments", format!("{{ a }} {}", repeated("fragment FN on Query { a } ", 101))),
        ("fragment spreads", format!("{{ viewer {{ {} }} }} fragment F on User {{ id }}", "...F ".repeat(301))),
        ("directives", format!("{{ viewer {{ id {} }} }}", "@x ".repeat(51))),
        ("directives", format!("query {} {{ viewer {{ id }} }}", "@x ".repeat(51))),
        ("directives", format!("query($v: Int {}) {{ viewer {{ id }} }}", "@x ".repeat(51))),
        ("depth", nested("{ referrer ", 16)),
        ("cost", "{ users(first: 100) { nodes { referredUsers(first: 100) { nodes { id } } } } }".to_owned()),
        ("cost", format!("{{ viewer {{ {} id {} }} }}", "referredUsers { nodes { ".repeat(4), "} } ".repeat(4))),
    ];
    for (limit, text) in table {
        assert_eq!(exceeded(&text), limit, "{}", &text[..text.len().min(200)]);
    }
}

#[test]
fn what_is_just_inside_a_limit_passes() {
    let aliases: String = (0..30).map(|n| format!("a{n}: id ")).collect();
    assert!(admit(&format!("{{ viewer {{ {aliases} }} }}")).is_ok());
    assert!(admit(&format!("{{ {} }}", "viewer { id } ".repeat(20))).is_ok());
    assert!(admit(&format!("{{ viewer {} id {} }}", "{ referrer ".repeat(13), "}".repeat(13))).is_ok());
    assert!(admit("{ users(first: 100) { nodes { referredUsers(first: 49) { nodes { id } } } } }").is_ok());
    let padding = "#".repeat(16 * 1024 - 17);
    assert!(admit(&format!("{{ viewer {{ id }} }}{padding}")[..16 * 1024]).is_ok());
}

#[test]
fn what_is_not_a_document_is_refused_briefly() {
    for text in [
        "",
        "   ",
        "# nothing",
        "{",
        "}",
        "{ }",
        "{ a(s: \"unterminated) }",
        "{ a(s: \"\"\"unterminated) }",
        "{ a(s: \"\\q\") }",
        "{ a(s: \"\\uD800\") }",
        "{ a(n: 1e99999) }",
        "{ a(n: 01) }",
        "\u{0} { a }",
        "{ \u{1F600} }",
        "{ a } { b }",
        "query A { a } { b }",
        "query A { a } query A { b }",
        "fragment F on Query { a }",
        "{ a } fragment F on Query { a } fragment F on Query { a }",
        "type Query { a: Int }",
        "mutation",
        "query($x) { a }",
    ] {
        bad_input(text);
    }
    let error = bad_input("{\n  viewer { id,\n}");
    assert_eq!((error.locations[0].line, error.locations[0].column), (3, 2));
}

#[test]
fn what_looks_odd_but_is_a_document_passes() {
    for text in [
        "\u{feff}{ viewer { id } }",
        "{viewer{id}}#",
        "{,,,viewer,{,id,},}",
        "{\r\n\tviewer { id } # \u{1F600} {{{{\r}",
        "{ node(id: \"\u{1F600} \\u00e9 \\\" # {\") { id } }",
        "{ node(id: \"\"\"\n  block \\\"\"\" \" {\n  \"\"\") { id } }",
        "{ node(id: 123456789012345678901234567890) { id } }",
        "{ viewer { ... { ... @include(if: true) { id } } } }",
        "{ nothing { like { this } } ...NorThis }",
    ] {
        let admitted = admit(text).unwrap_or_else(|error| panic!("{text:?}: {}", error.message));
        assert!(admitted.cost <= 2 + 1, "{text:?} costs {}", admitted.cost);
    }
    let huge = format!("{{ node(id: \"{}\") {{ id }} }}", "9".repeat(16_000));
    assert_eq!(admit(&huge).unwrap().cost, 1);
}

#[test]
fn the_operation_asked_for_is_the_one_priced() {
    let text = "query A { viewer { id } } mutation B { signUp(input: {}) { user { id } } }";
    let admit = |name| guard().admit(text, name, &Variables::default());
    let a = admit(Some("A")).unwrap();
    assert_eq!((a.kind, a.cost), (OperationType::Query, 1));
    let b = admit(Some("B")).unwrap();
    assert_eq!((b.kind, b.cost), (OperationType::Mutation, 2));
    assert_eq!(b.root_fields, [Name::new("signUp")]);
    for name in [None, Some("C"), Some("")] {
        assert_eq!(refusal(&admit(name).unwrap_err()).0, BAD_USER_INPUT);
    }
    assert!(guard().admit("query A { viewer { id } }", None, &Variables::default()).is_ok());
    assert!(guard().admit("{ viewer { id } }", Some("A"), &Variables::default()).is_err());
}

#[test]
fn the_price_follows_the_variables_of_each_request() {
    let guard = guard();
    let text = "query($n: Int) { users(first: $n) { nodes { referredUsers(first: $n) { nodes { id } } } } }";
    let cost = |n: u64| guard.admit(text, None, &Variables::from_json(json!({ "n": n }))).map(|admitted| admitted.cost);
    assert_eq!(cost(5).unwrap(), 30);
    assert_eq!(refusal(&cost(100).unwrap_err()), (QUERY_TOO_COMPLEX.into(), "cost".into()));
    assert_eq!(cost(6).unwrap(), 42);
    assert!(guard.checked.get(text).is_some());
}

#[test]
fn what_was_refused_is_refused_again() {
    let guard = guard();
    for _ in 0..3 {
        assert!(guard.admit(&fan_out(20, 3), None, &Variables::default()).is_err());
        assert!(guard.admit("{ viewer {", None, &Variables::default()).is_err());
    }
    assert!(DocumentGuard::new("not a schema {", Limits::default()).is_err());
}

/// Pieces of which most neighbours are legal, so that a random row of them often parses.
const PIECES: &[&str] = &[
    "{",
    "}",
    "{ viewer {",
    "} }",
    "(",
    ")",
    "[",
    "]",
    "...",
    "... on User {",
    "...F",
    "...G",
    ":",
    "$",
    "$n",
    "!",
    "@",
    "@skip(if: true)",
    "=",
    "|",
    "&",
    "query",
    "mutation",
    "subscription",
    "fragment",
    "fragment F on User {",
    "fragment G on Query { ...F",
    "on",
    "User",
    "Query",
    "viewer",
    "id",
    "users(first: 3) { nodes {",
    "first",
    "a:",
    "1",
    "-1",
    "1e9",
    "1.5",
    "true",
    "null",
    "\"s\"",
    "\"",
    "\"\"\"",
    "\"\"\"b\"\"\"",
    "\\",
    "#",
    "\n",
    ",",
    "\u{feff}",
    "\u{e9}",
    "\u{1F600}",
    "__schema",
    "__typename",
    "nodes(ids: [1, 2])",
    "referralTree(depth: $n)",
    "query($n: Int = 3)",
];

proptest! {
    #[test]
    fn no_row_of_tokens_makes_the_guard_panic(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60),
        glue in prop::sample::select(vec![" ", "", "\n"]),
        name in prop::option::of(prop::sample::select(vec!["A", "F"])),
    ) {
        let text = pieces.join(glue);
        let variables = Variables::from_json(json!({ "n": 4 }));
        if let Err(error) = guard().admit(&text, name, &variables) {
            prop_assert!(error.message.len() < 300);
            prop_assert!([BAD_USER_INPUT, QUERY_TOO_COMPLEX].contains(&refusal(&error).0.as_str()));
        }
    }

    #[test]
    fn no_text_makes_the_guard_panic(text in ".{0,200}") {
        let _ = guard().admit(&text, None, &Variables::default());
    }

    #[test]
    fn whatever_parses_is_what_the_parser_parses(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..12)) {
        let text = format!("{{ viewer {{ id }} }} {}", pieces.join(" "));
        if let Ok(admitted) = guard().admit(&text, None, &Variables::default()) {
            let fresh = parse_query(&text).unwrap();
            prop_assert_eq!(admitted.document.fragments.len(), fresh.fragments.len());
            prop_assert_eq!(admitted.kind, OperationType::Query);
        }
    }
}
