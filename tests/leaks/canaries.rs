//! Words that occur nowhere else, and what each of them stands for.

/// All that must not be logged.
#[derive(Default)]
pub struct Canaries(Vec<(String, String)>);

impl Canaries {
    /// Makes up a word and remembers it.
    pub fn hide(&mut self, what: &str) -> String {
        // Letters and digits only: it fits into addresses, headers and JSON, and looks the same in all of them.
        let word = format!("canary{}x{}", self.0.len(), what.replace(|symbol: char| !symbol.is_ascii_alphabetic(), ""));
        self.keep(what, &word);
        word
    }

    /// Remembers something that is said as it is.
    pub fn keep(&mut self, what: &str, said: &str) {
        assert!(said.len() > 6, "{what} would be found by chance");
        self.0.push((what.to_owned(), said.to_lowercase()));
    }

    /// The word that stands for something.
    pub fn word(&self, what: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == what);
        found.map(|(_, word)| word.as_str()).unwrap_or_else(|| panic!("no canary for {what}"))
    }

    /// Lines that give something away, and what.
    pub fn found_in(&self, log: &str) -> Vec<String> {
        let mut found = Vec::new();
        for line in log.lines() {
            let lower = line.to_lowercase();
            let here = self.0.iter().filter(|(_, word)| lower.contains(word.as_str()));
            found.extend(here.map(|(what, _)| format!("{what}: {line}")));
        }
        found
    }
}
