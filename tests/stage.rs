//! The stage itself: a check that can only pass would let every story pass.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod support;

use std::{panic, panic::AssertUnwindSafe, time::Duration};

use banyan::{domain::time::DAY_MICROS, engine::Clock as _, store::BackendKind};
use support::{Database, Harness, NOON, Sql, each_backend, private_redis, recount};

/// Two people, one of them brought in by the other and rewarded for it; `{a}` and `{b}` are their ids.
const ROWS: &str = "INSERT INTO users (id, external_id, created_at) VALUES ({a}, 'ann', {t}), ({b}, 'ben', {t}); \
    INSERT INTO programs (id, key, name, currency, time_zone, status, version, created_at) \
      VALUES ({p}, 'p', 'P', 'USD', 'UTC', 'ACTIVE', 1, {t}); \
    INSERT INTO referrals (referred_id, referrer_id, program_id, status, via, created_at, completed_at) \
      VALUES ({b}, {a}, {p}, 'COMPLETED', 'CODE', {t}, {u}); \
    INSERT INTO events (id, user_id, seq, event_type, key, fingerprint, occurred_at, received_at, program_active) \
      VALUES ({p}, {b}, 1, 'purchase', 'order-1', {p}, {t}, {u}, {yes}); \
    INSERT INTO rewards (id, user_id, event_id, referred_id, program_id, program_version, rule_key, kind, level, currency, \
        amount, net, status, explanation, available_at, changed_version, created_at) \
      VALUES ({p}, {a}, {p}, {b}, {p}, 1, 'r', 'k', 1, 'USD', 1000, 1000, 'AVAILABLE', '', {t}, 1, {u})";

/// What follows from these rows.
const FOLDED: &str = "INSERT INTO user_totals (user_id, network, network_at, signups_1, completed_1) \
      VALUES ({a}, 1, {t}, 1, 1), ({b}, 0, NULL, 0, 0); \
    INSERT INTO accounts (user_id, currency, available) VALUES ({a}, 'USD', 1000); \
    INSERT INTO transfers (user_id, currency, from_account, to_account, amount, reward_id, reason, created_at) \
      VALUES ({a}, 'USD', 'ISSUER', 'AVAILABLE', 1000, {p}, 'grant', {t}); \
    INSERT INTO board_scores (program_id, metric, period, starts_at, user_id, score, reached_at) VALUES \
      ({p}, 'SIGNUPS', 'ALL_TIME', {t}, {a}, 1, {t}), ({p}, 'REFERRALS', 'ALL_TIME', {t}, {a}, 1, {u}), \
      ({p}, 'REWARDS', 'ALL_TIME', {t}, {a}, 1000, {u}); \
    INSERT INTO board_histogram (program_id, metric, period, starts_at, bucket, users) VALUES \
      ({p}, 'SIGNUPS', 'ALL_TIME', {t}, 1, 1), ({p}, 'REFERRALS', 'ALL_TIME', {t}, 1, 1)";

/// One lie in each kind of stored row, and what tells it.
const LIES: [(&str, &[&str]); 8] = [
    ("UPDATE user_totals SET signups_2 = 1 WHERE network = 1", &["signups_2: stored 1, counted nothing"]),
    ("UPDATE user_totals SET network_at = {u} WHERE network = 1", &["network_at"]),
    ("UPDATE board_scores SET score = 2 WHERE metric = 'SIGNUPS'", &["board: ", "histogram: ", "histogram: "]),
    ("UPDATE board_scores SET reached_at = {t} WHERE metric = 'REFERRALS'", &["REFERRALS"]),
    ("DELETE FROM board_scores WHERE metric = 'REWARDS'", &["stored nothing, counted 1000 at"]),
    ("UPDATE accounts SET available = 900, paid = 100", &["transfers", "transfers", "by rewards", "by rewards"]),
    ("DELETE FROM transfers", &["accounts by transfers"]),
    ("UPDATE rewards SET net = 400", &["board: ", "accounts by rewards"]),
];

/// Puts ids and times into a text, as the database at hand spells them.
fn spell(kind: BackendKind, text: &str) -> String {
    let id = |digit: &str| match kind {
        BackendKind::Sqlite => format!("X'{}'", digit.repeat(32)),
        BackendKind::Postgres => format!("'{}'", digit.repeat(32)),
    };
    let time = |micros: i64| match kind {
        BackendKind::Sqlite => micros.to_string(),
        BackendKind::Postgres => format!("to_timestamp({})", micros / 1_000_000),
    };
    let yes = if kind == BackendKind::Sqlite { "1" } else { "true" };
    let text = text.replace("{a}", &id("a")).replace("{b}", &id("b")).replace("{p}", &id("c")).replace("{yes}", yes);
    text.replace("{t}", &time(NOON.micros())).replace("{u}", &time(NOON.micros() + DAY_MICROS))
}

