//! The schema, read from its own text: which types have which fields, and where an id can be given.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::{
    Positioned,
    parser::{
        parse_schema,
        types::{BaseType, FieldDefinition, InputValueDefinition, Type, TypeKind, TypeSystemDefinition},
    },
};
use banyan::graphql::sdl;

use crate::matrix::Way;

/// One field of an output type.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    /// The named type inside lists and non-nulls.
    pub of: String,
}

/// The output types with their fields, and every place that takes an id.
pub struct Schema {
    types: BTreeMap<String, Vec<Field>>,
    id_arguments: BTreeSet<String>,
}

/// The types whose fields documents begin with.
pub const ROOTS: [&str; 3] = ["Query", "Mutation", "Subscription"];

impl Schema {
    pub fn read() -> Self {
        let document = parse_schema(sdl()).expect("the schema is a document");
        let mut schema = Self { types: BTreeMap::new(), id_arguments: BTreeSet::new() };
        for definition in &document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let name = definition.node.name.node.as_str();
            match &definition.node.kind {
                TypeKind::Object(object) => schema.note_type(name, &object.fields),
                TypeKind::Interface(interface) => schema.note_type(name, &interface.fields),
                TypeKind::InputObject(input) => schema.note_ids(&format!("{name}."), &input.fields),
                TypeKind::Scalar | TypeKind::Union(_) | TypeKind::Enum(_) => {}
            }
        }
        schema
    }

    /// Every output type by name: objects, and the interface.
    pub fn types(&self) -> impl Iterator<Item = (&str, &[Field])> {
        self.types.iter().map(|(name, fields)| (name.as_str(), fields.as_slice()))
    }

    /// The fields of an output type; none of scalars and enums.
    pub fn fields(&self, name: &str) -> Option<&[Field]> {
        self.types.get(name).map(Vec::as_slice)
    }

    /// One field of an output type.
    pub fn field(&self, of: &str, name: &str) -> Option<&Field> {
        self.fields(of)?.iter().find(|field| field.name == name)
    }

    /// Arguments and input fields that take ids: `Query.node(id)`, `UserBy.id`.
    pub const fn id_arguments(&self) -> &BTreeSet<String> {
        &self.id_arguments
    }

    /// The document that goes a way, and selects something at its end unless that is plain.
    pub fn document(&self, way: &Way, selection: Option<&str>) -> String {
        let operation = match self.field("Query", way.begins_with()) {
            _ if way.watches => "subscription",
            Some(_) => "query",
            None => "mutation",
        };
        let inner = selection.map(|fields| format!(" {{ {fields} }}")).unwrap_or_default();
        format!("{operation}{}", way.steps.iter().rev().fold(inner, |inner, step| format!(" {{ {step}{inner} }}")))
    }

    /// What is selected of a field so that its answer tells whether there is something; nothing of scalars and enums.
    pub fn inside(&self, field: &Field) -> Option<&'static str> {
        let fields = self.fields(&field.of)?;
        let is_page = fields.iter().any(|field| field.name == "nodes");
        Some(if is_page { "nodes { __typename }" } else { "__typename" })
    }

    /// The field with that selection.
    pub fn selection(&self, field: &Field) -> String {
        self.inside(field).map_or_else(|| field.name.clone(), |inside| format!("{} {{ {inside} }}", field.name))
    }

    fn note_type(&mut self, name: &str, fields: &[Positioned<FieldDefinition>]) {
        for field in fields {
            self.note_ids(&format!("{name}.{}", field.node.name.node), &field.node.arguments);
        }
        let shown = |field: &Positioned<FieldDefinition>| Field {
            name: field.node.name.node.to_string(),
            of: named(&field.node.ty.node).to_owned(),
        };
        self.types.insert(name.to_owned(), fields.iter().map(shown).collect());
    }

    fn note_ids(&mut self, of: &str, inputs: &[Positioned<InputValueDefinition>]) {
        let ids = inputs.iter().filter(|input| named(&input.node.ty.node) == "ID").map(|input| &input.node.name.node);
        let is_input = of.ends_with('.');
        self.id_arguments.extend(ids.map(|id| if is_input { format!("{of}{id}") } else { format!("{of}({id})") }));
    }
}

fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}
