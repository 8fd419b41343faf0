//! What `schema.rs` declares, read from its text.

use std::collections::BTreeMap;

/// Tables by name, and in each its columns by name.
pub type Tables = BTreeMap<String, BTreeMap<String, Column>>;

/// One column, as far as databases can be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// What its type is called.
    pub kind: String,
    /// Whether it may be null.
    pub nullable: bool,
    /// Its place in the primary key, from 1; 0 outside of it.
    pub key_place: usize,
}

/// Reads every `table!` of a file. An attribute `sql_name` gives the next name's spelling in the database.
pub fn tables(text: &str) -> Tables {
    let mut tables = Tables::new();
    for block in text.split("table! {").skip(1) {
        let block = block.split("\n}").next().unwrap_or_default();
        let mut reader = Reader::default();
        for line in block.lines().map(str::trim) {
            reader.read(line);
        }
        tables.insert(reader.table, reader.columns);
    }
    tables
}

#[derive(Default)]
struct Reader {
    table: String,
    key: Vec<String>,
    columns: BTreeMap<String, Column>,
    sql_name: Option<String>,
}

impl Reader {
    fn read(&mut self, line: &str) {
        if let Some(name) = line.strip_prefix("#[sql_name = \"") {
            self.sql_name = Some(name.trim_end_matches("\"]").to_owned());
        } else if let Some((name, kind)) = line.trim_end_matches(',').split_once(" -> ") {
            self.column(name, kind);
        } else if let Some((name, key)) = line.strip_suffix(") {").and_then(|head| head.split_once(" (")) {
            self.table = self.sql_name.take().unwrap_or_else(|| name.to_owned());
            self.key = key.split(", ").map(str::to_owned).collect();
        }
    }

    fn column(&mut self, name: &str, kind: &str) {
        let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
        let column = Column {
            kind: inner.unwrap_or(kind).to_owned(),
            nullable: inner.is_some(),
            key_place: self.key.iter().position(|key| key == name).map_or(0, |place| place + 1),
        };
        self.columns.insert(self.sql_name.take().unwrap_or_else(|| name.to_owned()), column);
    }
}
