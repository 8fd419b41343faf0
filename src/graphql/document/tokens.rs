//! Counting the tokens of a document before anything is built from it.

use async_graphql::ServerError;

use super::limits::Limits;
use super::refusal::{too_complex, too_many};

/// Counts the tokens of a text; refuses one that is too long, too rich or too deeply nested.
///
/// One pass over the bytes that stops at the first limit. It splits a text as the language does
/// ([Lexical tokens](https://spec.graphql.org/September2025/#sec-Appendix-Grammar-Summary.Lexical-Tokens)) and is
/// lenient where the parser is not: an unterminated string or a stray byte is one token, and the parser refuses it.
pub(super) fn count_tokens(text: &str, limits: &Limits) -> Result<usize, ServerError> {
    if text.len() > limits.text_bytes {
        return Err(too_complex("bytes", text.len() as u64, limits.text_bytes as u64));
    }
    let bytes = text.as_bytes();
    let (mut at, mut tokens, mut open) = (0, 0_usize, 0_usize);
    while at < bytes.len() {
        let (kind, end) = next_token(bytes, at);
        at = end;
        match kind {
            Token::None => continue,
            Token::Open => open += 1,
            Token::Close => open = open.saturating_sub(1),
            Token::Other => {}
        }
        tokens += 1;
        if tokens > limits.tokens {
            return Err(too_many("tokens", limits.tokens as u64));
        }
        if open > limits.nesting {
            return Err(too_many("nesting", limits.nesting as u64));
        }
    }
    Ok(tokens)
}

enum Token {
    /// White space, a comma, a comment or a byte order mark.
    None,
    Open,
    Close,
    Other,
}

/// The token that starts at `at`, and where it ends. Always ends after `at`.
fn next_token(bytes: &[u8], at: usize) -> (Token, usize) {
    match bytes[at] {
        b' ' | b'\t' | b'\n' | b'\r' | b',' => (Token::None, at + 1),
        b'#' => (Token::None, end_of_run(bytes, at, |byte| byte != b'\n' && byte != b'\r')),
        b'{' | b'[' | b'(' => (Token::Open, at + 1),
        b'}' | b']' | b')' => (Token::Close, at + 1),
        b'"' if bytes[at..].starts_with(b"\"\"\"") => (Token::Other, end_of_block_string(bytes, at + 3)),
        b'"' => (Token::Other, end_of_string(bytes, at + 1)),
        b'.' if bytes[at..].starts_with(b"...") => (Token::Other, at + 3),
        b'_' | b'a'..=b'z' | b'A'..=b'Z' => (Token::Other, end_of_run(bytes, at, is_name)),
        b'-' | b'0'..=b'9' => (Token::Other, end_of_run(bytes, at + 1, is_number)),
        0xEF if bytes[at..].starts_with("\u{feff}".as_bytes()) => (Token::None, at + 3),
        _ => (Token::Other, at + 1),
    }
}

fn is_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn is_number(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')
}

fn end_of_run(bytes: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    bytes[from..].iter().position(|&byte| !belongs(byte)).map_or(bytes.len(), |length| from + length)
}

fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        match bytes[at] {
            b'"' => return at + 1,
            b'\n' | b'\r' => return at,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn end_of_block_string(bytes: &[u8], mut at: usize) -> usize {
    while at < bytes.len() {
        if bytes[at..].starts_with(b"\"\"\"") {
            return at + 3;
        }
        at += if bytes[at..].starts_with(b"\\\"\"\"") { 4 } else { 1 };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_counted_as_the_language_splits_them() {
        let table = [
            ("", 0),
            ("{ a }", 3),
            ("{a}", 3),
            ("\u{feff}{ a, b,,, c } # d e f\n", 5),
            ("{ a(x: 1.5e+10, y: -3) }", 11),
            ("...F", 2),
            ("query($x: [Int!]! = [1]) { a @b }", 20),
            (r#"{ a(s: "x { \" y } # z") }"#, 8),
            ("{ a(s: \"\"\"x { \\\"\"\" \" y } # z\n\"\"\") }", 8),
            ("\"unterminated", 1),
            ("\"unterminated\nnext", 2),
            ("\"\"\"unterminated\nnext", 1),
            ("\"ends in a backslash\\", 1),
            ("# only a comment", 0),
            ("\"\u{1F600}\" \u{e9}", 3),
        ];
        for (text, tokens) in table {
            assert_eq!(count_tokens(text, &Limits::default()).unwrap(), tokens, "{text:?}");
        }
    }

    #[test]
    fn brackets_inside_strings_and_comments_do_not_nest() {
        let limits = Limits { nesting: 2, ..Limits::default() };
        assert!(count_tokens("{ a(s: \"[[[[\") # {{{{\n }", &limits).is_ok());
        assert!(count_tokens("{ a(s: [1]) }", &limits).is_err());
        assert!(count_tokens("{ a { b } c { d } }", &limits).is_ok());
    }
}
