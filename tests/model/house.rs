//! The house, seen through its public API.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::{
    history::History,
    operation::RewardName,
    plan::Currency,
    seen::{BalanceSeen, ClaimSeen, DecisionSeen, PersonSeen, RewardSeen},
    support::{Actor, Harness},
};

/// Everybody of a history, in one document: at most eight people, as its cost is bounded.
const EVERYBODY: &str = "query ($search: String!) { users(search: $search, first: 8) { nodes {
    id externalId completedReferralCount referrer { externalId }
    balances { currencyCode pending available withheld claimed paid debt }
    rewards(first: 100) { nodes { id rule level status amount { amount } net { amount currencyCode } event { key } } }
    claims(first: 20) { nodes { status amount { amount currencyCode } netted { amount } } }
} } }";

/// What was decided about the events of one person.
const DECISIONS: &str = "query ($id: ID!) { user(by: {id: $id}) { events(first: 100) { nodes {
    key decisions { rule decision }
} } } }";

/// The house of one history among many: whatever has a name there begins with the history's number.
pub struct House {
    server: Actor,
    admin: Actor,
    prefix: String,
    currencies: Vec<Currency>,
}

/// What is there at one moment.
pub struct Seen {
    /// Everybody, by name.
    pub people: BTreeMap<String, PersonSeen>,
    /// The ids of their rewards.
    pub reward_ids: BTreeMap<RewardName, String>,
}

impl House {
    /// The house for a history.
    pub fn new(harness: &Harness, history: &History) -> Self {
        Self {
            server: harness.server(),
            admin: harness.admin(),
            prefix: format!("h{}-", history.seed),
            currencies: history.plans.iter().map(|plan| plan.currency).collect(),
        }
    }

    /// What something is called in the house.
    pub fn prefixed(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// What a program is called in the house.
    pub fn program_key(&self, place: usize) -> String {
        format!("{}program-{place}", self.prefix)
    }

    /// Runs a mutation as the host's back end and gives its payload.
    pub async fn server(&self, mutation: &str, fields: &str, input: &Value) -> Value {
        mutate(&self.server, mutation, fields, input).await
    }

    /// Runs a mutation as an operator and gives its payload.
    pub async fn admin(&self, mutation: &str, fields: &str, input: &Value) -> Value {
        mutate(&self.admin, mutation, fields, input).await
    }

    /// Looks at everybody.
    pub async fn look(&self) -> Seen {
        let data = self.admin.run(EVERYBODY, json!({"search": self.prefix})).await;
        let nodes = list(&data["users"]["nodes"]);
        let ids = |node: &Value| [&node["id"], &node["externalId"]].map(|id| text(id).to_owned());
        let names = nodes.iter().flat_map(|node| ids(node).map(|id| (id, self.plain(text(&node["externalId"])))));
        let names: BTreeMap<String, String> = names.collect();
        let mut seen = Seen { people: BTreeMap::new(), reward_ids: BTreeMap::new() };
        for node in nodes {
            for reward in list(&node["rewards"]["nodes"]) {
                seen.reward_ids.insert(self.reward_name(reward, &names), text(&reward["id"]).to_owned());
            }
            seen.people.insert(self.plain(text(&node["externalId"])), self.person(node, &names));
        }
        seen
    }

    /// What was decided about somebody's events.
    pub async fn decisions(&self, person: &str, id: &str) -> BTreeSet<DecisionSeen> {
        let data = self.admin.run(DECISIONS, json!({"id": id})).await;
        let names = [id.to_owned(), self.prefixed(person)].map(|id| (id, person.to_owned()));
        let names = BTreeMap::from(names);
        let mut seen = BTreeSet::new();
        for event in list(&data["user"]["events"]["nodes"]) {
            let key = self.event_key(text(&event["key"]), &names);
            for decision in event["decisions"].as_array().into_iter().flatten() {
                seen.insert((key.clone(), text(&decision["rule"]).to_owned(), decision["decision"] == "GRANTED"));
            }
        }
        seen
    }

    fn person(&self, node: &Value, names: &BTreeMap<String, String>) -> PersonSeen {
        let reward = |reward: &Value| RewardSeen {
            name: self.reward_name(reward, names),
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
        let has_netted = claim["netted"].is_object() && claim["status"] != "FAILED";
        ClaimSeen {
            currency: text(currency).to_owned(),
            amount: self.minor(&claim["amount"]["amount"], currency),
            netted: if has_netted { self.minor(&claim["netted"]["amount"], currency) } else { 0 },
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

    fn reward_name(&self, reward: &Value, names: &BTreeMap<String, String>) -> RewardName {
        RewardName {
            event_key: self.event_key(text(&reward["event"]["key"]), names),
            rule: text(&reward["rule"]).to_owned(),
            level: usize::try_from(reward["level"].as_u64().expect("a level")).expect("a level"),
        }
    }

    /// The key of an event without the history's number; that of a signup with the person's name for their id.
    fn event_key(&self, key: &str, names: &BTreeMap<String, String>) -> String {
        match key.strip_prefix("signup:") {
            Some(id) => format!("signup:{}", names.get(id).map_or(id, String::as_str)),
            None => self.plain(key),
        }
    }

    fn plain(&self, name: &str) -> String {
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

async fn mutate(actor: &Actor, mutation: &str, fields: &str, input: &Value) -> Value {
    let mut kind = mutation.to_owned();
    kind[..1].make_ascii_uppercase();
    let document = format!(
        "mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {{ {fields} userErrors {{ code message }} }} }}"
    );
    actor.run(&document, json!({"input": input})).await[mutation].take()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}
