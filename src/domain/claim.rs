//! What a claim pays, and what is owed to whom (rules 17 and 18).
//!
//! The balance of an account's debt has a sign: above zero the user owes it, below zero it is owed to the user. The latter
//! comes about when a claim was reduced by a debt that then turned out not to be one, because the payout failed of the
//! claim that had taken the money.

/// What the user owes, in minor units, by the balance of the debt; never negative.
pub const fn owed(debt: i64) -> i64 {
    if debt > 0 { debt } else { 0 }
}

/// What is owed to the user, in minor units, by the balance of the debt; never negative.
pub const fn credit(debt: i64) -> i64 {
    if debt < 0 { -debt } else { 0 }
}

/// What a claim pays, in minor units of one currency: `amount` is what its rewards are worth, less `netted`, plus
/// `credited`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payable {
    /// To be paid; above zero.
    pub amount: i64,
    /// What was owed and is taken off.
    pub netted: i64,
    /// What was owed to the user and is paid on top.
    pub credited: i64,
}

/// Why nothing can be claimed in one currency; minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotPayable {
    /// The rewards do not cover what is owed.
    DebtOutstanding {
        /// What the rewards are worth.
        worth: i64,
        /// What is owed.
        owed: i64,
    },
    /// Less than the smallest claim that the programs take.
    BelowMinimum {
        /// What would be paid.
        amount: i64,
        /// The smallest claim.
        least: i64,
    },
}

impl Payable {
    /// Works out a claim of rewards that are worth so much, beside a balance of the debt, where claims begin at `least`;
    /// all in minor units. A credit alone can be claimed too.
    pub const fn of(worth: i64, debt: i64, least: i64) -> Result<Self, NotPayable> {
        let payable = Self { amount: worth - debt, netted: owed(debt), credited: credit(debt) };
        if payable.amount <= 0 {
            return Err(NotPayable::DebtOutstanding { worth, owed: payable.netted });
        }
        if payable.amount < least {
            return Err(NotPayable::BelowMinimum { amount: payable.amount, least });
        }
        Ok(payable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_debt_is_taken_off_and_a_credit_is_paid_on_top() {
        assert_eq!(Payable::of(1_000, 0, 0), Ok(Payable { amount: 1_000, netted: 0, credited: 0 }));
        assert_eq!(Payable::of(1_000, 999, 0), Ok(Payable { amount: 1, netted: 999, credited: 0 }));
        assert_eq!(Payable::of(1_000, -500, 0), Ok(Payable { amount: 1_500, netted: 0, credited: 500 }));
        assert_eq!(Payable::of(0, -500, 0), Ok(Payable { amount: 500, netted: 0, credited: 500 }));
    }

    #[test]
    fn what_comes_to_nothing_or_too_little_is_refused() {
        assert_eq!(Payable::of(1_000, 1_000, 0), Err(NotPayable::DebtOutstanding { worth: 1_000, owed: 1_000 }));
        assert_eq!(Payable::of(0, 0, 0), Err(NotPayable::DebtOutstanding { worth: 0, owed: 0 }));
        assert_eq!(Payable::of(1_000, 400, 601), Err(NotPayable::BelowMinimum { amount: 600, least: 601 }));
        assert!(Payable::of(1_000, 400, 600).is_ok() && Payable::of(500, -100, 600).is_ok());
    }
}
