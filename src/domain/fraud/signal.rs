//! The closed list of signs of fraud.

use serde::{Deserialize, Serialize};

/// One kind of sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Signal {
    /// The address of the referrer, or of another of their people.
    SameIp,
    /// Another address in the network of the referrer, or of another of their people.
    SameNetwork,
    /// The device of the referrer, or of another of their people.
    SameDevice,
    /// Several of a referrer's people on one device, on any level below.
    Ring,
    /// A throw-away mailbox.
    DisposableEmail,
    /// The mailbox of an account that was there before, or of another of the referrer's people, in any spelling.
    AliasEmail,
    /// More signups in a while than one person brings in.
    Velocity,
    /// More signups in a while from one network than one person brings in.
    NetworkBurst,
    /// Qualified sooner after the signup than people do.
    TooFast,
    /// Nothing is known about where the signup came from.
    MissingEvidence,
    /// Referrer and referred are one person: same mailbox or same phone.
    SelfReferral,
    /// Something of it is on the block list.
    BlockListed,
}

impl Signal {
    /// Every sign.
    pub const ALL: &'static [Self] = &[
        Self::SameIp,
        Self::SameNetwork,
        Self::SameDevice,
        Self::Ring,
        Self::DisposableEmail,
        Self::AliasEmail,
        Self::Velocity,
        Self::NetworkBurst,
        Self::TooFast,
        Self::MissingEvidence,
        Self::SelfReferral,
        Self::BlockListed,
    ];

    /// The word that is stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::SameIp => "SAME_IP",
            Self::SameNetwork => "SAME_NETWORK",
            Self::SameDevice => "SAME_DEVICE",
            Self::Ring => "RING",
            Self::DisposableEmail => "DISPOSABLE_EMAIL",
            Self::AliasEmail => "ALIAS_EMAIL",
            Self::Velocity => "VELOCITY",
            Self::NetworkBurst => "NETWORK_BURST",
            Self::TooFast => "TOO_FAST",
            Self::MissingEvidence => "MISSING_EVIDENCE",
            Self::SelfReferral => "SELF_REFERRAL",
            Self::BlockListed => "BLOCK_LISTED",
        }
    }

    /// Reads the stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|signal| signal.word() == word)
    }

    /// The fact that a sign is about. Signs of one fact count once, with the heaviest: three people on one device share
    /// it also two by two, and a household whose members use one computer is not three times as suspicious for it.
    pub(super) const fn fact(self) -> Fact {
        match self {
            Self::SameIp | Self::SameNetwork => Fact::Place,
            Self::SameDevice | Self::Ring => Fact::Device,
            other => Fact::Of(other),
        }
    }

    /// Whether a policy may weigh it: the others say what they lead to.
    pub const fn is_weighed(self) -> bool {
        !matches!(self, Self::MissingEvidence | Self::SelfReferral | Self::BlockListed)
    }
}

/// What a sign is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fact {
    Place,
    Device,
    Of(Signal),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_back_and_stored_alike() {
        for signal in Signal::ALL {
            assert_eq!(Signal::from_word(signal.word()), Some(*signal));
            assert_eq!(serde_json::to_string(signal).unwrap(), format!("\"{}\"", signal.word()));
        }
        assert_eq!(Signal::from_word("BAD_FEELING"), None);
    }
}
