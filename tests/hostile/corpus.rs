//! Documents that make a server work: what is known to have hurt one, each at the size that gets furthest.

use serde_json::{Value, json};

/// Bytes of the longest text of a document.
const TEXT_BYTES: usize = 16 * 1024;

/// Bodies of requests by name.
pub fn bodies() -> Vec<(&'static str, Vec<u8>)> {
    let mut bodies: Vec<(&str, Vec<u8>)> =
        documents().into_iter().map(|(name, text)| (name, json!({"query": text}).to_string().into_bytes())).collect();
    bodies.extend(with_variables().into_iter().map(|(name, body)| (name, body.to_string().into_bytes())));
    bodies.extend(raw());
    bodies
}

/// A query whose fragments stand for `width` to the power of `levels` fields.
fn fan_out(levels: usize, width: usize) -> String {
    let mut text = "{ viewer { ...F0 } }".to_owned();
    for level in 0..levels {
        text.push_str(&format!(" fragment F{level} on User {{ {}}}", format!("...F{} ", level + 1).repeat(width)));
    }
    text + &format!(" fragment F{levels} on User {{ id }}")
}

/// As many numbered pieces as told, or as there is room for.
fn pieces(piece: &str, most: usize) -> String {
    let mut text = String::new();
    for number in 0..most {
        let next = piece.replace('N', &number.to_string());
        if text.len() + next.len() > TEXT_BYTES - 200 {
            break;
        }
        text.push_str(&next);
    }
    text
}

fn nested(open: &str, inside: &str, close: &str, times: usize) -> String {
    format!("{{ viewer {}{inside}{} }}", open.repeat(times), close.repeat(times))
}

fn documents() -> Vec<(&'static str, String)> {
    let wide = "id status createdAt externalId displayName code link referralCount completedReferralCount ";
    vec![
        ("fragments that double, 22 levels", fan_out(22, 2)),
        ("fragments that double, 99 levels", fan_out(99, 2)),
        ("fragments that stand for 10^7", fan_out(7, 10)),
        ("fragments that stand for 10^15", fan_out(15, 10)),
        ("fragments that stand for 8^9", fan_out(9, 8)),
        ("fragments, as many as pass", fan_out(5, 4)),
        ("a fragment in itself", "{ ...A } fragment A on Query { ...A }".to_owned()),
        ("a ring of fragments", pieces("fragment FN on User { ...FN0 } ", 99) + "{ viewer { ...F0 } }"),
        (
            "spreads of one wide fragment",
            format!("{{ viewer {{ {}}} }} fragment F on User {{ {wide}}}", "...F ".repeat(200)),
        ),
        ("inline fragments in each other", nested("{ ... on User ", "{ id }", "}", 50)),
        (
            "aliases, 30",
            format!("{{ viewer {{ {}}} }}", pieces("aN: network { levels { level signups completed } } ", 30)),
        ),
        ("aliases, as many as fit", format!("{{ viewer {{ {}}} }}", pieces("aN:id ", 9_999))),
        ("the same field a hundred times", format!("{{ {}}}", "viewer { id } ".repeat(100))),
        ("the same field in one object", format!("{{ viewer {{ {}}} }}", "id ".repeat(990))),
        ("fields that are not there", format!("{{ viewer {{ {}}} }}", pieces("nowhereN ", 900))),
        ("directives, as many as fit", format!("{{ viewer {{ id {}}} }}", "@a ".repeat(5_000))),
        ("directives that are not there, 50", format!("{{ viewer {{ id {}}} }}", pieces("@nowhereN ", 50))),
        ("objects in objects, 15", nested("{ referrer ", "{ id }", "}", 12)),
        ("objects in objects, 5,000", nested("{ referrer ", "{ id }", "}", 1_200)),
        ("lists in lists", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(8_000), "]".repeat(8_000))),
        (
            "an object in an object as an argument",
            format!("{{ user(by: {}1{}) {{ id }} }}", "{ id: ".repeat(2_000), "}".repeat(2_000)),
        ),
        ("a list of a hundred ids", format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"user_x\" ".repeat(100))),
        ("a list of nine hundred ids", format!("{{ nodes(ids: [{}]) {{ id }} }}", "\"user_x\" ".repeat(900))),
        ("a huge number", format!("{{ users(first: {}) {{ nodes {{ id }} }} }}", "9".repeat(16_000))),
        ("a huge exponent", "{ users(first: 1e999999999) { nodes { id } } }".to_owned()),
        ("a huge name", format!("{{ {} }}", "a".repeat(16_000))),
        ("a huge text", format!("{{ users(search: \"{}\") {{ nodes {{ id }} }} }}", "x".repeat(16_000))),
        ("a text of escapes", format!("{{ users(search: \"{}\") {{ nodes {{ id }} }} }}", "\\u00e9".repeat(2_600))),
        ("a text of wildcards", format!("{{ users(search: \"{}\") {{ nodes {{ id }} }} }}", "%_".repeat(100))),
        ("a block of text", format!("{{ users(search: \"\"\"{}\"\"\") {{ nodes {{ id }} }} }}", " \n".repeat(7_900))),
        ("a huge comment", format!("{{ viewer {{ id }} }} #{}", "{".repeat(16_000))),
        ("commas", format!("{{ viewer {{ id }} }}{}", ",".repeat(16_000))),
        ("brackets that never close", "{ a ".repeat(4_000)),
        ("exclamation marks", "!".repeat(16_000)),
        ("a NUL and a mark of byte order", "\u{feff}{ viewer\u{0} { id } }".to_owned()),
        ("variables, as many as fit", format!("query({}) {{ viewer {{ id }} }}", pieces("$vN: Int ", 400))),
        (
            "variables of lists of lists",
            format!("query($v: {}Int{}) {{ viewer {{ id }} }}", "[".repeat(50), "]".repeat(50)),
        ),
        ("operations, as many as fit", pieces("query QN { viewer { id } } ", 200)),
        ("types of types of types", introspection(6)),
        ("the whole schema, deep", introspection(15)),
        ("the schema ten times", format!("{{ {}}}", pieces("aN: __schema { types { name fields { name } } } ", 10))),
        (
            "the dearest page that passes",
            format!("{{ users(first: 100) {{ nodes {{ {wide}referredUsers(first: 40) {{ nodes {{ {wide}}} }} }} }} }}"),
        ),
        (
            "boards, twenty times",
            format!("{{ {}}}", pieces("aN: leaderboard(first: 100) { nodes { rank score user { id } } } ", 20)),
        ),
        (
            "trees, a few",
            format!(
                "{{ {}}}",
                pieces(
                    "aN: referralTree(userId: \"user_01h455vb4pex5vsknk084sn02q\", depth: 10, first: 40) { nodes { level } } ",
                    12
                )
            ),
        ),
        (
            "claims, thirty of them",
            format!(
                "mutation {{ {}}}",
                pieces("aN: claimRewards(input: {idempotencyKey: \"N\"}) { claims { id } } ", 30)
            ),
        ),
        (
            "a subscription of everything",
            format!("subscription {{ {}}}", pieces("aN: referralCount(userId: \"N\") { direct } ", 20)),
        ),
    ]
}

