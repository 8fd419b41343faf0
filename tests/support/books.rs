//! The ledger as a whole: what moved between which accounts, over everybody.

use std::collections::BTreeMap;

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Text},
};

use super::{Harness, Purse};

const MOVED: &str = "SELECT from_account || ' > ' || to_account AS way, CAST(sum(amount) AS bigint) AS cents \
    FROM transfers GROUP BY from_account, to_account";
const HELD: &str = "SELECT CAST(coalesce(sum(pending), 0) AS bigint) AS pending, \
    CAST(coalesce(sum(available), 0) AS bigint) AS available, CAST(coalesce(sum(withheld), 0) AS bigint) AS withheld, \
    CAST(coalesce(sum(claimed), 0) AS bigint) AS claimed, CAST(coalesce(sum(paid), 0) AS bigint) AS paid, \
    CAST(coalesce(sum(debt), 0) AS bigint) AS debt FROM accounts";

#[derive(QueryableByName)]
struct Moved {
    #[diesel(sql_type = Text)]
    way: String,
    #[diesel(sql_type = BigInt)]
    cents: i64,
}

/// Cents by way, as in `ISSUER > AVAILABLE`.
#[derive(Debug)]
pub struct Books {
    moved: BTreeMap<String, i64>,
    /// What everybody holds together.
    pub held: Purse,
}

impl Books {
    /// Reads them.
    pub async fn of(harness: &Harness) -> Self {
        let mut sql = harness.sql().await;
        let moved = sql.load::<Moved>(MOVED).await.into_iter().map(|row| (row.way, row.cents)).collect();
        let held = sql.load::<Purse>(HELD).await.remove(0);
        Self { moved, held }
    }

    /// Fails unless exactly this moved, and what everybody holds is what the issuer gave away.
    #[track_caller]
    pub fn say(&self, ways: &[(&str, i64)]) {
        let expected: BTreeMap<String, i64> =
            ways.iter().filter(|(_, cents)| *cents != 0).map(|(way, cents)| ((*way).to_owned(), *cents)).collect();
        assert_eq!(self.moved, expected);
        let sum = |ends: &dyn Fn(&str) -> bool| self.moved.iter().filter(|(way, _)| ends(way)).map(|(_, c)| c).sum();
        let (given, taken): (i64, i64) = (sum(&|way| way.starts_with("ISSUER")), sum(&|way| way.ends_with("ISSUER")));
        assert_eq!(self.held.worth(), given - taken, "{self:?}");
    }
}
