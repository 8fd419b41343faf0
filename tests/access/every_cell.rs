//! Nothing is left out of the matrix, and every cell is true.

use std::collections::BTreeSet;

use crate::{
    ask::Asker,
    column::Column,
    house::{House, in_the_house},
    matrix::{Row, Section, read},
    schema::Schema,
    support::say,
};

/// Every field that the matrix names, as `Type.field`, in its order.
fn named(matrix: &[Section]) -> Vec<String> {
    let of_row = |section: &Section, row: &Row| {
        row.fields.iter().map(|field| format!("{}.{field}", section.name)).collect::<Vec<_>>()
    };
    matrix.iter().flat_map(|section| section.rows.iter().flat_map(|row| of_row(section, row))).collect()
}

#[test]
fn every_field_is_in_the_matrix_once() {
    let schema = Schema::read();
    let named = named(&read());
    let in_matrix: BTreeSet<_> = named.iter().cloned().collect();
    let of_type = |name: &str| {
        let fields = schema.fields(name).unwrap_or_default();
        fields.iter().map(|field| format!("{name}.{}", field.name)).collect::<Vec<_>>()
    };
    let in_schema: BTreeSet<_> = schema.types().flat_map(|(name, _)| of_type(name)).collect();
    let (forgotten, unknown): (Vec<_>, Vec<_>) =
        (in_schema.difference(&in_matrix).collect(), in_matrix.difference(&in_schema).collect());
    assert!(forgotten.is_empty(), "the matrix does not say who sees these: {forgotten:#?}");
    assert!(unknown.is_empty(), "the schema has no such fields: {unknown:#?}");
    assert_eq!(named.len(), in_matrix.len(), "a field is in the matrix twice");
}

#[test]
fn every_cell_of_the_matrix_is_true() {
    in_the_house(async |house: &House| {
        let (schema, matrix) = (Schema::read(), read());
        let asker = Asker { house, schema: &schema };
        let (mut asked, mut wrong) = (0, Vec::new());
        for section in &matrix {
            for column in Column::ALL {
                let given = asker.cells(section, column).await;
                for row in &section.rows {
                    let (_, expected) = row.cells.iter().find(|(of, _)| *of == column).unwrap();
                    for field in &row.fields {
                        asked += 1;
                        let given = given.get(field);
                        if given != Some(expected) {
                            let given = given.map_or("no way leads there".to_owned(), ToString::to_string);
                            let name = format!("{}.{field}", section.name);
                            wrong.push(format!("{name} for {}: {given}, not {expected}", column.heading()));
                        }
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{} of {asked} cells are wrong:\n{}", wrong.len(), wrong.join("\n"));
        assert_eq!(asked, named(&matrix).len() * Column::ALL.len());
        say(&format!("{} fields, {asked} cells: each was asked for", named(&matrix).len()));
    });
}
