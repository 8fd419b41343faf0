//! One connection of the host: round after round somebody signs up, buys, gives back, claims and is paid.
//!
//! What got no answer is asked again under the same key until there is one, so that at the end everything is known,
//! whenever the server died.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use banyan::{
    domain::time::{DAY_MICROS, SECOND_MICROS},
    engine::{
        Clock as _, Engine, SystemClock,
        import::{ImportError, Payment, Silent},
    },
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{ADMIN_KEY, Client};

const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { user { id code } userErrors { code } } }";
const EVENT: &str =
    "mutation($input: RecordEventInput!) { recordEvent(input: $input) { event { id } userErrors { code } } }";
const REFUND: &str =
    "mutation($input: RecordRefundInput!) { recordRefund(input: $input) { refund { id } userErrors { code } } }";
const CLAIM: &str = "mutation($input: ClaimRewardsInput!) { claimRewards(input: $input) { \
    claims { id amount { amount } } userErrors { code } } }";
const SETTLE: &str =
    "mutation($input: SettleClaimInput!) { settleClaim(input: $input) { claim { status } userErrors { code } } }";

/// People of one chain, before another begins.
const CHAIN_LENGTH: usize = 5;
/// Between two rounds: the machine is shared with the server.
const PAUSE: Duration = Duration::from_millis(20);
/// Holds of a day end, and what lapses after a day does, this long after they were imported.
const DUE_SECONDS: i64 = 2;
/// How often an import is begun again, and the pause before.
const IMPORT_ATTEMPTS: u32 = 100;
const IMPORT_PAUSE: Duration = Duration::from_millis(50);

/// What all connections share.
pub struct Desk {
    pub address: String,
    /// Imports beside the server; nobody kills it.
    pub engine: Engine,
    is_closed: AtomicBool,
}

impl Desk {
    pub fn new(address: String, engine: Engine) -> Self {
        Self { address, engine, is_closed: AtomicBool::new(false) }
    }

    /// Everybody ends the round they are in.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }
}

