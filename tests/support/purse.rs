//! What somebody has, read from the rows and held against the rules.

use diesel::{QueryableByName, sql_types::BigInt};

use super::Harness;

/// Balances of one person in US cents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, QueryableByName)]
pub struct Purse {
    /// On hold.
    #[diesel(sql_type = BigInt)]
    pub pending: i64,
    /// To be claimed.
    #[diesel(sql_type = BigInt)]
    pub available: i64,
    /// Held back for review.
    #[diesel(sql_type = BigInt)]
    pub withheld: i64,
    /// In claims that wait for their payout.
    #[diesel(sql_type = BigInt)]
    pub claimed: i64,
    /// Paid out.
    #[diesel(sql_type = BigInt)]
    pub paid: i64,
    /// Owed; below zero what is owed to them.
    #[diesel(sql_type = BigInt)]
    pub debt: i64,
}

impl Purse {
    /// Nothing of anything.
    pub const EMPTY: Self = Self { pending: 0, available: 0, withheld: 0, claimed: 0, paid: 0, debt: 0 };

    /// What somebody has now. Rule 17 holds at every moment: what they have less what they owe is what the rules grant.
    pub async fn of(harness: &Harness, external_id: &str) -> Self {
        let mut sql = harness.sql().await;
        let text = format!(
            "SELECT pending, available, withheld, claimed, paid, debt FROM accounts \
             JOIN users ON users.id = accounts.user_id WHERE external_id = '{external_id}' AND currency = 'USD'"
        );
        let purse = sql.load::<Self>(&text).await.pop().unwrap_or_default();
        let text = format!(
            "SELECT CAST(coalesce(sum(net), 0) AS bigint) AS number FROM rewards \
             JOIN users ON users.id = rewards.user_id \
             WHERE external_id = '{external_id}' AND currency = 'USD' AND rewards.status <> 'EXPIRED'"
        );
        let granted = sql.number(&text).await;
        assert_eq!(purse.worth(), granted, "{external_id} has {purse:?}, and the rules grant {granted}");
        purse
    }

    /// What it comes to in all.
    pub const fn worth(self) -> i64 {
        self.pending + self.available + self.withheld + self.claimed + self.paid - self.debt
    }
}
