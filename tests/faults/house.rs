//! A server behind lines that can fail, somebody who asks it things, somebody who watches, and a neighbour.
//!
//! The neighbour serves the same database over lines of its own and has no worker. Whoever signs up there while a line of
//! the house is faulty is counted by the worker of the house, which shows whether that works, and whether the watcher sees
//! it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{ADMIN_KEY, PrivateRedis, Proxy, Server, Sql, Subscriber, recount};

const SIGN_UP: &str = "mutation($input: SignUpInput!) { \
    signUp(input: $input) { created user { id code } userErrors { code message } } }";
const COUNT: &str = "subscription($id: ID!) { referralCount(userId: $id) { direct version } }";
const COUNTED: &str = "query($id: ID!) { user(by: {id: $id}) { referralCount } }";
const VIEW: &str = "{ user(by: {externalId: \"ann\"}) { id } }";

/// How soon everything has to be well again.
const RECOVERY_LIMIT: Duration = Duration::from_secs(5);
/// How long the watcher may have to wait for the truth.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(50);

/// What was seen of a house with a fault.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whether a query was answered.
    pub query: bool,
    /// Whether a mutation was.
    pub mutation: bool,
    /// Whether the server said that it was ready.
    pub ready: bool,
    /// Whether the watcher saw whoever signed up meanwhile; nothing where nobody could.
    pub subscription: Option<bool>,
    /// Whether they were counted.
    pub worker: Option<bool>,
    /// How long the slowest of them took.
    slowest: Duration,
}

impl Seen {
    /// Whether everything did, the fault notwithstanding.
    pub fn works(&self) -> bool {
        self.query && self.mutation && self.ready && self.subscription == Some(true) && self.worker == Some(true)
    }
}

/// A server, and whoever comes to it.
pub struct House {
    /// The line to PostgreSQL.
    pub database: Proxy,
    /// The line to Redis.
    pub redis: Proxy,
    server: Server,
    /// The same without a worker; none when what is faulty is faulty for everybody.
    neighbour: Option<Server>,
    watcher: Subscriber,
    ann: String,
    code: String,
    /// Ann's friends: some of them may have to ask again.
    friends: usize,
    version: i64,
    shown: usize,
}

impl House {
    /// Opens a house behind two lines, in which Ann waits for her friends.
    pub async fn open(url: &str, redis: &PrivateRedis, has_neighbour: bool) -> Self {
        let direct = [("DATABASE_URL", url), ("REDIS_URL", &redis.url()), ("ROLES", "api")];
        let redis_url = redis.url();
        let target = host_of(url);
        let (line, redis) = (Proxy::before(target).await, Proxy::before(host_of(&redis_url)).await);
        let (url, redis_url) = (url.replacen(target, &line.address(), 1), format!("redis://{}", redis.address()));
        let mut server = Server::start(&[("DATABASE_URL", &url), ("REDIS_URL", &redis_url)]);
        server.ready().await;
        let neighbour = match has_neighbour {
            true => {
                let mut neighbour = Server::start(&direct);
                neighbour.ready().await;
                Some(neighbour)
            }
            false => None,
        };
        let client = server.client();
        let ann = client.insist(SIGN_UP, json!({"input": {"externalId": "ann"}})).await["signUp"]["user"].take();
        let text = |field: &str| ann[field].as_str().expect("a text").to_owned();
        let (ann, code) = (text("id"), text("code"));
        let mut watcher = Subscriber::watch(&server.address(), ADMIN_KEY, COUNT, json!({"id": ann})).await;
        assert_eq!(watcher.next().await["referralCount"]["direct"], 0);
        Self { database: line, redis, server, neighbour, watcher, ann, code, friends: 0, version: -1, shown: 0 }
    }

    /// Asks for everything at once, and stays for as long as told.
    pub async fn look(&mut self, long: Duration) -> Seen {
        self.stay(long, false).await
    }

    /// The same, but leaves as soon as the watcher has seen everybody.
    pub async fn look_until_seen(&mut self) -> Seen {
        self.stay(PATIENCE, true).await
    }

