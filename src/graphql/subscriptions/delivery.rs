//! Showing one subscriber what was read for all of them.
//!
//! What is shown depends on who watches, so it takes look-ups of its own, and those may fail when the shared read did not.
//! Nobody would repair that: the value was read, and only a newer version of it is told again. So it is kept, and tried
//! again until it was shown.

use std::time::Duration;

use futures_util::{
    FutureExt, Stream, StreamExt,
    stream::{BoxStream, Fuse, unfold},
};
use tokio::time::sleep;

use crate::graphql::errors::ApiError;

/// First pause after a failure; doubled for each further one of the same row.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// Longest pause after failures.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What becomes of a message that could not be shown when a newer one is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// The newer one takes its place: it says all that the older one did.
    Newest,
    /// It comes first: each message tells of something else.
    Each,
}

/// Shows each message with `show`, in their order.
///
/// A failure that may pass is told once, and then the message is tried again until it was shown. A refusal is told, and is
/// the end. Failed messages are passed on as they are.
pub(super) fn deliver<T, U, S, F>(
    messages: BoxStream<'static, Result<T, ApiError>>,
    due: Due,
    show: S,
) -> impl Stream<Item = Result<U, ApiError>> + use<T, U, S, F>
where
    T: Clone + Send + 'static,
    S: Fn(T) -> F,
    F: Future<Output = Result<U, ApiError>>,
{
    let delivery = Delivery { messages: messages.fuse(), due, show, kept: None, pause: FIRST_PAUSE };
    unfold(Some(delivery), async |delivery: Option<Delivery<T, S>>| delivery?.next().await)
}

/// Delivers to one subscriber.
struct Delivery<T, S> {
    messages: Fuse<BoxStream<'static, Result<T, ApiError>>>,
    due: Due,
    show: S,
    /// What could not be shown yet; the subscriber knows.
    kept: Option<T>,
    pause: Duration,
}

impl<T: Clone, S> Delivery<T, S> {
    /// The next thing to tell, and whoever tells what follows it.
    async fn next<U, F>(mut self) -> Option<(Result<U, ApiError>, Option<Self>)>
    where
        S: Fn(T) -> F,
        F: Future<Output = Result<U, ApiError>>,
    {
        loop {
            let was_told = self.kept.is_some();
            let message = match self.kept.take() {
                Some(kept) => self.later(kept).await,
                None => match self.messages.next().await? {
                    Ok(message) => message,
                    Err(failure) => return Some((Err(failure), Some(self))),
                },
            };
            match (self.show)(message.clone()).await {
                Ok(shown) => {
                    self.pause = FIRST_PAUSE;
                    return Some((Ok(shown), Some(self)));
                }
                Err(refusal) if !refusal.may_pass() => return Some((Err(refusal), None)),
                Err(failure) => {
                    self.kept = Some(message);
                    if !was_told {
                        return Some((Err(failure), Some(self)));
                    }
                }
            }
        }
    }

    /// Waits, and says what to try then.
    async fn later(&mut self, kept: T) -> T {
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        match self.due {
            Due::Each => kept,
            // A failed message comes before the first value only, and so there is none here.
            Due::Newest => match self.messages.next().now_or_never() {
                Some(Some(Ok(newer))) => newer,
                _ => kept,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::sync::{Arc, Mutex};

    use futures_util::stream;
    use tokio::sync::watch;

    use super::*;

    /// Shows versions, but first fails as often and in such a way as told.
    fn showing(failures: impl IntoIterator<Item = ApiError>) -> impl Fn(i64) -> BoxShown {
        let failures = Arc::new(Mutex::new(VecDeque::from_iter(failures)));
        move |version| {
            let failure = failures.lock().unwrap().pop_front();
            async move { failure.map_or(Ok(version), Err) }.boxed()
        }
    }

    type BoxShown = futures_util::future::BoxFuture<'static, Result<i64, ApiError>>;

    /// The newest of what is sent, as [`Live::watch`](crate::live::Live::watch) tells it.
    fn newest_of(receiver: watch::Receiver<i64>) -> BoxStream<'static, Result<i64, ApiError>> {
        unfold(receiver, async |mut receiver| {
            receiver.changed().await.ok()?;
            let version = *receiver.borrow_and_update();
            Some((Ok(version), receiver))
        })
        .boxed()
    }

    async fn all<U>(told: impl Stream<Item = Result<U, ApiError>>) -> Vec<Result<U, ApiError>> {
        tokio::time::timeout(Duration::from_secs(10), told.collect()).await.unwrap()
    }

    #[tokio::test]
    async fn the_last_value_is_shown_after_all_and_its_failure_is_told_once() {
        let (sender, receiver) = watch::channel(0);
        sender.send_replace(1);
        let failures = [ApiError::Unavailable, ApiError::Unavailable, ApiError::Unavailable];
        let mut told = deliver(newest_of(receiver), Due::Newest, showing(failures)).boxed();
        assert_eq!(told.next().await, Some(Err(ApiError::Unavailable)));
        let shown = tokio::time::timeout(Duration::from_secs(10), told.next()).await;
        assert_eq!(shown.unwrap(), Some(Ok(1)), "nothing newer came, and it was lost");
        sender.send_replace(2);
        assert_eq!(told.next().await, Some(Ok(2)));
    }

    #[tokio::test]
    async fn a_newer_value_takes_the_place_of_one_that_was_not_shown_and_none_goes_back() {
        let (sender, receiver) = watch::channel(0);
        sender.send_replace(1);
        let mut told = deliver(newest_of(receiver), Due::Newest, showing([ApiError::Unavailable])).boxed();
        assert_eq!(told.next().await, Some(Err(ApiError::Unavailable)));
        sender.send_replace(2);
        sender.send_replace(3);
        drop(sender);
        assert_eq!(all(told).await, [Ok(3)]);
    }

    #[tokio::test]
    async fn of_changes_each_is_shown_in_their_order() {
        let changes = stream::iter([1, 2, 3].map(Ok)).boxed();
        let told = deliver(changes, Due::Each, showing([ApiError::Unavailable, ApiError::Unavailable]));
        assert_eq!(all(told).await, [Err(ApiError::Unavailable), Ok(1), Ok(2), Ok(3)]);
    }

    #[tokio::test]
    async fn each_row_of_failures_is_told() {
        let failing = |version: i64| {
            let asked = Arc::new(Mutex::new(0));
            (version, asked)
        };
        let messages = stream::iter([failing(1), failing(2)].map(Ok)).boxed();
        let told = deliver(messages, Due::Each, |(version, asked): (i64, Arc<Mutex<u32>>)| async move {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            if *asked > 1 { Ok(version) } else { Err(ApiError::Unavailable) }
        });
        assert_eq!(all(told).await, [Err(ApiError::Unavailable), Ok(1), Err(ApiError::Unavailable), Ok(2)]);
    }

    #[tokio::test]
    async fn a_refusal_is_the_end_and_a_failed_message_is_not() {
        let messages = stream::iter([Err(ApiError::Unavailable), Ok(1), Ok(2)]).boxed();
        let told = deliver(messages, Due::Newest, showing([ApiError::Forbidden]));
        assert_eq!(all(told).await, [Err(ApiError::Unavailable), Err(ApiError::Forbidden)]);
    }
}
