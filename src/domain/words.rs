//! States and kinds: closed lists whose words are the same in SQL, Rust and GraphQL.

/// Declares an enum with one fixed word for each case.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$case_meta:meta])* $case:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$case_meta])* $case),+ }

        impl $name {
            /// Every case, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$case),+];

            /// The word that is stored and shown.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$case => $word),+ }
            }

            /// Reads the stored word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$case),)+ _ => None }
            }
        }
    };
}

words! {
    /// Whether a user takes part.
    UserStatus {
        /// Takes part.
        Active = "ACTIVE",
        /// Earns nothing for now.
        Suspended = "SUSPENDED",
        /// An anonymous node of the tree; earns nothing.
        Erased = "ERASED",
    }
}

words! {
    /// The state of a program.
    ProgramStatus {
        /// Being written; pays nothing.
        Draft = "DRAFT",
        /// Attributes and pays.
        Active = "ACTIVE",
        /// Attributes nothing and pays nothing for now.
        Paused = "PAUSED",
        /// Over.
        Ended = "ENDED",
    }
}

words! {
    /// The state of a referral.
    ReferralStatus {
        /// The referred user has not qualified yet.
        Pending = "PENDING",
        /// An event of the referred user satisfies the program's qualifying trigger.
        Completed = "COMPLETED",
        /// Refused as fraud; counts nowhere and pays nothing.
        Rejected = "REJECTED",
    }
}

words! {
    /// How a referral came about.
    Via {
        /// The code was given at signup.
        Code = "CODE",
        /// A click on a link came before the signup.
        Link = "LINK",
        /// It was imported.
        Import = "IMPORT",
        /// An operator moved the user.
        Move = "MOVE",
    }
}

words! {
    /// Whether a code can be used.
    CodeStatus {
        /// In use.
        Active = "ACTIVE",
        /// Switched off; never used again.
        Disabled = "DISABLED",
    }
}

words! {
    /// How a code came about.
    CodeKind {
        /// Made by us.
        Generated = "GENERATED",
        /// Chosen by somebody.
        Vanity = "VANITY",
    }
}

words! {
    /// What a signup's attribution came to.
    Outcome {
        /// A referral was made.
        Attributed = "ATTRIBUTED",
        /// Neither code nor click was given.
        None = "NONE",
        /// No such code.
        CodeUnknown = "CODE_UNKNOWN",
        /// The code's time is over.
        CodeExpired = "CODE_EXPIRED",
        /// The code was switched off, or its owner is suspended.
        CodeDisabled = "CODE_DISABLED",
        /// The code belongs to the person signing up.
        SelfReferral = "SELF_REFERRAL",
        /// The click came too long ago.
        ClickExpired = "CLICK_EXPIRED",
        /// No such click.
        ClickUnknown = "CLICK_UNKNOWN",
        /// The code's program is not active.
        ProgramInactive = "PROGRAM_INACTIVE",
    }
}

words! {
    /// Why a click brought nobody in, though it was known.
    Loss {
        /// A code was given, which goes before clicks.
        CodeGiven = "CODE_GIVEN",
        /// Another click counts.
        OtherClick = "OTHER_CLICK",
        /// The click came too long ago.
        ClickExpired = "CLICK_EXPIRED",
        /// Its code was switched off, or its owner is suspended.
        CodeDisabled = "CODE_DISABLED",
        /// Its code belongs to the person signing up.
        SelfReferral = "SELF_REFERRAL",
        /// Its program is not active.
        ProgramInactive = "PROGRAM_INACTIVE",
    }
}

words! {
    /// The state of a claim.
    ClaimStatus {
        /// Waiting for the host to pay.
        Requested = "REQUESTED",
        /// Paid out.
        Paid = "PAID",
        /// The payout failed; its rewards are available again.
        Failed = "FAILED",
    }
}

words! {
    /// The role of an API key.
    KeyRole {
        /// The host's back end.
        Server = "SERVER",
        /// An operator.
        Admin = "ADMIN",
    }
}

words! {
    /// What a server key may do. An admin key may do everything.
    KeyScope {
        /// See everything there is to see for the host.
        Read = "READ",
        /// Record events and refunds.
        EventsWrite = "EVENTS_WRITE",
        /// Sign users up, change them and their codes.
        UsersWrite = "USERS_WRITE",
        /// Claim rewards on behalf of users.
        ClaimsWrite = "CLAIMS_WRITE",
    }
}

words! {
    /// What a leaderboard counts.
    Metric {
        /// Direct referrals that are not rejected, by the time of signup.
        Signups = "SIGNUPS",
        /// Completed direct referrals, by the time of completion.
        Referrals = "REFERRALS",
        /// Net rewards in minor units, by the time of grant.
        Rewards = "REWARDS",
        /// Everybody within ten levels below; for all time only.
        Network = "NETWORK",
    }
}

words! {
    /// Over which time a leaderboard counts.
    Period {
        /// A day of the program's time zone.
        Day = "DAY",
        /// An ISO week, from Monday on.
        Week = "WEEK",
        /// A calendar month.
        Month = "MONTH",
        /// Everything.
        AllTime = "ALL_TIME",
    }
}

words! {
    /// What the signs of fraud against a referral came to.
    Standing {
        /// Nothing that would hold its rewards.
        Clear = "CLEAR",
        /// Its rewards are held back until somebody has looked at it.
        Held = "HELD",
        /// Rejected by the score alone.
        Blocked = "BLOCKED",
        /// Somebody looked at it and let it pass; further signs are noted and change nothing.
        Approved = "APPROVED",
        /// Somebody looked at it and rejected it.
        Denied = "DENIED",
    }
}

words! {
    /// The state of a review.
    ReviewStatus {
        /// Waits for somebody to look.
        Pending = "PENDING",
        /// The referral passed.
        Approved = "APPROVED",
        /// The referral was rejected.
        Denied = "DENIED",
    }
}

words! {
    /// What a listing does with what it names.
    ListingEffect {
        /// It is no sign of fraud.
        Allow = "ALLOW",
        /// Referrals with it are rejected.
        Block = "BLOCK",
    }
}

words! {
    /// What a listing names.
    ListingSubject {
        /// One address.
        Ip = "IP",
        /// The network of an address: /24 of IPv4, /56 of IPv6.
        Network = "NETWORK",
        /// A device.
        Device = "DEVICE",
        /// An e-mail address and all its aliases.
        Email = "EMAIL",
        /// Every address of an e-mail domain.
        EmailDomain = "EMAIL_DOMAIN",
        /// A referrer, by the host's id.
        Referrer = "REFERRER",
    }
}

impl Metric {
    /// The metrics that have rows of their own on boards.
    pub const STORED: [Self; 3] = [Self::Signups, Self::Referrals, Self::Rewards];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::from_word(outcome.word()), Some(*outcome));
        }
        assert_eq!(Period::from_word("YEAR"), None);
    }
}
