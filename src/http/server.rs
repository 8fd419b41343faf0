//! The accept loop: HTTP/1 and HTTP/2 over TCP or TLS, with limits, and a way to end.
//!
//! Not `axum::serve`, which lets clients take all the time in the world: idle connections, slow heads and unread answers
//! were all still open after 75 seconds.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, Version, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use futures_util::future::MapOk;
use futures_util::{FutureExt, TryFutureExt};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

use super::headcount::{Counted, Headcount};
use super::settings::ServerLimits;
use super::shutdown::{Held, Shutdown};
use super::stall::StallGuard;
use super::tls::{Tls, say_https, speaks_plainly};
use super::untaken::{Streams, watched};

/// Largest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Most requests at once on one HTTP/2 connection.
const MAX_HTTP2_STREAMS: u32 = 100;
/// How often a quiet HTTP/2 connection is asked whether it is still there.
const HTTP2_PING: Duration = Duration::from_secs(20);
/// How long it has to answer.
const HTTP2_PONG: Duration = Duration::from_secs(10);
/// How long connections stay as the shutdown begins: a request may be under way on each. What is answered meanwhile says
/// that it was the last one, so that clients go elsewhere by themselves.
const LAST_CALL: Duration = Duration::from_millis(500);
/// Most connections still taken out of the kernel's queue as the shutdown begins; tokio asks for a queue of 1,024.
const MAX_LAST_ARRIVALS: usize = 1_024;
/// How long to wait when no connection can be accepted, as when file descriptors have run out; not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A place among the connections, taken for as long as any clone lives.
///
/// It travels with each request, so that a WebSocket keeps the place of the connection it was made of.
#[derive(Clone, Debug)]
pub(crate) struct Seat {
    _taken: Arc<(OwnedSemaphorePermit, Counted, Held)>,
}

/// Where connections come in.
#[derive(Debug)]
pub struct Gate {
    /// The socket.
    pub listener: TcpListener,
    /// How they are encrypted; they are not without it.
    pub tls: Option<Arc<Tls>>,
}

impl From<TcpListener> for Gate {
    fn from(listener: TcpListener) -> Self {
        Self { listener, tls: None }
    }
}

/// The line to a client. TLS is boxed: it is large, and lines without it need not be.
type Line = Either<StallGuard<TcpStream>, Box<TlsStream<StallGuard<TcpStream>>>>;

/// Serves the routes until the shutdown begins and everything that was going on is finished, or patience has run out.
///
/// Handlers find the client's address in `ConnectInfo<SocketAddr>`. The same [`Shutdown`] has to be in the
/// [`DoorSettings`](super::DoorSettings) of the routes, for the readiness and the WebSockets to hear of it.
///
/// # Errors
/// None today: a connection that cannot be accepted is logged and tried again.
pub async fn serve(gate: impl Into<Gate>, router: Router, limits: ServerLimits, shutdown: Shutdown) -> io::Result<()> {
    let Gate { listener, tls } = gate.into();
    let seats = Arc::new(Semaphore::new(limits.connections));
    let headcount = Headcount::new(limits.connections_per_address, limits.trusted_proxies.clone());
    let router = router.layer(from_fn_with_state(shutdown.clone(), say_last));
    let house = Arc::new(House { http: http(&limits), tls, router, limits, headcount, shutdown });
    let mut begun = pin!(house.shutdown.begun());
    loop {
        let arrived = tokio::select! {
            () = &mut begun => break,
            arrived = next_connection(&listener, &seats) => arrived,
        };
        let Some(arrived) = arrived else { break };
        house.let_in(arrived);
    }
    // Who is in the kernel's queue already would be reset; later ones are refused at once and can go elsewhere.
    for _ in 0..MAX_LAST_ARRIVALS {
        let Some(Some(arrived)) = next_connection(&listener, &seats).now_or_never() else { break };
        house.let_in(arrived);
    }
    drop(listener);
    let cut = house.shutdown.drain(house.limits.drain).await;
    if cut > 0 {
        tracing::warn!(cut, "left with work unfinished");
    }
    Ok(())
}

