//! A small house behind the doors: one counter, a few fields that misbehave, and callers known by their credential.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_graphql::parser::parse_query;
use async_graphql::{Context, Object, Request, Response, Result, Schema, ServerError, Subscription, Variables};
use banyan::domain::{caller::Caller, limit::Quota, scopes::Scopes, visitor::Visitor};
use banyan::engine::charge::{Bill, Meter};
use banyan::http::rate_limit::Meters;
use banyan::http::settings::Patience;
use banyan::http::{
    Accepted, DoorSettings, Gate, Operations, Price, Refused, ServerLimits, Session, Shutdown, Tls, problem, router,
    serve,
};
use futures_util::stream::{self, BoxStream, Stream, StreamExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// What the fields count.
#[derive(Default)]
pub struct Counters {
    pub added: AtomicUsize,
    pub streams: AtomicUsize,
    pub begun: AtomicUsize,
    /// Requests whose sender was asked for.
    pub asked: AtomicUsize,
    pub not_ready: AtomicBool,
    pub revoked: AtomicBool,
}

/// Panics, of which the compiler must not know here.
fn give_up(secret: &str) -> Option<String> {
    panic!("{secret}")
}

pub struct Query;
pub struct Mutation;
pub struct Subscriptions;

#[Object]
impl Query {
    async fn hello(&self) -> &str {
        "hello"
    }

    async fn caller(&self, ctx: &Context<'_>) -> Result<String> {
        Ok(format!("{:?}", ctx.data::<Caller>()?))
    }

    /// Never null, and always failing.
    async fn boom(&self) -> Result<String> {
        Err("boom".into())
    }

    async fn panics(&self) -> Option<String> {
        give_up("a resolver's secret")
    }

    async fn slow(&self, ctx: &Context<'_>, ms: u64) -> Result<u64> {
        ctx.data::<Arc<Counters>>()?.begun.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_millis(ms)).await;
        Ok(ms)
    }

    async fn text(&self, bytes: usize) -> String {
        "x".repeat(bytes)
    }
}

#[Object]
impl Mutation {
    /// Counts one more, after a while.
    async fn add(&self, ctx: &Context<'_>, #[graphql(default)] ms: u64) -> Result<usize> {
        sleep(Duration::from_millis(ms)).await;
        Ok(ctx.data::<Arc<Counters>>()?.added.fetch_add(1, Ordering::SeqCst) + 1)
    }

    async fn panics(&self) -> Option<String> {
        give_up("a mutation's secret")
    }
}

/// Counts the streams that are alive.
struct Alive(Arc<Counters>);

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::SeqCst);
    }
}

#[Subscription(name = "Subscription")]
impl Subscriptions {
    async fn count(&self, to: u64) -> impl Stream<Item = u64> {
        stream::iter(0..to)
    }

    async fn silent(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = u64>> {
        let counters = ctx.data::<Arc<Counters>>()?.clone();
        counters.streams.fetch_add(1, Ordering::SeqCst);
        let alive = Alive(counters);
        Ok(stream::pending().map(move |n| {
            let _kept = &alive;
            n
        }))
    }

    async fn flood(&self, bytes: usize) -> impl Stream<Item = String> {
        stream::repeat_with(move || "x".repeat(bytes))
    }

    async fn refused(&self) -> Result<stream::Empty<u64>> {
        Err("not for you".into())
    }

    async fn fails_later(&self) -> impl Stream<Item = Result<u64>> {
        stream::iter([Ok(1), Err("second".into()), Ok(3)])
    }

    async fn panics(&self) -> impl Stream<Item = u64> {
        stream::once(async { give_up("a stream's secret").map_or(0, |_| 1) })
    }
}

/// The operations over that schema.
#[derive(Clone)]
pub struct House {
    schema: Schema<Query, Mutation, Subscriptions>,
    pub counters: Arc<Counters>,
}

impl Operations for House {
    async fn authenticate(&self, authorization: Option<&str>, _peer: IpAddr) -> Result<Session, Refused> {
        self.counters.asked.fetch_add(1, Ordering::SeqCst);
        let session = |caller| Session { caller, expires_in: None, visitor: Visitor::default(), key: None };
        let server = |key: &str| session(Caller::Server { key: key.to_owned(), scopes: Scopes::ALL });
        match authorization {
            None => Ok(session(Caller::Anonymous)),
            Some("Bearer short") => Ok(Session { expires_in: Some(Duration::from_millis(100)), ..server("short") }),
            Some("Bearer operator") => Ok(session(Caller::Admin { key: "operator".to_owned() })),
            Some("Bearer wait") => Err(Refused::TooMany { retry_after: Duration::from_secs(3) }),
            Some("Bearer nobody") => Err(Refused::Unavailable),
            Some("Bearer hang") => std::future::pending().await,
            Some(key) if key.starts_with("Bearer key-") => Ok(server(&key[7..])),
            Some(_) => Err(Refused::Credential("Unknown key.")),
        }
    }

