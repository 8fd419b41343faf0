//! Begins a loop again that broke.
//!
//! A panic is a bug that some row brings out. It must not end the work for all the others until somebody restarts the
//! process: nothing else would tell, since requests are answered as before.

use std::time::Instant;

use tokio::task::JoinSet;

use super::{Backoff, MAX_BACKOFF, Stop, rest};

/// Runs a loop until it ends by itself, and begins it again, after a pause, each time it panics. A pause ends with the
/// stop signal, and so does a loop that begins after it.
pub(super) async fn keep_going<F>(what: &'static str, mut stop: Stop, begin: impl Fn() -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut backoff = Backoff::new(what);
    loop {
        let begun = Instant::now();
        // A set of one, not a bare task: it ends with whoever waits for it.
        let mut one = JoinSet::new();
        one.spawn(begin());
        let Some(Err(error)) = one.join_next().await else { return };
        tracing::error!(%error, work = what, "a loop of the worker broke; it is begun again");
        if begun.elapsed() > MAX_BACKOFF {
            backoff = Backoff::new(what);
        }
        rest(backoff.pause(), &mut stop).await;
        if *stop.borrow() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::sync::watch;
    use tokio::time::{sleep, timeout};

    use super::*;

    const LONG: Duration = Duration::from_secs(10);

    /// A loop that panics in its first runs.
    async fn broken_at_first(runs: Arc<AtomicUsize>, broken: usize, mut stop: Stop) {
        let before = runs.fetch_add(1, Ordering::SeqCst);
        assert!(before >= broken, "on purpose");
        drop(stop.wait_for(|stop| *stop).await);
    }

    async fn until_run(runs: &AtomicUsize, times: usize) {
        let waiting = async {
            while runs.load(Ordering::SeqCst) < times {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LONG, waiting).await.expect("it was not begun again");
    }

    fn kept_going(broken: usize) -> (Arc<AtomicUsize>, watch::Sender<bool>, tokio::task::JoinHandle<()>) {
        let (tell, stop) = watch::channel(false);
        let runs = Arc::<AtomicUsize>::default();
        let (counted, heard) = (runs.clone(), stop.clone());
        let begin = move || broken_at_first(counted.clone(), broken, heard.clone());
        (runs, tell, tokio::spawn(keep_going("testing", stop, begin)))
    }

    #[tokio::test]
    async fn a_loop_whose_first_run_panics_is_begun_again_and_ends_when_told() {
        let (runs, tell, going) = kept_going(1);
        until_run(&runs, 2).await;
        sleep(Duration::from_millis(50)).await;
        assert!(!going.is_finished(), "the second run goes on");
        tell.send_replace(true);
        timeout(LONG, going).await.unwrap().unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_loop_that_always_panics_is_begun_ever_later_and_ends_when_told() {
        let (runs, tell, going) = kept_going(usize::MAX);
        until_run(&runs, 3).await;
        assert!(!going.is_finished());
        tell.send_replace(true);
        timeout(LONG, going).await.unwrap().unwrap();
        assert!(runs.load(Ordering::SeqCst) <= 4, "begun without a pause");
    }
}
