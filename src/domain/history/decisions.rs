//! What was decided about one event.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Decision;

/// Decisions of one event, by rule key and level; each is taken once. Written as JSON, an object of objects.
///
/// There are few of an event, and millions of events: a sorted list takes a small part of the memory of a map of maps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decisions(Vec<OfRule>);

/// The key of a rule, and what was decided for each of its levels.
type OfRule = (Box<str>, Box<[(i32, Decision)]>);

impl Decisions {
    /// None yet.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// How many rules were decided.
    pub const fn rules(&self) -> usize {
        self.0.len()
    }

    /// Whether a rule was decided, whatever came of it.
    pub fn has(&self, rule_key: &str) -> bool {
        self.place(rule_key).is_ok()
    }

    /// What was decided for one level of a rule.
    pub fn at(&self, rule_key: &str, level: i32) -> Option<Decision> {
        let place = self.place(rule_key).ok()?;
        self.0[place].1.iter().find(|(of, _)| *of == level).map(|(_, decision)| *decision)
    }

    /// Notes what was decided for the levels of a rule; what was noted first stays.
    pub fn note(&mut self, rule_key: &str, levels: Vec<(i32, Decision)>) {
        if let Err(place) = self.place(rule_key) {
            self.0.insert(place, (rule_key.into(), levels.into()));
        }
    }

    /// All of them by rule and level.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32, Decision)> {
        self.0
            .iter()
            .flat_map(|(rule, levels)| levels.iter().map(move |(level, decision)| (&**rule, *level, *decision)))
    }

    fn place(&self, rule_key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(key, _)| (**key).cmp(rule_key))
    }
}

impl Serialize for Decisions {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(rule, levels)| (rule, levels.iter().copied().collect::<BTreeMap<_, _>>())))
    }
}

impl<'de> Deserialize<'de> for Decisions {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let rules = BTreeMap::<String, BTreeMap<i32, Decision>>::deserialize(from)?;
        Ok(Self(rules.into_iter().map(|(rule, levels)| (rule.into(), levels.into_iter().collect())).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_written_and_read_by_rule_and_level() {
        let mut decisions = Decisions::none();
        decisions.note("upline", vec![(1, Decision::Granted), (2, Decision::LevelMissing)]);
        decisions.note("bonus", vec![(0, Decision::Zero)]);
        decisions.note("upline", vec![(1, Decision::Zero)]);
        let text = serde_json::to_string(&decisions).unwrap();
        assert_eq!(text, r#"{"bonus":{"0":"ZERO"},"upline":{"1":"GRANTED","2":"LEVEL_MISSING"}}"#);
        assert_eq!(serde_json::from_str::<Decisions>(&text).unwrap(), decisions);
        assert_eq!(decisions.at("upline", 2), Some(Decision::LevelMissing));
        assert_eq!((decisions.at("upline", 3), decisions.at("other", 1)), (None, None));
        assert!(decisions.has("bonus") && !decisions.has("bonu"));
    }
}
