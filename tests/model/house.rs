//! The house, seen through its public API.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    history::History,
    operation::RewardName,
    plan::Currency,
    seen::{BalanceSeen, BookedSeen, ClaimSeen, DecisionSeen, PersonSeen, RewardSeen},
    support::{Actor, Harness, Sql},
};

/// Everybody of a history, in one document: at most eight people, as its cost is bounded. And what was decided about the
/// events of one of them, if it is asked for.
const EVERYBODY: &str =
    "query ($search: String!, $id: ID!, $decided: Boolean!) { users(search: $search, first: 8) { nodes {
    id externalId completedReferralCount referrer { externalId }
    balances { currencyCode pending available withheld claimed paid debt }
    rewards(first: 100) { nodes { id rule level status amount { amount } net { amount currencyCode } event { key } } }
    claims(first: 20) { nodes { status amount { amount currencyCode } netted { amount } credited { amount } } }
} } user(by: {id: $id}) @include(if: $decided) { id events(first: 100) { nodes {
    key decisions { rule decision }
} } } }";

/// How often a busy database is asked again, and the pause before.
const ATTEMPTS: u32 = 100;
const PAUSE: Duration = Duration::from_millis(50);

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub enum By {
    /// The host's back end.
    Server,
    /// An operator.
    Admin,
}

/// A mutation to be asked for.
#[derive(Clone, Debug)]
pub struct Errand {
    /// By whom.
    pub by: By,
    /// Its name.
    pub mutation: &'static str,
    /// What is wanted of its payload, besides `userErrors`.
    pub fields: &'static str,
    /// Its input.
    pub input: Value,
}

/// An id for when nobody's decisions are asked for.
const NOBODY: &str = "nobody";

/// The house of one history among many: whatever has a name there begins with the history's number.
pub struct House {
    server: Actor,
    admin: Actor,
    /// A connection of the test's own.
    pub sql: Sql,
    prefix: String,
    currencies: Vec<Currency>,
    /// What people are called, by their ids.
    names: BTreeMap<String, String>,
}

/// What is there at one moment.
pub struct Seen {
    /// Everybody, by name.
    pub people: BTreeMap<String, PersonSeen>,
    /// The ids of their rewards.
    pub reward_ids: BTreeMap<RewardName, String>,
    /// What the ledger says of them; the API was not asked for that.
    pub booked: Option<BTreeSet<BookedSeen>>,
    /// What was decided about the events of whom was asked for.
    pub decisions: BTreeSet<DecisionSeen>,
}

impl House {
    /// The house for a history.
    pub async fn new(harness: &Harness, history: &History) -> Self {
        Self {
            sql: harness.sql().await,
            server: harness.server(),
            admin: harness.admin(),
            prefix: format!("h{}-", history.seed),
            currencies: history.plans.iter().map(|plan| plan.currency).collect(),
            names: BTreeMap::new(),
        }
    }

    /// Somebody is there from now on.
    pub fn welcome(&mut self, id: &str, name: String) {
        self.names.insert(id.to_owned(), name);
    }

