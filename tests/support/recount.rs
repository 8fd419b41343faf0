//! Counting everything again from the rows, in plain SQL that shares nothing with the house.
//!
//! Stored and recounted are asked for as the same kind of lines, `what | value`, and whatever stands on one side alone is
//! a difference. One text serves both databases, so what they say differently is left to the reading of the rows.

use std::{collections::BTreeMap, fmt::Display};

use banyan::{
    domain::{id::Id, time::Timestamp},
    store::sql_types::{Int4, Int8, Nullable, Text, Timestamptz, Uuid},
};
use diesel::QueryableByName;

use super::sql::Sql;

/// Levels of a network.
const LEVELS: i32 = 10;

/// Most differences that are told; the rest is counted.
const MAX_TOLD: usize = 50;

/// Everybody below everybody, down to the last level; what is rejected counts nowhere, but what is below it does.
const NETWORKS: &str = "WITH RECURSIVE below (root, id, level) AS ( \
      SELECT referrer_id, referred_id, 1 FROM referrals \
      UNION ALL \
      SELECT below.root, edge.referred_id, below.level + 1 \
      FROM below JOIN referrals AS edge ON edge.referrer_id = below.id WHERE below.level < 10) \
    SELECT below.root AS user_id, below.level AS level, \
      sum(CASE WHEN edge.status <> 'REJECTED' THEN 1 ELSE 0 END) AS signups, \
      sum(CASE WHEN edge.status = 'COMPLETED' THEN 1 ELSE 0 END) AS completed, \
      max(CASE WHEN edge.status <> 'REJECTED' THEN edge.created_at END) AS newest \
    FROM below JOIN referrals AS edge ON edge.referred_id = below.id GROUP BY below.root, below.level";

/// Scores of all time, and when they were reached: by the newest row that counts.
const SCORES: &str = "SELECT program_id, 'SIGNUPS' AS metric, referrer_id AS user_id, count(*) AS score, \
      max(created_at) AS reached_at FROM referrals WHERE status <> 'REJECTED' GROUP BY program_id, referrer_id \
    UNION ALL \
    SELECT program_id, 'REFERRALS', referrer_id, count(*), max(completed_at) FROM referrals \
      WHERE status = 'COMPLETED' GROUP BY program_id, referrer_id \
    UNION ALL \
    SELECT program_id, 'REWARDS', user_id, CAST(sum(net) AS bigint), max(created_at) FROM rewards \
      WHERE net > 0 GROUP BY program_id, user_id";

const STORED_SCORES: &str = "SELECT program_id, metric, user_id, score, reached_at FROM board_scores \
    WHERE period = 'ALL_TIME' AND score > 0";

/// How many users have each score: a bucket of a count is one score.
const HISTOGRAM: &str = "SELECT program_id, metric, period, starts_at, score AS bucket, count(*) AS users \
    FROM board_scores WHERE metric IN ('SIGNUPS', 'REFERRALS') AND score > 0 \
    GROUP BY program_id, metric, period, starts_at, score";

const STORED_HISTOGRAM: &str = "SELECT program_id, metric, period, starts_at, bucket, users FROM board_histogram \
    WHERE metric IN ('SIGNUPS', 'REFERRALS') AND bucket > 0 AND users > 0";

/// What entered an account less what left it; a debt grows by what leaves it.
const FROM_TRANSFERS: &str = "SELECT user_id, currency, account, CAST(sum(amount) AS bigint) AS amount FROM ( \
      SELECT user_id, currency, to_account AS account, \
        CASE WHEN to_account = 'DEBT' THEN -amount ELSE amount END AS amount FROM transfers \
      UNION ALL \
      SELECT user_id, currency, from_account, \
        CASE WHEN from_account = 'DEBT' THEN amount ELSE -amount END FROM transfers) AS sides \
    WHERE account <> 'ISSUER' GROUP BY user_id, currency, account";

