//! What is watched is true, and ends on the truth: over real processes, through Redis, and when Redis dies meanwhile.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use banyan::{
    domain::time::SECOND_MICROS,
    engine::{Clock as _, SystemClock},
    store::BackendKind,
};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use support::{ADMIN_KEY, Client, Database, Server, Subscriber, private_redis, redis_url};
use tokio::{
    runtime::{Builder, Runtime},
    task::JoinHandle,
    time::sleep,
};

/// Signups of one crowd, and the connections that they come from.
const CROWD: usize = 1_000;
const CONNECTIONS: usize = 20;
/// How long a count that should not change any more is watched.
const QUIET: Duration = Duration::from_millis(1_500);
/// How long to wait for the next message: after Redis was away, everything is read again within seconds.
const PATIENCE: Duration = Duration::from_secs(60);

const SIGN_UP: &str = "mutation($input: SignUpInput!) { \
    signUp(input: $input) { created user { id code } userErrors { code message } } }";
const EVENT: &str = "mutation($input: RecordEventInput!) { \
    recordEvent(input: $input) { created userErrors { code message } } }";
const REFUND: &str = "mutation($input: RecordRefundInput!) { \
    recordRefund(input: $input) { created userErrors { code message } } }";
const COUNT: &str = "subscription($id: ID!) { \
    referralCount(userId: $id) { userId direct completed network version } }";
const REWARD: &str = "subscription($id: ID!) { \
    rewardUpdated(userId: $id) { id status net { amount currencyCode } event { key } } }";
const BOARD: &str = "subscription { leaderboard(metric: REFERRALS, first: 3) { \
    version entries { rank score user { externalId } } } }";

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

async fn does(client: &Client, document: &str, input: Value) -> Value {
    let data = client.insist(document, json!({"input": input})).await;
    let payload = data.as_object().unwrap().values().next().unwrap().clone();
    assert_eq!(payload["userErrors"], json!([]), "{input}");
    payload
}

/// Id and code of somebody new.
async fn newcomer(client: &Client, external_id: &str) -> (String, String) {
    let payload = does(client, SIGN_UP, json!({"externalId": external_id})).await;
    let text = |field: &str| payload["user"][field].as_str().unwrap().to_owned();
    (text("id"), text("code"))
}

/// Signups with one code from many connections at once.
struct Crowd {
    arrived: Arc<AtomicUsize>,
    connections: Vec<JoinHandle<()>>,
}

impl Crowd {
    fn sent_to(server: &Server, code: &str) -> Self {
        let (next, arrived) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let connection = |_| {
            let (client, code) = (server.client(), code.to_owned());
            let (next, arrived) = (Arc::clone(&next), Arc::clone(&arrived));
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= CROWD {
                        return;
                    }
                    let input = json!({"externalId": format!("member-{number}"), "code": code});
                    assert_eq!(does(&client, SIGN_UP, input).await["created"], true);
                    arrived.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        Self { connections: (0..CONNECTIONS).map(connection).collect(), arrived }
    }

    async fn has_reached(&self, number: usize) {
        while self.arrived.load(Ordering::SeqCst) < number {
            assert!(!self.connections.iter().all(JoinHandle::is_finished), "the crowd never came");
            sleep(Duration::from_millis(2)).await;
        }
    }

    async fn all_arrived(self) {
        for connection in self.connections {
            connection.await.expect("a connection does its work");
        }
        assert_eq!(self.arrived.load(Ordering::SeqCst), CROWD);
    }
}

/// What a subscriber saw, checked as it comes: nothing ever falls.
struct Watch {
    subscriber: Subscriber,
    version: i64,
    direct: i64,
    messages: usize,
}

impl Watch {
    /// The current value comes first.
    async fn begin(server: &Server, user: &str) -> Self {
        let mut subscriber = Subscriber::watch(&server.address(), ADMIN_KEY, COUNT, json!({"id": user})).await;
        let first = subscriber.next().await["referralCount"].take();
        assert_eq!((&first["userId"], &first["direct"], &first["network"]), (&json!(user), &json!(0), &json!(0)));
        Self { subscriber, version: first["version"].as_i64().unwrap(), direct: 0, messages: 1 }
    }

    async fn until(&mut self, total: usize) {
        while self.direct < i64::try_from(total).unwrap() {
            let seen = self.subscriber.next_within(PATIENCE).await;
            let seen = seen.unwrap_or_else(|| panic!("silence at {} of {total}", self.direct));
            self.take(&seen["referralCount"]);
        }
        // There is no more to come.
        while let Some(seen) = self.subscriber.next_within(QUIET).await {
            self.take(&seen["referralCount"]);
        }
        assert_eq!(self.direct, i64::try_from(total).unwrap());
    }