    /// What something is called in the house.
    pub fn prefixed(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// What a program is called in the house.
    pub fn program_key(&self, place: usize) -> String {
        format!("{}program-{place}", self.prefix)
    }

    /// Runs an errand and gives the payload of its mutation.
    pub async fn run(&self, errand: &Errand) -> Value {
        mutate(self.actor(errand.by), errand.mutation, errand.fields, &errand.input).await
    }

    fn actor(&self, by: By) -> &Actor {
        match by {
            By::Server => &self.server,
            By::Admin => &self.admin,
        }
    }

    /// The host's back end and an operator, for tasks of their own.
    pub fn actors(&self) -> [Actor; 2] {
        [self.server.clone(), self.admin.clone()]
    }

    /// Runs a mutation as an operator and gives its payload.
    pub async fn admin(&self, mutation: &str, fields: &str, input: &Value) -> Value {
        mutate(&self.admin, mutation, fields, input).await
    }

    /// Looks at everybody, and at what was decided about the events of one of them.
    pub async fn look(&self, decided: Option<&str>) -> Seen {
        let variables = json!({"search": self.prefix, "id": decided.unwrap_or(NOBODY), "decided": decided.is_some()});
        let data = self.admin.run(EVERYBODY, variables).await;
        let nodes = list(&data["users"]["nodes"]);
        let mut seen = Seen {
            people: BTreeMap::new(),
            reward_ids: BTreeMap::new(),
            booked: None,
            decisions: self.decisions(&data["user"]),
        };
        for node in nodes {
            for reward in list(&node["rewards"]["nodes"]) {
                seen.reward_ids.insert(self.reward_name(reward), text(&reward["id"]).to_owned());
            }
            seen.people.insert(self.plain(text(&node["externalId"])), self.person(node));
        }
        seen
    }

    /// What was decided about somebody's events.
    fn decisions(&self, user: &Value) -> BTreeSet<DecisionSeen> {
        let mut seen = BTreeSet::new();
        for event in user["events"]["nodes"].as_array().into_iter().flatten() {
            let key = self.event_key(text(&event["key"]));
            for decision in event["decisions"].as_array().into_iter().flatten() {
                seen.insert((key.clone(), text(&decision["rule"]).to_owned(), decision["decision"] == "GRANTED"));
            }
        }
        seen
    }

    fn person(&self, node: &Value) -> PersonSeen {
        let reward = |reward: &Value| RewardSeen {
            name: self.reward_name(reward),
            amount: self.minor(&reward["amount"]["amount"], &reward["net"]["currencyCode"]),
            net: self.minor(&reward["net"]["amount"], &reward["net"]["currencyCode"]),
            status: text(&reward["status"]).to_owned(),
        };
        let mut claims: Vec<ClaimSeen> = list(&node["claims"]["nodes"]).iter().map(|claim| self.claim(claim)).collect();
        claims.sort();
        PersonSeen {
            referrer: node["referrer"]["externalId"].as_str().map(|id| self.plain(id)),
            completed: usize::try_from(node["completedReferralCount"].as_u64().expect("a count")).expect("a count"),
            balances: list(&node["balances"]).iter().map(|balance| self.balance(balance)).collect(),
            rewards: list(&node["rewards"]["nodes"]).iter().map(reward).collect(),
            claims,
        }
    }

    fn claim(&self, claim: &Value) -> ClaimSeen {
        let currency = &claim["amount"]["currencyCode"];
        let unless_failed = |what: &str| match claim["status"].as_str() {
            Some("FAILED") => 0,
            _ => self.minor(&claim[what]["amount"], currency),
        };
        ClaimSeen {
            currency: text(currency).to_owned(),
            amount: self.minor(&claim["amount"]["amount"], currency),
            netted: unless_failed("netted"),
            credited: unless_failed("credited"),
            status: text(&claim["status"]).to_owned(),
        }
    }

    fn balance(&self, balance: &Value) -> (String, BalanceSeen) {
        let of = |what: &str| self.minor(&balance[what], &balance["currencyCode"]);
        let seen = BalanceSeen {
            pending: of("pending"),
            available: of("available"),
            withheld: of("withheld"),
            claimed: of("claimed"),
            paid: of("paid"),
            debt: of("debt"),
        };
        (text(&balance["currencyCode"]).to_owned(), seen)
    }

    fn reward_name(&self, reward: &Value) -> RewardName {
        RewardName {
            event_key: self.event_key(text(&reward["event"]["key"])),
            rule: text(&reward["rule"]).to_owned(),
            level: usize::try_from(reward["level"].as_u64().expect("a level")).expect("a level"),
        }
    }

    /// The key of an event without the history's number; that of a signup with the person's name for their id.
    pub fn event_key(&self, key: &str) -> String {
        match key.strip_prefix("signup:") {
            Some(id) => format!("signup:{}", self.names.get(id).map_or(id, String::as_str)),
            None => self.plain(key),
        }
    }

    /// The name of something without the history's number.
    pub fn plain(&self, name: &str) -> String {
        name.strip_prefix(&self.prefix).unwrap_or(name).to_owned()
    }

    /// A currency of the history by its code.
    pub fn currency(&self, code: &str) -> Currency {
        let found = self.currencies.iter().find(|currency| currency.code == code);
        *found.unwrap_or_else(|| panic!("nobody has ever had {code}"))
    }

    /// An amount in minor units, exactly.
    fn minor(&self, amount: &Value, currency: &Value) -> i64 {
        let places = self.currency(text(currency)).exponent;
        let (whole, fraction) = text(amount).split_once('.').unwrap_or((text(amount), ""));
        let is_short = fraction.len() <= places;
        assert!(is_short, "{amount} is finer than {currency}");
        format!("{whole}{fraction:0<places$}").parse().unwrap_or_else(|_| panic!("{amount} is not an amount"))
    }
}

/// Runs an errand until the database has time for it, as a host would.
pub async fn insist([server, admin]: [&Actor; 2], errand: &Errand) -> Value {
    let actor = match errand.by {
        By::Server => server,
        By::Admin => admin,
    };
    let document = document(errand.mutation, errand.fields);
    for _ in 0..ATTEMPTS {
        let mut response = actor.response(&document, json!({"input": errand.input})).await;
        match response["errors"][0]["extensions"]["code"].as_str() {
            None => return response["data"][errand.mutation].take(),
            Some("UNAVAILABLE") => sleep(PAUSE).await,
            Some(_) => panic!("{document} {} failed: {response:#}", errand.input),
        }
    }
    panic!("the database stayed away from {document} {}", errand.input);
}

async fn mutate(actor: &Actor, mutation: &str, fields: &str, input: &Value) -> Value {
    actor.run(&document(mutation, fields), json!({"input": input})).await[mutation].take()
}

fn document(mutation: &str, fields: &str) -> String {
    let mut kind = mutation.to_owned();
    kind[..1].make_ascii_uppercase();
    format!(
        "mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message }} }} }}"
    )
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
