//! Looking for words in every column of a database.

use std::collections::BTreeMap;

use banyan::store::{BackendKind, sql_types::Text};
use diesel::QueryableByName;

use crate::{columns::declared, support::Harness};

#[derive(QueryableByName)]
struct Cell {
    #[diesel(sql_type = Text)]
    value: String,
}

/// Every text of the database, and every hash in hexadecimal digits, by column.
pub async fn dump(harness: &Harness) -> BTreeMap<String, Vec<String>> {
    let mut sql = harness.sql().await;
    let mut dump = BTreeMap::new();
    for (table, column, is_bytes) in declared() {
        let value = match (is_bytes, harness.kind()) {
            (false, _) => column.clone(),
            (true, BackendKind::Postgres) => format!("encode({column}, 'hex')"),
            (true, BackendKind::Sqlite) => format!("lower(hex({column}))"),
        };
        let text = format!("SELECT {value} AS value FROM {table} WHERE {column} IS NOT NULL");
        let cells: Vec<Cell> = sql.load(&text).await;
        dump.insert(format!("{table}.{column}"), cells.into_iter().map(|cell| cell.value).collect());
    }
    dump
}

/// Where these words stand, whatever their case: column, word and cell.
pub async fn found(harness: &Harness, words: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (column, cells) in dump(harness).await {
        for cell in cells {
            let lower = cell.to_lowercase();
            let here = words.iter().filter(|word| lower.contains(&word.to_lowercase()));
            found.extend(here.map(|word| format!("{column}: `{word}` in `{cell}`")));
        }
    }
    found
}

/// Columns in which one of these words stands.
pub async fn columns_with(harness: &Harness, words: &[String]) -> Vec<String> {
    let mut columns: Vec<String> = found(harness, words).await;
    columns.iter_mut().for_each(|line| line.truncate(line.find(':').unwrap_or(line.len())));
    columns.dedup();
    columns
}
