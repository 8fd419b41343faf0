//! Asking those who fold to pause, so that whoever wants the fold gate alone gets it soon.

use super::{Engine, Error};
use crate::{
    domain::time::SECOND_MICROS,
    store::{Tx, run},
};

/// For how long one call asks, in seconds: longer than a transaction waits for a lock. Who needs more asks again.
const LEASE_SECONDS: i64 = 60;

impl Engine {
    /// Asks those who fold to pause from now on. They go on by themselves when the one who asked is gone.
    pub(super) async fn pause_folding(&self) -> Result<(), Error> {
        let now = self.context.now().micros() / SECOND_MICROS;
        self.want_gate_until(now + LEASE_SECONDS).await
    }

    /// Lets them go on, and gives what was done meanwhile back. Where that fails they go on at the end of the lease: what
    /// was done is done, and must not look as if it was not.
    pub(super) async fn resume_folding<T>(&self, done: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = self.want_gate_until(0).await {
            tracing::warn!(%error, "folding pauses for up to a minute");
        }
        done
    }

    async fn want_gate_until(&self, second: i64) -> Result<(), Error> {
        let marked = self.store.write(async |tx: &mut Tx| run!(tx, gate::want_until(second)));
        marked.await.map_err(Error::from)
    }
}
