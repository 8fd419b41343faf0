//! Words that no answer needs: of databases, drivers, files and the program itself.

use crate::declared::tables;

const WORDS: [&str; 26] = [
    "select ",
    "insert into",
    "delete from",
    " from \"",
    "relation ",
    "violates",
    "constraint",
    "does not exist in the current",
    "sqlstate",
    "os error",
    "connection refused",
    "connection closed",
    "connection reset",
    "timed out",
    "pool",
    "diesel",
    "deadpool",
    "tokio",
    "hyper",
    "postgres",
    "sqlite",
    "redis",
    "panicked",
    ".rs:",
    "src/",
    "/tmp/",
];

/// Which of them an answer holds.
pub fn told(answer: &str) -> Vec<String> {
    let lower = answer.to_lowercase();
    let tables = tables(include_str!("../../src/store/schema.rs"));
    // Names of one word are words of the API, too.
    let tables = tables.into_keys().filter(|table| table.contains('_'));
    WORDS.iter().map(|word| (*word).to_owned()).chain(tables).filter(|word| lower.contains(word.as_str())).collect()
}
