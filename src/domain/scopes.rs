//! What a server key may do: a set of scopes.

use super::words::KeyScope;

/// A set of scopes, never empty in a key that was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scopes(u8);

impl Scopes {
    /// Every scope there is.
    pub const ALL: Self = Self((1 << KeyScope::ALL.len()) - 1);

    /// Whether this one is among them.
    pub const fn has(self, scope: KeyScope) -> bool {
        self.0 & bit(scope) != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// One after the other, in the order of declaration.
    pub fn iter(self) -> impl Iterator<Item = KeyScope> {
        KeyScope::ALL.iter().copied().filter(move |scope| self.has(*scope))
    }

    /// How they are stored: nothing for all of them, as in keys that are older than scopes; words otherwise.
    pub fn to_stored(self) -> Option<String> {
        let words = || self.iter().map(KeyScope::word).collect::<Vec<_>>().join(" ");
        (self != Self::ALL).then(words)
    }

    /// Reads what is stored. Words of a later version allow nothing here.
    pub fn from_stored(stored: Option<&str>) -> Self {
        stored.map_or(Self::ALL, |words| words.split(' ').filter_map(KeyScope::from_word).collect())
    }
}

impl FromIterator<KeyScope> for Scopes {
    fn from_iter<I: IntoIterator<Item = KeyScope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | bit(scope)))
    }
}

const fn bit(scope: KeyScope) -> u8 {
    1 << scope as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_read_as_they_were_stored() {
        let some: Scopes = [KeyScope::EventsWrite, KeyScope::Read, KeyScope::Read].into_iter().collect();
        assert_eq!(some.to_stored().as_deref(), Some("READ EVENTS_WRITE"));
        assert!(some.has(KeyScope::Read) && !some.has(KeyScope::UsersWrite) && !some.is_empty());
        for scopes in [some, Scopes::ALL, Scopes(0)] {
            assert_eq!(Scopes::from_stored(scopes.to_stored().as_deref()), scopes);
        }
        assert_eq!(KeyScope::ALL.iter().copied().collect::<Scopes>(), Scopes::ALL);
        assert_eq!(Scopes::ALL.to_stored(), None);
    }

    #[test]
    fn what_a_later_version_stored_allows_nothing_more() {
        let read = Scopes::from_stored(Some("READ PROGRAMS_WRITE"));
        assert_eq!(read.iter().collect::<Vec<_>>(), [KeyScope::Read]);
        assert!(Scopes::from_stored(Some("EVERYTHING")).is_empty());
    }
}
