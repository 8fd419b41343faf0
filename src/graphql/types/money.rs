//! Amounts and balances.

use async_graphql::{InputObject, SimpleObject};

use crate::{
    domain::{claim, decimal, money::Currency},
    graphql::scalars::Decimal,
    store::models,
};

/// An amount of one currency.
#[derive(SimpleObject, Clone, Debug)]
pub struct Money {
    /// The amount in major units, with all decimal places of the currency: `"12.50"` is twelve and a half dollars.
    pub amount: Decimal,
    /// The currency: a code of ISO 4217 such as `USD`, or a unit of your own such as `POINTS`.
    pub currency_code: String,
}

impl Money {
    /// Shows stored minor units.
    pub fn of_minor(minor: i64, currency: &str) -> Self {
        Self { amount: major(minor, currency), currency_code: currency.to_owned() }
    }
}

/// Minor units of a currency as a number of major units.
pub fn major(minor: i64, currency: &str) -> Decimal {
    Decimal(Currency::stored(currency).to_major(minor))
}

/// An amount of one currency.
#[derive(InputObject, Clone, Debug)]
pub struct MoneyInput {
    /// The amount in major units, as a string: `"12.50"`. Never negative, and no finer than the currency's minor unit.
    pub amount: Decimal,
    /// The currency: a code of ISO 4217 such as `USD`, or a unit of your own such as `POINTS` (4 to 16 capital letters).
    pub currency_code: String,
}

impl From<MoneyInput> for (decimal::Decimal, String) {
    fn from(input: MoneyInput) -> Self {
        (input.amount.0, input.currency_code)
    }
}

/// What a user has in one currency. No number is ever negative.
///
/// `pending + available + withheld + claimed + paid - debt` is the sum of what was granted, after refunds.
#[derive(SimpleObject, Clone, Debug)]
pub struct Balance {
    /// The currency of these numbers.
    pub currency_code: String,
    /// Granted and still held.
    pub pending: Decimal,
    /// Can be claimed now: rewards, and what is owed to the user because an earlier claim was reduced for a payout that
    /// then failed.
    pub available: Decimal,
    /// Held back while referrals are reviewed.
    pub withheld: Decimal,
    /// Claimed and waiting for the payout.
    pub claimed: Decimal,
    /// Paid out so far.
    pub paid: Decimal,
    /// What was paid out and refunded later; the next claim is reduced by it.
    pub debt: Decimal,
}

impl Balance {
    /// Shows a stored account.
    pub fn of(account: &models::Account) -> Self {
        let major = |minor| major(minor, &account.currency);
        Self {
            currency_code: account.currency.clone(),
            pending: major(account.pending),
            available: major(account.available + claim::credit(account.debt)),
            withheld: major(account.withheld),
            claimed: major(account.claimed),
            paid: major(account.paid),
            debt: major(claim::owed(account.debt)),
        }
    }
}
