//! The ways in which a document is refused.

use async_graphql::parser::{self, Pos};
use async_graphql::{ErrorExtensionValues, ServerError};

/// `extensions.code` of a document that is not well formed.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// `extensions.code` of a document that is larger than a limit allows.
pub const QUERY_TOO_COMPLEX: &str = "QUERY_TOO_COMPLEX";
/// `extensions.code` of a hash or id that stands for no document here. Clients know it, and the message, by heart.
pub const PERSISTED_QUERY_NOT_FOUND: &str = "PERSISTED_QUERY_NOT_FOUND";
/// `extensions.code` of a document that is not among those that are trusted.
pub const FORBIDDEN: &str = "FORBIDDEN";

/// A name of the caller's own is quoted in a message up to here, in characters.
const QUOTED_CHARS: usize = 40;
/// What the parser expected is told up to here, in characters.
const EXPECTED_CHARS: usize = 160;

/// A document that breaks a rule of the language.
pub(super) fn bad_input(message: impl Into<String>, at: Option<Pos>) -> ServerError {
    with_code(ServerError::new(message, at), BAD_USER_INPUT)
}

/// A document of which there is too much: `what` names the limit, and stands in `extensions.exceeded` as well.
pub(super) fn too_complex(what: &'static str, found: u64, limit: u64) -> ServerError {
    exceeded(format!("The document exceeds the limit of {limit} for {what}: it has {found}"), what, limit)
}

/// As [`too_complex`], where counting stopped at the limit.
pub(super) fn too_many(what: &'static str, limit: u64) -> ServerError {
    exceeded(format!("The document exceeds the limit of {limit} for {what}"), what, limit)
}

/// A hash or id that is not known: the client sends the document next, if it may.
pub(super) fn not_found() -> ServerError {
    with_code(ServerError::new("PersistedQueryNotFound", None), PERSISTED_QUERY_NOT_FOUND)
}

/// A document that came with the hash of another.
pub(super) fn wrong_hash() -> ServerError {
    bad_input("The hash is not the SHA-256 hash of the document, in lower-case hexadecimal", None)
}

/// A document that is not among those that this server runs.
pub(super) fn untrusted() -> ServerError {
    with_code(ServerError::new("This server runs only the documents of its file of trusted documents", None), FORBIDDEN)
}

/// A syntax error: where it is and what the grammar expected, never the caller's text.
///
/// The parser's own message repeats the whole line, which turns 200 kB of question into 208 kB of answer.
pub(super) fn syntax(error: &parser::Error) -> ServerError {
    let at = error.positions().next();
    let message = match error {
        parser::Error::Syntax { message, .. } => match expected(message) {
            Some(expected) => format!("Syntax error: {expected}"),
            None => "Syntax error".to_owned(),
        },
        parser::Error::OperationDuplicated { operation, .. } => {
            format!("Operation {} is defined twice", quoted(operation))
        }
        parser::Error::FragmentDuplicated { fragment, .. } => {
            format!("Fragment {} is defined twice", quoted(fragment))
        }
        parser::Error::MultipleOperations { .. } => {
            "An operation without a name must be the only one in its document".to_owned()
        }
        parser::Error::MissingOperation => "The document contains no operation".to_owned(),
        _ => "The document could not be parsed".to_owned(),
    };
    bad_input(message, at)
}

/// A name as it may stand in a message: in quotes and not longer than is useful.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", clipped(name, QUOTED_CHARS))
}

fn with_code(mut error: ServerError, code: &'static str) -> ServerError {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set("code", code);
    error
}

fn exceeded(message: String, what: &'static str, limit: u64) -> ServerError {
    let mut error = with_code(ServerError::new(message, None), QUERY_TOO_COMPLEX);
    let extensions = error.extensions.get_or_insert_with(ErrorExtensionValues::default);
    extensions.set("exceeded", what);
    extensions.set("limit", limit);
    error
}

/// The last line of the parser's message, `= expected name`, which holds names of grammar rules only.
fn expected(message: &str) -> Option<String> {
    let last = message.lines().next_back()?.trim_start().strip_prefix("= ")?;
    Some(clipped(&last.replace('_', " "), EXPECTED_CHARS))
}

fn clipped(text: &str, chars: usize) -> String {
    match text.char_indices().nth(chars) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syntax_error_keeps_its_place_and_hides_the_line() {
        let line = format!("{{ viewer {{ id }} secret_{} !", "x".repeat(5_000));
        let error = syntax(&parser::parse_query(&line).unwrap_err());
        assert_eq!(error.locations[0].line, 1);
        assert!(error.locations[0].column > 5_000);
        assert!(!error.message.contains("secret"), "{}", error.message);
        assert!(error.message.starts_with("Syntax error: expected "), "{}", error.message);
        assert!(error.message.len() < 200);
    }

    #[test]
    fn long_names_are_clipped() {
        assert_eq!(quoted("F"), "\"F\"");
        assert_eq!(quoted(&"\u{e9}".repeat(400)).chars().count(), QUOTED_CHARS + 5);
    }
}
