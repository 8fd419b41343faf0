//! Errors the doors themselves raise, each with a code of the closed list, and the trimming of everybody's.

use async_graphql::parser::Error as ParseError;
use async_graphql::{ErrorExtensionValues, Response, ServerError, Value};

use super::operations::Refused;

/// Most errors reported for a request that was not run; thousands of bad fields need not be listed one by one.
pub const MAX_REQUEST_ERRORS: usize = 5;

/// Most characters of one message of a request error: names in it come from the caller and may be long.
pub const MAX_MESSAGE_CHARS: usize = 400;

/// The request itself is at fault.
pub const BAD_USER_INPUT: &str = "BAD_USER_INPUT";
/// A credential is missing or not good.
pub const UNAUTHENTICATED: &str = "UNAUTHENTICATED";
/// The caller may not do this.
pub const FORBIDDEN: &str = "FORBIDDEN";
/// The caller has to wait.
pub const RATE_LIMITED: &str = "RATE_LIMITED";
/// The house cannot answer right now.
pub const UNAVAILABLE: &str = "UNAVAILABLE";
/// Something broke on our side.
pub const INTERNAL: &str = "INTERNAL";

/// The name, in `extensions`, of how many seconds to wait.
pub const RETRY_AFTER: &str = "retryAfter";

/// Makes an error with a code.
pub fn coded(message: impl Into<String>, code: &str) -> ServerError {
    let mut error = ServerError::new(message, None);
    set_extension(&mut error, "code", code);
    error
}

/// Makes an error for a fault of the request itself.
pub fn bad_request(message: impl Into<String>) -> ServerError {
    coded(message, BAD_USER_INPUT)
}

/// Makes an error of a parser's error, keeping the position and what was expected, but not the line of the document.
///
/// The parser's own message quotes the whole line, which is as long as the caller likes.
pub fn syntax_error(error: &ParseError) -> ServerError {
    let message = match error {
        ParseError::Syntax { message, start, .. } => {
            let expected = message.rsplit_once("\n  = ").map_or("not GraphQL", |(_, last)| last.trim());
            format!("Syntax error at {}:{}: {expected}", start.line, start.column)
        }
        other => other.to_string(),
    };
    let mut refused = bad_request(message);
    refused.locations = error.positions().collect();
    shorten(&mut refused.message);
    refused
}

/// The code of an error, if it has one.
pub fn code_of(error: &ServerError) -> Option<&str> {
    match error.extensions.as_ref()?.get("code")? {
        Value::String(code) => Some(code),
        _ => None,
    }
}

/// Says whether a response answers a request that was not run at all.
///
/// The executor has no flag for it. What it refuses has no data and no path; what failed while running has the path of
/// the field that failed.
pub fn is_request_error(response: &Response) -> bool {
    response.data == Value::Null && !response.errors.is_empty() && response.errors.iter().all(|e| e.path.is_empty())
}

/// Cuts the errors of a request that was not run down to a bounded list in which each has a code.
pub fn trim_request_errors(errors: &mut Vec<ServerError>) {
    errors.truncate(MAX_REQUEST_ERRORS);
    for error in errors {
        shorten(&mut error.message);
        if code_of(error).is_none() {
            set_extension(error, "code", BAD_USER_INPUT);
        }
    }
}

impl From<Refused> for ServerError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Credential(why) => coded(why, UNAUTHENTICATED),
            Refused::Unavailable => coded(refused.to_string(), UNAVAILABLE),
            Refused::TooMany { retry_after } => {
                let mut error = coded(refused.to_string(), RATE_LIMITED);
                set_extension(&mut error, RETRY_AFTER, retry_after.as_secs().max(1));
                error
            }
        }
    }
}

pub(super) fn set_extension(error: &mut ServerError, name: &str, value: impl Into<Value>) {
    error.extensions.get_or_insert_with(ErrorExtensionValues::default).set(name, value);
}

fn shorten(message: &mut String) {
    if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE_CHARS) {
        message.truncate(end);
        message.push_str("...");
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_syntax_error_says_where_and_what_but_does_not_repeat_the_line() {
        let long = format!("{{ a }} {}", "x".repeat(10_000));
        let error = syntax_error(&parse_query(long).unwrap_err());
        assert!(error.message.starts_with("Syntax error at 1:7: expected"), "{}", error.message);
        assert!(error.message.len() < 200, "{}", error.message);
        assert_eq!(error.locations.len(), 1);
        assert_eq!(code_of(&error), Some(BAD_USER_INPUT));
    }

    #[test]
    fn a_name_defined_twice_cannot_make_a_long_message() {
        let name = "n".repeat(10_000);
        let error = syntax_error(&parse_query(format!("query {name} {{ a }} query {name} {{ a }}")).unwrap_err());
        assert!(error.message.chars().count() <= MAX_MESSAGE_CHARS + 3);
    }

    #[test]
    fn request_errors_are_few_short_and_coded() {
        let mut errors: Vec<_> = (0..1_000).map(|_| ServerError::new("é".repeat(5_000), None)).collect();
        trim_request_errors(&mut errors);
        assert_eq!(errors.len(), MAX_REQUEST_ERRORS);
        assert!(errors.iter().all(|e| e.message.chars().count() == MAX_MESSAGE_CHARS + 3));
        assert!(errors.iter().all(|e| code_of(e) == Some(BAD_USER_INPUT)));
    }

    #[test]
    fn a_code_already_given_is_kept() {
        let mut errors = vec![coded("slow down", RATE_LIMITED)];
        trim_request_errors(&mut errors);
        assert_eq!(code_of(&errors[0]), Some(RATE_LIMITED));
    }
}