/// What was acknowledged.
#[derive(Clone, Debug)]
pub enum Told {
    /// Somebody signed up, brought in by somebody of the same connection or not.
    SignedUp { name: String, referrer: Option<String> },
    /// Somebody bought something for so many cents.
    Bought { name: String, key: String, cents: i64 },
    /// So many cents of a purchase were given back.
    Refunded { event_key: String, cents: i64 },
    /// Something without an amount happened: `visit`, `trial` or `voucher`.
    Happened { name: String, kind: &'static str, key: String },
    /// A claim was made.
    Claimed { name: String, id: String, cents: i64 },
    /// It ended.
    Settled { id: String, status: &'static str },
}

struct Person {
    name: String,
    id: String,
    code: String,
}

/// One connection.
pub struct Clerk {
    number: usize,
    desk: Arc<Desk>,
    client: Client,
    rng: StdRng,
    round: usize,
    people: Vec<Person>,
    told: Vec<Told>,
}

impl Clerk {
    pub fn new(number: usize, desk: Arc<Desk>) -> Self {
        let client = Client::new(desk.address.clone(), ADMIN_KEY);
        let rng = StdRng::seed_from_u64(number as u64);
        Self { number, desk, client, rng, round: 0, people: Vec::new(), told: Vec::new() }
    }

    /// Works until the desk is closed, and says what was acknowledged.
    pub async fn work(mut self) -> Vec<Told> {
        while !self.desk.is_closed.load(Ordering::SeqCst) {
            self.round += 1;
            self.serve().await;
            sleep(PAUSE).await;
        }
        self.told
    }

    async fn serve(&mut self) {
        let name = format!("p-{}-{}", self.number, self.round);
        let above = (self.round % CHAIN_LENGTH != 1).then(|| self.people.len().checked_sub(1)).flatten();
        let person = self.sign_up(name.clone(), above).await;
        self.people.push(person);
        self.buy(&name).await;
        for visit in 0..2 {
            self.happens(&name, "visit", format!("visit-{visit}-{name}")).await;
        }
        // Somebody who never claims, so that what they have lapses.
        let idle = format!("v-{}-{}", self.number, self.round);
        self.sign_up(idle.clone(), Some(self.people.len() - 1)).await;
        for visit in 0..2 {
            self.happens(&idle, "visit", format!("visit-{visit}-{idle}")).await;
        }
        self.import(&name, &idle).await;
        self.claim().await;
    }

    async fn done(&mut self, document: &str, input: Value) -> Value {
        let data = self.client.insist(document, json!({"input": input})).await;
        let payload = data.as_object().expect("data").values().next().expect("a payload").clone();
        assert_eq!(payload["userErrors"], json!([]), "{input}");
        payload
    }

    async fn sign_up(&mut self, name: String, above: Option<usize>) -> Person {
        let above = above.map(|place| &self.people[place]);
        let (code, referrer) = (above.map(|person| person.code.clone()), above.map(|person| person.name.clone()));
        let payload = self.done(SIGN_UP, json!({"externalId": name, "code": code})).await;
        self.told.push(Told::SignedUp { name: name.clone(), referrer });
        let text = |field: &str| payload["user"][field].as_str().expect("a text").to_owned();
        Person { name, id: text("id"), code: text("code") }
    }

    /// A purchase, and a part of it given back now and then.
    async fn buy(&mut self, name: &str) {
        let (key, cents) = (format!("order-{name}"), self.rng.random_range(1_000..20_000));
        let input = json!({"externalId": name, "type": "purchase", "amount": usd(cents), "idempotencyKey": key});
        self.done(EVENT, input).await;
        self.told.push(Told::Bought { name: name.to_owned(), key: key.clone(), cents });
        let mut left = cents;
        for number in 0..self.rng.random_range(0..3) {
            let cents = self.rng.random_range(1..left / 2);
            let input = json!({"eventKey": key, "amount": usd(cents), "idempotencyKey": format!("{key}-{number}")});
            self.done(REFUND, input).await;
            self.told.push(Told::Refunded { event_key: key.clone(), cents });
            left -= cents;
        }
    }

    async fn happens(&mut self, name: &str, kind: &'static str, key: String) {
        self.done(EVENT, json!({"externalId": name, "type": kind, "idempotencyKey": key})).await;
        self.told.push(Told::Happened { name: name.to_owned(), kind, key });
    }

    /// What happened nearly a day ago, from a file: its hold is about to end, or it is about to lapse.
    async fn import(&mut self, name: &str, idle: &str) {
        let at = SystemClock.now().plus_micros(DUE_SECONDS * SECOND_MICROS - DAY_MICROS);
        let rows = [(name, "trial", format!("trial-{name}")), (idle, "voucher", format!("voucher-{idle}"))];
        let mut file = "external_id,type,idempotency_key,occurred_at\n".to_owned();
        for (name, kind, key) in &rows {
            file += &format!("{name},{kind},{key},{at}\n");
        }
        for _ in 0..IMPORT_ATTEMPTS {
            let source = std::io::Cursor::new(file.clone().into_bytes());
            match self.desk.engine.import_events(source, Payment::AsRecorded, &Silent).await {
                Ok(summary) => {
                    assert_eq!((summary.tally.rows, summary.tally.bad), (2, 0), "{summary}");
                    let happened = |(name, kind, key)| Told::Happened { name: String::from(name), kind, key };
                    return self.told.extend(rows.map(happened));
                }
                Err(ImportError::Engine(_)) => sleep(IMPORT_PAUSE).await,
                Err(other) => panic!("{other}"),
            }
        }
        panic!("the import never came to its end");
    }

    /// Somebody claims what they have, and it is paid, fails, or waits.
    async fn claim(&mut self) {
        let person = &self.people[self.rng.random_range(0..self.people.len())];
        let (name, key) = (person.name.clone(), format!("claim-{}-{}", self.number, self.round));
        let input = json!({"userId": person.id, "idempotencyKey": key});
        let payload = self.client.insist(CLAIM, json!({"input": input})).await["claimRewards"].take();
        let claims = payload["claims"].as_array().expect("claims").clone();
        let refusal = payload["userErrors"][0]["code"].as_str();
        let is_fine = if claims.is_empty() {
            refusal.is_some_and(|code| ["NOTHING_TO_CLAIM", "DEBT_OUTSTANDING"].contains(&code))
        } else {
            refusal.is_none()
        };
        assert!(is_fine, "{payload}");
        for claim in claims {
            let id = claim["id"].as_str().expect("an id").to_owned();
            let cents = claim["amount"]["amount"].as_str().expect("an amount").replace('.', "").parse().expect("cents");
            self.told.push(Told::Claimed { name: name.clone(), id: id.clone(), cents });
            let (status, reference) = match self.rng.random_range(0..5) {
                0 => continue,
                1 => ("FAILED", None),
                _ => ("PAID", Some(format!("payout of {key}"))),
            };
            let settled = self.done(SETTLE, json!({"claimId": id, "outcome": status, "reference": reference})).await;
            assert_eq!(settled["claim"]["status"], status);
            self.told.push(Told::Settled { id, status });
        }
    }
}

fn usd(cents: i64) -> Value {
    json!({"amount": format!("{}.{:02}", cents / 100, cents % 100), "currencyCode": "USD"})
}
