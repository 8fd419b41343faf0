//! Nothing imports upwards: the table of `src/lib.rs`, kept by reading the sources.
//!
//! The sources are cut into words, so comments and texts do not count, groups over several lines do, and so do paths in
//! macros (`$crate::store::run`) and paths that climb out of a room by `super`.
#![expect(clippy::expect_used, reason = "in a test, what fails should fail loudly")]

#[path = "rooms/edges.rs"]
mod edges;
#[path = "rooms/words.rs"]
mod words;

use std::{
    fs,
    path::{Path, PathBuf},
};

use edges::Place;

/// Who may use whom.
const ROOMS: [(&str, &[&str]); 8] = [
    ("domain", &[]),
    ("store", &["domain"]),
    ("live", &["domain"]),
    ("failpoint", &[]),
    ("engine", &["domain", "store", "live", "failpoint"]),
    ("worker", &["engine", "domain", "store", "live"]),
    ("graphql", &["engine", "store", "live", "domain"]),
    ("http", &["graphql", "engine", "store", "live", "domain"]),
];

/// Files that put the parts together: they may use everything, and no room may use them.
const ABOVE: [&str; 7] = ["lib", "main", "app", "config", "commands", "front", "say"];

/// Foreign crates that only some rooms know.
const OWNED_CRATES: [(&str, &[&str]); 7] = [
    ("diesel", &["store"]),
    ("diesel_async", &["store"]),
    ("diesel_migrations", &["store"]),
    ("tokio_postgres", &["store"]),
    ("redis", &["live"]),
    ("async_graphql", &["graphql", "http"]),
    ("axum", &["http"]),
];

/// What a pure room does not know.
const IMPURE: [&str; 4] = ["async", "tokio", "rand", "tracing"];

#[test]
fn nothing_imports_upwards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > ROOMS.len(), "found the sources");

    let mut wrong = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).expect("sources are UTF-8");
        let inside = file.strip_prefix(&root).expect("below src");
        wrong.extend(faults(&Place::of(inside), &text).iter().map(|fault| format!("src/{}{fault}", inside.display())));
    }
    assert!(wrong.is_empty(), "the map in src/lib.rs forbids:\n{}", wrong.join("\n"));
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// What a file does that the map forbids, as `:line: what`.
fn faults(place: &Place, text: &str) -> Vec<String> {
    let room = place.room();
    if ABOVE.contains(&room) {
        return Vec::new();
    }
    let Some((_, below)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        return vec![format!(":1: `{room}` is no room of the map")];
    };
    let words = words::of(text);
    let forbidden_edge = |edge: &edges::Edge| {
        let fine = edge.to == room || below.contains(&edge.to.as_str());
        (!fine).then(|| format!(":{}: `{room}` may not use `{}`", edge.line, edge.to))
    };
    let forbidden_word = |(place, word): (usize, &words::Word)| {
        let next = words.get(place + 1).map_or("", |next| next.text.as_str());
        let after_path =
            place > 0 && words[place - 1].text == "::" && words.get(place - 2).is_some_and(words::Word::is_name);
        let owner = OWNED_CRATES.iter().find(|(name, _)| *name == word.text && next == "::" && !after_path);
        let stranger = owner.is_some_and(|(_, owners)| !owners.contains(&room));
        let impure = room == "domain" && IMPURE.contains(&word.text.as_str());
        (stranger || impure).then(|| format!(":{}: `{room}` may not use `{}`", word.line, word.text))
    };
    let mut found: Vec<String> = edges::of(place, &words).iter().filter_map(forbidden_edge).collect();
    found.extend(words.iter().enumerate().filter_map(forbidden_word));
    found
}

fn faults_of(file: &str, text: &str) -> Vec<String> {
    faults(&Place::of(Path::new(file)), text)
}

#[test]
fn finds_a_planted_edge() {
    let planted = "use std::fmt;\n\nuse crate::{\n    domain::id::Id,\n    engine::{Engine, Error},\n};\n";
    assert_eq!(faults_of("store/pool.rs", planted), [":5: `store` may not use `engine`"]);
    assert_eq!(faults_of("worker/pool.rs", planted), [""; 0]);
}

#[test]
fn finds_every_way_to_write_an_edge() {
    for (file, text) in [
        ("domain/id.rs", "pub(crate) use crate::store;"),
        ("domain/id.rs", "fn f() -> crate :: store :: Tx { }"),
        ("domain/id.rs", "macro_rules! m { () => { $crate::store::run!() }; }"),
        ("domain/id.rs", "use super::super::store::Tx;"),
        ("domain/id.rs", "mod tests { use super::super::super::store; }"),
        ("domain/mod.rs", "use super::store;"),
        ("domain/mod.rs", "use super::{domain, store::Tx};"),
        ("domain/id.rs", "use crate::*;"),
        ("domain/id.rs", "use crate::{self as house};"),
        ("domain/id.rs", "use crate as house;"),
        ("domain/id.rs", "pub fn first<'a>(x: &'a str) { crate::store::models::User::of(x) }"),
        ("graphql/user.rs", "use crate::worker::fold;"),
        ("graphql/user.rs", "use diesel::prelude::*;"),
        ("engine/user.rs", "fn f(q: ::diesel::QueryResult<()>) {}"),
        ("domain/id.rs", "pub async fn now() {}"),
        ("attic/id.rs", "pub fn now() {}"),
    ] {
        assert_eq!(faults_of(file, text).len(), 1, "{file}: {text}");
    }
}

#[test]
fn lets_everything_else_pass() {
    for (file, text) in [
        ("store/pool.rs", "use super::{error::StoreError, statements};"),
        ("store/queries/users.rs", "use super::Connection;\nuse crate::store::models::User;"),
        ("http/graphql.rs", "use super::graphql::answer; mod tests { use super::super::graphql; }"),
        ("domain/id.rs", "// use crate::store;\n/* crate::store /* nested */ crate::http */"),
        ("domain/id.rs", "/// See [`crate::store`].\npub(crate) fn x() {} pub(in crate::domain) fn y() {}"),
        ("domain/id.rs", "const T: &str = \"crate::store\\\" crate::store\"; const R: &str = r#\"\" crate::store\"#;"),
        ("domain/id.rs", "const C: [char; 2] = ['\"', '\\'']; use crate::domain::time; // crate::store"),
        ("app.rs", "use crate::{http, store, worker};"),
    ] {
        assert_eq!(faults_of(file, text), [""; 0], "{file}: {text}");
    }
}
