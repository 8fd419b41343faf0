//! Which bucket: what is limited, and for whom.

use crate::domain::keyed_hash::HashKey;

/// Bytes of a name's hash that are kept: enough for two never to meet by chance.
const NAME_BYTES: usize = 16;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BucketKind {
    /// Requests without a credential, by address.
    Requests,
    /// The cost of a member's documents.
    MemberCost,
    /// A member's claims.
    MemberClaims,
    /// The cost of the documents sent with a key.
    KeyCost,
    /// Codes that do not exist, by the address that asked for them.
    AddressMisses,
    /// The same by network.
    NetworkMisses,
    /// The same, all together.
    AllMisses,
}

impl BucketKind {
    /// How it is called in Redis.
    const fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::MemberCost => "member-cost",
            Self::MemberClaims => "member-claims",
            Self::KeyCost => "key-cost",
            Self::AddressMisses => "address-misses",
            Self::NetworkMisses => "network-misses",
            Self::AllMisses => "all-misses",
        }
    }
}

/// One bucket. It names its owner by a keyed hash only: neither memory nor Redis holds addresses or people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bucket {
    kind: BucketKind,
    whom: [u8; NAME_BYTES],
}

impl Bucket {
    pub(super) fn new(kind: BucketKind, whom: &str, key: &HashKey) -> Self {
        let hash = key.hash(kind.word(), whom).0;
        let mut short = [0; NAME_BYTES];
        short.copy_from_slice(&hash[..NAME_BYTES]);
        Self { kind, whom: short }
    }

    /// The one that all share who find no place of their own.
    pub(super) const fn of_the_rest(kind: BucketKind) -> Self {
        Self { kind, whom: [0; NAME_BYTES] }
    }

    /// What it limits.
    pub(super) const fn kind(self) -> BucketKind {
        self.kind
    }

    /// Its key in Redis. All buckets of a namespace are in one slot of a cluster, as one script has to reach several.
    pub(in crate::live) fn key(self, namespace: &str) -> String {
        let whom = u128::from_be_bytes(self.whom);
        format!("banyan:{{{namespace}}}:limit:{}:{whom:032x}", self.kind.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_tells_what_and_not_whom() {
        let key = HashKey::from_secret("one");
        let ann = Bucket::new(BucketKind::MemberCost, "ann@example.com", &key);
        let name = ann.key("shop");
        assert!(name.starts_with("banyan:{shop}:limit:member-cost:") && !name.contains("ann"), "{name}");
        assert_ne!(ann, Bucket::new(BucketKind::MemberClaims, "ann@example.com", &key));
        assert_ne!(ann, Bucket::new(BucketKind::MemberCost, "ben@example.com", &key));
        assert_ne!(ann, Bucket::new(BucketKind::MemberCost, "ann@example.com", &HashKey::from_secret("two")));
    }
}
