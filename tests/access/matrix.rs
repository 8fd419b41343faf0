//! Reads `matrix.md`.
//!
//! A section is a type: the ways to reach things of that type, indented, then a table of its fields. A way is a path of
//! fields from the root (`viewer > referrals > nodes`), with words in angle brackets for what a house fills in; one that is
//! watched begins with `subscription`. Before it may stand the columns that it is for and whom it is about: `self, admin of
//! hal: ...`. A column that no way names goes all the ways that name none.

use std::path::Path;

use crate::{cell::Cell, column::Column};

/// How things of a type are reached.
#[derive(Clone, Debug)]
pub struct Way {
    columns: Vec<Column>,
    /// About whom, if not about the usual person of the column.
    pub of: Option<String>,
    /// Whether it is watched.
    pub watches: bool,
    /// Fields from the root on, with their arguments.
    pub steps: Vec<String>,
}

/// Some fields of a type and what callers are given.
#[derive(Clone, Debug)]
pub struct Row {
    pub fields: Vec<String>,
    pub cells: Vec<(Column, Cell)>,
}

/// A type.
#[derive(Clone, Debug)]
pub struct Section {
    pub name: String,
    pub ways: Vec<Way>,
    pub rows: Vec<Row>,
}

/// The whole matrix, in the order of the file.
pub fn read() -> Vec<Section> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/access/matrix.md");
    let text = std::fs::read_to_string(path).expect("the matrix is there");
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        if let Some(name) = line.strip_prefix("## ") {
            sections.push(Section { name: name.trim().to_owned(), ways: Vec::new(), rows: Vec::new() });
        } else if let Some(section) = sections.last_mut() {
            section.take(line).unwrap_or_else(|| panic!("line {number} of the matrix is no way and no row: {line}"));
        }
    }
    sections
}

impl Section {
    /// The ways that a column goes; of a root type only those that begin with a field.
    pub fn ways_of(&self, column: Column, root: Option<&str>) -> Vec<&Way> {
        let of_field = || self.ways.iter().filter(|way| root.is_none_or(|field| way.begins_with() == field));
        let own: Vec<_> = of_field().filter(|way| way.columns.contains(&column)).collect();
        if own.is_empty() { of_field().filter(|way| way.columns.is_empty()).collect() } else { own }
    }

    /// Takes a line below the heading; nothing when it cannot be read.
    fn take(&mut self, line: &str) -> Option<()> {
        if let Some(way) = line.strip_prefix("    ") {
            self.ways.push(Way::parse(way)?);
        } else if let Some(row) = line.strip_prefix("| ") {
            let parts: Vec<_> = row.trim_end_matches('|').split('|').map(str::trim).collect();
            let (fields, cells) = parts.split_first()?;
            if *fields == "field" {
                return cells.iter().copied().eq(Column::ALL.map(Column::heading)).then_some(());
            }
            self.rows.push(Row::parse(fields, cells)?);
        }
        Some(())
    }
}

impl Way {
    /// The way along a path, for everybody.
    pub fn along(path: &str) -> Self {
        let watched = path.strip_prefix("subscription ");
        let steps = watched.unwrap_or(path).split(" > ").map(|step| step.trim().to_owned()).collect();
        Self { columns: Vec::new(), of: None, watches: watched.is_some(), steps }
    }

    fn parse(text: &str) -> Option<Self> {
        let (columns, of, path) = match text.split_once(": ") {
            Some((whose, path)) if !whose.contains('(') => {
                let (columns, of) = whose.split_once(" of ").map_or((whose, None), |(columns, of)| (columns, Some(of)));
                let columns = columns.split(", ").map(Column::headed).collect::<Option<_>>()?;
                (columns, of.map(str::to_owned), path)
            }
            _ => (Vec::new(), None, text),
        };
        Some(Self { columns, of, ..Self::along(path) })
    }

    /// Name of the root field.
    pub fn begins_with(&self) -> &str {
        field_of(&self.steps[0])
    }
}

/// Name of the field of a step, without its arguments.
pub fn field_of(step: &str) -> &str {
    step.split(['(', ' ']).next().unwrap_or(step)
}

impl Row {
    fn parse(fields: &str, cells: &[&str]) -> Option<Self> {
        let cells: Vec<Cell> = cells.iter().map(|cell| Cell::parse(cell)).collect::<Option<_>>()?;
        if cells.len() != Column::ALL.len() {
            return None;
        }
        let fields = fields.split(' ').map(str::to_owned).collect();
        Some(Self { fields, cells: Column::ALL.into_iter().zip(cells).collect() })
    }
}
