//! Several real servers: they share limits through Redis, do without it, and hear of revoked keys with and without it.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use axum::{
    body::Bytes,
    http::{Request, StatusCode},
};
use banyan::store::BackendKind;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client as Http, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::{
    io::AsyncReadExt as _,
    net::TcpStream,
    runtime::{Builder, Runtime},
    time::{Instant, sleep, timeout},
};

use crate::support::{ADMIN_KEY, Database, Server, Subscriber, private_redis, redis_url};

/// What an address may ask at once, without a credential.
const REQUESTS: usize = 60;
/// More than anybody without a credential is ever served in a row.
const MANY_REQUESTS: usize = 20 * REQUESTS;
const PAUSE: Duration = Duration::from_millis(50);
/// How soon open connections of a revoked key have ended everywhere: about a second, and more on a busy machine.
const REVOKED_LIMIT: Duration = Duration::from_secs(5);
/// How long something may take to happen at all.
const LIMIT: Duration = Duration::from_secs(60);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

/// Two servers on one database, with other settings besides.
async fn two_servers(database: &Database, settings: &[(&str, &str)]) -> [Server; 2] {
    let (url, namespace) = (database.url(), format!("limits-{}", database.url().rsplit('/').next().unwrap()));
    let shared =
        [("DATABASE_URL", url.as_str()), ("REDIS_NAMESPACE", namespace.as_str()), ("TRUSTED_PROXIES", "127.0.0.1")];
    let start = || Server::start(&[&shared[..], settings].concat());
    let mut both = [start(), start()];
    for server in &mut both {
        server.ready().await;
    }
    both
}

/// Somebody at an address of their own, as a trusted proxy tells, with a credential or without one.
struct Caller {
    http: Http<HttpConnector, Full<Bytes>>,
    address: String,
    key: Option<String>,
}

impl Caller {
    fn new(key: Option<&str>) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let address = Ipv4Addr::from_bits(0xCB00_7100 + NEXT.fetch_add(1, Ordering::SeqCst) % 250).to_string();
        Self { http: Http::builder(TokioExecutor::new()).build_http(), address, key: key.map(str::to_owned) }
    }

    async fn ask(&self, server: &Server) -> StatusCode {
        let body = json!({"query": "{ __typename }"}).to_string();
        let mut request = Request::post(format!("http://{}/graphql", server.address()))
            .header("content-type", "application/json")
            .header("x-forwarded-for", &self.address);
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        self.http.request(request.body(Full::from(body)).unwrap()).await.unwrap().status()
    }

    /// Asks until it is refused, which it has to be, and says how often it was served; what comes back each second is not
    /// counted.
    async fn served(&self, server: &Server) -> usize {
        let begun = Instant::now();
        let mut served = 0;
        while self.ask(server).await != StatusCode::TOO_MANY_REQUESTS {
            served += 1;
            assert!(served <= MANY_REQUESTS, "{served} were served");
        }
        served.saturating_sub(begun.elapsed().as_secs() as usize + 1)
    }
}

/// Whether who is refused by one server is soon refused by another.
///
/// A server that had to wait too long for Redis decides by itself: a machine that is busy may need another attempt, each
/// from a fresh address.
async fn share(near: &Server, far: &Server) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < LIMIT {
        let visitor = Caller::new(None);
        visitor.served(near).await;
        if visitor.served(far).await < REQUESTS / 2 {
            return true;
        }
        sleep(PAUSE).await;
    }
    false
}

#[test]
fn servers_share_a_limit_through_redis_and_have_their_own_without() {
    let (Some(mut redis), Some(database)) = (private_redis(), Database::fresh(BackendKind::Postgres)) else { return };
    runtime().block_on(async {
        let [near, far] = two_servers(&database, &[("REDIS_URL", &redis.url())]).await;
        assert!(share(&near, &far).await, "who was refused by the one was served by the other");

        redis.kill();
        // Nobody is without a limit, and nobody waits for a Redis that is not there.
        for server in [&near, &far] {
            Caller::new(None).served(server).await;
            assert_eq!(Caller::new(Some(ADMIN_KEY)).ask(server).await, StatusCode::OK);
        }
        redis.restart();
        assert!(share(&near, &far).await, "and never again");
    });
}

#[test]
fn a_revoked_key_ends_on_every_server_with_redis_and_without() {
    let (Some(redis), Some(database)) = (redis_url(), Database::fresh(BackendKind::Postgres)) else { return };
    runtime().block_on(async {
        for settings in [&[("REDIS_URL", redis)][..], &[]] {
            let [near, far] = two_servers(&database, settings).await;
            revokes(&near, &far).await;
        }
    });
}

async fn revokes(near: &Server, far: &Server) {
    let client = near.client();
    let create = "mutation { createApiKey(input: { name: \"shop\", role: SERVER }) { secret apiKey { id } } }";
    let made = client.insist(create, Value::Null).await["createApiKey"].take();
    let (id, secret) = (made["apiKey"]["id"].clone(), made["secret"].as_str().unwrap());
    let watch = "subscription { leaderboard(first: 3) { version } }";
    let holder = Caller::new(Some(secret));
    let mut sockets = Vec::new();
    for server in [near, far] {
        assert_eq!(holder.ask(server).await, StatusCode::OK);
        let mut socket = Subscriber::watch(&server.address(), secret, watch, Value::Null).await;
        socket.next().await;
        sockets.push(socket);
    }
    let revoke = "mutation($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { userErrors { code } } }";
    client.insist(revoke, json!({"id": id})).await;
    let revoked = Instant::now();
    for server in [near, far] {
        assert_eq!(holder.ask(server).await, StatusCode::UNAUTHORIZED, "with the next request");
    }
    for socket in sockets {
        assert_eq!(socket.close_code().await, 4403);
    }
    assert!(revoked.elapsed() < REVOKED_LIMIT, "open connections ended only after {:?}", revoked.elapsed());
    // The connections of others go on.
    let mut other = Subscriber::watch(&far.address(), ADMIN_KEY, watch, Value::Null).await;
    other.next().await;
}

#[test]
fn the_setting_for_connections_of_an_address_is_heard() {
    let Some(database) = Database::fresh(BackendKind::Sqlite) else { return };
    runtime().block_on(async {
        let mut server = Server::start(&[("DATABASE_URL", &database.url()), ("CONNECTIONS_PER_ADDRESS", "1")]);
        server.ready().await;
        let begun = Instant::now();
        let mut open = Vec::new();
        loop {
            assert!(begun.elapsed() < LIMIT, "{} connections stay open", open.len());
            let mut next = TcpStream::connect(server.address()).await.unwrap();
            if matches!(timeout(PAUSE, next.read(&mut [0])).await, Ok(Ok(0) | Err(_))) {
                break;
            }
            open.push(next);
        }
        drop(open);
        let client = server.client();
        while !client.is_ready().await {
            assert!(begun.elapsed() < LIMIT, "the place stays taken");
            sleep(PAUSE).await;
        }
    });
}
