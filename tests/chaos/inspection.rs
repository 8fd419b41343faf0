//! Everything that is stored, held against what was acknowledged and what follows from it.

use diesel::{QueryableByName, sql_types::Text};
use serde_json::{Value, json};

use crate::{
    expected::Expected,
    load::Told,
    support::{Client, Sql, recount},
};

/// Differences that are told.
const MAX_TOLD: usize = 20;
/// Ids that one document may ask for.
const MAX_NODES: usize = 100;

const USERS: &str = "SELECT external_id AS line FROM users";
const CODE_OWNERS: &str = "SELECT external_id AS line FROM users JOIN codes ON codes.user_id = users.id";
const SIGNUPS: &str = "SELECT external_id AS line FROM users JOIN events ON events.user_id = users.id \
    WHERE event_type = 'signup' AND decided_no IS NOT NULL";
const REFERRALS: &str = "SELECT new.external_id || ' by ' || old.external_id || ': ' || referrals.status || ' (' || \
      coalesce(events.key, '') || ')' AS line FROM referrals \
    JOIN users AS new ON new.id = referred_id JOIN users AS old ON old.id = referrer_id \
    LEFT JOIN events ON events.user_id = referred_id AND received_at = completed_at AND event_type = 'purchase'";
const EVENTS: &str = "SELECT key || ': ' || event_type || ' of ' || external_id || ', ' || \
      coalesce(CAST(amount AS text), '-') || ', ' || coalesce(CAST(remaining AS text), '-') AS line \
    FROM events JOIN users ON users.id = events.user_id WHERE event_type <> 'signup'";
const REFUNDS: &str = "SELECT key || ': of ' || event_key || ', ' || coalesce(CAST(amount AS text), '-') || ', ' || \
      coalesce(CAST(applied AS text), '-') AS line FROM refunds";
const REWARDS: &str = "SELECT events.key || ' ' || rule_key || ' ' || CAST(level AS text) || ' to ' || external_id || \
      ': ' || CAST(rewards.amount AS text) || ' ' || CAST(net AS text) || ' ' || rewards.status AS line \
    FROM rewards JOIN events ON events.id = event_id JOIN users ON users.id = rewards.user_id \
    WHERE rewards.currency = 'USD'";
const ACCOUNTS: &str = "SELECT external_id || ': ' || CAST(available AS text) AS line \
    FROM accounts JOIN users ON users.id = user_id \
    WHERE currency = 'USD' AND pending = 0 AND withheld = 0 AND claimed = 0 AND paid = 0 AND debt = 0";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Compares everything; tells the first differences.
pub async fn inspect(sql: &mut Sql, client: &Client, told: &[Vec<Told>]) {
    let expected = Expected::from(told);
    assert!(!expected.rewards.is_empty() && !expected.refused.is_empty(), "the load was too small to show anything");
    let mut differences = Vec::new();
    for (what, text, expected) in [
        ("users", USERS, &expected.users),
        ("codes", CODE_OWNERS, &expected.users),
        ("signups", SIGNUPS, &expected.users),
        ("referrals", REFERRALS, &expected.referrals),
        ("events", EVENTS, &expected.events),
        ("refunds", REFUNDS, &expected.refunds),
        ("rewards", REWARDS, &expected.rewards),
        ("accounts", ACCOUNTS, &expected.accounts),
    ] {
        let mut stored: Vec<String> = sql.load::<Line>(text).await.into_iter().map(|row| row.line).collect();
        stored.sort_unstable();
        compare(what, &stored, expected, &mut differences);
    }
    differences.extend(recount(sql).await);
    differences.truncate(MAX_TOLD);
    assert!(differences.is_empty(), "stored is not what follows:\n{}", differences.join("\n"));
    all_are_found(client, &expected.ids).await;
    board_is(client, &expected).await;
    let ledger = client.insist("{ ledgerCheck { ok differences } }", Value::Null).await;
    assert_eq!(ledger["ledgerCheck"]["ok"], true, "{ledger}");
}

/// Both are sorted; rows that stand twice on one side are told too.
fn compare(what: &str, stored: &[String], expected: &[String], differences: &mut Vec<String>) {
    let (mut left, mut right) = (stored.iter().peekable(), expected.iter().peekable());
    loop {
        match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(one), Some(other)) if one == other => {
                left.next();
                right.next();
            }
            (Some(one), other) if other.is_none_or(|other| one < other) => {
                differences.push(format!("{what}: stored and not expected: {one}"));
                left.next();
            }
            (_, Some(other)) => {
                differences.push(format!("{what}: expected and not stored: {other}"));
                right.next();
            }
            (Some(_), None) => unreachable!("taken above"),
        }
    }
}

/// Everything that was acknowledged is answered by its id.
async fn all_are_found(client: &Client, ids: &[String]) {
    for some in ids.chunks(MAX_NODES) {
        let answer = client.insist("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({"ids": some})).await;
        let found: Vec<&str> =
            answer["nodes"].as_array().expect("nodes").iter().filter_map(|node| node["id"].as_str()).collect();
        assert_eq!(found, some, "of what was acknowledged this is left");
    }
}

/// The leaderboard that is served says the same.
async fn board_is(client: &Client, expected: &Expected) {
    let document = "{ leaderboard(metric: REFERRALS, first: 100) { nodes { score user { externalId } } } }";
    let answer = client.insist(document, Value::Null).await;
    let nodes = answer["leaderboard"]["nodes"].as_array().expect("a board");
    let mut scores: Vec<i64> = expected.board.values().copied().filter(|score| *score > 0).collect();
    scores.sort_unstable_by(|one, other| other.cmp(one));
    assert_eq!(nodes.len(), scores.len().min(100));
    for (node, score) in nodes.iter().zip(scores) {
        let name = node["user"]["externalId"].as_str().expect("a name");
        assert_eq!(node["score"], json!(score.to_string()), "{name}");
        assert_eq!(expected.board[name], score, "{name}");
    }
}
