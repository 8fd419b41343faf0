//! Everything that is stored, held against what follows from what was acknowledged.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use banyan::{
    domain::id::{Id, Noun},
    store::sql_types::Uuid,
};
use diesel::{QueryableByName, sql_types::Text};
use tokio::time::sleep;

use crate::{
    clerk::{Desk, Told},
    expected::Expected,
    support::{Sql, recount},
};

/// How long folding and holds may take after the last request.
const DRAIN_LIMIT: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(100);
/// Differences that are told.
const MAX_TOLD: usize = 20;

/// Places where something waits.
const WAITING: [&str; 5] = [
    "outbox",
    "board_deltas",
    "uncounted",
    "rewards WHERE status = 'PENDING'",
    "rewards WHERE rule_key = 'lapsing' AND status <> 'EXPIRED'",
];

const REWARDS: &str = "SELECT events.key || ' ' || rule_key || ' ' || CAST(level AS text) || ' to ' || external_id || \
      ': ' || CAST(rewards.amount AS text) || ' ' || CAST(net AS text) AS line \
    FROM rewards JOIN events ON events.id = event_id JOIN users ON users.id = rewards.user_id WHERE rule_key <> 'visit'";
const CAPPED: &str = "SELECT external_id || ': ' || CAST(count(*) AS text) || ', ' || CAST(sum(net) AS text) AS line \
    FROM rewards JOIN users ON users.id = rewards.user_id WHERE rule_key = 'visit' GROUP BY external_id";
const ACCOUNTS: &str = "SELECT external_id || ': ' || CAST(claimed AS text) || ' ' || CAST(paid AS text) || ' ' || \
      CAST(pending + available + withheld - debt AS text) AS line FROM accounts JOIN users ON users.id = user_id";
const CLAIMS: &str = "SELECT claims.id AS id, ' of ' || external_id || ': ' || CAST(amount AS text) || ' ' || \
      claims.status AS line FROM claims JOIN users ON users.id = user_id";

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct ClaimLine {
    #[diesel(sql_type = Uuid)]
    id: Id,
    #[diesel(sql_type = Text)]
    line: String,
}

/// Waits until nothing waits, and compares everything; tells the first differences.
pub async fn inspect(url: &str, desk: &Desk, told: &[Vec<Told>]) {
    let mut sql = Sql::connect(url).await;
    settled(&mut sql).await;
    let expected = Expected::from(told);
    let counts = [expected.rewards.len(), expected.capped.len(), expected.claims.len(), expected.accounts.len()];
    eprintln!("{counts:?} rewards, people under a cap, claims and accounts are as expected");
    assert!(counts.iter().all(|count| *count > 10), "the load was too small to show anything: {counts:?}");
    let mut differences = Vec::new();
    for (what, text, expected) in [
        ("reward", REWARDS, &expected.rewards),
        ("capped", CAPPED, &expected.capped),
        ("account", ACCOUNTS, &expected.accounts),
    ] {
        let stored = sql.load::<Line>(text).await.into_iter().map(|row| row.line).collect();
        compare(what, stored, expected, &mut differences);
    }
    let claims = sql.load::<ClaimLine>(CLAIMS).await;
    let claims = claims.into_iter().map(|row| format!("{}{}", row.id.typed(Noun::Claim), row.line)).collect();
    compare("claim", claims, &expected.claims, &mut differences);
    differences.extend(recount(&mut sql).await);
    differences.extend(desk.engine.verify().await.unwrap());
    differences.truncate(MAX_TOLD);
    assert!(differences.is_empty(), "stored is not what follows:\n{}", differences.join("\n"));
}

/// Waits until nothing waits. What was given up fails the test.
async fn settled(sql: &mut Sql) {
    let begun = Instant::now();
    loop {
        let parked = sql.number("SELECT count(*) AS number FROM outbox WHERE parked").await;
        assert_eq!(parked, 0, "folding gave somebody up");
        let mut waiting = Vec::new();
        for place in WAITING {
            waiting.push(sql.number(&format!("SELECT count(*) AS number FROM {place}")).await);
        }
        if waiting.iter().all(|number| *number == 0) {
            return;
        }
        assert!(begun.elapsed() < DRAIN_LIMIT, "still waiting in {WAITING:?}: {waiting:?}");
        sleep(PAUSE).await;
    }
}

/// Rows of a set; none can stand twice, since each line holds a unique key.
fn compare(what: &str, mut stored: Vec<String>, expected: &[String], differences: &mut Vec<String>) {
    stored.sort_unstable();
    let (left, right): (BTreeSet<&String>, BTreeSet<&String>) = (stored.iter().collect(), expected.iter().collect());
    if left.len() != stored.len() {
        differences.push(format!("{what}: a line stands twice"));
    }
    differences.extend(left.difference(&right).map(|line| format!("{what}: stored and not expected: {line}")));
    differences.extend(right.difference(&left).map(|line| format!("{what}: expected and not stored: {line}")));
}
