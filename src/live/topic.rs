//! What can change and be watched.

use uuid::Uuid;

/// Something that changes and can be watched.
///
/// Each topic has one scale of versions: a hint's version and the versions its reads give compare.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Topic {
    /// A user's totals and rewards; the version is that of the user's totals.
    User(Uuid),
    /// One board; the version is the board's.
    Board {
        /// The program the board belongs to.
        program: Uuid,
        /// What it counts.
        metric: BoardMetric,
    },
    /// The live feed of one program, or of all programs (`None`); who publishes the one publishes the other too.
    Activity(Option<Uuid>),
    /// The outbox has work; see [`Live::workers_woken`](super::Live::workers_woken). Its version means nothing.
    Workers,
}

/// What a board counts, as it stands in a hint.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BoardMetric {
    /// Direct referrals that are not rejected.
    Signups,
    /// Completed referrals.
    Referrals,
    /// Net rewards.
    Rewards,
    /// Everybody below, of all levels.
    Network,
}

/// "This topic has this version now."
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hint {
    /// What changed.
    pub topic: Topic,
    /// Its version after the change: above zero, or [`Hint::UNKNOWN`].
    pub version: i64,
}

impl Hint {
    /// Stands for "changed, the version is not known": watchers read again whatever they have.
    pub const UNKNOWN: i64 = 0;

    /// The topic changed and now has this version.
    pub fn new(topic: Topic, version: i64) -> Hint {
        Hint { topic, version }
    }

    /// The outbox has work.
    pub fn workers() -> Hint {
        Hint { topic: Topic::Workers, version: Hint::UNKNOWN }
    }
}

/// What one upstream reads: a topic and whatever else its payload depends on (period, page size).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct WatchKey {
    /// The topic whose hints lead to a new read.
    pub topic: Topic,
    /// Tells several payloads of one topic apart; empty when there is only one.
    pub detail: String,
}

impl WatchKey {
    /// The payload `detail` of a topic.
    pub fn new(topic: Topic, detail: impl Into<String>) -> WatchKey {
        WatchKey { topic, detail: detail.into() }
    }
}
