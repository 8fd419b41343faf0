//! One connection of the host: it signs people up and records what they buy and give back, one after the other.
//!
//! What it asks for is made up from a seed. What got no answer is asked again under the same key until there is one, so
//! that at the end everything was acknowledged, whoever died meanwhile.

use std::sync::Arc;

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

use crate::{
    load::{Told, Town},
    support::Client,
};

const SIGN_UP: &str = "mutation($input: SignUpInput!) { signUp(input: $input) { \
    user { id code } created attribution { outcome } userErrors { code message } } }";
const EVENT: &str = "mutation($input: RecordEventInput!) { recordEvent(input: $input) { \
    event { id } created userErrors { code message } } }";
const REFUND: &str = "mutation($input: RecordRefundInput!) { recordRefund(input: $input) { \
    refund { id } created userErrors { code message } } }";

/// A purchase that may be given back.
struct Purchase {
    key: String,
    /// Cents that are left.
    left: i64,
}

/// A request that was answered, to be sent again now and then: the answer must name the same object.
struct Done {
    document: &'static str,
    input: Value,
    id: String,
}

/// One connection.
pub struct Clerk {
    number: usize,
    client: Client,
    town: Arc<Town>,
    rng: StdRng,
    people: Vec<String>,
    purchases: Vec<Purchase>,
    /// A refund whose event is yet to come: the event's key, and what was refunded of it.
    early: Option<(String, Option<i64>)>,
    last: Option<Done>,
    sent: usize,
    told: Vec<Told>,
}

impl Clerk {
    pub fn new(number: usize, client: Client, town: Arc<Town>, seed: u64) -> Self {
        let rng = StdRng::seed_from_u64(seed.wrapping_add(1 + number as u64));
        Self {
            number,
            client,
            town,
            rng,
            people: Vec::new(),
            purchases: Vec::new(),
            early: None,
            last: None,
            sent: 0,
            told: Vec::new(),
        }
    }

    /// Sends requests until there are enough, and says what was acknowledged.
    pub async fn work(mut self) -> Vec<Told> {
        while self.town.has_more() {
            self.sent += 1;
            match self.rng.random_range(0..100) {
                _ if self.early.is_some() => self.record().await,
                _ if self.people.is_empty() => self.sign_up().await,
                0..40 => self.sign_up().await,
                40..78 => self.record().await,
                78..93 => self.refund().await,
                _ => self.repeat().await,
            }
            self.town.answered();
        }
        self.told
    }

    fn name(&self, what: &str) -> String {
        format!("{what}-{}-{}", self.number, self.sent)
    }

    /// Sends until there is an answer; a request under a new key must be done.
    async fn insist(&mut self, document: &'static str, input: Value) -> Value {
        let data = self.client.insist(document, json!({"input": input})).await;
        data.as_object().expect("data").values().next().expect("a payload").clone()
    }

    async fn does(&mut self, document: &'static str, input: Value, object: &str) -> (String, Value) {
        let payload = self.insist(document, input.clone()).await;
        assert_eq!(payload["userErrors"], json!([]), "{input}");
        let id = payload[object]["id"].as_str().expect("an id").to_owned();
        self.last = Some(Done { document, input, id: id.clone() });
        (id, payload)
    }

    async fn sign_up(&mut self) {
        let external_id = self.name("user");
        // A few bring in most, some come with a code that does not exist, and some with none.
        let choice = self.rng.random_range(0..100);
        let rng = &mut self.rng;
        let code = match choice {
            0..8 => None,
            8..60 => self.town.code(|codes| rng.random_range(0..codes.min(4))),
            _ => self.town.code(|codes| rng.random_range(0..codes)),
        };
        let (code, referrer) = match code {
            Some((code, owner)) => (Some(code), Some(owner)),
            None if choice < 4 => (Some("NOTACODE".to_owned()), None),
            None => (None, None),
        };
        let outcome = match (&code, &referrer) {
            (_, Some(_)) => "ATTRIBUTED",
            (Some(_), None) => "CODE_UNKNOWN",
            (None, None) => "NONE",
        };
        let (id, payload) = self.does(SIGN_UP, json!({"externalId": external_id, "code": code}), "user").await;
        assert_eq!(payload["attribution"]["outcome"], outcome, "{external_id}");
        self.town.add_code(payload["user"]["code"].as_str().expect("a code").to_owned(), external_id.clone());
        self.people.push(external_id.clone());
        self.told.push(Told::SignedUp { id, external_id, referrer });
    }

