//! Rewards and claims against the transfers that they caused, each by itself: what a balance cannot tell, since a sum does
//! not know which of its parts is wrong.

use std::collections::BTreeMap;

use diesel::{prelude::*, sql_query};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::{Id, Noun},
    store::{
        requests::UserRange,
        schema::transfers,
        sql_types::{Int8, Text, Uuid},
    },
};

#[derive(QueryableByName)]
struct Difference {
    #[diesel(sql_type = Uuid)]
    id: Id,
    #[diesel(sql_type = Text)]
    part: String,
    #[diesel(sql_type = Int8)]
    stored: i64,
    #[diesel(sql_type = Int8)]
    moved: i64,
}

/// Rewards of some users. What was granted left the issuer; what they are worth now stands in the account of their state,
/// and what a claim took of it stands in AVAILABLE still, since a claim moves the sum of its rewards and not each of them.
/// What was taken back after that left DEBT.
const REWARDS: &str = "WITH moved AS (SELECT reward_id, \
    sum(CASE WHEN from_account = 'ISSUER' THEN amount ELSE 0 END) AS granted, \
    sum(CASE 'PENDING' WHEN to_account THEN amount WHEN from_account THEN -amount ELSE 0 END) AS pending, \
    sum(CASE 'AVAILABLE' WHEN to_account THEN amount WHEN from_account THEN -amount ELSE 0 END) AS available, \
    sum(CASE 'WITHHELD' WHEN to_account THEN amount WHEN from_account THEN -amount ELSE 0 END) AS withheld, \
    sum(CASE 'DEBT' WHEN to_account THEN amount WHEN from_account THEN -amount ELSE 0 END) AS debt \
    FROM transfers WHERE user_id >= $1 AND user_id <= $2 AND reward_id IS NOT NULL GROUP BY reward_id), \
    kept AS (SELECT id, amount AS granted, \
    CASE WHEN status = 'PENDING' THEN net ELSE 0 END AS pending, \
    CASE WHEN status = 'AVAILABLE' THEN net WHEN status IN ('CLAIMED', 'PAID') THEN taken ELSE 0 END AS available, \
    CASE WHEN status = 'WITHHELD' THEN net ELSE 0 END AS withheld, \
    CASE WHEN status IN ('CLAIMED', 'PAID') THEN net - taken ELSE 0 END AS debt, \
    CASE WHEN status IN ('CLAIMED', 'PAID') THEN 0 ELSE taken END AS taken \
    FROM rewards WHERE user_id >= $1 AND user_id <= $2), \
    compared AS (SELECT id, 'granted' AS part, kept.granted AS stored, moved.granted AS moved \
    FROM kept LEFT JOIN moved ON reward_id = id \
    UNION ALL SELECT id, 'PENDING', kept.pending, moved.pending FROM kept LEFT JOIN moved ON reward_id = id \
    UNION ALL SELECT id, 'AVAILABLE', kept.available, moved.available FROM kept LEFT JOIN moved ON reward_id = id \
    UNION ALL SELECT id, 'WITHHELD', kept.withheld, moved.withheld FROM kept LEFT JOIN moved ON reward_id = id \
    UNION ALL SELECT id, 'DEBT', kept.debt, moved.debt FROM kept LEFT JOIN moved ON reward_id = id \
    UNION ALL SELECT id, 'taken without a claim', taken, 0 FROM kept) \
    SELECT id, part, CAST(stored AS bigint) AS stored, CAST(coalesce(moved, 0) AS bigint) AS moved FROM compared \
    WHERE stored <> coalesce(moved, 0) ORDER BY id, part LIMIT $3";

