//! A file of made-up people in the form that `import users` reads.

use std::io::Write;

use super::{
    forest::{Shape, generate_forest},
    names::name,
};
use crate::{domain::time::Timestamp, engine::import::USER_COLUMNS};

/// Which people to make up.
#[derive(Clone, Debug)]
pub struct UsersSpec {
    /// How many.
    pub people: u32,
    /// Who brings in whom.
    pub shape: Shape,
    /// The same seed gives the same file.
    pub seed: u64,
    /// What external ids begin with; a number from 1 on follows.
    pub prefix: String,
    /// When the first signs up.
    pub since: Timestamp,
    /// When the last has signed up.
    pub until: Timestamp,
}

impl UsersSpec {
    /// The external id of a person, who is counted from 0 on.
    pub fn external_id(&self, person: u32) -> String {
        format!("{}{}", self.prefix, person + 1)
    }

    /// When a person signs up: evenly spread.
    pub fn signed_up_at(&self, person: u32) -> Timestamp {
        let span = i128::from(self.until.micros() - self.since.micros());
        let offset = span * i128::from(person) / i128::from(self.people.max(1));
        self.since.plus_micros(i64::try_from(offset).unwrap_or(0))
    }
}

/// Writes the people as CSV, referrers before those whom they brought in.
pub fn write_users(out: impl Write, spec: &UsersSpec) -> Result<(), csv::Error> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(USER_COLUMNS.names)?;
    let mut edges = generate_forest(spec.people, spec.shape, spec.seed).into_iter().peekable();
    for person in 0..spec.people {
        let parent = edges.next_if(|(child, _)| *child == person).map(|(_, parent)| spec.external_id(parent));
        let (external_id, created_at) = (spec.external_id(person), spec.signed_up_at(person).to_string());
        writer.write_record([
            external_id.as_str(),
            parent.as_deref().unwrap_or_default(),
            "",
            &name(person),
            &created_at,
        ])?;
    }
    writer.flush().map_err(csv::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_an_import_reads() {
        let spec = UsersSpec {
            people: 3,
            shape: Shape::Chain,
            seed: 1,
            prefix: "u-".to_owned(),
            since: Timestamp::parse("2026-01-01").unwrap(),
            until: Timestamp::parse("2026-01-04").unwrap(),
        };
        let mut file = Vec::new();
        write_users(&mut file, &spec).unwrap();
        let expected = "external_id,referrer_external_id,code,display_name,created_at\n\
            u-1,,,Ada Ashgrove,2026-01-01T00:00:00Z\n\
            u-2,u-1,,Bruno Birchall,2026-01-02T00:00:00Z\n\
            u-3,u-2,,Carla Cedarson,2026-01-03T00:00:00Z\n";
        assert_eq!(String::from_utf8(file).unwrap(), expected);
    }
}