fn introspection(levels: usize) -> String {
    format!("{{ __schema {{ types {{ {}name{} }} }} }}", "fields { type { ".repeat(levels), " } }".repeat(levels))
}

fn with_variables() -> Vec<(&'static str, Value)> {
    let users = "query($s: String) { users(search: $s) { nodes { id } } }";
    let deep = (0..100).fold(json!(1), |inside, _| json!({ "a": inside }));
    let metadata = "mutation($m: JSON) { recordEvent(input: {externalId: \"nobody\", type: \"x\", idempotencyKey: \"k\", \
                    metadata: $m}) { created } }";
    vec![
        ("a variable as large as a body may be", json!({"query": users, "variables": {"s": "x".repeat(60_000)}})),
        (
            "variables nobody asked for",
            json!({"query": users, "variables": (0..5_000).map(|n| (n.to_string(), json!(n))).collect::<serde_json::Map<_, _>>()}),
        ),
        ("a deep variable", json!({"query": metadata, "variables": {"m": deep}})),
        ("a long list in a variable", json!({"query": metadata, "variables": {"m": vec![0; 20_000]}})),
        (
            "ids in a variable",
            json!({"query": "query($i: [ID!]!) { nodes(ids: $i) { id } }", "variables": {"i": vec!["user_x"; 5_000]}}),
        ),
        (
            "an operation of another name",
            json!({"query": pieces("query QN { viewer { id } } ", 100), "operationName": "nobody"}),
        ),
    ]
}

fn raw() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("nothing", Vec::new()),
        ("half of a body", br#"{"query": "{ viewer"#.to_vec()),
        ("a batch", json!(vec![json!({"query": "{ viewer { id } }"}); 500]).to_string().into_bytes()),
        ("brackets", "[".repeat(60_000).into_bytes()),
        ("a megabyte of one token", json!({"query": "a".repeat(1_000_000)}).to_string().into_bytes()),
        ("a lone surrogate", br#"{"query": "{ users(search: \"\ud800\") { nodes { id } } }"}"#.to_vec()),
        ("bytes that are no text", b"{\"query\": \"\xff\xfe\"}".to_vec()),
        ("a number as a document", br#"{"query": 1e308}"#.to_vec()),
        (
            "a number too large for any type",
            format!("{{\"query\": \"{{ viewer {{ id }} }}\", \"variables\": {{\"a\": {}}}}}", "9".repeat(50_000))
                .into_bytes(),
        ),
    ]
}
