//! Who may see and do what: each permission is a type that a function asks for, so that no check can be forgotten.

use super::errors::ApiError;
use crate::domain::{caller::Caller, scopes::Scopes, words::KeyScope};

/// Levels below a member that are the member's own network.
pub const NETWORK_LEVELS: u8 = 10;

/// Anybody with a credential that lets them see anything.
#[derive(Clone, Copy, Debug)]
pub struct Known(());

/// The host's back end or an operator: sees every user, event, reward and claim.
#[derive(Clone, Copy, Debug)]
pub struct Staff(());

/// Who may record events and refunds: the host's back end or an operator.
#[derive(Clone, Copy, Debug)]
pub struct EventWriter(());

/// Who may change users and their codes: the host's back end or an operator.
#[derive(Clone, Copy, Debug)]
pub struct UserWriter<'a> {
    /// Name of their key, for the audit log.
    pub key: &'a str,
}

/// Who may sign users up.
#[derive(Clone, Copy, Debug)]
pub enum Registrar<'a> {
    /// A member, themselves only.
    Member {
        /// The host's id of the member.
        external_id: &'a str,
    },
    /// The host's back end or an operator, anybody.
    Host,
}

/// Who may claim rewards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claimant {
    /// A member, their own.
    Member,
    /// The host's back end or an operator, anybody's.
    Host,
}

/// An operator: settles claims, manages keys, checks the ledger.
#[derive(Clone, Copy, Debug)]
pub struct Operator<'a> {
    /// Name of their key, for the audit log.
    pub key: &'a str,
}

impl TryFrom<&Caller> for Known {
    type Error = ApiError;

    fn try_from(caller: &Caller) -> Result<Self, ApiError> {
        match caller {
            Caller::Anonymous => Err(ApiError::Unauthenticated),
            Caller::Server { scopes, .. } => within(*scopes, KeyScope::Read).map(Self),
            Caller::Member { .. } | Caller::Admin { .. } => Ok(Self(())),
        }
    }
}

impl TryFrom<&Caller> for Staff {
    type Error = ApiError;

    fn try_from(caller: &Caller) -> Result<Self, ApiError> {
        match caller {
            Caller::Anonymous => Err(ApiError::Unauthenticated),
            Caller::Member { .. } => Err(ApiError::Forbidden),
            Caller::Server { scopes, .. } => within(*scopes, KeyScope::Read).map(Self),
            Caller::Admin { .. } => Ok(Self(())),
        }
    }
}

impl TryFrom<&Caller> for EventWriter {
    type Error = ApiError;

    fn try_from(caller: &Caller) -> Result<Self, ApiError> {
        match caller {
            Caller::Anonymous => Err(ApiError::Unauthenticated),
            Caller::Member { .. } => Err(ApiError::Forbidden),
            Caller::Server { scopes, .. } => within(*scopes, KeyScope::EventsWrite).map(Self),
            Caller::Admin { .. } => Ok(Self(())),
        }
    }
}

impl<'a> TryFrom<&'a Caller> for UserWriter<'a> {
    type Error = ApiError;

    fn try_from(caller: &'a Caller) -> Result<Self, ApiError> {
        match caller {
            Caller::Anonymous => Err(ApiError::Unauthenticated),
            Caller::Member { .. } => Err(ApiError::Forbidden),
            Caller::Server { key, scopes } => within(*scopes, KeyScope::UsersWrite).map(|()| Self { key }),
            Caller::Admin { key } => Ok(Self { key }),
        }
    }
}

impl<'a> TryFrom<&'a Caller> for Registrar<'a> {
    type Error = ApiError;

    fn try_from(caller: &'a Caller) -> Result<Self, ApiError> {
        match caller {
            Caller::Anonymous => Err(ApiError::Unauthenticated),
            Caller::Member { external_id } => Ok(Self::Member { external_id }),
            Caller::Server { scopes, .. } => within(*scopes, KeyScope::UsersWrite).map(|()| Self::Host),
            Caller::Admin { .. } => Ok(Self::Host),
        }
    }
}

impl TryFrom<&Caller> for Claimant {
    type Error = ApiError;

    fn try_from(caller: &Caller) -> Result<Self, ApiError> {
        match caller {
            Caller::Anonymous => Err(ApiError::Unauthenticated),
            Caller::Member { .. } => Ok(Self::Member),
            Caller::Server { scopes, .. } => within(*scopes, KeyScope::ClaimsWrite).map(|()| Self::Host),
            Caller::Admin { .. } => Ok(Self::Host),
        }
    }
}

/// Whether a key's scopes allow something.
fn within(scopes: Scopes, scope: KeyScope) -> Result<(), ApiError> {
    if scopes.has(scope) { Ok(()) } else { Err(ApiError::Forbidden) }
}

impl<'a> TryFrom<&'a Caller> for Operator<'a> {
    type Error = ApiError;

    fn try_from(caller: &'a Caller) -> Result<Self, ApiError> {
        match caller {
            Caller::Anonymous => Err(ApiError::Unauthenticated),
            Caller::Member { .. } | Caller::Server { .. } => Err(ApiError::Forbidden),
            Caller::Admin { key } => Ok(Self { key }),
        }
    }
}

/// How much of one user the caller sees. It goes with the user through the graph: whoever is reached from a user in
/// sight is seen as their place in the tree allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sight {
    /// Everything: the caller is a server or an operator.
    Staff,
    /// The caller's own record, without what only operators see.
    Own,
    /// Somebody so many levels below the caller, from 1 on: name, counts and tree, not the money.
    Network(u8),
    /// Anybody else, met on a board or above the caller: a masked name.
    Name,
}