    async fn admit(
        &self,
        query: &str,
        _operation_name: Option<&str>,
        _variables: &Variables,
        _session: &Session,
    ) -> Result<Accepted, ServerError> {
        if query.contains("tooComplex") {
            return Err(problem::coded("Too complex.", "QUERY_TOO_COMPLEX"));
        }
        let document = parse_query(query).map_err(|error| problem::syntax_error(&error))?;
        let meter = Meter { policy: "cost", quota: Quota::new(5_000, 1_000), left: 9, reset_seconds: 7 };
        let (metered, too_much) = (query.contains("# metered"), query.contains("# too much"));
        let meters = if metered || too_much { vec![meter] } else { Vec::new() };
        let meters = Meters::of(Bill { meters, retry_after_seconds: too_much.then_some(7) })?;
        let price = Price { requested: query.len() as u64, limit: 1_000 };
        Ok(Accepted { document, price, meters })
    }

    async fn turn_away(&self, refused: ServerError, _session: &Session) -> ServerError {
        refused
    }

    async fn revoked(&self, session: &Session) {
        let Caller::Server { key, .. } = &session.caller else { return std::future::pending().await };
        while !(key == "key-revoked" && self.counters.revoked.load(Ordering::SeqCst)) {
            sleep(Duration::from_millis(5)).await;
        }
    }

    async fn execute(&self, request: Request, session: &Session) -> Response {
        self.schema.execute(request.data(session.caller.clone())).await
    }

    fn stream(&self, request: Request, session: &Session) -> BoxStream<'static, Response> {
        self.schema.execute_stream(request.data(session.caller.clone()))
    }

    async fn ready(&self) -> Result<(), String> {
        match self.counters.not_ready.load(Ordering::SeqCst) {
            true => Err("password of the database is wrong".to_owned()),
            false => Ok(()),
        }
    }
}

/// A running server.
pub struct Running {
    pub address: SocketAddr,
    pub counters: Arc<Counters>,
    pub shutdown: Shutdown,
    pub serving: JoinHandle<std::io::Result<()>>,
}

/// Opens the house with the usual limits.
pub async fn open() -> Running {
    open_with(|_| {}, |_| {}).await
}

/// Opens the house with less patience at the doors.
pub async fn open_patience(change: impl FnOnce(&mut Patience)) -> Running {
    open_with(|settings| change(&mut settings.patience), |_| {}).await
}

/// Opens the house with other settings and limits.
pub async fn open_with(settings: impl FnOnce(&mut DoorSettings), limits: impl FnOnce(&mut ServerLimits)) -> Running {
    open_behind(None, settings, limits).await
}

/// Opens the house behind TLS.
pub async fn open_behind(
    tls: Option<Arc<Tls>>,
    settings: impl FnOnce(&mut DoorSettings),
    limits: impl FnOnce(&mut ServerLimits),
) -> Running {
    let counters = Arc::<Counters>::default();
    let schema = Schema::build(Query, Mutation, Subscriptions).data(counters.clone()).finish();
    let house = House { schema, counters: counters.clone() };
    let (mut door, mut server) = (DoorSettings::default(), ServerLimits::default());
    settings(&mut door);
    limits(&mut server);
    let shutdown = door.shutdown.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(serve(Gate { listener, tls }, router(house, door), server, shutdown.clone()));
    Running { address, counters, shutdown, serving }
}

/// Waits until something holds; fails after a long time.
pub async fn eventually(what: &str, holds: impl Fn() -> bool) {
    const TRIES: usize = 1_000;
    for _ in 0..TRIES {
        if holds() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("never: {what}");
}
