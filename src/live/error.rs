//! What a configuration of the live room can get wrong.

/// Why a [`Live`](super::Live) could not be set up; never why Redis is down, which is not an error.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The URL is of a kind that is not spoken yet.
    #[error("REDIS_URL: {scheme}:// is not supported yet; use the redis:// or rediss:// URL of a single node")]
    NotSupported {
        /// The scheme asked for.
        scheme: String,
    },
    /// The URL is not one of a Redis; the URL itself may hold a password and is not repeated.
    #[error("REDIS_URL: {reason}")]
    Url {
        /// What is wrong with it.
        reason: String,
    },
    /// The namespace cannot be part of a channel's name.
    #[error("the namespace must be 1 to {limit} of a-z, A-Z, 0-9, '_', '.' and '-'")]
    Namespace {
        /// How many bytes it may have.
        limit: usize,
    },
}

impl LiveError {
    /// The stable code of this error.
    pub fn code(&self) -> &'static str {
        match self {
            LiveError::NotSupported { .. } => "REDIS_URL_NOT_SUPPORTED",
            LiveError::Url { .. } => "REDIS_URL_INVALID",
            LiveError::Namespace { .. } => "NAMESPACE_INVALID",
        }
    }
}
