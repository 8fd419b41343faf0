//! What the guard knows of the schema: which field leads where, and whether to one thing, to many or to a page.

use std::collections::{HashMap, HashSet};

use async_graphql::parser::types::{
    BaseType, FieldDefinition, OperationType, SchemaDefinition, ServiceDocument, Type, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Positioned, Value};

/// Number of a type in a [`Shape`].
pub(super) type TypeId = usize;

/// The composite types of a schema and their fields.
#[derive(Debug, Default)]
pub(super) struct Shape {
    ids: HashMap<String, TypeId>,
    types: Vec<HashMap<String, FieldShape>>,
    roots: Roots,
}

#[derive(Debug)]
struct Roots {
    query: String,
    mutation: String,
    subscription: String,
}

impl Default for Roots {
    fn default() -> Self {
        Self { query: "Query".to_owned(), mutation: "Mutation".to_owned(), subscription: "Subscription".to_owned() }
    }
}

impl Roots {
    fn read(&mut self, schema: &SchemaDefinition) {
        let named = [
            (&schema.query, &mut self.query),
            (&schema.mutation, &mut self.mutation),
            (&schema.subscription, &mut self.subscription),
        ];
        for (name, root) in named {
            if let Some(name) = name {
                *root = name.node.to_string();
            }
        }
    }
}

/// One field as far as its cost is concerned.
#[derive(Debug)]
pub(super) struct FieldShape {
    /// How many objects it leads to.
    pub many: Many,
    /// Their type; none for scalars and enums.
    pub leads_to: Option<TypeId>,
}

/// How many objects a field leads to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Many {
    /// None: a scalar, an enum, or a list of them.
    Leaf,
    /// One.
    One,
    /// A list, as long as it happens to be.
    List,
    /// As many as an argument asks for.
    Page(Paging),
}

/// The arguments that size a page, and what they are when left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Paging {
    /// Default of `first`, where the schema names one.
    pub first: Option<u64>,
    /// Default of `depth`; present only where a page is a tree of `depth` levels of `first` each.
    pub depth: Option<u64>,
    /// Whether the field is the list itself, without a connection and its `nodes` around it.
    pub bare: bool,
}

impl Shape {
    /// Reads the shape from a parsed schema.
    pub(super) fn new(document: &ServiceDocument) -> Self {
        let mut shape = Self::default();
        let composites: Vec<_> = document.definitions.iter().filter_map(composite_fields).collect();
        for (name, _) in &composites {
            shape.type_id_or_new(name);
        }
        for (name, fields) in composites {
            let known: HashMap<_, _> =
                fields.iter().map(|field| (field.name.node.to_string(), shape.field(field))).collect();
            let id = shape.type_id_or_new(name);
            shape.types[id].extend(known);
        }
        for definition in &document.definitions {
            if let TypeSystemDefinition::Schema(schema) = definition {
                shape.roots.read(&schema.node);
            }
        }
        shape
    }

    /// Number of the type of that name, if it has fields.
    pub(super) fn type_id(&self, name: &str) -> Option<TypeId> {
        self.ids.get(name).copied()
    }

    /// Name of the type at which operations of a kind start.
    pub(super) fn root_name(&self, kind: OperationType) -> &str {
        match kind {
            OperationType::Query => &self.roots.query,
            OperationType::Mutation => &self.roots.mutation,
            OperationType::Subscription => &self.roots.subscription,
        }
    }

    /// The field of that name; none when the validator is going to refuse it anyway.
    pub(super) fn field_of(&self, parent: Option<TypeId>, name: &str) -> Option<&FieldShape> {
        self.types.get(parent?)?.get(name)
    }

    fn type_id_or_new(&mut self, name: &str) -> TypeId {
        if let Some(id) = self.type_id(name) {
            return id;
        }
        self.types.push(HashMap::new());
        self.ids.insert(name.to_owned(), self.types.len() - 1);
        self.types.len() - 1
    }

    fn field(&self, field: &FieldDefinition) -> FieldShape {
        let leads_to = self.type_id(innermost(&field.ty.node));
        let arguments: HashSet<&str> =
            field.arguments.iter().map(|argument| argument.node.name.node.as_str()).collect();
        let paged = arguments.contains("first") || arguments.contains("last");
        let many = match (leads_to, paged, &field.ty.node.base) {
            (None, ..) => Many::Leaf,
            (Some(_), true, _) => Many::Page(Paging {
                first: default_of(field, "first"),
                depth: arguments.contains("depth").then(|| default_of(field, "depth").unwrap_or(1)),
                bare: matches!(field.ty.node.base, BaseType::List(_)),
            }),
            (Some(_), false, BaseType::List(_)) => Many::List,
            (Some(_), false, BaseType::Named(_)) => Many::One,
        };
        FieldShape { many, leads_to }
    }
}

fn composite_fields(definition: &TypeSystemDefinition) -> Option<(&str, Vec<&FieldDefinition>)> {
    let TypeSystemDefinition::Type(definition) = definition else { return None };
    let fields: &[Positioned<FieldDefinition>] = match &definition.node.kind {
        TypeKind::Object(object) => &object.fields,
        TypeKind::Interface(interface) => &interface.fields,
        TypeKind::Union(_) => &[],
        TypeKind::Scalar | TypeKind::Enum(_) | TypeKind::InputObject(_) => return None,
    };
    Some((definition.node.name.node.as_str(), fields.iter().map(|field| &field.node).collect()))
}

fn innermost(ty: &Type) -> &str {
    let mut ty = ty;
    loop {
        match &ty.base {
            BaseType::Named(name) => return name.as_str(),
            BaseType::List(inner) => ty = inner,
        }
    }
}

fn default_of(field: &FieldDefinition, argument: &str) -> Option<u64> {
    let argument = field.arguments.iter().find(|candidate| candidate.node.name.node == argument)?;
    match &argument.node.default_value.as_ref()?.node {
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_schema;

    use super::*;

    #[test]
    fn fields_are_told_apart_by_what_they_lead_to() {
        let sdl = "type Query { me: User names: [String!]! tags: [User!] tree(first: Int = 7, depth: Int = 3): Tree
                       page(last: Int): Page upline(first: Int): [User!] any: Any kind: Kind node: Node }
                   type User implements Node { id: ID! } type Tree { nodes: [User!] } type Page { nodes: [User!] }
                   union Any = User enum Kind { A } interface Node { id: ID! } scalar ID2
                   schema { query: Query }";
        let shape = Shape::new(&parse_schema(sdl).unwrap());
        let query = shape.type_id(shape.root_name(OperationType::Query));
        let many = |name| shape.field_of(query, name).map(|field| field.many.clone());
        assert_eq!(many("me"), Some(Many::One));
        assert_eq!(many("names"), Some(Many::Leaf));
        assert_eq!(many("kind"), Some(Many::Leaf));
        assert_eq!(many("tags"), Some(Many::List));
        assert_eq!(many("any"), Some(Many::One));
        assert_eq!(many("node"), Some(Many::One));
        assert_eq!(many("tree"), Some(Many::Page(Paging { first: Some(7), depth: Some(3), bare: false })));
        assert_eq!(many("page"), Some(Many::Page(Paging::default())));
        assert_eq!(many("upline"), Some(Many::Page(Paging { bare: true, ..Paging::default() })));
        assert_eq!(many("unknown"), None);
        assert_eq!(shape.root_name(OperationType::Subscription), "Subscription");
    }
}