/// What rewards and claims say of the same: a claim pays what it took, less the debt that it netted, plus the credit that
/// it paid; and what was taken and is no longer granted is owed.
const FROM_REWARDS: &str = "SELECT user_id, currency, account, CAST(sum(amount) AS bigint) AS amount FROM ( \
      SELECT user_id, currency, status AS account, net AS amount FROM rewards \
        WHERE status IN ('PENDING', 'AVAILABLE', 'WITHHELD') \
      UNION ALL \
      SELECT user_id, currency, CASE WHEN status = 'PAID' THEN 'PAID' ELSE 'CLAIMED' END, amount FROM claims \
        WHERE status IN ('REQUESTED', 'PAID') \
      UNION ALL \
      SELECT user_id, currency, 'DEBT', taken - net FROM rewards WHERE status IN ('CLAIMED', 'PAID') \
      UNION ALL \
      SELECT user_id, currency, 'DEBT', credited - netted FROM claims WHERE status IN ('REQUESTED', 'PAID')) AS parts \
    GROUP BY user_id, currency, account";

const STORED_ACCOUNTS: &str = "SELECT user_id, currency, 'PENDING' AS account, pending AS amount FROM accounts \
    UNION ALL SELECT user_id, currency, 'AVAILABLE', available FROM accounts \
    UNION ALL SELECT user_id, currency, 'WITHHELD', withheld FROM accounts \
    UNION ALL SELECT user_id, currency, 'CLAIMED', claimed FROM accounts \
    UNION ALL SELECT user_id, currency, 'PAID', paid FROM accounts \
    UNION ALL SELECT user_id, currency, 'DEBT', debt FROM accounts";

/// Claims and the rewards that they took, which have to be in the state of the claim and add up to it.
const TAKEN: &str = "SELECT claim_id AS user_id, currency, \
      CASE WHEN status = 'PAID' THEN 'PAID' ELSE 'REQUESTED' END AS account, CAST(sum(taken) AS bigint) AS amount \
    FROM rewards WHERE claim_id IS NOT NULL GROUP BY claim_id, currency, status";

const STORED_TAKEN: &str = "SELECT id AS user_id, currency, status AS account, amount + netted - credited AS amount FROM claims \
    WHERE status IN ('REQUESTED', 'PAID')";

#[derive(QueryableByName)]
struct NetworkLevel {
    #[diesel(sql_type = Uuid)]
    user_id: Id,
    #[diesel(sql_type = Int4)]
    level: i32,
    #[diesel(sql_type = Int8)]
    signups: i64,
    #[diesel(sql_type = Int8)]
    completed: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    newest: Option<Timestamp>,
}

#[derive(QueryableByName)]
struct Network {
    #[diesel(sql_type = Uuid)]
    user_id: Id,
    #[diesel(sql_type = Int4)]
    network: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    network_at: Option<Timestamp>,
}

#[derive(QueryableByName)]
struct Score {
    #[diesel(sql_type = Uuid)]
    program_id: Id,
    #[diesel(sql_type = Text)]
    metric: String,
    #[diesel(sql_type = Uuid)]
    user_id: Id,
    #[diesel(sql_type = Int8)]
    score: i64,
    #[diesel(sql_type = Timestamptz)]
    reached_at: Timestamp,
}

#[derive(QueryableByName)]
struct Bucket {
    #[diesel(sql_type = Uuid)]
    program_id: Id,
    #[diesel(sql_type = Text)]
    metric: String,
    #[diesel(sql_type = Text)]
    period: String,
    #[diesel(sql_type = Timestamptz)]
    starts_at: Timestamp,
    #[diesel(sql_type = Int8)]
    bucket: i64,
    #[diesel(sql_type = Int8)]
    users: i64,
}

#[derive(QueryableByName)]
struct Balance {
    #[diesel(sql_type = Uuid)]
    user_id: Id,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    account: String,
    #[diesel(sql_type = Int8)]
    amount: i64,
}

/// What is counted, and what it comes to.
type Lines = BTreeMap<String, String>;

