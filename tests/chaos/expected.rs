//! What must follow from what was acknowledged, computed in the simplest way there is: for each person everything in
//! order, and after each thing the first purchase with something left of it is the one that pays (rules 7, 8, 13, 16).

use std::collections::{BTreeMap, HashMap};

use crate::load::Told;

/// What the default program pays: name of the rule, level, cents.
const RULES: [(&str, i32, i64); 2] = [("referrer_bonus", 1, 1_000), ("welcome_bonus", 0, 500)];

/// Lines of text, one for each row that must be there, sorted.
#[derive(Default)]
pub struct Expected {
    /// Who is there.
    pub users: Vec<String>,
    /// `referred by referrer: STATUS (key of the completing event)`.
    pub referrals: Vec<String>,
    /// `key: kind of person, cents, cents left`.
    pub events: Vec<String>,
    /// `key: of event, cents, cents taken`.
    pub refunds: Vec<String>,
    /// `event rule level to person: granted net STATUS`.
    pub rewards: Vec<String>,
    /// `person: cents available`; all other balances are zero.
    pub accounts: Vec<String>,
    /// Completed referrals by referrer.
    pub board: BTreeMap<String, i64>,
    /// Ids of people and events that were acknowledged.
    pub ids: Vec<String>,
    /// Keys of refunds that were refused.
    pub refused: Vec<String>,
}

/// One person.
#[derive(Default)]
struct Person {
    referrer: Option<String>,
    events: Vec<Event>,
}

struct Event {
    key: String,
    is_purchase: bool,
    cents: Option<i64>,
    left: Option<i64>,
    /// Whether it paid once; and whether that still stands.
    paid: bool,
    stands: bool,
}

impl Event {
    /// Without an amount there is nothing to be taken back.
    fn counts(&self) -> bool {
        self.is_purchase && self.left.is_none_or(|left| left > 0)
    }

    /// Takes at most what is left, and says how much that was.
    fn take(&mut self, cents: Option<i64>) -> i64 {
        let left = self.left.unwrap_or(0);
        let taken = cents.unwrap_or(left).min(left);
        self.left = self.left.map(|left| left - taken);
        taken
    }
}

impl Person {
    fn look_again(&mut self) {
        let first = self.events.iter().position(Event::counts);
        for (place, event) in self.events.iter_mut().enumerate() {
            if Some(place) == first && !event.paid {
                (event.paid, event.stands) = (true, true);
            } else if Some(place) != first {
                event.stands = false;
            }
        }
    }
}

/// A refund that waits for its event.
struct Early {
    key: String,
    cents: Option<i64>,
}

impl Expected {
    /// Computes it.
    pub fn from(told: &[Vec<Told>]) -> Self {
        let mut expected = Self::default();
        let mut balances: BTreeMap<String, i64> = BTreeMap::new();
        for one in told {
            // People and their events are one connection's own, so its order is theirs.
            let people = expected.replay(one);
            for (name, person) in &people {
                expected.note(name, person, &mut balances);
            }
        }
        expected.accounts = balances.iter().map(|(name, cents)| format!("{name}: {cents}")).collect();
        for lines in [
            &mut expected.users,
            &mut expected.referrals,
            &mut expected.events,
            &mut expected.refunds,
            &mut expected.rewards,
            &mut expected.accounts,
        ] {
            lines.sort_unstable();
        }
        expected
    }

    fn replay(&mut self, told: &[Told]) -> HashMap<String, Person> {
        let mut people: HashMap<String, Person> = HashMap::new();
        let mut owners: HashMap<String, String> = HashMap::new();
        let mut early: HashMap<String, Vec<Early>> = HashMap::new();
        for one in told.iter().cloned() {
            match one {
                Told::SignedUp { id, external_id, referrer } => {
                    self.users.push(external_id.clone());
                    self.ids.push(id);
                    people.insert(external_id, Person { referrer, ..Person::default() });
                }
                Told::Recorded { id, key, external_id, kind, cents } => {
                    self.ids.push(id);
                    let person = people.get_mut(&external_id).expect("somebody who signed up");
                    owners.insert(key.clone(), external_id);
                    let is_purchase = kind == "purchase";
                    let mut event =
                        Event { key: key.clone(), is_purchase, cents, left: cents, paid: false, stands: false };
                    // It is decided once, on what came too early leaves of it.
                    for Early { key: refund, cents } in early.remove(&key).unwrap_or_default() {
                        let taken = event.take(cents);
                        self.refunds.push(format!("{refund}: of {key}, {}, {taken}", shown(cents)));
                    }
                    person.events.push(event);
                    person.look_again();
                }
                Told::Refunded { key, event_key, cents } => match owners.get(&event_key) {
                    Some(owner) => {
                        let person = people.get_mut(owner).expect("somebody who signed up");
                        self.take_back(person, key, &event_key, cents);
                    }
                    None => early.entry(event_key).or_default().push(Early { key, cents }),
                },
                Told::Refused { key } => self.refused.push(key),
            }
        }
        for (event_key, waiting) in early {
            for Early { key, cents } in waiting {
                self.refunds.push(format!("{key}: of {event_key}, {}, -", shown(cents)));
            }
        }
        people
    }

    fn take_back(&mut self, person: &mut Person, key: String, event_key: &str, cents: Option<i64>) {
        let event = person.events.iter_mut().find(|event| event.key == event_key).expect("an event");
        let taken = event.take(cents);
        person.look_again();
        self.refunds.push(format!("{key}: of {event_key}, {}, {taken}", shown(cents)));
    }

    fn note(&mut self, name: &str, person: &Person, balances: &mut BTreeMap<String, i64>) {
        for Event { key, is_purchase, cents, left, .. } in &person.events {
            let kind = if *is_purchase { "purchase" } else { "email_verified" };
            self.events.push(format!("{key}: {kind} of {name}, {}, {}", shown(*cents), shown(*left)));
        }
        let Some(referrer) = &person.referrer else { return };
        let completing = person.events.iter().find(|event| event.counts());
        let status = completing.map_or("PENDING ()".to_owned(), |event| format!("COMPLETED ({})", event.key));
        self.referrals.push(format!("{name} by {referrer}: {status}"));
        *self.board.entry(referrer.clone()).or_default() += i64::from(completing.is_some());
        for event in person.events.iter().filter(|event| event.paid) {
            for (rule, level, cents) in RULES {
                let to = if level == 0 { name } else { referrer };
                let (net, status) = if event.stands { (cents, "AVAILABLE") } else { (0, "REVERSED") };
                self.rewards.push(format!("{} {rule} {level} to {to}: {cents} {net} {status}", event.key));
                *balances.entry(to.to_owned()).or_default() += net;
            }
        }
    }
}

fn shown(cents: Option<i64>) -> String {
    cents.map_or("-".to_owned(), |cents| cents.to_string())
}