/// Tells clients of HTTP/1 that this was the last answer on their connection, once the shutdown has begun. HTTP/2 has a
/// word of its own for that.
async fn say_last(State(shutdown): State<Shutdown>, request: Request, next: Next) -> Response {
    let is_http1 = request.version() <= Version::HTTP_11;
    let mut answer = next.run(request).await;
    if is_http1 && shutdown.has_begun() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

/// A connection that was just accepted.
struct Arrived {
    stream: TcpStream,
    peer: SocketAddr,
    permit: OwnedSemaphorePermit,
}

/// Takes a seat first: who finds none waits in the kernel's queue, which is bounded too.
async fn next_connection(listener: &TcpListener, seats: &Arc<Semaphore>) -> Option<Arrived> {
    let permit = seats.clone().acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Some(Arrived { stream, peer, permit }),
            Err(error) if is_of_one_client(&error) => {}
            Err(error) => {
                tracing::error!(%error, "cannot accept connections");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn is_of_one_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

fn http(limits: &ServerLimits) -> Builder<Streams> {
    let mut http = Builder::new(Streams { patience: limits.write });
    http.http1().timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(MAX_HEAD_BYTES);
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_HTTP2_STREAMS)
        .max_header_list_size(MAX_HEAD_BYTES as u32)
        .keep_alive_interval(HTTP2_PING)
        .keep_alive_timeout(HTTP2_PONG);
    http
}

/// What all connections share.
struct House {
    http: Builder<Streams>,
    tls: Option<Arc<Tls>>,
    router: Router,
    limits: ServerLimits,
    headcount: Arc<Headcount>,
    shutdown: Shutdown,
}

impl House {
    /// Attends to a connection, or closes it when its address has enough of them.
    fn let_in(self: &Arc<Self>, arrived: Arrived) {
        let Arrived { stream, peer, permit } = arrived;
        let Some(counted) = self.headcount.enter(peer.ip()) else {
            return tracing::debug!("closed: its address has too many connections");
        };
        let seat = Seat { _taken: Arc::new((permit, counted, self.shutdown.hold())) };
        tokio::spawn(self.clone().attend(stream, peer, seat));
    }

    /// Serves one connection to its end.
    async fn attend(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, seat: Seat) {
        let line = match self.line(stream).await {
            Ok(line) => line,
            Err(error) => return log_end(Err(error)),
        };
        let io = TokioIo::new(line);
        let opened = Arc::new(AtomicBool::new(false));
        let service = service_fn(self.service(peer, seat, opened.clone()));
        let mut connection = pin!(self.http.serve_connection_with_upgrades(io, service));
        let mut leaving = pin!(async {
            self.shutdown.begun().await;
            sleep(LAST_CALL).await;
        });
        let mut cut = pin!(self.shutdown.cut());
        // hyper's own timer for heads starts only once it has seen which version of HTTP is spoken.
        let mut silence = pin!(sleep(self.limits.head));
        let (mut draining, mut listening) = (false, true);
        loop {
            tokio::select! {
                ended = connection.as_mut() => return log_end(ended),
                () = &mut leaving, if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = &mut silence, if listening => {
                    listening = false;
                    if !opened.load(Ordering::Relaxed) {
                        return;
                    }
                }
                () = &mut cut => return,
            }
        }
    }

    /// The line to a client, once hands are shaken where it is encrypted: in the time of a head, and not for long after
    /// the shutdown began.
    async fn line(&self, stream: TcpStream) -> io::Result<Line> {
        // A connection that refuses the option works all the same, only slower.
        let _slower = stream.set_nodelay(true);
        let guarded = |stream| StallGuard::new(stream, self.limits.write);
        let Some(tls) = &self.tls else { return Ok(Line::Left(guarded(stream))) };
        let shaking = async {
            if speaks_plainly(&stream).await? {
                return Err(say_https(stream).await);
            }
            tls.shake_hands(guarded(stream)).await
        };
        let leaving = async {
            self.shutdown.begun().await;
            sleep(LAST_CALL).await;
        };
        tokio::select! {
            shaken = timeout(self.limits.head, shaking) => Ok(Line::Right(Box::new(shaken??))),
            () = leaving => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }

    fn service(
        &self,
        peer: SocketAddr,
        seat: Seat,
        opened: Arc<AtomicBool>,
    ) -> impl Fn(hyper::Request<Incoming>) -> RouterFuture + use<> {
        let routes = TowerToHyperService::new(self.router.clone());
        move |mut request| {
            opened.store(true, Ordering::Relaxed);
            request.extensions_mut().insert(ConnectInfo(peer));
            request.extensions_mut().insert(seat.clone());
            routes.call(request).map_ok(watched as fn(Response) -> Response)
        }
    }
}

type RouterFuture =
    MapOk<<TowerToHyperService<Router> as Service<hyper::Request<Incoming>>>::Future, fn(Response) -> Response>;

/// Clients break connections all day long: worth a line only to who looks for it. Not whose: an address says who it was,
/// and stays in a log for longer than anybody keeps it here.
fn log_end<E: std::fmt::Display>(ended: Result<(), E>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}
