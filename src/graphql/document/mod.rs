//! The document guard: what a GraphQL document is checked for before the executor sees it.
//!
//! The executor's own validation walks a fragment again at every spread, so that 600 bytes cost it seconds before its
//! depth and complexity limits are even looked at, in code that no timeout can interrupt. The guard therefore counts
//! tokens before it parses, counts expanded selections before it walks them, and walks only what it counted; then it
//! hands over the parsed document, so that nothing is parsed twice.
//!
//! | file | refuses |
//! | --- | --- |
//! | `tokens` | texts too long, too rich or too nested to be parsed |
//! | `fragments` | too many aliases, fragments, spreads, directives; cycles; counts the expanded selections |
//! | `survey` | too many of those, too deep, too wide at the root, introspection in bad faith |
//! | `cost` | operations that ask for too many objects |
//! | `subscription` | subscriptions the executor would leave silent |
//! | `library` | hashes that are not known, and documents that are not trusted, where a file says which are |

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationType};
use async_graphql::parser::{parse_query, parse_schema};
use async_graphql::{Name, ServerError, Variables};

mod cache;
mod cost;
mod expand;
mod fragments;
pub mod library;
mod limits;
mod operation;
mod refusal;
#[cfg(test)]
mod sample;
mod shape;
mod subscription;
mod survey;
#[cfg(test)]
mod tests;
mod tokens;

pub use library::{Asked, Found, Library, Trusted};
pub use limits::Limits;
pub use refusal::{BAD_USER_INPUT, FORBIDDEN, PERSISTED_QUERY_NOT_FOUND, QUERY_TOO_COMPLEX};
pub use survey::Introspection;

use cache::{Cache, Weigh};
use cost::Pricing;
use expand::Expansion;
use shape::Shape;

/// What a token weighs once it is parsed, in bytes: a field with its names and positions is near 300.
const TOKEN_WEIGHT_BYTES: usize = 300;

/// Admits documents that are well formed and small enough, or says what is wrong with them.
pub struct DocumentGuard {
    limits: Limits,
    shape: Shape,
    checked: Cache<Checked>,
}

/// A document that may be validated and run.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// The parsed document, for [`Request::set_parsed_query`](async_graphql::Request::set_parsed_query).
    pub document: ExecutableDocument,
    /// What the chosen operation is.
    pub kind: OperationType,
    /// What it may cost, in objects: an object counts 1, a scalar nothing, a page or list as many as it may hold.
    pub cost: u64,
    /// Names of its root fields, repetitions and those of fragments included; `__typename` and the like are not.
    pub root_fields: Vec<Name>,
    /// Whether the document asks about the schema.
    pub introspection: Introspection,
}

/// The text of a schema could not be read.
#[derive(Debug, thiserror::Error)]
#[error("the schema could not be parsed: {0}")]
pub struct SchemaUnreadable(#[from] async_graphql::parser::Error);

/// A document that passed every check that does not depend on variables.
struct Checked {
    document: ExecutableDocument,
    introspection: Introspection,
    tokens: usize,
}

impl Weigh for Checked {
    fn weight_bytes(&self) -> usize {
        self.tokens * TOKEN_WEIGHT_BYTES
    }
}

impl DocumentGuard {
    /// A guard for the schema whose text (SDL) is given.
    ///
    /// # Errors
    ///
    /// [`SchemaUnreadable`] if that is not the text of a schema.
    pub fn new(sdl: &str, limits: Limits) -> Result<Self, SchemaUnreadable> {
        let shape = Shape::new(&parse_schema(sdl)?);
        Ok(Self { limits, shape, checked: Cache::new() })
    }

    /// Parses and checks a document, and prices the operation that is asked for.
    ///
    /// The work is bounded by [`Limits`] whatever the text is. Documents are remembered by their text; the cost is
    /// computed anew each time, as it depends on the variables.
    ///
    /// # Errors
    ///
    /// With `extensions.code` [`BAD_USER_INPUT`] if the document is not well formed or does not have that operation,
    /// and [`QUERY_TOO_COMPLEX`] if it exceeds a limit, then named in `extensions.exceeded` and `extensions.limit`.
    pub fn admit(
        &self,
        query: &str,
        operation_name: Option<&str>,
        variables: &Variables,
    ) -> Result<Admitted, ServerError> {
        let checked = self.check_once(query)?;
        let operation = &operation::chosen(&checked.document.operations, operation_name)?.node;
        let pricing = Pricing { document: &checked.document, operation, shape: &self.shape, variables };
        let cost::Price { cost, root_fields } = pricing.price();
        if cost > self.limits.cost {
            return Err(refusal::too_complex("cost", cost, self.limits.cost));
        }
        let mut document = checked.document.clone();
        if operation.ty == OperationType::Subscription {
            let root = self.shape.root_name(OperationType::Subscription);
            subscription::inline_root_fragments(&mut document, operation_name, root)?;
        }
        let Checked { introspection, .. } = *checked;
        Ok(Admitted { document, kind: operation.ty, cost, root_fields, introspection })
    }

    /// The bounds that this guard holds documents to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Checks what can be said of a text alone; nothing of it is remembered.
    ///
    /// # Errors
    ///
    /// As [`admit`](Self::admit), but for what depends on the operation and its variables.
    pub fn check_text(&self, query: &str) -> Result<(), ServerError> {
        self.check(query).map(drop)
    }

    fn check_once(&self, query: &str) -> Result<Arc<Checked>, ServerError> {
        if let Some(checked) = self.checked.get(query) {
            return Ok(checked);
        }
        let checked = Arc::new(self.check(query)?);
        self.checked.put(query, Arc::clone(&checked));
        Ok(checked)
    }

    fn check(&self, query: &str) -> Result<Checked, ServerError> {
        let tokens = tokens::count_tokens(query, &self.limits)?;
        let document = parse_query(query).map_err(|error| refusal::syntax(&error))?;
        let selections = fragments::count_selections(&document, &self.limits)?;
        let expansion = Expansion { document: &document, shape: &self.shape };
        let introspection = survey::survey(expansion, selections, &self.limits)?;
        Ok(Checked { document, introspection, tokens })
    }
}