    async fn stay(&mut self, long: Duration, leaves_early: bool) -> Seen {
        let (begun, client) = (Instant::now(), self.server.client());
        let signing = self.input(self.friends);
        self.friends += 1;
        let timed = async |answered: bool| (answered, begun.elapsed());
        let query = async { timed(client.ask(VIEW, &Value::Null).await.is_ok()).await };
        let mutation = async { timed(client.ask(SIGN_UP, &signing).await.is_ok()).await };
        let ready = async { timed(client.is_ready().await).await };
        let ((query, one), (mutation, two), (ready, three)) = tokio::join!(query, mutation, ready);
        assert!(client.is_live().await, "whatever it depends on, the server itself lives");
        if let Some(neighbour) = &self.neighbour {
            neighbour.client().insist(SIGN_UP, self.input(self.friends)).await;
            self.friends += 1;
        }
        // Whoever got no answer may be there or not.
        let there = self.friends - usize::from(!mutation);
        // The watcher listens all the while, or would be taken for gone.
        while !leaves_early || self.shown < there {
            let Some(seen) = self.watcher.next_within(long.saturating_sub(begun.elapsed())).await else { break };
            self.take(&seen["referralCount"]);
        }
        let (mut subscription, mut worker) = (None, None);
        if let Some(neighbour) = &self.neighbour {
            let counted = neighbour.client().insist(COUNTED, json!({"id": self.ann})).await;
            let counted = counted["user"]["referralCount"].as_u64().expect("a count");
            worker = Some(usize::try_from(counted).is_ok_and(|counted| counted >= there));
            subscription = Some(self.shown >= there);
        }
        Seen { query, mutation, ready, subscription, worker, slowest: one.max(two).max(three) }
    }

    /// Waits until everything is well again, and says how long that took. Who got no answer asks again.
    pub async fn recovers(&mut self, fault: &str, seen: Seen) {
        let (begun, client) = (Instant::now(), self.server.client());
        while !client.is_ready().await {
            assert!(begun.elapsed() < PATIENCE, "{fault}: not ready again");
            sleep(PAUSE).await;
        }
        let ready = begun.elapsed();
        for friend in 0..self.friends {
            let done = client.insist(SIGN_UP, self.input(friend)).await;
            assert_eq!(done["signUp"]["userErrors"], json!([]), "{fault}");
        }
        self.watch().await;
        let all = begun.elapsed();
        let Seen { query, mutation, subscription, worker, slowest, .. } = seen;
        let word = |answered: bool| if answered { "answered" } else { "UNAVAILABLE" };
        let stayed = |works: Option<bool>, idle| match works {
            Some(true) => "went on",
            Some(false) => idle,
            None => "had nothing to do",
        };
        println!(
            "{fault}: query {}, mutation {}, slowest answer {:.1} s, subscription {}, worker {}; ready again after {:.1} s, \
             everybody counted and seen after {:.1} s",
            word(query),
            word(mutation),
            slowest.as_secs_f64(),
            stayed(subscription, "open and silent"),
            stayed(worker, "waited"),
            ready.as_secs_f64(),
            all.as_secs_f64()
        );
        assert!(all < RECOVERY_LIMIT, "{fault}: well again only after {all:?}");
    }

    /// The watcher, who never lost the socket, sees all friends, each count newer than the one before.
    async fn watch(&mut self) {
        while self.shown < self.friends {
            let seen = self.watcher.next_within(PATIENCE).await.expect("the count in time");
            self.take(&seen["referralCount"]);
        }
        assert_eq!(self.shown, self.friends, "nobody is counted twice");
    }

    fn take(&mut self, seen: &Value) {
        let number = |field: &str| seen[field].as_i64().expect("a number");
        assert!(number("version") > self.version, "version {} came, and then {seen}", self.version);
        self.version = number("version");
        self.shown = usize::try_from(number("direct")).expect("a count");
    }

    /// Nothing is missing, nothing is there twice, and every counter is what a recount gives.
    pub async fn close(self, url: &str) {
        let mut sql = Sql::connect(url).await;
        let waiting = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM board_deltas) AS number";
        while sql.number(waiting).await > 0 {
            sleep(PAUSE).await;
        }
        let users = sql.number("SELECT count(*) AS number FROM users").await;
        assert_eq!(usize::try_from(users), Ok(self.friends + 1));
        let differences = recount(&mut sql).await;
        assert!(differences.is_empty(), "stored is not what a recount says:\n{}", differences.join("\n"));
        let ledger = self.server.client().insist("{ ledgerCheck { ok differences } }", Value::Null).await;
        assert_eq!(ledger["ledgerCheck"]["ok"], true, "{ledger}");
    }

    fn input(&self, friend: usize) -> Value {
        json!({"input": {"externalId": format!("friend-{friend}"), "code": self.code}})
    }
}

/// `host:port` of an address.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