    /// Records a purchase, now and then without an amount or for nothing, or something that pays nobody.
    async fn record(&mut self) {
        let early = self.early.take();
        let external_id = self.people[self.rng.random_range(0..self.people.len())].clone();
        let kind = if early.is_some() || self.rng.random_range(0..10) < 8 { "purchase" } else { "email_verified" };
        let cents = match self.rng.random_range(0..10) {
            0 if early.is_none() => None,
            1 if early.is_none() => Some(0),
            _ => Some(self.rng.random_range(1..20_000)),
        };
        let cents = if kind == "purchase" { cents } else { None };
        let key = early.as_ref().map_or_else(|| self.name("event"), |(key, _)| key.clone());
        let input = json!({"externalId": external_id, "type": kind, "amount": cents.map(usd), "idempotencyKey": key});
        let (id, _) = self.does(EVENT, input, "event").await;
        if let Some(cents) = cents {
            let taken = early.map_or(0, |(_, taken)| taken.unwrap_or(cents).min(cents));
            self.purchases.push(Purchase { key: key.clone(), left: cents - taken });
        }
        self.told.push(Told::Recorded { id, key, external_id, kind, cents });
    }

    /// Gives back a part, all that is left, more than is left, or something that was not recorded yet.
    async fn refund(&mut self) {
        let key = self.name("refund");
        if self.purchases.is_empty() || self.rng.random_range(0..8) == 0 {
            let (event_key, cents) = (self.name("event"), self.part(20_000));
            self.early = Some((event_key.clone(), cents));
            return self.take_back(key, event_key, cents).await;
        }
        let place = self.rng.random_range(0..self.purchases.len());
        let (event_key, left) = (self.purchases[place].key.clone(), self.purchases[place].left);
        if left == 0 || self.rng.random_range(0..10) == 0 {
            return self.ask_too_much(key, event_key, left).await;
        }
        let cents = self.part(left);
        self.purchases[place].left -= cents.unwrap_or(left);
        self.take_back(key, event_key, cents).await;
    }

    /// A part of an amount; or nothing, which means all of it.
    fn part(&mut self, cents: i64) -> Option<i64> {
        if self.rng.random_range(0..3) == 0 { None } else { Some(self.rng.random_range(1..=cents)) }
    }

    async fn take_back(&mut self, key: String, event_key: String, cents: Option<i64>) {
        let input = json!({"eventKey": event_key, "amount": cents.map(usd), "idempotencyKey": key});
        self.does(REFUND, input, "refund").await;
        self.told.push(Told::Refunded { key, event_key, cents });
    }

    async fn ask_too_much(&mut self, key: String, event_key: String, left: i64) {
        let cents = left + self.rng.random_range(1..1_000);
        let input = json!({"eventKey": event_key, "amount": usd(cents), "idempotencyKey": key});
        let payload = self.insist(REFUND, input.clone()).await;
        assert_eq!(payload["userErrors"][0]["code"], "REFUND_EXCEEDS_EVENT", "{input}: {payload}");
        self.told.push(Told::Refused { key });
    }

    /// Asks for the same once more: nothing is made, and the same object comes back.
    async fn repeat(&mut self) {
        let Some(Done { document, input, id }) = self.last.take() else { return self.sign_up().await };
        let payload = self.insist(document, input.clone()).await;
        assert_eq!((&payload["created"], &payload["userErrors"]), (&json!(false), &json!([])), "{input}: {payload}");
        let same = payload.as_object().expect("a payload").values().any(|value| value["id"] == json!(id));
        assert!(same, "{input} made {id}, and then {payload}");
    }
}

fn usd(cents: i64) -> Value {
    json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currencyCode": "USD"})
}