/// Counts everything again and tells where the stored rows say otherwise; nothing when all is well.
pub async fn recount(sql: &mut Sql) -> Vec<String> {
    let mut differences = Differences::default();
    differences.compare("counters", stored_networks(sql).await, networks(sql).await);
    differences.compare("board", scores(sql, STORED_SCORES).await, scores(sql, SCORES).await);
    differences.compare("histogram", buckets(sql, STORED_HISTOGRAM).await, buckets(sql, HISTOGRAM).await);
    let accounts = balances(sql, STORED_ACCOUNTS).await;
    differences.compare("accounts by transfers", accounts.clone(), balances(sql, FROM_TRANSFERS).await);
    differences.compare("accounts by rewards", accounts, balances(sql, FROM_REWARDS).await);
    differences.compare("claims", balances(sql, STORED_TAKEN).await, balances(sql, TAKEN).await);
    differences.told()
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, what: &str, stored: Lines, mut counted: Lines) {
        for (line, value) in stored {
            let counted = counted.remove(&line);
            if counted.as_ref() != Some(&value) {
                self.tell(what, &line, &value, counted.as_deref().unwrap_or("nothing"));
            }
        }
        for (line, value) in counted {
            self.tell(what, &line, "nothing", &value);
        }
    }

    fn tell(&mut self, what: &str, line: &str, stored: &str, counted: &str) {
        self.0.push(format!("{what}: {line}: stored {stored}, counted {counted}"));
    }

    fn told(mut self) -> Vec<String> {
        let more = self.0.len().saturating_sub(MAX_TOLD);
        self.0.truncate(MAX_TOLD);
        if more > 0 {
            self.0.push(format!("and {more} more"));
        }
        self.0
    }
}

/// Counters from the rows. Somebody without a network has no lines.
async fn networks(sql: &mut Sql) -> Lines {
    let mut lines = Lines::new();
    let mut whole: BTreeMap<Id, (i64, Option<Timestamp>)> = BTreeMap::new();
    for row in sql.load::<NetworkLevel>(NETWORKS).await {
        keep(&mut lines, format!("{} signups_{}", row.user_id, row.level), row.signups);
        keep(&mut lines, format!("{} completed_{}", row.user_id, row.level), row.completed);
        let (size, newest) = whole.entry(row.user_id).or_default();
        *size += row.signups;
        *newest = (*newest).max(row.newest);
    }
    for (user, (size, newest)) in whole {
        keep_network(&mut lines, user, size, newest);
    }
    lines
}

async fn stored_networks(sql: &mut Sql) -> Lines {
    let mut lines = Lines::new();
    for level in 1..=LEVELS {
        let text = format!(
            "SELECT user_id, {level} AS level, CAST(signups_{level} AS bigint) AS signups, \
             CAST(completed_{level} AS bigint) AS completed, network_at AS newest FROM user_totals"
        );
        for row in sql.load::<NetworkLevel>(&text).await {
            keep(&mut lines, format!("{} signups_{level}", row.user_id), row.signups);
            keep(&mut lines, format!("{} completed_{level}", row.user_id), row.completed);
        }
    }
    for row in sql.load::<Network>("SELECT user_id, network, network_at FROM user_totals").await {
        keep_network(&mut lines, row.user_id, i64::from(row.network), row.network_at);
    }
    lines
}

/// An empty network was never reached.
fn keep_network(lines: &mut Lines, user: Id, size: i64, newest: Option<Timestamp>) {
    keep(lines, format!("{user} network"), size);
    if let Some(newest) = newest.filter(|_| size > 0) {
        lines.insert(format!("{user} network_at"), newest.to_string());
    }
}

async fn scores(sql: &mut Sql, text: &str) -> Lines {
    let line = |row: Score| (format!("{} {} {}", row.program_id, row.metric, row.user_id), row);
    let rows = sql.load::<Score>(text).await.into_iter().map(line);
    rows.map(|(line, row)| (line, format!("{} at {}", row.score, row.reached_at))).collect()
}

async fn buckets(sql: &mut Sql, text: &str) -> Lines {
    let mut lines = Lines::new();
    for row in sql.load::<Bucket>(text).await {
        let board = format!("{} {} {} {}", row.program_id, row.metric, row.period, row.starts_at);
        keep(&mut lines, format!("{board} score {}", row.bucket), row.users);
    }
    lines
}

async fn balances(sql: &mut Sql, text: &str) -> Lines {
    let mut lines = Lines::new();
    for row in sql.load::<Balance>(text).await {
        keep(&mut lines, format!("{} {} {}", row.user_id, row.currency, row.account), row.amount);
    }
    lines
}

/// Zero and nothing are the same.
fn keep(lines: &mut Lines, line: String, value: impl Display + PartialEq<i64>) {
    if value != 0 {
        lines.insert(line, value.to_string());
    }
}
