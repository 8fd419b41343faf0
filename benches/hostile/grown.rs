//! Documents made up at random: grown from the names of the schema, or garbled out of known ones.

use std::sync::LazyLock;

use rand::{RngExt as _, rngs::StdRng};
use serde_json::json;

/// Names of fields, types and arguments, from the text of the schema.
static NAMES: LazyLock<Vec<&'static str>> = LazyLock::new(|| {
    let text = include_str!("../../schema.graphql");
    let lines = text.lines().filter(|line| !line.trim_start().starts_with(['"', '#']));
    let words = lines.flat_map(|line| line.split(|symbol: char| !symbol.is_ascii_alphanumeric()));
    let mut names: Vec<&str> = words.filter(|word| word.len() > 1).collect();
    names.sort_unstable();
    names.dedup();
    names
});

/// Fields that lead on, so that something is really done now and then.
const PATHS: &[&str] = &[
    "users(first: N) { nodes",
    "leaderboard(first: N) { nodes { user",
    "rewards(first: N) { nodes { user",
    "referredUsers(first: N) { nodes",
    "referrals(first: N) { nodes { referred",
    "upline(first: N)",
    "referrer",
    "claims(first: N) { nodes { user",
    "events(first: N) { nodes { user",
];
/// What may stand in a selection besides fields.
const TURNS: &[&str] =
    &["...F0", "... on User { id }", "...F1 @include(if: true)", "id", "a: id", "__typename", "{", "}", "("];
/// Most selections of a document.
const SELECTIONS_MAX: usize = 400;
/// Most bytes of a body.
const BODY_BYTES_MAX: usize = 60_000;

/// A body with a document that is more or less one.
pub fn body(rng: &mut StdRng) -> Vec<u8> {
    let (mut text, mut open) = ("{ ".to_owned(), 0);
    for _ in 0..rng.random_range(1..SELECTIONS_MAX) {
        match rng.random_range(0..10) {
            0..4 => {
                let path = PATHS[rng.random_range(0..PATHS.len())];
                text.push_str(&path.replace('N', &rng.random_range(0..101).to_string()));
                text.push_str(" { ");
                open += path.matches('{').count() + 1;
            }
            4 => text.push_str(TURNS[rng.random_range(0..TURNS.len())]),
            5 if open > 0 => {
                text.push('}');
                open -= 1;
            }
            _ => text.push_str(NAMES[rng.random_range(0..NAMES.len())]),
        }
        text.push(' ');
    }
    text.push_str(&"id }".repeat(open + 1));
    for fragment in 0..rng.random_range(0..4) {
        let spreads = format!("...F{} ", fragment + 1).repeat(rng.random_range(1..20));
        text.push_str(&format!(" fragment F{fragment} on User {{ id {spreads}}}"));
    }
    json!({"query": text}).to_string().into_bytes()
}

/// A body with something cut out, doubled or changed.
pub fn garbled(known: &[u8], rng: &mut StdRng) -> Vec<u8> {
    let mut body = known.to_vec();
    for _ in 0..rng.random_range(1..6) {
        if body.is_empty() {
            break;
        }
        let from = rng.random_range(0..body.len());
        let to = rng.random_range(from..body.len().min(from + 500) + 1);
        match rng.random_range(0..3) {
            0 => drop(body.drain(from..to)),
            1 => {
                let again: Vec<u8> = body[from..to].repeat(rng.random_range(1..8));
                body.splice(from..from, again);
            }
            _ => body[from] = rng.random(),
        }
    }
    body.truncate(BODY_BYTES_MAX);
    body
}
