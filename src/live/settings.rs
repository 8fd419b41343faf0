//! How a `Live` is set up.

use std::time::Duration;

use super::LiveError;
use crate::domain::keyed_hash::HashKey;

/// Bytes a namespace may have.
const NAMESPACE_BYTES: usize = 64;

/// How long a key goes unread when no hint arrives: the most a lost hint can cost.
const RESYNC: Duration = Duration::from_secs(10);

/// Shortest time between two reads of one key: at most ten messages a second.
const GAP: Duration = Duration::from_millis(100);

/// Longest wait of a request for the shared limits; see [`LiveSettings::limits_patience`].
const LIMITS_PATIENCE: Duration = Duration::from_millis(200);

/// How a [`Live`](super::Live) is set up.
#[derive(Clone, Debug)]
pub struct LiveSettings {
    /// Keeps deployments that share one Redis apart; part of the channel's name.
    pub namespace: String,
    /// A random number, another one in every process: a hint that comes back with it is our own echo and is dropped.
    /// Two servers with the same number would not hear each other until the next resync. It also seeds the jitter.
    pub node: u64,
    /// Every live key is read again after this long without a hint; 10 s unless told.
    pub resync: Duration,
    /// Reads of one key start at least this far apart; 100 ms unless told.
    pub gap: Duration,
    /// How long a request waits for Redis to say whether it is within its limits, before this server decides by itself;
    /// 200 ms unless told.
    pub limits_patience: Duration,
    /// Names of callers and addresses reach Redis only as hashes with this key, which servers that share limits have to
    /// have in common. Made of the namespace unless told, which keeps them apart but hides nothing.
    pub hash_key: HashKey,
}

impl LiveSettings {
    /// The usual times, for a namespace and a random `node`.
    pub fn new(namespace: impl Into<String>, node: u64) -> LiveSettings {
        let namespace = namespace.into();
        let hash_key = HashKey::from_secret(&namespace);
        LiveSettings { namespace, node, resync: RESYNC, gap: GAP, limits_patience: LIMITS_PATIENCE, hash_key }
    }

    /// The one Redis channel of this namespace.
    pub(super) fn channel(&self) -> Result<String, LiveError> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
        let fits = (1..=NAMESPACE_BYTES).contains(&self.namespace.len());
        if !fits || !self.namespace.bytes().all(plain) {
            return Err(LiveError::Namespace { limit: NAMESPACE_BYTES });
        }
        Ok(format!("banyan:{}:hints", self.namespace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_part_of_a_channel_name() {
        assert_eq!(LiveSettings::new("shop-1.eu", 1).channel().unwrap(), "banyan:shop-1.eu:hints");
        for bad in ["", "two words", "star*", &"x".repeat(NAMESPACE_BYTES + 1)] {
            let refused = LiveSettings::new(bad, 1).channel().unwrap_err();
            assert_eq!(refused.code(), "NAMESPACE_INVALID", "{bad}");
        }
    }
}