/// Claims of some users. A claim brings its amount into CLAIMED and what it nets into DEBT, and takes what it credits out
/// of DEBT, whatever becomes of it; a failed one undoes all three. What it took of its rewards is its amount with what it
/// netted and without what it credited.
const CLAIMS: &str = "WITH moved AS (SELECT claim_id, \
    sum(CASE WHEN to_account = 'CLAIMED' THEN amount ELSE 0 END) AS amount, \
    sum(CASE WHEN to_account = 'DEBT' THEN amount ELSE 0 END) AS netted, \
    sum(CASE WHEN from_account = 'DEBT' THEN amount ELSE 0 END) AS credited, \
    sum(CASE 'CLAIMED' WHEN to_account THEN amount WHEN from_account THEN -amount ELSE 0 END) AS claimed, \
    sum(CASE 'PAID' WHEN to_account THEN amount WHEN from_account THEN -amount ELSE 0 END) AS paid, \
    sum(CASE 'DEBT' WHEN to_account THEN amount WHEN from_account THEN -amount ELSE 0 END) AS debt \
    FROM transfers WHERE user_id >= $1 AND user_id <= $2 AND claim_id IS NOT NULL GROUP BY claim_id), \
    took AS (SELECT claim_id, sum(taken) AS taken FROM rewards \
    WHERE user_id >= $1 AND user_id <= $2 AND claim_id IS NOT NULL GROUP BY claim_id), \
    kept AS (SELECT id, amount, \
    CASE WHEN status = 'FAILED' THEN netted + credited ELSE netted END AS netted, \
    CASE WHEN status = 'FAILED' THEN credited + netted ELSE credited END AS credited, \
    CASE WHEN status = 'REQUESTED' THEN amount ELSE 0 END AS claimed, \
    CASE WHEN status = 'PAID' THEN amount ELSE 0 END AS paid, \
    CASE WHEN status = 'FAILED' THEN 0 ELSE netted - credited END AS debt, \
    CASE WHEN status = 'FAILED' THEN 0 ELSE amount + netted - credited END AS taken \
    FROM claims WHERE user_id >= $1 AND user_id <= $2), \
    compared AS (SELECT id, 'amount' AS part, kept.amount AS stored, moved.amount AS moved \
    FROM kept LEFT JOIN moved ON claim_id = id \
    UNION ALL SELECT id, 'netted', kept.netted, moved.netted FROM kept LEFT JOIN moved ON claim_id = id \
    UNION ALL SELECT id, 'credited', kept.credited, moved.credited FROM kept LEFT JOIN moved ON claim_id = id \
    UNION ALL SELECT id, 'CLAIMED', kept.claimed, moved.claimed FROM kept LEFT JOIN moved ON claim_id = id \
    UNION ALL SELECT id, 'PAID', kept.paid, moved.paid FROM kept LEFT JOIN moved ON claim_id = id \
    UNION ALL SELECT id, 'DEBT', kept.debt, moved.debt FROM kept LEFT JOIN moved ON claim_id = id \
    UNION ALL SELECT id, 'taken of its rewards', kept.taken, took.taken FROM kept LEFT JOIN took ON claim_id = id) \
    SELECT id, part, CAST(stored AS bigint) AS stored, CAST(coalesce(moved, 0) AS bigint) AS moved FROM compared \
    WHERE stored <> coalesce(moved, 0) ORDER BY id, part LIMIT $3";

/// What differs among these users' rewards and claims, in words, at most `limit` of each kind.
pub async fn differences(conn: &mut Connection, range: UserRange, limit: i64) -> QueryResult<Vec<String>> {
    let mut told = Vec::new();
    for (noun, text) in [(Noun::Reward, REWARDS), (Noun::Claim, CLAIMS)] {
        let query = sql_query(text).bind::<Uuid, _>(range.first).bind::<Uuid, _>(range.last);
        let found: Vec<Difference> = query.bind::<Int8, _>(limit).load(conn).await?;
        let ids: Vec<Id> = found.iter().map(|difference| difference.id).collect();
        let moved = if ids.is_empty() { BTreeMap::new() } else { transfers_of(conn, range, &ids).await? };
        told.extend(found.iter().map(|difference| difference.told(noun, moved.get(&difference.id))));
    }
    Ok(told)
}

/// Number and amount of a transfer, its accounts, and the reward or claim that it belongs to.
type Movement = ((i64, i64), (String, String), (Option<Id>, Option<Id>));

/// Movements as they are told, `#7 ISSUER to AVAILABLE 1000`, by the reward or claim that they belong to.
async fn transfers_of(conn: &mut Connection, range: UserRange, ids: &[Id]) -> QueryResult<BTreeMap<Id, Vec<String>>> {
    let owned = transfers::table.filter(transfers::user_id.between(range.first, range.last));
    let query = owned.filter(transfers::reward_id.eq_any(ids.to_vec()).or(transfers::claim_id.eq_any(ids.to_vec())));
    let columns = (
        (transfers::id, transfers::amount),
        (transfers::from_account, transfers::to_account),
        (transfers::reward_id, transfers::claim_id),
    );
    let rows: Vec<Movement> = query.order(transfers::id).select(columns).load(conn).await?;
    let mut moved: BTreeMap<Id, Vec<String>> = BTreeMap::new();
    for ((number, amount), (from, to), (reward, claim)) in rows {
        let line = format!("#{number} {from} to {to} {amount}");
        reward.into_iter().chain(claim).for_each(|id| moved.entry(id).or_default().push(line.clone()));
    }
    Ok(moved)
}

impl Difference {
    fn told(&self, noun: Noun, transfers: Option<&Vec<String>>) -> String {
        let Self { id, part, stored, moved } = self;
        let transfers = transfers.map_or_else(|| "none".to_owned(), |lines| lines.join(", "));
        format!("{} {part}: stored {stored}, computed {moved} minor units; its transfers: {transfers}", id.typed(noun))
    }
}
