//! What metrics and the health page show of the live room.

/// Whether hints reach other servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LinkState {
    /// There is no Redis: one server on its own.
    #[default]
    InProcess,
    /// The first connection is still being made.
    Connecting,
    /// Subscribed, and Redis answers.
    Connected,
    /// Redis is gone or does not answer; local hints work, those of other servers wait for the resync.
    Lost,
}

/// What metrics and the health page show; counts are since the start of this process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LiveStatus {
    /// Whether hints reach other servers.
    pub link: LinkState,
    /// Keys somebody watches now.
    pub keys: usize,
    /// Reads begun, for whatever reason.
    pub reads: u64,
    /// Reads that failed.
    pub failed_reads: u64,
    /// Newer values handed to a key's subscribers.
    pub emissions: u64,
    /// Hints published by this process.
    pub local_hints: u64,
    /// Hints heard from other servers.
    pub remote_hints: u64,
    /// Hints handed to Redis; those merged in the queue count once.
    pub sent_hints: u64,
    /// Hints that found the queue full and were left to the resync of the others.
    pub dropped_hints: u64,
    /// Topics waiting to be sent to Redis.
    pub queued: usize,
    /// Times the subscription to Redis was made, the first one included.
    pub connections: u64,
    /// Whether limits hold over all servers.
    pub limits: LinkState,
}
