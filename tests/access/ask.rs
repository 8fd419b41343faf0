//! Goes one way as one caller, and reads the answer as cells.

use std::{collections::BTreeMap, time::Duration};

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    cell::Cell,
    column::Column,
    house::House,
    matrix::{Section, Way, field_of},
    schema::{Field, ROOTS, Schema},
    support::Actor,
};

/// How long the first message of a subscription may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Somebody who goes the ways of the matrix.
pub struct Asker<'a> {
    pub house: &'a House,
    pub schema: &'a Schema,
}

impl Asker<'_> {
    /// What a column is given for each field of a section: of several ways, the one that tells most counts.
    pub async fn cells(&self, section: &Section, column: Column) -> BTreeMap<String, Cell> {
        let mut cells = BTreeMap::new();
        let fields = self.schema.fields(&section.name).unwrap_or_default();
        if !ROOTS.contains(&section.name.as_str()) {
            self.go(&mut cells, &section.ways_of(column, None), (column, fields)).await;
            return cells;
        }
        for field in fields {
            let ways = section.ways_of(column, Some(&field.name));
            for way in ways {
                let cell = self.root_cell(way, (column, field)).await;
                note(&mut cells, &field.name, cell);
            }
        }
        cells
    }

    async fn go(&self, cells: &mut BTreeMap<String, Cell>, ways: &[&Way], (column, fields): (Column, &[Field])) {
        let selected: Vec<String> = fields.iter().map(|field| self.schema.selection(field)).collect();
        for way in ways {
            let answer = self.answer(way, column, Some(&selected.join(" "))).await;
            let found = at(&answer["data"], way.steps.iter().map(|step| field_of(step)));
            for field in fields {
                let told = found.iter().map(|object| Cell::of(&object[&field.name])).max();
                let cell = refused(&answer, told.as_ref().map(|_| field.name.as_str())).or(told);
                note(cells, &field.name, cell.unwrap_or(Cell::Nothing));
            }
        }
    }

    async fn root_cell(&self, way: &Way, (column, field): (Column, &Field)) -> Cell {
        let refusals = self.schema.field(&field.of, "userErrors").map(|_| "userErrors { code }");
        let answer = self.answer(way, column, refusals.or_else(|| self.schema.inside(field))).await;
        if let Some(code) = answer["data"][&field.name]["userErrors"][0]["code"].as_str() {
            return Cell::Refused(code.to_owned());
        }
        refused(&answer, None).unwrap_or_else(|| Cell::of(&answer["data"][&field.name]))
    }

    async fn answer(&self, way: &Way, column: Column, selection: Option<&str>) -> Value {
        let person = way.of.as_deref().unwrap_or(column.usual_person());
        let document = self.house.fill(&self.schema.document(way, selection), person);
        let caller = self.house.caller(column, person);
        if way.watches { first(&caller, &document).await } else { caller.response(&document, json!({})).await }
    }
}

/// The first message of a subscription.
pub async fn first(caller: &Actor, document: &str) -> Value {
    let mut messages = caller.watch(document, json!({}));
    let message = timeout(PATIENCE, messages.next()).await;
    message.ok().flatten().unwrap_or_else(|| panic!("no message: {document}"))
}

/// The objects at the end of a path, through all lists. Steps into a type lead nowhere else.
pub fn at<'v, 's>(data: &'v Value, path: impl Iterator<Item = &'s str>) -> Vec<&'v Value> {
    path.filter(|name| *name != "...").fold(vec![data], |objects, name| {
        let next = objects.into_iter().flat_map(|object| items(&object[name]));
        // Nothing was selected from what is not of the type that a step asked for.
        next.filter(|object| object.as_object().is_some_and(|fields| !fields.is_empty())).collect()
    })
}

/// The items of a list; anything else is one.
fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// The code of the error at a field, or of any error.
fn refused(answer: &Value, field: Option<&str>) -> Option<Cell> {
    let errors = answer["errors"].as_array()?;
    let is_there = |error: &&Value| {
        let path = error["path"].as_array();
        field.is_none_or(|field| path.is_some_and(|path| path.iter().any(|part| part == field)))
    };
    let error = errors.iter().find(is_there)?;
    let code = error["extensions"]["code"].as_str();
    Some(Cell::Refused(code.unwrap_or_else(|| panic!("an error without a code: {answer:#}")).to_owned()))
}

fn note(cells: &mut BTreeMap<String, Cell>, field: &str, cell: Cell) {
    let known = cells.entry(field.to_owned()).or_insert_with(|| cell.clone());
    *known = cell.max(known.clone());
}