impl Sight {
    /// Whether money, codes and contact with the host are shown.
    pub const fn is_private(self) -> bool {
        match self {
            Self::Staff | Self::Own => true,
            Self::Network(_) | Self::Name => false,
        }
    }

    /// Whether the code that brought the user is shown: it is their referrer's, so besides those who see everything only the
    /// two who know it.
    pub const fn shows_code_used(self) -> bool {
        match self {
            Self::Staff | Self::Own | Self::Network(1) => true,
            Self::Network(_) | Self::Name => false,
        }
    }

    /// Whether the user's place in the tree is shown.
    pub const fn has_tree(self) -> bool {
        match self {
            Self::Staff | Self::Own | Self::Network(_) => true,
            Self::Name => false,
        }
    }

    /// How somebody so many levels above is seen.
    pub const fn above(self, levels: u8) -> Self {
        match self {
            Self::Staff => Self::Staff,
            Self::Network(below) if levels < below => Self::Network(below - levels),
            Self::Network(below) if levels == below => Self::Own,
            Self::Own | Self::Network(_) | Self::Name => Self::Name,
        }
    }

    /// How somebody so many levels below is seen; nothing when that is beyond the caller's network.
    pub const fn below(self, levels: u8) -> Option<Self> {
        match self {
            Self::Staff => Some(Self::Staff),
            Self::Name => None,
            sight if levels == 0 => Some(sight),
            Self::Own => network(levels),
            Self::Network(below) => network(below.saturating_add(levels)),
        }
    }

    /// The most levels below that are in sight.
    pub const fn depth_below(self) -> u8 {
        match self {
            Self::Staff | Self::Own => NETWORK_LEVELS,
            Self::Network(below) => NETWORK_LEVELS.saturating_sub(below),
            Self::Name => 0,
        }
    }
}

const fn network(level: u8) -> Option<Sight> {
    if level <= NETWORK_LEVELS { Some(Sight::Network(level)) } else { None }
}

/// Most words of a name that are hinted at.
const MASKED_WORDS: usize = 3;

/// A name as strangers see it: `Ann Lee` becomes `A*** L***`. The stars do not tell how long it is.
pub fn masked(name: &str) -> String {
    let initials = name.split_whitespace().take(MASKED_WORDS).filter_map(|word| word.chars().next());
    initials.map(|initial| format!("{initial}***")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sight_follows_the_tree() {
        assert_eq!(Sight::Own.above(1), Sight::Name);
        assert_eq!(Sight::Own.below(1), Some(Sight::Network(1)));
        assert_eq!(Sight::Own.below(0), Some(Sight::Own));
        assert_eq!(Sight::Network(3).above(2), Sight::Network(1));
        assert_eq!(Sight::Network(3).above(3), Sight::Own);
        assert_eq!(Sight::Network(3).above(4), Sight::Name);
        assert_eq!(Sight::Network(9).below(1), Some(Sight::Network(10)));
        assert_eq!(Sight::Network(10).below(1), None);
        assert_eq!(Sight::Name.below(1), None);
        assert_eq!(Sight::Staff.below(200), Some(Sight::Staff));
    }

    #[test]
    fn masked_names_do_not_tell_their_length() {
        assert_eq!(masked("Ann Lee"), "A*** L***");
        assert_eq!(masked("Annabelle"), masked("A"));
        assert_eq!(masked("a b c d e f"), "a*** b*** c***");
        assert_eq!(masked("  "), "");
    }

    #[test]
    fn roles_are_told_apart() {
        let key = || "k".to_owned();
        let member = Caller::Member { external_id: "u".to_owned() };
        let server = Caller::Server { key: key(), scopes: Scopes::ALL };
        assert_eq!(Known::try_from(&Caller::Anonymous).unwrap_err(), ApiError::Unauthenticated);
        assert_eq!(Staff::try_from(&Caller::Anonymous).unwrap_err(), ApiError::Unauthenticated);
        assert_eq!(Staff::try_from(&member).unwrap_err(), ApiError::Forbidden);
        assert_eq!(Operator::try_from(&server).unwrap_err(), ApiError::Forbidden);
        assert!(Known::try_from(&member).is_ok() && Staff::try_from(&server).is_ok());
        assert!(Operator::try_from(&Caller::Admin { key: key() }).is_ok());
    }

    #[test]
    fn a_scope_opens_its_own_doors_only() {
        let doors = |caller: &Caller| {
            [
                Known::try_from(caller).is_ok() && Staff::try_from(caller).is_ok(),
                EventWriter::try_from(caller).is_ok(),
                UserWriter::try_from(caller).is_ok() && Registrar::try_from(caller).is_ok(),
                Claimant::try_from(caller).is_ok(),
            ]
        };
        for (place, scope) in KeyScope::ALL.iter().enumerate() {
            let scopes = [*scope].into_iter().collect();
            let mut expected = [false; 4];
            expected[place] = true;
            assert_eq!(doors(&Caller::Server { key: "k".to_owned(), scopes }), expected, "{scope:?}");
        }
        assert_eq!(doors(&Caller::Server { key: "k".to_owned(), scopes: Scopes::ALL }), [true; 4]);
        assert_eq!(doors(&Caller::Admin { key: "k".to_owned() }), [true; 4]);
        assert_eq!(doors(&Caller::Anonymous), [false; 4]);
    }
}
