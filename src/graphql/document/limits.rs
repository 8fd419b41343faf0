//! How large a document may be, in every direction in which one can grow.

/// The bounds of one GraphQL document; what exceeds one is refused with `QUERY_TOO_COMPLEX`.
///
/// The defaults leave several times the room that real clients were seen to use, GraphiQL's own queries included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text.
    pub text_bytes: usize,
    /// Lexical tokens; comments and commas are none.
    pub tokens: usize,
    /// Brackets, braces and parentheses open at once. The parser gives up at 64 without saying where.
    pub nesting: usize,
    /// Aliases written in the document.
    pub aliases: usize,
    /// Fields at the root of one operation, those of its fragments included.
    pub root_fields: usize,
    /// Fragment definitions.
    pub fragments: usize,
    /// Fragment spreads written in the document.
    pub spreads: usize,
    /// Directives written in the document.
    pub directives: usize,
    /// Fields inside each other.
    pub depth: usize,
    /// What the chosen operation may cost: see [`Admitted::cost`](super::Admitted::cost).
    pub cost: u64,
    /// Selections once every spread is replaced by its fragment, over all operations.
    pub selections: u64,
    /// As `depth`, for documents that only introspect. GraphiQL's query needs 15.
    pub introspection_depth: usize,
    /// As `selections`, for documents that only introspect. GraphiQL's query needs about 240.
    pub introspection_selections: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            text_bytes: 16 * 1024,
            tokens: 1_000,
            nesting: 60,
            aliases: 30,
            root_fields: 20,
            fragments: 100,
            spreads: 300,
            directives: 50,
            depth: 15,
            cost: 5_000,
            selections: 2_000,
            introspection_depth: 20,
            introspection_selections: 500,
        }
    }
}
