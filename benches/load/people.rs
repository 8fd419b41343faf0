//! The people that requests are about.

use std::{
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tempfile::NamedTempFile;
use tokio::time::sleep;

use crate::support::Server;

/// How long the worker may take to catch up with an import of a million.
const PATIENCE: Duration = Duration::from_secs(1_200);
const PAUSE: Duration = Duration::from_millis(200);
/// People that are asked about in one request.
const TOGETHER: usize = 25;

/// Who is asked about.
pub struct People {
    /// How many were imported: `user-1` and so on.
    pub number: u32,
    /// Who brought in most.
    pub leaders: Vec<Person>,
    /// Who was brought in by somebody.
    pub referred: Vec<Person>,
}

/// One person.
#[derive(Clone)]
pub struct Person {
    /// Our id.
    pub id: String,
    /// The host's id.
    pub external_id: String,
    /// Their referral code.
    pub code: String,
}

fn banyan() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
    command.env("LOG", "error").stdin(Stdio::null());
    command
}

/// Makes people up, with the product's own command; gives the file that they stand in.
pub fn make_up(people: u32) -> NamedTempFile {
    let file = NamedTempFile::with_prefix("banyan_load").expect("a file for people");
    let lines = file.reopen().expect("the same file");
    let made = banyan().args(["generate", &people.to_string()]).stdout(lines).status();
    assert!(made.expect("starts the product").success(), "no people were made up");
    file
}

/// Imports people with the product's own command; gives the time that it took.
pub fn import(people: &Path, database_url: &str) -> Duration {
    let begun = Instant::now();
    let mut command = banyan();
    command.env("DATABASE_URL", database_url).args(["import", "users"]).arg(people).stdout(Stdio::null());
    assert!(command.status().expect("starts the product").success(), "the import failed");
    begun.elapsed()
}

/// Waits until the boards hold what was imported.
pub async fn all_counted(server: &Server) {
    const DOCUMENT: &str =
        "{ leaderboard(metric: SIGNUPS, first: 1) { version nodes { user { referralCount } score } } }";
    let (client, begun, mut before) = (server.client(), Instant::now(), Value::Null);
    loop {
        let now = client.insist(DOCUMENT, Value::Null).await["leaderboard"].take();
        let first = &now["nodes"][0];
        // Scores are text, for some are sums of money.
        if first["score"].as_str() == Some(&first["user"]["referralCount"].to_string()) && now == before {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "the boards never caught up: {now}");
        before = now;
        sleep(PAUSE * 5).await;
    }
}

/// Waits until the purchases of the first of those who were brought in have paid them.
pub async fn all_rewarded(server: &Server, people: &People, purchases: usize) {
    const DOCUMENT: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { ... on User { balances { available } } } }";
    let (client, begun) = (server.client(), Instant::now());
    let ids: Vec<&str> = people.referred.iter().take(purchases).map(|person| person.id.as_str()).collect();
    for some in ids.chunks(TOGETHER) {
        loop {
            let answer = client.insist(DOCUMENT, json!({"ids": some})).await;
            let nodes = answer["nodes"].as_array().expect("nodes");
            if nodes.iter().all(|node| node["balances"][0]["available"].as_str().is_some_and(|sum| sum != "0.00")) {
                break;
            }
            assert!(begun.elapsed() < PATIENCE, "the purchases never paid: {answer}");
            sleep(PAUSE).await;
        }
    }
}

impl People {
    /// Finds out whom to ask about.
    pub async fn find(server: &Server, number: u32) -> Self {
        const LEADERS: &str = "{ leaderboard(metric: SIGNUPS, first: 100) { nodes { user { id externalId code } } } }";
        const REFERRED: &str = "query($after: String) { users(first: 100, after: $after) { \
            nodes { id externalId code referrer { id } } pageInfo { endCursor hasNextPage } } }";
        let client = server.client();
        let answer = client.insist(LEADERS, Value::Null).await;
        let nodes = answer["leaderboard"]["nodes"].as_array().expect("entries");
        let leaders = nodes.iter().map(|node| Person::of(&node["user"])).collect();
        let (mut referred, mut after) = (Vec::new(), Value::Null);
        loop {
            let page = client.insist(REFERRED, json!({"after": after})).await["users"].take();
            let nodes = page["nodes"].as_array().expect("users").iter();
            referred.extend(nodes.filter(|node| !node["referrer"].is_null()).map(Person::of));
            if page["pageInfo"]["hasNextPage"] != true || referred.len() >= 20_000 {
                break;
            }
            after = page["pageInfo"]["endCursor"].clone();
        }
        Self { number, leaders, referred }
    }
}

impl Person {
    fn of(node: &Value) -> Self {
        let text = |field: &str| node[field].as_str().unwrap_or_default().to_owned();
        Self { id: text("id"), external_id: text("externalId"), code: text("code") }
    }
}
