//! Changes of many rows: one statement each, its rows passed as arrays.

use diesel::{
    ExpressionMethods, QueryResult, QueryableByName,
    query_source::Table,
    sql_query,
    sql_types::{Array, Nullable},
    upsert::excluded,
};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::store::{
    changes::{AccountChange, BucketChange, CapChange, EventChange, RefundChange, ScoreChange, TotalsChange},
    requests::StatusChange,
    schema::caps,
    sql_types::{Int4, Int8, Text, Timestamptz, Uuid},
};

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Int8)]
    number: i64,
}

/// Places in the order of decisions, from a sequence.
pub async fn next_decided(conn: &mut Connection, how_many: usize) -> QueryResult<Vec<i64>> {
    let how_many = i64::try_from(how_many).unwrap_or(i64::MAX);
    let query =
        sql_query("SELECT nextval('decided_no') AS number FROM generate_series(1, $1)").bind::<Int8, _>(how_many);
    let numbers: Vec<Number> = query.load(conn).await?;
    Ok(numbers.into_iter().map(|row| row.number).collect())
}

/// Adds to counters and raises their versions. The rows are locked already, in the order of their ids.
pub async fn add_totals(conn: &mut Connection, changes: Vec<TotalsChange>) -> QueryResult<()> {
    const TEXT: &str = "UPDATE user_totals AS t SET version = version + 1, network = t.network + d.network, \
        network_at = greatest(t.network_at, d.newest), \
        signups_1 = signups_1 + d.c[1], signups_2 = signups_2 + d.c[2], signups_3 = signups_3 + d.c[3], \
        signups_4 = signups_4 + d.c[4], signups_5 = signups_5 + d.c[5], signups_6 = signups_6 + d.c[6], \
        signups_7 = signups_7 + d.c[7], signups_8 = signups_8 + d.c[8], signups_9 = signups_9 + d.c[9], \
        signups_10 = signups_10 + d.c[10], completed_1 = completed_1 + d.c[11], completed_2 = completed_2 + \
        d.c[12], completed_3 = completed_3 + d.c[13], completed_4 = completed_4 + d.c[14], completed_5 = \
        completed_5 + d.c[15], completed_6 = completed_6 + d.c[16], completed_7 = completed_7 + d.c[17], \
        completed_8 = completed_8 + d.c[18], completed_9 = completed_9 + d.c[19], completed_10 = completed_10 + \
        d.c[20] \
        FROM (SELECT u AS user_id, n AS network, w AS newest, c[(i - 1) * 20 + 1 : i * 20] AS c \
        FROM (SELECT $4::int[] AS c) AS counts, unnest($1::uuid[], $2::int[], $3::timestamptz[]) WITH ORDINALITY AS r(u, n, w, i)) AS d \
        WHERE t.user_id = d.user_id";
    let levels: Vec<i32> =
        changes.iter().flat_map(|change| change.signups.into_iter().chain(change.completed)).collect();
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(changes.iter().map(|change| change.user).collect::<Vec<_>>())
        .bind::<Array<Int4>, _>(changes.iter().map(TotalsChange::network).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(changes.iter().map(|change| change.newest).collect::<Vec<_>>())
        .bind::<Array<Int4>, _>(levels)
        .execute(conn)
        .await
        .map(drop)
}

/// Writes what was decided about events.
pub async fn decide_events(conn: &mut Connection, changes: Vec<EventChange>) -> QueryResult<()> {
    const TEXT: &str = "UPDATE events AS e SET remaining = d.remaining, decided_no = d.decided_no, decisions = d.decisions \
        FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[]) AS d(id, remaining, decided_no, decisions) \
        WHERE e.id = d.id";
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(changes.iter().map(|change| change.id).collect::<Vec<_>>())
        .bind::<Array<Nullable<Int8>>, _>(changes.iter().map(|change| change.remaining).collect::<Vec<_>>())
        .bind::<Array<Int8>, _>(changes.iter().map(|change| change.decided_no).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(changes.into_iter().map(|change| change.decisions).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Moves referrals from one state to another; says how many were in the first.
pub async fn change_referrals(conn: &mut Connection, changes: Vec<StatusChange>) -> QueryResult<usize> {
    const TEXT: &str = "UPDATE referrals AS r SET status = d.becomes, completed_at = d.completed_at, \
        rejected_at = d.rejected_at \
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::timestamptz[]) \
        AS d(referred_id, was, becomes, completed_at, rejected_at) \
        WHERE r.referred_id = d.referred_id AND r.status = d.was";
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(changes.iter().map(|change| change.referred_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(changes.iter().map(|change| change.from).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(changes.iter().map(|change| change.to).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(changes.iter().map(|change| change.completed_at).collect::<Vec<_>>())
        .bind::<Array<Nullable<Timestamptz>>, _>(changes.iter().map(|change| change.rejected_at).collect::<Vec<_>>())
        .execute(conn)
        .await
}

/// Writes what was decided about refunds.
pub async fn decide_refunds(conn: &mut Connection, changes: Vec<RefundChange>) -> QueryResult<()> {
    const TEXT: &str = "UPDATE refunds AS r SET event_id = d.event_id, applied = d.applied, decided_no = d.decided_no \
        FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS d(id, event_id, applied, decided_no) \
        WHERE r.id = d.id";
    sql_query(TEXT)
        .bind::<Array<Uuid>, _>(changes.iter().map(|change| change.id).collect::<Vec<_>>())
        .bind::<Array<Uuid>, _>(changes.iter().map(|change| change.event).collect::<Vec<_>>())
        .bind::<Array<Int8>, _>(changes.iter().map(|change| change.applied).collect::<Vec<_>>())
        .bind::<Array<Int8>, _>(changes.iter().map(|change| change.decided_no).collect::<Vec<_>>())
        .execute(conn)
        .await
        .map(drop)
}

/// Adds to balances, opening accounts that are not there yet. Rows come, and are locked, in the order of their keys.
///
/// Where nothing is taken away, one statement opens and adds. Where something is, a row of the change alone would not
/// pass the check that no balance is below zero, which comes before the look for a row that is there: then it takes three.
pub async fn add_accounts(conn: &mut Connection, changes: Vec<AccountChange>) -> QueryResult<()> {
    const GIVE: &str = "INSERT INTO accounts AS a (user_id, currency, pending, available, withheld, claimed, paid, debt) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) \
        ON CONFLICT (user_id, currency) DO UPDATE SET pending = a.pending + excluded.pending, \
        available = a.available + excluded.available, withheld = a.withheld + excluded.withheld, \
        claimed = a.claimed + excluded.claimed, paid = a.paid + excluded.paid, debt = a.debt + excluded.debt";
    const OPEN: &str = "INSERT INTO accounts (user_id, currency) SELECT * FROM unnest($1::uuid[], $2::text[]) \
        ON CONFLICT DO NOTHING";
    const LOCK: &str = "SELECT a.user_id FROM accounts AS a JOIN unnest($1::uuid[], $2::text[]) AS d(user_id, currency) \
        ON a.user_id = d.user_id AND a.currency = d.currency ORDER BY a.user_id, a.currency FOR NO KEY UPDATE OF a";
    const ADD: &str = "UPDATE accounts AS a SET pending = a.pending + d.pending, available = a.available + d.available, \
        withheld = a.withheld + d.withheld, claimed = a.claimed + d.claimed, paid = a.paid + d.paid, debt = a.debt + d.debt \
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[]) \
        AS d(user_id, currency, pending, available, withheld, claimed, paid, debt) \
        WHERE a.user_id = d.user_id AND a.currency = d.currency";
    let users: Vec<_> = changes.iter().map(|change| change.user).collect();
    let currencies: Vec<_> = changes.iter().map(|change| change.currency.clone()).collect();
    let gives = changes.iter().all(AccountChange::only_adds);
    for text in [OPEN, LOCK].into_iter().filter(|_| !gives) {
        let query = sql_query(text).bind::<Array<Uuid>, _>(&users).bind::<Array<Text>, _>(&currencies);
        query.execute(conn).await?;
    }
    let amounts = |of: fn(&AccountChange) -> i64| changes.iter().map(of).collect::<Vec<_>>();
    sql_query(if gives { GIVE } else { ADD })
        .bind::<Array<Uuid>, _>(&users)
        .bind::<Array<Text>, _>(&currencies)
        .bind::<Array<Int8>, _>(amounts(|change| change.pending))
        .bind::<Array<Int8>, _>(amounts(|change| change.available))
        .bind::<Array<Int8>, _>(amounts(|change| change.withheld))
        .bind::<Array<Int8>, _>(amounts(|change| change.claimed))
        .bind::<Array<Int8>, _>(amounts(|change| change.paid))
        .bind::<Array<Int8>, _>(amounts(|change| change.debt))
        .execute(conn)
        .await
        .map(drop)
}

/// Sets what was used of caps. Their owners' totals, or their own rows, are locked already.
pub async fn set_caps(conn: &mut Connection, changes: Vec<CapChange>) -> QueryResult<()> {
    let set = (caps::used_count.eq(excluded(caps::used_count)), caps::used_amount.eq(excluded(caps::used_amount)));
    let insert = diesel::insert_into(caps::table).values(changes).on_conflict(caps::table.primary_key());
    insert.do_update().set(set).execute(conn).await.map(drop)
}

/// Sets scores; a score of nothing leaves the board.
pub async fn set_scores(conn: &mut Connection, changes: Vec<ScoreChange>) -> QueryResult<()> {
    const SET: &str = "INSERT INTO board_scores (program_id, metric, period, starts_at, user_id, score, reached_at) \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[], $6::bigint[], $7::timestamptz[]) \
        ON CONFLICT (program_id, metric, period, starts_at, user_id) \
        DO UPDATE SET score = excluded.score, reached_at = excluded.reached_at";
    const LEAVE: &str = "DELETE FROM board_scores AS s USING \
        unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::uuid[], $6::bigint[], $7::timestamptz[]) \
        AS d(program_id, metric, period, starts_at, user_id, score, reached_at) \
        WHERE s.program_id = d.program_id AND s.metric = d.metric AND s.period = d.period \
        AND s.starts_at = d.starts_at AND s.user_id = d.user_id";
    let (leaving, staying): (Vec<_>, Vec<_>) = changes.into_iter().partition(|change| change.score == 0);
    for (text, changes) in [(SET, staying), (LEAVE, leaving)] {
        if changes.is_empty() {
            continue;
        }
        sql_query(text)
            .bind::<Array<Uuid>, _>(changes.iter().map(|change| change.program).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(changes.iter().map(|change| change.metric).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(changes.iter().map(|change| change.period).collect::<Vec<_>>())
            .bind::<Array<Timestamptz>, _>(changes.iter().map(|change| change.starts_at).collect::<Vec<_>>())
            .bind::<Array<Uuid>, _>(changes.iter().map(|change| change.user).collect::<Vec<_>>())
            .bind::<Array<Int8>, _>(changes.iter().map(|change| change.score).collect::<Vec<_>>())
            .bind::<Array<Timestamptz>, _>(changes.iter().map(|change| change.reached_at).collect::<Vec<_>>())
            .execute(conn)
            .await?;
    }
    Ok(())
}

/// Adds to histograms.
pub async fn add_buckets(conn: &mut Connection, changes: Vec<BucketChange>) -> QueryResult<()> {
    const OPEN: &str = "INSERT INTO board_histogram (program_id, metric, period, starts_at, bucket, users) \
        SELECT p, m, d, s, b, 0 FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[]) \
        AS r(p, m, d, s, b, u) ON CONFLICT DO NOTHING";
    const ADD: &str = "UPDATE board_histogram AS h SET users = h.users + d.users \
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::bigint[], $6::bigint[]) \
        AS d(program_id, metric, period, starts_at, bucket, users) \
        WHERE h.program_id = d.program_id AND h.metric = d.metric AND h.period = d.period \
        AND h.starts_at = d.starts_at AND h.bucket = d.bucket";
    for text in [OPEN, ADD] {
        sql_query(text)
            .bind::<Array<Uuid>, _>(changes.iter().map(|change| change.program).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(changes.iter().map(|change| change.metric).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(changes.iter().map(|change| change.period).collect::<Vec<_>>())
            .bind::<Array<Timestamptz>, _>(changes.iter().map(|change| change.starts_at).collect::<Vec<_>>())
            .bind::<Array<Int8>, _>(changes.iter().map(|change| change.bucket).collect::<Vec<_>>())
            .bind::<Array<Int8>, _>(changes.iter().map(|change| change.users).collect::<Vec<_>>())
            .execute(conn)
            .await?;
    }
    Ok(())
}
