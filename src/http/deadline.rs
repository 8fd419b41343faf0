//! A moment after which something is over.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::operations::Session;

/// A moment after which something is over; there may be none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Option<Instant>);

impl Deadline {
    /// So long from now.
    pub(crate) fn after(patience: Duration) -> Self {
        Self(Instant::now().checked_add(patience))
    }

    /// When the credential of a session that was just made is not good any more.
    pub(crate) fn of(session: &Session) -> Self {
        Self(session.expires_in.and_then(|left| Instant::now().checked_add(left)))
    }

    /// Waits until it has passed: for ever when there is none.
    pub(crate) async fn passed(self) {
        match self.0 {
            Some(instant) => sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }
}
