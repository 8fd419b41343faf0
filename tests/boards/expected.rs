//! What every board must say: a recount in plain SQL with the database's own window functions.

use banyan::domain::{
    id::Id,
    time::Timestamp,
    words::{Metric, Period},
};
use banyan::engine::Engine;
use banyan::engine::leaderboard::{BoardEntry, BoardPage, BoardRequest, EntryRequest};
use banyan::store::sql_types::{Int8, Timestamptz, Uuid};
use diesel::QueryableByName;

use crate::world::{World, at};

/// Periods around 2026-11-22T10:00Z in Berlin, a Sunday: an instant within, the first instant, the first one after.
pub const PERIODS: [(Period, &str, &str, &str); 9] = [
    (Period::Day, "2026-11-22T10:00:00Z", "2026-11-21T23:00:00Z", "2026-11-22T23:00:00Z"),
    (Period::Day, "2026-11-21T10:00:00Z", "2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z"),
    (Period::Day, "2026-09-10T10:00:00Z", "2026-09-09T22:00:00Z", "2026-09-10T22:00:00Z"),
    (Period::Week, "2026-11-22T10:00:00Z", "2026-11-15T23:00:00Z", "2026-11-22T23:00:00Z"),
    (Period::Week, "2026-11-09T10:00:00Z", "2026-11-08T23:00:00Z", "2026-11-15T23:00:00Z"),
    (Period::Month, "2026-11-22T10:00:00Z", "2026-10-31T23:00:00Z", "2026-11-30T23:00:00Z"),
    (Period::Month, "2026-10-02T10:00:00Z", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
    (Period::Month, "2026-09-30T21:59:59Z", "2026-08-31T22:00:00Z", "2026-09-30T22:00:00Z"),
    (Period::AllTime, "2026-11-22T10:00:00Z", "1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"),
];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Uuid)]
    user_id: Id,
    #[diesel(sql_type = Int8)]
    score: i64,
    #[diesel(sql_type = Timestamptz)]
    reached_at: Timestamp,
    #[diesel(sql_type = Int8)]
    higher: i64,
    #[diesel(sql_type = Int8)]
    dense: i64,
    #[diesel(sql_type = Int8)]
    line: i64,
}

impl World {
    /// The whole board of a metric between two instants.
    pub async fn expected(&self, metric: Metric, (from, to): (Timestamp, Timestamp)) -> Vec<BoardEntry> {
        let (owner, what, time, table, only) = match metric {
            Metric::Signups => ("referrer_id", "count(*)", "created_at", "referrals", "status <> 'REJECTED'"),
            Metric::Referrals => ("referrer_id", "count(*)", "completed_at", "referrals", "status = 'COMPLETED'"),
            Metric::Rewards => ("user_id", "sum(net)", "created_at", "rewards", "net > 0"),
            Metric::Network => ("user_id", "sum(network)", "network_at", "user_totals", "network > 0"),
        };
        let program =
            if metric == Metric::Network { "1 = 1".into() } else { format!("program_id = {}", self.id(self.program)) };
        let text = format!(
            "SELECT user_id, CAST(score AS bigint) AS score, reached_at, rank() OVER (ORDER BY score DESC) AS higher, \
             dense_rank() OVER (ORDER BY score DESC) AS dense, \
             row_number() OVER (ORDER BY score DESC, reached_at, user_id) AS line FROM \
             (SELECT {owner} AS user_id, {what} AS score, max({time}) AS reached_at FROM {table} \
             WHERE {program} AND {only} AND {time} >= {} AND {time} < {} GROUP BY {owner}) AS counted ORDER BY line",
            self.at(from),
            self.at(to)
        );
        let lines: Vec<Line> = self.rows(&text).await;
        let entry = |line: Line| BoardEntry {
            rank: line.higher,
            dense_rank: Some(line.dense),
            row_number: line.line,
            score: line.score,
            reached_at: line.reached_at,
            user: line.user_id,
        };
        lines.into_iter().map(entry).collect()
    }

    /// Compares every page of every board of a metric with the recount; says how many entries there were.
    pub async fn check(&self, metric: Metric, users: &[Id]) -> usize {
        let mut entries = 0;
        for (period, within, from, to) in PERIODS {
            if metric == Metric::Network && period != Period::AllTime {
                continue;
            }
            let expected = self.expected(metric, (at(from), at(to))).await;
            // A new engine has counted no old period yet.
            let Engine { store, live, context, .. } = self.engine.clone();
            let engine = Engine::new(store, live, context);
            for limit in [1, 3, 100] {
                let request = request(metric, period, (at(within), limit));
                let context = format!("{metric:?} {period:?} {within} by {limit}");
                assert_eq!(forwards(&engine, request.clone()).await, expected, "forwards, {context}");
                assert_eq!(backwards(&engine, request).await, expected, "backwards, {context}");
            }
            self.check_viewers(&engine, (metric, period, at(within)), (users, &expected)).await;
            entries += expected.len();
        }
        entries
    }

    async fn check_viewers(
        &self,
        engine: &Engine,
        (metric, period, within): (Metric, Period, Timestamp),
        (users, expected): (&[Id], &[BoardEntry]),
    ) {
        for user in users.iter().take(5) {
            let own = expected.iter().find(|entry| entry.user == *user).copied();
            let request = BoardRequest { viewer: Some(*user), ..request(metric, period, (within, 2)) };
            assert_eq!(engine.leaderboard(request).await.unwrap().unwrap().viewer, own);
            let request = EntryRequest { program: Some(self.program), metric, period, at: Some(within), user: *user };
            assert_eq!(engine.board_entry(request).await.unwrap(), own);
        }
    }
}

pub fn request(metric: Metric, period: Period, (within, limit): (Timestamp, usize)) -> BoardRequest {
    BoardRequest {
        program: None,
        metric,
        period,
        at: Some(within),
        after: None,
        before: None,
        limit,
        from_end: false,
        viewer: None,
    }
}

async fn page(engine: &Engine, request: &BoardRequest) -> BoardPage {
    engine.leaderboard(request.clone()).await.unwrap().unwrap()
}

/// All pages from the first one on.
async fn forwards(engine: &Engine, mut request: BoardRequest) -> Vec<BoardEntry> {
    let mut entries = Vec::new();
    loop {
        let page = page(engine, &request).await;
        assert!(page.version > 0 && page.entries.len() <= request.limit);
        assert_eq!(page.has_previous, !entries.is_empty());
        request.after = page.entries.last().map(BoardEntry::place);
        entries.extend(page.entries);
        if !page.has_next {
            return entries;
        }
    }
}

/// All pages from the last one on.
async fn backwards(engine: &Engine, request: BoardRequest) -> Vec<BoardEntry> {
    let mut request = BoardRequest { from_end: true, ..request };
    let mut entries: Vec<BoardEntry> = Vec::new();
    loop {
        let page = page(engine, &request).await;
        assert_eq!(page.has_next, !entries.is_empty());
        request.before = page.entries.first().map(BoardEntry::place);
        entries.splice(0..0, page.entries);
        if !page.has_previous {
            return entries;
        }
    }
}
