//! A house full of people, and the words by which ways are filled in.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

use crate::{
    cast::Part,
    column::Column,
    happenings,
    support::{Actor, Harness, each_backend},
};

/// A house, and what ids and codes the people and things in it have.
pub struct House {
    pub harness: Harness,
    /// `user of ben` is an id, `code of ben` a code, and so on; things that belong to nobody stand under their own word.
    words: BTreeMap<String, String>,
    /// Makes names that nobody used before.
    number: AtomicUsize,
}

/// Tells a story in a full house, on both databases.
pub fn in_the_house(story: impl AsyncFn(&House)) {
    each_backend(async |harness: Harness| {
        let mut house = House { harness, words: BTreeMap::new(), number: AtomicUsize::new(0) };
        happenings::all(&mut house).await;
        story(&house).await;
        house.harness.finish().await;
    });
}

impl House {
    /// Notes the word for something.
    pub fn note(&mut self, word: impl Into<String>, value: impl Into<String>) {
        self.words.insert(word.into(), value.into());
    }

    /// What a word stands for.
    pub fn word(&self, word: &str) -> &str {
        self.words.get(word).unwrap_or_else(|| panic!("nothing in the house is `{word}`: {:?}", self.words.keys()))
    }

    /// All words of one kind with what they stand for: `event of` ...
    pub fn words_of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
        let named = move |word: &'a str| word.strip_prefix(kind)?.strip_prefix(" of ");
        self.words.iter().filter_map(move |(word, value)| Some((named(word)?, value.as_str())))
    }

    /// Fills in the words in angle brackets: `<user>` is the id of the person, `<program>` that of the program, `<n>` a number
    /// that was never used.
    pub fn fill(&self, text: &str, person: &str) -> String {
        let mut parts = text.split('<');
        let mut filled = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let (word, rest) = part.split_once('>').unwrap_or_else(|| panic!("an open bracket in {text}"));
            match word {
                "n" => filled.push_str(&self.number.fetch_add(1, Ordering::SeqCst).to_string()),
                word => filled.push_str(&json!(self.meant(word, person)).to_string()),
            }
            filled.push_str(rest);
        }
        filled
    }

    fn meant(&self, word: &str, person: &str) -> &str {
        let of_person = format!("{word} of {person}");
        if self.words.contains_key(&of_person) { self.word(&of_person) } else { self.word(word) }
    }

    /// Who asks in a column; members ask as Ben, unless it is about themselves.
    pub fn caller(&self, column: Column, person: &str) -> Actor {
        match column {
            Column::Anonymous => self.harness.anonymous(),
            Column::Themselves => self.member(person),
            Column::Above | Column::Below | Column::Stranger => self.member("ben"),
            Column::Server => self.harness.server(),
            Column::Admin => self.harness.admin(),
        }
    }

    pub fn member(&self, person: &str) -> Actor {
        self.harness.member(&Part::of(person).external_id())
    }
}

/// Sends one mutation, which must be done, and gives its payload.
pub async fn deed(actor: &Actor, field: &str, wanted: &str, input: Value) -> Value {
    let (first, rest) = field.split_at(1);
    let kind = format!("{}{rest}Input", first.to_uppercase());
    let document = format!(
        "mutation($input: {kind}!) {{ {field}(input: $input) {{ {wanted} userErrors {{ code message field }} }} }}"
    );
    let mut data = actor.run(&document, json!({ "input": input })).await;
    assert_eq!(data[field]["userErrors"], json!([]), "{field} {input}");
    data[field].take()
}

/// The text at a path of an answer.
pub fn text(answer: &Value, pointer: &str) -> String {
    let found = answer.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} of {answer:#}")).to_owned()
}
