//! The words of a source file: names and signs, without comments and texts.

/// A name, `::`, or a sign.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// How it is written.
    pub text: String,
    /// The line that it stands on, from 1.
    pub line: usize,
}

impl Word {
    /// Whether this is a name and no sign.
    pub fn is_name(&self) -> bool {
        self.text.starts_with(is_name_start)
    }
}

fn is_name_start(symbol: char) -> bool {
    symbol.is_alphabetic() || symbol == '_'
}

fn is_name_part(symbol: char) -> bool {
    symbol.is_alphanumeric() || symbol == '_'
}

/// Cuts a source file into words.
pub fn of(source: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let (mut rest, mut line) = (source, 1);
    while let Some(first) = rest.chars().next() {
        let length = skipped(rest).unwrap_or_else(|| {
            let length = match first {
                _ if is_name_start(first) => rest.find(|symbol| !is_name_part(symbol)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            words.push(Word { text: rest[..length].to_owned(), line });
            length
        });
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    words
}

/// Bytes of what is no word, if the text begins with such a thing: space, a comment, a text, a character.
fn skipped(rest: &str) -> Option<usize> {
    let first = rest.chars().next()?;
    if first.is_whitespace() {
        return Some(first.len_utf8());
    }
    if rest.starts_with("//") {
        return Some(rest.find('\n').unwrap_or(rest.len()));
    }
    if rest.starts_with("/*") {
        return Some(block_comment(rest));
    }
    raw_text(rest).or_else(|| match first {
        '"' => Some(quoted(rest, '"')),
        '\'' => Some(character_or_lifetime(rest)),
        _ => None,
    })
}

/// Comments nest.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let step = &rest.as_bytes()[at..];
        if step.starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if step.starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// `r"..."`, `r#"..."#`, and both with a `b` or `c` before.
fn raw_text(rest: &str) -> Option<usize> {
    let after_prefix = ["br", "cr", "r"].iter().find_map(|prefix| rest.strip_prefix(prefix))?;
    let body = after_prefix.trim_start_matches('#');
    let marks = after_prefix.len() - body.len();
    let end = format!("\"{}", "#".repeat(marks));
    let inside = body.strip_prefix('"')?;
    Some(inside.find(&end).map_or(rest.len(), |found| rest.len() - inside.len() + found + end.len()))
}

fn quoted(rest: &str, mark: char) -> usize {
    let mut escaped = false;
    for (at, symbol) in rest.char_indices().skip(1) {
        match symbol {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if symbol == mark => return at + mark.len_utf8(),
            _ => {}
        }
    }
    rest.len()
}

/// `'a'` and `'\n'` are characters, `'a` is a lifetime.
fn character_or_lifetime(rest: &str) -> usize {
    let mut symbols = rest.char_indices().skip(1);
    let second = symbols.next().map_or(' ', |(_, symbol)| symbol);
    let closes = symbols.next().is_some_and(|(_, symbol)| symbol == '\'');
    if second == '\\' || closes { quoted(rest, '\'') } else { 1 }
}
