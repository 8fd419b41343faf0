//! How the server ends: a signal that everybody hears, and a count of those who still have something to finish.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How far the server is on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    Draining,
    Cut,
}

/// The way out: clones share one state, so whoever holds one can begin it, hear of it, or hold it up.
#[derive(Clone, Debug)]
pub struct Shutdown {
    phase: Arc<watch::Sender<Phase>>,
    held: Arc<watch::Sender<usize>>,
}

/// Something that should be finished before the process leaves: a connection, a WebSocket, a mutation.
///
/// hyper's own graceful shutdown sees neither sockets that were upgraded nor tasks that outlive their request.
#[derive(Debug)]
pub struct Held(Arc<watch::Sender<usize>>);

impl Shutdown {
    /// Makes one that has not begun.
    pub fn new() -> Self {
        Self { phase: Arc::new(watch::Sender::new(Phase::Open)), held: Arc::new(watch::Sender::new(0)) }
    }

    /// Begins the shutdown: no new connections, not ready any more, WebSockets say goodbye.
    pub fn begin(&self) {
        self.advance(Phase::Draining);
    }

    /// Says whether the shutdown has begun.
    pub fn has_begun(&self) -> bool {
        *self.phase.borrow() >= Phase::Draining
    }

    /// Waits until the shutdown begins.
    pub async fn begun(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Counts one more thing that should be finished first, for as long as the guard lives.
    pub fn hold(&self) -> Held {
        self.held.send_modify(|count| *count += 1);
        Held(self.held.clone())
    }

    /// How many things are being finished.
    pub fn held(&self) -> usize {
        *self.held.borrow()
    }

    /// Waits until nothing is held any more, at most for `patience`; then cuts what is left.
    ///
    /// Returns how many things were cut.
    pub(crate) async fn drain(&self, patience: Duration) -> usize {
        let mut count = self.held.subscribe();
        // The sender lives in `self`, so waiting can only end by reaching zero or by running out of patience.
        let waited = tokio::time::timeout(patience, count.wait_for(|count| *count == 0)).await;
        let left = if waited.is_ok() { 0 } else { self.held() };
        self.advance(Phase::Cut);
        left
    }

    /// Waits until patience has run out.
    pub(crate) async fn cut(&self) {
        self.reached(Phase::Cut).await;
    }

    fn advance(&self, to: Phase) {
        self.phase.send_if_modified(|phase| {
            let forward = *phase < to;
            *phase = (*phase).max(to);
            forward
        });
    }

    async fn reached(&self, at_least: Phase) {
        let mut phase = self.phase.subscribe();
        // An error would mean that the sender is gone, which `self` keeps alive.
        let _still_here = phase.wait_for(|phase| *phase >= at_least).await;
    }
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn everybody_hears_it_begin_even_late() {
        let shutdown = Shutdown::new();
        assert!(!shutdown.has_begun());
        shutdown.clone().begin();
        shutdown.begun().await;
        assert!(shutdown.has_begun());
    }

    #[tokio::test]
    async fn draining_waits_for_what_is_held() {
        let shutdown = Shutdown::new();
        let held = shutdown.hold();
        assert_eq!(shutdown.held(), 1);
        let draining = tokio::spawn({
            let shutdown = shutdown.clone();
            async move { shutdown.drain(Duration::from_secs(60)).await }
        });
        tokio::task::yield_now().await;
        assert!(!draining.is_finished());
        drop(held);
        assert_eq!(draining.await.unwrap(), 0);
    }

    #[tokio::test]
    async fn what_does_not_finish_is_cut_and_counted() {
        let shutdown = Shutdown::new();
        let _held = shutdown.hold();
        assert_eq!(shutdown.drain(Duration::from_millis(5)).await, 1);
        shutdown.cut().await;
    }
}
