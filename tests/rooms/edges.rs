//! From which room to which room the paths of a source file lead.

use std::path::Path;

use super::words::Word;

/// Where a file stands in the tree of modules.
pub struct Place(Vec<String>);

impl Place {
    /// The module of a file, by its path below `src`.
    pub fn of(file: &Path) -> Self {
        let mut modules: Vec<String> =
            file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
        modules.pop_if(|last| last == "mod");
        Self(modules)
    }

    /// The room of the file.
    pub fn room(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}

/// A path that leads to a room.
#[derive(Debug, PartialEq, Eq)]
pub struct Edge {
    /// The room; `crate` or `*` where a path takes the whole house.
    pub to: String,
    /// The line on which the room is named.
    pub line: usize,
}

/// Every path that begins at the root of the crate, by `crate` or by as many `super` as it takes.
pub fn of(place: &Place, words: &[Word]) -> Vec<Edge> {
    let mut edges = Vec::new();
    let mut modules = Modules::default();
    let mut at = 0;
    while at < words.len() {
        modules.step(words, at);
        let Some(reached) = root_path(words, at, place.0.len() + modules.open.len()) else {
            at += 1;
            continue;
        };
        name_rooms(&words[reached..], &mut edges);
        at = reached.max(at + 1);
    }
    edges
}

/// The inline modules around a word.
#[derive(Default)]
struct Modules {
    depth: usize,
    /// Depth of braces around each.
    open: Vec<usize>,
}

impl Modules {
    fn step(&mut self, words: &[Word], at: usize) {
        match words[at].text.as_str() {
            "{" => {
                let is_module = at >= 2 && words[at - 2].text == "mod" && words[at - 1].is_name();
                if is_module {
                    self.open.push(self.depth);
                }
                self.depth += 1;
            }
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                self.open.pop_if(|depth| *depth == self.depth);
            }
            _ => {}
        }
    }
}

/// Where a path that begins here goes on below the root of the crate; nothing when no such path begins here.
fn root_path(words: &[Word], at: usize, depth: usize) -> Option<usize> {
    let text = |place: usize| words.get(place).map_or("", |word| word.text.as_str());
    if text(at) == "crate" {
        return match text(at + 1) {
            "::" => Some(at + 2),
            "as" => Some(at),
            _ => None,
        };
    }
    let begins = text(at) == "super" && (at == 0 || text(at - 1) != "::");
    let climbs = (0..).take_while(|step| text(at + 2 * step) == "super" && text(at + 2 * step + 1) == "::").count();
    (begins && climbs >= depth).then_some(at + 2 * climbs)
}

/// The first names of a path or of a group of paths.
fn name_rooms(words: &[Word], edges: &mut Vec<Edge>) {
    let mut name = |word: &Word| {
        let to = if word.text == "self" { "crate" } else { &word.text };
        edges.push(Edge { to: to.to_owned(), line: word.line });
    };
    let Some(first) = words.first() else { return };
    if first.text != "{" {
        return name(first);
    }
    let mut depth = 0_usize;
    for (place, word) in words.iter().enumerate() {
        match word.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ if depth == 1 && matches!(words[place - 1].text.as_str(), "{" | ",") => name(word),
            _ => {}
        }
        if depth == 0 {
            return;
        }
    }
}