/// A database with those rows, and a harness that was told of none of them.
async fn told(kind: BackendKind, database: &Database) -> Sql {
    let store = banyan::store::Store::open(&database.url(), &Default::default()).unwrap();
    store.migrate().await.unwrap();
    let mut sql = Sql::connect(&database.url()).await;
    sql.execute(&spell(kind, ROWS)).await;
    sql
}

#[test]
fn a_recount_finds_every_lie() {
    for kind in [BackendKind::Sqlite, BackendKind::Postgres] {
        let Some(database) = Database::fresh(kind) else { continue };
        tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
            let mut sql = told(kind, &database).await;
            let untold = recount(&mut sql).await;
            assert!(untold.iter().any(|line| line.contains("signups_1: stored nothing, counted 1")), "{untold:#?}");
            sql.execute(&spell(kind, FOLDED)).await;
            assert_eq!(recount(&mut sql).await, [""; 0]);
            for (lie, tells) in LIES {
                sql.execute(&format!("BEGIN; {}", spell(kind, lie))).await;
                let told = recount(&mut sql).await;
                assert_eq!(told.len(), tells.len(), "{lie}: {told:#?}");
                assert!(told.iter().zip(tells).all(|(told, tells)| told.contains(tells)), "{lie}: {told:#?}");
                sql.execute("ROLLBACK").await;
            }
        });
    }
}

#[test]
fn a_story_runs_on_databases_of_its_own() {
    let seen = std::sync::Mutex::new(Vec::new());
    each_backend(async |harness| {
        let before = harness.clock().now();
        harness.clock().pass_days(2);
        assert!(harness.clock().now().micros() - before.micros() > 2 * DAY_MICROS);
        assert_eq!(harness.sql().await.number("SELECT count(*) AS number FROM users").await, 0);
        assert_eq!(harness.kind(), harness.store().kind());
        seen.lock().unwrap().push((harness.kind(), harness.database_url()));
        harness.finish().await;
    });
    let seen = seen.into_inner().unwrap();
    assert_eq!(seen[0].0, BackendKind::Sqlite);
    assert_eq!(seen.len(), 1 + usize::from(support::postgres_url().is_some()));
    for (kind, url) in seen {
        assert!(is_gone(kind, &url), "{url} is left");
    }
}

#[test]
fn a_story_without_an_end_fails_and_leaves_nothing() {
    let mut urls = Vec::new();
    for kind in [BackendKind::Sqlite, BackendKind::Postgres] {
        for ends in ["dropped", "panicked"] {
            let Some(database) = Database::fresh(kind) else { continue };
            urls.push((kind, database.url()));
            let story = async {
                let harness = Harness::on(database).await;
                assert_eq!(ends, "dropped", "the story's own failure");
                drop(harness);
            };
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            let failure = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(story))).unwrap_err();
            let text = failure
                .downcast_ref::<String>()
                .map_or_else(|| (*failure.downcast_ref::<&str>().unwrap()).to_owned(), Clone::clone);
            let expected = if ends == "dropped" { "harness.finish()" } else { "the story's own failure" };
            assert!(text.contains(expected), "{text}");
        }
    }
    for (kind, url) in urls {
        assert!(is_gone(kind, &url), "{url} is left");
    }
}

/// Whether a database is there no more.
fn is_gone(kind: BackendKind, url: &str) -> bool {
    match kind {
        BackendKind::Sqlite => !std::path::Path::new(url.trim_start_matches("sqlite://")).exists(),
        BackendKind::Postgres => {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let name = url.rsplit('/').next().unwrap().to_owned();
            runtime.block_on(async move {
                let mut sql = Sql::connect(support::postgres_url().unwrap()).await;
                sql.number(&format!("SELECT count(*) AS number FROM pg_database WHERE datname = '{name}'")).await == 0
            })
        }
    }
}

#[test]
fn a_private_redis_dies_and_comes_back_empty() {
    let Some(mut server) = private_redis() else { return };
    let url = server.url();
    let ask = |command: &[&str]| {
        let limit = Duration::from_secs(2);
        let mut connection = redis::Client::open(url.as_str())?.get_connection_with_timeout(limit)?;
        redis::cmd(command[0]).arg(&command[1..]).query::<Option<String>>(&mut connection)
    };
    ask(&["SET", "leaf", "green"]).unwrap();
    assert_eq!(ask(&["GET", "leaf"]).unwrap().as_deref(), Some("green"));
    server.kill();
    assert!(ask(&["GET", "leaf"]).is_err());
    server.restart();
    assert_eq!(ask(&["GET", "leaf"]).unwrap(), None);
}