    fn take(&mut self, seen: &Value) {
        let number = |field: &str| seen[field].as_i64().unwrap();
        assert!(number("version") > self.version, "version {} came, and then {seen}", self.version);
        assert!(number("direct") >= self.direct, "{} people came, and then {seen}", self.direct);
        assert_eq!((number("network"), number("completed")), (number("direct"), 0), "{seen}");
        (self.version, self.direct, self.messages) = (number("version"), number("direct"), self.messages + 1);
    }
}

#[test]
fn a_count_ends_on_all_who_came() {
    for kind in [BackendKind::Sqlite, BackendKind::Postgres] {
        let Some(database) = Database::fresh(kind) else { continue };
        eprintln!("on {kind:?}:");
        runtime().block_on(async {
            let mut server = Server::start(&[("DATABASE_URL", &database.url())]);
            server.ready().await;
            let (ann, code) = newcomer(&server.client(), "ann").await;
            let mut watch = Watch::begin(&server, &ann).await;
            let crowd = Crowd::sent_to(&server, &code);
            watch.until(CROWD).await;
            crowd.all_arrived().await;
            assert!(watch.messages < CROWD / 2, "{} messages for {CROWD} signups", watch.messages);
        });
    }
}

/// Two servers on one database and one Redis: one only answers, the other one also folds.
async fn two_servers(database: &Database, redis: &str) -> (Server, Server) {
    let (url, namespace) = (database.url(), format!("story-{}", database.url().rsplit('/').next().unwrap()));
    let shared = [("DATABASE_URL", url.as_str()), ("REDIS_URL", redis), ("REDIS_NAMESPACE", namespace.as_str())];
    let mut near = Server::start(&[&shared[..], &[("ROLES", "api")]].concat());
    let mut far = Server::start(&[&shared[..], &[("ROLES", "api,worker")]].concat());
    near.ready().await;
    far.ready().await;
    (near, far)
}

#[test]
fn a_count_follows_what_another_server_hears() {
    let (Some(redis), Some(database)) = (redis_url(), Database::fresh(BackendKind::Postgres)) else { return };
    runtime().block_on(async {
        let (near, far) = two_servers(&database, redis).await;
        let (ann, code) = newcomer(&near.client(), "ann").await;
        let mut watch = Watch::begin(&near, &ann).await;
        let crowd = Crowd::sent_to(&far, &code);
        watch.until(CROWD).await;
        crowd.all_arrived().await;
    });
}

#[test]
fn a_count_survives_the_death_of_redis() {
    let Some(database) = Database::fresh(BackendKind::Postgres) else { return };
    let Some(mut redis) = private_redis() else { return };
    runtime().block_on(async {
        let (near, far) = two_servers(&database, &redis.url()).await;
        let (ann, code) = newcomer(&near.client(), "ann").await;
        let mut watch = Watch::begin(&near, &ann).await;
        let crowd = Crowd::sent_to(&far, &code);
        crowd.has_reached(CROWD / 3).await;
        redis.kill();
        crowd.has_reached(CROWD * 2 / 3).await;
        redis.restart();
        watch.until(CROWD).await;
        crowd.all_arrived().await;
        // And it is live again: one more comes through Redis.
        let input = json!({"externalId": "one more", "code": code});
        does(&far.client(), SIGN_UP, input).await;
        watch.until(CROWD + 1).await;
    });
}

/// Redis away from the start: a server serves without it, only slower to hear of others.
#[test]
fn a_count_needs_no_redis() {
    let Some(database) = Database::fresh(BackendKind::Postgres) else { return };
    let Some(mut redis) = private_redis() else { return };
    runtime().block_on(async {
        redis.kill();
        let (near, far) = two_servers(&database, &redis.url()).await;
        let (ann, code) = newcomer(&near.client(), "ann").await;
        let mut watch = Watch::begin(&near, &ann).await;
        does(&far.client(), SIGN_UP, json!({"externalId": "ben", "code": code})).await;
        watch.until(1).await;
    });
}

#[test]
fn boards_and_rewards_begin_with_what_is() {
    for kind in [BackendKind::Sqlite, BackendKind::Postgres] {
        let Some(database) = Database::fresh(kind) else { continue };
        eprintln!("on {kind:?}:");
        runtime().block_on(async {
            let mut server = Server::start(&[("DATABASE_URL", &database.url())]);
            server.ready().await;
            boards_and_rewards(&server).await;
        });
    }
}

/// A token is believed for half a minute after it expired, since clocks differ, and so long is what it watches shown.
#[test]
fn a_token_that_expires_ends_what_it_watches() {
    const SECRET: &str = "a secret of at least thirty-two bytes";
    let database = Database::fresh(BackendKind::Sqlite).unwrap();
    runtime().block_on(async {
        let mut server = Server::start(&[("DATABASE_URL", &database.url()), ("JWT_SECRET", SECRET)]);
        server.ready().await;
        let (ann, code) = newcomer(&server.client(), "ann").await;
        let now = SystemClock.now().micros() / SECOND_MICROS;
        let claims = json!({"sub": "ann", "exp": now - 20});
        let token = encode(&Header::default(), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
        let mut watching = Subscriber::watch(&server.address(), &token, COUNT, json!({"id": ann})).await;
        assert_eq!(watching.next().await["referralCount"]["direct"], 0);
        does(&server.client(), SIGN_UP, json!({"externalId": "ben", "code": code})).await;
        let closed = tokio::time::timeout(Duration::from_secs(30), watching.close_code()).await;
        assert_eq!(closed, Ok(4403));
    });
}

async fn boards_and_rewards(server: &Server) {
    let client = server.client();
    let (ann, code) = newcomer(&client, "ann").await;
    let mut board = Subscriber::watch(&server.address(), ADMIN_KEY, BOARD, Value::Null).await;
    let first = board.next().await;
    assert_eq!(first["leaderboard"]["entries"], json!([]), "nobody is on the board yet");
    let mut version = first["leaderboard"]["version"].as_i64().unwrap();
    for (number, friend) in ["ben", "cid"].into_iter().enumerate() {
        does(&client, SIGN_UP, json!({"externalId": friend, "code": code})).await;
        let order = format!("order of {friend}");
        does(&client, EVENT, purchase(friend, &order)).await;
        version = see_score(&mut board, version, number + 1).await;
        // Whoever comes now begins where the others are.
        let mut late = Subscriber::watch(&server.address(), ADMIN_KEY, BOARD, Value::Null).await;
        let first = late.next().await["leaderboard"].take();
        assert!(first["version"].as_i64().unwrap() >= version, "{first}");
        assert_eq!(first["entries"][0]["score"], json!((number + 1).to_string()));
        let mut rewards = Subscriber::watch(&server.address(), ADMIN_KEY, REWARD, json!({"id": ann})).await;
        let newest = rewards.next().await["rewardUpdated"].take();
        assert_eq!((&newest["status"], &newest["event"]["key"]), (&json!("AVAILABLE"), &json!(order)));
    }
    let mut rewards = Subscriber::watch(&server.address(), ADMIN_KEY, REWARD, json!({"id": ann})).await;
    let newest = rewards.next().await["rewardUpdated"].take();
    assert_eq!(newest["net"], json!({"amount": "10.00", "currencyCode": "USD"}));
    does(&client, SIGN_UP, json!({"externalId": "dan", "code": code})).await;
    does(&client, EVENT, purchase("dan", "order of dan")).await;
    see_reward(&mut rewards, "order of dan", "AVAILABLE", "10.00").await;
    version = see_score(&mut board, version, 3).await;
    does(&client, REFUND, json!({"eventKey": "order of dan", "idempotencyKey": "refund"})).await;
    see_reward(&mut rewards, "order of dan", "REVERSED", "0.00").await;
    see_score(&mut board, version, 2).await;
}

fn purchase(external_id: &str, key: &str) -> Value {
    let amount = json!({"amount": "25.00", "currencyCode": "USD"});
    json!({"externalId": external_id, "type": "purchase", "amount": amount, "idempotencyKey": key})
}

/// Waits until Ann leads with a score, and gives the version of the board then.
async fn see_score(board: &mut Subscriber, mut version: i64, score: usize) -> i64 {
    loop {
        let seen = board.next().await["leaderboard"].take();
        let next = seen["version"].as_i64().unwrap();
        assert!(next > version, "version {version} came, and then {seen}");
        version = next;
        if seen["entries"][0]["score"] == json!(score.to_string()) {
            assert_eq!(
                (&seen["entries"][0]["rank"], &seen["entries"][0]["user"]["externalId"]),
                (&json!(1), &json!("ann"))
            );
            return version;
        }
    }
}

/// Waits until a reward is in a state.
async fn see_reward(rewards: &mut Subscriber, event: &str, status: &str, net: &str) {
    loop {
        let seen = rewards.next().await["rewardUpdated"].take();
        if seen["event"]["key"] == event && seen["status"] == status {
            assert_eq!(seen["net"]["amount"], net);
            return;
        }
    }
}
