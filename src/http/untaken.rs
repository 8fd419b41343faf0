//! An answer over HTTP/2 that is given up when the client takes no more of it.
//!
//! With HTTP/2 a client says of each answer how much of it may be sent, so one that never says waits without a byte being
//! written, and [`stall`](super::stall) sees nothing: hyper waits without limit, and pings keep the connection alive. What
//! hyper does with an answer is asking its body for data, waiting until the client takes at least a byte beyond what was
//! handed over already, handing the data over whole, and asking again (`PipeToSendStream` in its `proto/h2/mod.rs`). So an
//! answer whose body gave something, and is not asked for more, is one that the client does not take; one whose body was
//! asked and has nothing is idle, as a quiet stream of events is.
//!
//! The body alone could end nothing, as nobody asks it: the watch is kept in the task that hyper gives to each stream.
//! Dropping what hyper runs in it resets that stream (`drop_stream_ref` in h2's `proto/streams/streams.rs`), and throws away
//! what was handed over. Other streams of the connection, which may be those of other clients of a proxy, go on.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use hyper::rt::Executor;
use tokio::time::{Sleep, sleep};

/// Most bytes that are handed over at once: what a slow client has to take in the time it has.
const MAX_PIECE_BYTES: usize = 4 * 1024;

tokio::task_local! {
    /// Of the stream that the present task is for.
    static HANDING_OVER: Arc<HandingOver>;
}

/// How far an answer is handed over. Only the task of its stream touches it.
#[derive(Debug, Default)]
struct HandingOver {
    /// Whether the body was asked since somebody looked last.
    was_asked: AtomicBool,
    /// Whether what the body gave last may still be waiting for the client.
    is_waiting: AtomicBool,
}

/// Runs the streams of HTTP/2 connections, each for as long as its client takes its answer.
#[derive(Clone, Debug)]
pub struct Streams {
    /// How long a client may take nothing of an answer.
    pub patience: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
{
    fn execute(&self, stream: F) {
        tokio::spawn(attend(stream, self.patience));
    }
}

async fn attend<F: Future>(stream: F, patience: Duration) {
    let handing_over = Arc::<HandingOver>::default();
    let mut stream = pin!(HANDING_OVER.scope(handing_over.clone(), stream));
    // Runs while the client is waited for. Boxed only then: most answers are taken at once.
    let mut waiting: Option<Pin<Box<Sleep>>> = None;
    poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let is_waiting = handing_over.is_waiting.load(Ordering::Relaxed);
        if handing_over.was_asked.swap(false, Ordering::Relaxed) || !is_waiting {
            waiting = None;
        }
        if !is_waiting {
            return Poll::Pending;
        }
        ready!(waiting.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(cx));
        tracing::debug!("an answer was not taken");
        Poll::Ready(())
    })
    .await;
}

/// Makes an answer one that is watched, where it is the answer of a stream.
pub(super) fn watched(answer: Response) -> Response {
    match HANDING_OVER.try_with(Arc::clone) {
        Ok(handing_over) => answer.map(|whole| {
            // hyper may wait for the client before it asks for the first time.
            handing_over.is_waiting.store(!whole.is_end_stream(), Ordering::Relaxed);
            Body::new(Pieces { whole, rest: Bytes::new(), handing_over })
        }),
        Err(_) => answer, // HTTP/1, where whoever takes nothing holds up the connection, which is watched itself
    }
}

/// A body in pieces.
///
/// The last byte of whatever it is made of comes by itself: it is waited with until the client takes all that is before it.
/// In one piece, hyper would hand over all as soon as the client took a byte, and be done with it.
struct Pieces {
    whole: Body,
    rest: Bytes,
    handing_over: Arc<HandingOver>,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.handing_over.was_asked.store(true, Ordering::Relaxed);
        self.handing_over.is_waiting.store(false, Ordering::Relaxed);
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.whole).poll_frame(cx)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                end => return Poll::Ready(end),
            }
        }
        self.handing_over.is_waiting.store(true, Ordering::Relaxed);
        let bytes = piece(self.rest.len());
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(bytes)))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.whole.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, whole) = (self.rest.len() as u64, self.whole.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(whole.lower().saturating_add(rest));
        if let Some(upper) = whole.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

/// How much of so many bytes is handed over next.
fn piece(bytes: usize) -> usize {
    if bytes > 1 { (bytes - 1).min(MAX_PIECE_BYTES) } else { bytes }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    fn in_pieces(whole: Body) -> Pieces {
        Pieces { whole, rest: Bytes::new(), handing_over: Arc::default() }
    }

    async fn sizes(body: Pieces) -> Vec<usize> {
        Body::new(body).into_data_stream().map(|data| data.unwrap().len()).collect().await
    }

    #[tokio::test]
    async fn the_last_byte_comes_by_itself() {
        assert_eq!(sizes(in_pieces(Body::from("x".repeat(9_000)))).await, [4_096, 4_096, 807, 1]);
        assert_eq!(sizes(in_pieces(Body::from("x".repeat(4_097)))).await, [4_096, 1]);
        assert_eq!(sizes(in_pieces(Body::from("xy"))).await, [1, 1]);
        assert_eq!(sizes(in_pieces(Body::from("x"))).await, [1]);
        assert!(in_pieces(Body::empty()).is_end_stream());
    }

    #[tokio::test]
    async fn its_size_is_known_as_before() {
        let mut body = in_pieces(Body::from("x".repeat(100)));
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(100), false));
        poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(1), false));
        poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
        assert_eq!((body.size_hint().exact(), body.is_end_stream()), (Some(0), true));
    }

    #[tokio::test]
    async fn who_is_asked_and_has_nothing_is_not_given_up() {
        let quiet = async {
            let endless = Body::from_stream(futures_util::stream::pending::<Result<Bytes, std::io::Error>>());
            let mut body = watched(Response::new(endless)).into_body();
            poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.map(drop)
        };
        let attended = tokio::spawn(attend(quiet, Duration::from_millis(20)));
        sleep(Duration::from_millis(200)).await;
        assert!(!attended.is_finished());
        attended.abort();
    }

    #[tokio::test]
    async fn what_is_not_asked_for_again_is_given_up() {
        let stuck = async {
            let mut body = watched(Response::new(Body::from("xy"))).into_body();
            let first = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            assert_eq!(first.unwrap().unwrap().into_data().unwrap(), "x");
            std::future::pending::<()>().await;
        };
        let attended = attend(stuck, Duration::from_millis(20));
        tokio::time::timeout(Duration::from_secs(10), attended).await.unwrap();
    }
}
