//! The ledger, computed again.

use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::Connection;
use crate::{
    domain::id::{Id, Noun},
    store::sql_types::{Int8, Text, Uuid},
};

#[derive(QueryableByName)]
struct Difference {
    #[diesel(sql_type = Uuid)]
    user_id: Id,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    account: String,
    #[diesel(sql_type = Int8)]
    stored: i64,
    #[diesel(sql_type = Int8)]
    computed: i64,
}

/// Stored balances against the sums of their transfers.
const AGAINST_TRANSFERS: &str = "WITH moved AS (\
    SELECT user_id, currency, to_account AS account, amount FROM transfers \
    UNION ALL SELECT user_id, currency, from_account, -amount FROM transfers), \
    sums AS (SELECT user_id, currency, account, CAST(sum(amount) AS bigint) AS amount FROM moved \
    WHERE account <> 'ISSUER' GROUP BY user_id, currency, account), \
    stored AS (SELECT user_id, currency, 'PENDING' AS account, pending AS amount FROM accounts \
    UNION ALL SELECT user_id, currency, 'AVAILABLE', available FROM accounts \
    UNION ALL SELECT user_id, currency, 'WITHHELD', withheld FROM accounts \
    UNION ALL SELECT user_id, currency, 'CLAIMED', claimed FROM accounts \
    UNION ALL SELECT user_id, currency, 'PAID', paid FROM accounts \
    UNION ALL SELECT user_id, currency, 'DEBT', -debt FROM accounts), \
    keys AS (SELECT user_id, currency, account FROM stored UNION SELECT user_id, currency, account FROM sums) \
    SELECT keys.user_id, keys.currency, keys.account || ' against its transfers' AS account, \
    coalesce(stored.amount, 0) AS stored, coalesce(sums.amount, 0) AS computed FROM keys \
    LEFT JOIN stored ON stored.user_id = keys.user_id AND stored.currency = keys.currency AND stored.account = keys.account \
    LEFT JOIN sums ON sums.user_id = keys.user_id AND sums.currency = keys.currency AND sums.account = keys.account \
    WHERE coalesce(stored.amount, 0) <> coalesce(sums.amount, 0) ORDER BY keys.user_id, keys.currency, keys.account LIMIT $1";

/// Stored balances against the rewards and claims that they stand for. Of every currency: pending, available and withheld
/// are the nets of the rewards in that state, claimed and paid the claims, and all of them minus the debt is the net of
/// everything that has not lapsed (rule 17). A debt below zero is a credit, so the last holds with its sign.
const AGAINST_REWARDS: &str = "WITH rewarded AS (SELECT user_id, currency, \
    CAST(sum(CASE WHEN status = 'PENDING' THEN net ELSE 0 END) AS bigint) AS pending, \
    CAST(sum(CASE WHEN status = 'AVAILABLE' THEN net ELSE 0 END) AS bigint) AS available, \
    CAST(sum(CASE WHEN status = 'WITHHELD' THEN net ELSE 0 END) AS bigint) AS withheld, \
    CAST(sum(CASE WHEN status <> 'EXPIRED' THEN net ELSE 0 END) AS bigint) AS net \
    FROM rewards GROUP BY user_id, currency), \
    claimed AS (SELECT user_id, currency, \
    CAST(sum(CASE WHEN status = 'REQUESTED' THEN amount ELSE 0 END) AS bigint) AS claimed, \
    CAST(sum(CASE WHEN status = 'PAID' THEN amount ELSE 0 END) AS bigint) AS paid \
    FROM claims GROUP BY user_id, currency), \
    keys AS (SELECT user_id, currency FROM accounts UNION SELECT user_id, currency FROM rewarded), \
    both_sides AS (SELECT keys.user_id, keys.currency, \
    coalesce(accounts.pending, 0) AS s1, coalesce(rewarded.pending, 0) AS c1, \
    coalesce(accounts.available, 0) AS s2, coalesce(rewarded.available, 0) AS c2, \
    coalesce(accounts.withheld, 0) AS s3, coalesce(rewarded.withheld, 0) AS c3, \
    coalesce(accounts.claimed, 0) AS s4, coalesce(claimed.claimed, 0) AS c4, \
    coalesce(accounts.paid, 0) AS s5, coalesce(claimed.paid, 0) AS c5, \
    coalesce(accounts.pending + accounts.available + accounts.withheld + accounts.claimed + accounts.paid \
    - accounts.debt, 0) AS s6, coalesce(rewarded.net, 0) AS c6 FROM keys \
    LEFT JOIN accounts ON accounts.user_id = keys.user_id AND accounts.currency = keys.currency \
    LEFT JOIN rewarded ON rewarded.user_id = keys.user_id AND rewarded.currency = keys.currency \
    LEFT JOIN claimed ON claimed.user_id = keys.user_id AND claimed.currency = keys.currency), \
    compared AS (SELECT user_id, currency, 'PENDING against rewards' AS account, s1 AS stored, c1 AS computed FROM both_sides \
    UNION ALL SELECT user_id, currency, 'AVAILABLE against rewards', s2, c2 FROM both_sides \
    UNION ALL SELECT user_id, currency, 'WITHHELD against rewards', s3, c3 FROM both_sides \
    UNION ALL SELECT user_id, currency, 'CLAIMED against claims', s4, c4 FROM both_sides \
    UNION ALL SELECT user_id, currency, 'PAID against claims', s5, c5 FROM both_sides \
    UNION ALL SELECT user_id, currency, 'the sum of all against the net of all rewards', s6, c6 FROM both_sides) \
    SELECT user_id, currency, account, stored, computed FROM compared WHERE stored <> computed \
    ORDER BY user_id, currency, account LIMIT $1";

/// Open and paid claims against the rewards that they took: a claim pays these less what it netted, plus what it credited.
const CLAIMS: &str = "WITH took AS (SELECT claim_id, CAST(sum(taken) AS bigint) AS taken FROM rewards \
    WHERE claim_id IS NOT NULL GROUP BY claim_id) \
    SELECT claims.user_id, claims.currency, 'a claim of ' || CAST(claims.amount AS text) || ' minor units against its rewards' \
    AS account, claims.amount + claims.netted - claims.credited AS stored, coalesce(took.taken, 0) AS computed \
    FROM claims LEFT JOIN took ON took.claim_id = claims.id \
    WHERE claims.status IN ('REQUESTED', 'PAID') \
    AND claims.amount + claims.netted - claims.credited <> coalesce(took.taken, 0) \
    ORDER BY claims.user_id, claims.id LIMIT $1";

/// What differs, in words, at most `limit` of each kind.
pub async fn differences(conn: &mut Connection, limit: i64) -> QueryResult<Vec<String>> {
    let mut found: Vec<Difference> = sql_query(AGAINST_TRANSFERS).bind::<Int8, _>(limit).load(conn).await?;
    for text in [AGAINST_REWARDS, CLAIMS] {
        found.extend(sql_query(text).bind::<Int8, _>(limit).load::<Difference>(conn).await?);
    }
    Ok(found.into_iter().map(|difference| difference.to_string()).collect())
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { currency, account, stored, computed, .. } = self;
        let user = self.user_id.typed(Noun::User);
        write!(f, "{user} {currency} {account}: stored {stored}, computed {computed} minor units")
    }
}
