//! The kinds of requests that are measured.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use serde_json::{Value, json};

use crate::{
    Arguments,
    figures::{Figures, Stopwatch},
    people::{People, Person},
    support::Server,
};

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Three levels below somebody who brought in many, ten of each.
    Tree,
    /// The same as nested lists.
    Nested,
    /// A leaderboard of a hundred.
    Board,
    /// What a person's own page shows.
    Page,
    /// Who brought somebody in, and who brought them in.
    Upline,
    /// Somebody new, with a code.
    SignUp,
    /// A purchase.
    RecordEvent,
    /// A claim of all that is there; each person claims once.
    Claim,
}

/// Numbers of the people who sign up here begin after those of the import.
static NEWCOMER: AtomicUsize = AtomicUsize::new(0);

impl Kind {
    /// All of them; purchases come before the claims that they pay for.
    pub const ALL: [Self; 8] =
        [Self::Tree, Self::Nested, Self::Board, Self::Page, Self::Upline, Self::SignUp, Self::RecordEvent, Self::Claim];

    const fn name(self) -> &'static str {
        match self {
            Self::Tree => "tree, depth 3, first 10",
            Self::Nested => "the same as nested lists",
            Self::Board => "board of 100",
            Self::Page => "one user's page",
            Self::Upline => "upline",
            Self::SignUp => "signUp",
            Self::RecordEvent => "recordEvent",
            Self::Claim => "claimRewards",
        }
    }

    const fn document(self) -> &'static str {
        match self {
            Self::Tree => {
                "query($id: ID!) { referralTree(userId: $id, depth: 3, first: 10) { truncated \
                 nodes { level parentId user { id displayName referralCount } } } }"
            }
            Self::Nested => {
                "query($id: ID!) { user(by: {id: $id}) { id referredUsers(first: 10) { nodes { id displayName \
                 referredUsers(first: 10) { nodes { id displayName referredUsers(first: 10) { nodes { id displayName \
                 } } } } } } } }"
            }
            Self::Board => {
                "{ leaderboard(metric: SIGNUPS, first: 100) { version nodes { rank score user { id displayName } } } }"
            }
            Self::Page => {
                "query($id: ID!) { user(by: {id: $id}) { id code link referralCount completedReferralCount \
                 network { size levels { level signups completed } } rank(metric: SIGNUPS) { rank score } \
                 balances { currencyCode available pending } \
                 referrals(first: 10) { totalCount nodes { status createdAt referred { displayName } } } \
                 rewards(first: 10) { nodes { status net { amount currencyCode } } } } }"
            }
            Self::Upline => "query($id: ID!) { user(by: {id: $id}) { id upline { id displayName } } }",
            Self::SignUp => {
                "mutation($input: SignUpInput!) { signUp(input: $input) { created user { id } userErrors { code } } }"
            }
            Self::RecordEvent => {
                "mutation($input: RecordEventInput!) { recordEvent(input: $input) { created event { id } \
                 userErrors { code } } }"
            }
            Self::Claim => {
                "mutation($input: ClaimRewardsInput!) { claimRewards(input: $input) { claims { id amount { amount } } \
                 userErrors { code } } }"
            }
        }
    }

    fn variables(self, people: &People, number: usize) -> Value {
        let leader = pick(&people.leaders, number);
        let referred = pick(&people.referred, number);
        match self {
            Self::Board => Value::Null,
            Self::Tree | Self::Nested | Self::Page => json!({"id": leader.id}),
            Self::Upline => json!({"id": referred.id}),
            Self::SignUp => {
                let place = NEWCOMER.fetch_add(1, Ordering::SeqCst);
                json!({"input": {"externalId": format!("newcomer-{}-{place}", people.number), "code": leader.code}})
            }
            Self::RecordEvent => json!({"input": {
                "externalId": referred.external_id, "type": "purchase", "idempotencyKey": format!("order-{number}"),
                "amount": {"amount": "25.00", "currencyCode": "USD"},
            }}),
            Self::Claim => json!({"input": {"userId": referred.id, "idempotencyKey": "the-only"}}),
        }
    }

    /// Whether an answer is what was asked for.
    fn is_answered_by(self, data: &Value) -> bool {
        match self {
            Self::Tree => data["referralTree"]["nodes"].as_array().is_some_and(|nodes| nodes.len() > 1),
            Self::Nested => data["user"]["referredUsers"]["nodes"][0]["id"].is_string(),
            Self::Board => data["leaderboard"]["nodes"].as_array().is_some_and(|nodes| !nodes.is_empty()),
            Self::Page => data["user"]["referrals"]["nodes"][0]["status"].is_string(),
            Self::Upline => data["user"]["upline"][0]["id"].is_string(),
            Self::SignUp => data["signUp"]["created"] == true,
            Self::RecordEvent => data["recordEvent"]["created"] == true,
            Self::Claim => data["claimRewards"]["claims"].as_array().is_some_and(|claims| claims.len() == 1),
        }
    }

    /// Whether asking changes nothing.
    pub const fn is_read(self) -> bool {
        matches!(self, Self::Tree | Self::Nested | Self::Board | Self::Page | Self::Upline)
    }

    /// How many of these can be asked for at all.
    fn limit(self, people: &People) -> usize {
        match self {
            Self::RecordEvent | Self::Claim => people.referred.len(),
            _ => usize::MAX,
        }
    }
}

fn pick(people: &[Person], number: usize) -> &Person {
    &people[number % people.len()]
}

/// Requests of the measurement from one connection.
const ALONE: usize = 300;

/// Sends requests of a kind from many connections at once.
pub async fn measure(server: &Server, kind: Kind, people: &People, arguments: &Arguments) -> Figures {
    let requests = arguments.requests.min(kind.limit(people));
    send(server, (kind, kind.name()), people, (requests, arguments.connections)).await
}

/// Sends requests of a kind from one connection, so that an answer waits for nothing but itself.
pub async fn measure_alone(server: &Server, kind: Kind, people: &People) -> Figures {
    send(server, (kind, "  from one connection"), people, (ALONE, 1)).await
}

async fn send(
    server: &Server,
    (kind, name): (Kind, &'static str),
    people: &People,
    (requests, connections): (usize, usize),
) -> Figures {
    let next = Arc::new(AtomicUsize::new(0));
    let stopwatch = Stopwatch::start(server.process_id());
    let connection = async || {
        let (client, mut latencies) = (server.client(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            if number >= requests {
                return latencies;
            }
            let variables = kind.variables(people, number);
            let begun = Instant::now();
            let data = client.ask(kind.document(), &variables).await.expect("an answer");
            latencies.push(begun.elapsed());
            assert!(kind.is_answered_by(&data), "{kind:?} {variables}: {data}");
        }
    };
    let connections = (0..connections).map(|_| connection());
    let latencies = futures_util::future::join_all(connections).await.concat();
    stopwatch.stop(name, latencies)
}
