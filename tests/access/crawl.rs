//! Walks to everything that somebody can reach, from every door and by every field, until nothing new is seen.

use std::collections::{BTreeSet, HashSet, VecDeque};

use serde_json::{Value, json};

use crate::{
    ask::at,
    canaries::{for_member, found},
    cast::CAST,
    house::{House, in_the_house},
    matrix::{Way, field_of, read},
    schema::{Field, Schema},
    support::Actor,
};

/// Most steps from a door.
const STEPS_MAX: usize = 16;
/// Most requests of one walk: it has to come to an end by itself.
const REQUESTS_MAX: usize = 20_000;

/// Types that nobody but the host and operators ever meets.
const HIDDEN: [&str; 14] = [
    "ApiKey",
    "AuditEntry",
    "CampaignParameter",
    "Click",
    "EventDecision",
    "FoundSignal",
    "FraudPolicy",
    "FraudSignalPolicy",
    "LedgerCheck",
    "Listing",
    "Review",
    "Risk",
    "Simulation",
    "Transfer",
];

/// What was met on a walk.
#[derive(Default)]
struct Met {
    requests: usize,
    types: BTreeSet<String>,
    /// Canaries, each with the document that brought it.
    canaries: Vec<String>,
    /// Ids of people who were met with something private.
    private: BTreeSet<String>,
}

/// A place to look at: the steps to it, and the type that is there.
type Place = (Vec<String>, String);

struct Walk<'a> {
    schema: &'a Schema,
    actor: Actor,
    canaries: Vec<String>,
    /// Everything with an id that was seen, as it looked.
    seen: HashSet<String>,
    ahead: VecDeque<Place>,
    met: Met,
}

impl Walk<'_> {
    async fn until_nothing_is_new(mut self) -> Met {
        while let Some((steps, of)) = self.ahead.pop_front() {
            assert!(self.met.requests < REQUESTS_MAX, "the walk does not end: {steps:?}");
            self.look(&steps, &of).await;
        }
        self.met
    }

    /// Looks at all plain fields of what is at a place, and goes on from there if anything is new.
    async fn look(&mut self, steps: &[String], of: &str) {
        let schema = self.schema;
        let fields = schema.fields(of);
        let plain = |field: &&Field| schema.fields(&field.of).is_none();
        let selected: Vec<&str> = fields.into_iter().flatten().filter(plain).map(|field| field.name.as_str()).collect();
        let selection = fields.map(|_| format!("__typename {}", selected.join(" ")));
        let document = schema.document(&Way::along(&steps.join(" > ")), selection.as_deref());
        let answer = self.actor.response(&document, json!({})).await;
        self.met.requests += 1;
        let canaries = found(&document, &answer, &self.canaries);
        self.met.canaries.extend(canaries.iter().map(|word| format!("{word} by {document}")));
        let objects = at(&answer["data"], steps.iter().map(|step| field_of(step)));
        let mut new: BTreeSet<String> = BTreeSet::new();
        for object in objects {
            let Some(of) = object["__typename"].as_str() else { continue };
            self.met.types.insert(of.to_owned());
            self.note_private(object);
            // Without an id a thing is part of what it was reached from.
            if object["id"].is_null() || self.seen.insert(object.to_string()) {
                new.insert(of.to_owned());
            }
        }
        if steps.len() < STEPS_MAX {
            new.iter().for_each(|found| self.go_on(steps, (of, found)));
        }
    }

    fn go_on(&mut self, steps: &[String], (expected, found): (&str, &str)) {
        let further = |step: String| steps.iter().cloned().chain([step]).collect();
        if expected != found {
            // Only what the interface has was asked for.
            self.ahead.push_back((further(format!("... on {found}")), found.to_owned()));
            return;
        }
        let (schema, fields) = (self.schema, self.schema.fields(found).unwrap_or_default());
        let objects = fields.iter().filter(|field| schema.fields(&field.of).is_some());
        self.ahead.extend(objects.map(|field| (further(field.name.clone()), field.of.clone())));
    }

    fn note_private(&mut self, object: &Value) {
        let is_private =
            object["__typename"] == "User" && (!object["externalId"].is_null() || !object["code"].is_null());
        if let (true, Some(id)) = (is_private, object["id"].as_str()) {
            self.met.private.insert(id.to_owned());
        }
    }
}

/// Every door of the matrix, about everybody.
fn doors(house: &House, schema: &Schema) -> VecDeque<Place> {
    let matrix = read();
    let queries = matrix.iter().find(|section| section.name == "Query").unwrap();
    let mut doors = BTreeSet::new();
    for way in &queries.ways {
        let of = &schema.field("Query", way.begins_with()).unwrap().of;
        doors.extend(CAST.iter().map(|part| (vec![house.fill(&way.steps[0], part.person)], of.clone())));
    }
    for (noun, of) in [("Referral", "referral"), ("Event", "event"), ("Reward", "reward"), ("Claim", "claim")] {
        let ids = house.words_of(of).map(|(_, id)| id);
        doors.extend(
            ids.map(|id| (vec![format!("node(id: {})", json!(id)), format!("... on {noun}")], noun.to_owned())),
        );
    }
    doors.into_iter().collect()
}

async fn walk(house: &House, schema: &Schema, (actor, canaries): (Actor, Vec<String>)) -> Met {
    let ahead = doors(house, schema);
    Walk { schema, actor, canaries, seen: HashSet::new(), ahead, met: Met::default() }.until_nothing_is_new().await
}

#[test]
fn members_find_themselves_and_nobody_else_s_secrets_wherever_they_walk() {
    in_the_house(async |house: &House| {
        let schema = Schema::read();
        for member in ["ben", "ann", "dan", "hal"] {
            let canaries = for_member(house, member).await;
            let met = walk(house, &schema, (house.member(member), canaries)).await;
            assert!(met.canaries.is_empty(), "{member} was told:\n{}", met.canaries.join("\n"));
            let hidden: Vec<_> = HIDDEN.iter().filter(|of| met.types.contains(**of)).collect();
            assert!(hidden.is_empty(), "{member} met {hidden:?}");
            let own = BTreeSet::from([house.word(&format!("user of {member}")).to_owned()]);
            assert_eq!(met.private, own, "{member} sees themselves whole, and nobody else");
            assert!(met.types.contains("Reward") && met.types.contains("RewardRule"), "{member} met {:?}", met.types);
        }
    });
}

#[test]
fn nobody_learns_nothing_without_a_credential() {
    in_the_house(async |house: &House| {
        let schema = Schema::read();
        let canaries = for_member(house, "lea").await;
        let met = walk(house, &schema, (house.harness.anonymous(), canaries)).await;
        assert!(met.canaries.is_empty(), "somebody was told:\n{}", met.canaries.join("\n"));
        assert_eq!(met.types, BTreeSet::from(["ReferralCodePreview".to_owned()]));
    });
}
