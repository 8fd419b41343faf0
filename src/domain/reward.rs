//! States of a reward and the moves between them (rules 15 and 17), and the accounts that money stands in.

/// The state of a reward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RewardStatus {
    /// Held until its instant.
    Pending,
    /// Can be claimed.
    Available,
    /// Held back for a review.
    Withheld,
    /// Part of a claim that waits for its payout.
    Claimed,
    /// Paid out.
    Paid,
    /// Taken back before it was claimed.
    Reversed,
    /// Lapsed before it was claimed.
    Expired,
}

impl RewardStatus {
    /// Every state.
    pub const ALL: &'static [Self] =
        &[Self::Pending, Self::Available, Self::Withheld, Self::Claimed, Self::Paid, Self::Reversed, Self::Expired];

    /// The word that is stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Available => "AVAILABLE",
            Self::Withheld => "WITHHELD",
            Self::Claimed => "CLAIMED",
            Self::Paid => "PAID",
            Self::Reversed => "REVERSED",
            Self::Expired => "EXPIRED",
        }
    }

    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|status| status.word() == word)
    }

    /// Whether rule 15 allows the move.
    pub fn may_become(self, to: Self) -> bool {
        match self {
            Self::Pending => matches!(to, Self::Available | Self::Withheld | Self::Reversed),
            Self::Available => matches!(to, Self::Claimed | Self::Withheld | Self::Reversed | Self::Expired),
            Self::Withheld => matches!(to, Self::Pending | Self::Available | Self::Reversed),
            Self::Claimed => matches!(to, Self::Paid | Self::Available),
            Self::Paid | Self::Reversed | Self::Expired => false,
        }
    }

    /// The account that a reward in this state stands in; reversed and expired ones went back to the issuer.
    pub const fn account(self) -> AccountKind {
        match self {
            Self::Pending => AccountKind::Pending,
            Self::Available => AccountKind::Available,
            Self::Withheld => AccountKind::Withheld,
            Self::Claimed => AccountKind::Claimed,
            Self::Paid => AccountKind::Paid,
            Self::Reversed | Self::Expired => AccountKind::Issuer,
        }
    }

    /// What taking a reward back does to it: before it is claimed it is reversed, afterwards it stays and makes a debt.
    pub const fn after_taking_back(self) -> Option<Self> {
        match self {
            Self::Pending | Self::Available | Self::Withheld => Some(Self::Reversed),
            Self::Claimed | Self::Paid | Self::Reversed | Self::Expired => None,
        }
    }
}

/// The accounts of a user in one currency, and the issuer's, whose balance is derived and never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountKind {
    /// The company that pays; its balance is minus the sum of all others.
    Issuer,
    /// Rewards held until their instant.
    Pending,
    /// Rewards that can be claimed.
    Available,
    /// Rewards held back for review.
    Withheld,
    /// Claims that wait for their payout.
    Claimed,
    /// Claims that were paid.
    Paid,
    /// What the user owes; a balance above zero is owed to the user.
    Debt,
}

impl AccountKind {
    /// The word that is stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Issuer => "ISSUER",
            Self::Pending => "PENDING",
            Self::Available => "AVAILABLE",
            Self::Withheld => "WITHHELD",
            Self::Claimed => "CLAIMED",
            Self::Paid => "PAID",
            Self::Debt => "DEBT",
        }
    }
}

/// What became of the money of a reward that is taken back: where it is taken from.
pub const fn taken_back_from(status: RewardStatus) -> AccountKind {
    match status {
        RewardStatus::Pending | RewardStatus::Available | RewardStatus::Withheld => status.account(),
        RewardStatus::Claimed | RewardStatus::Paid => AccountKind::Debt,
        RewardStatus::Reversed | RewardStatus::Expired => AccountKind::Issuer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_stays_over() {
        for from in [RewardStatus::Paid, RewardStatus::Reversed, RewardStatus::Expired] {
            assert!(RewardStatus::ALL.iter().all(|to| !from.may_become(*to)));
        }
    }

    #[test]
    fn taking_back_is_an_allowed_move_or_a_debt() {
        for status in RewardStatus::ALL {
            match status.after_taking_back() {
                Some(to) => assert!(status.may_become(to) && taken_back_from(*status) == status.account()),
                None => assert!(matches!(taken_back_from(*status), AccountKind::Debt | AccountKind::Issuer)),
            }
            assert_eq!(RewardStatus::from_word(status.word()), Some(*status));
        }
    }
}
