//! A server on a disk that may fail, and somebody who asks it for everything.

use std::{
    cell::Cell,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::support::{ADMIN_KEY, Client, Server, Sql, Subscriber, Unknown, recount};

pub const SIGN_UP: &str = "mutation($input: SignUpInput!) { \
    signUp(input: $input) { created user { id code } userErrors { code message } } }";
const BUY: &str = "mutation($input: RecordEventInput!) { \
    recordEvent(input: $input) { created userErrors { code message } } }";
const CLAIM: &str = "mutation($input: ClaimRewardsInput!) { \
    claimRewards(input: $input) { claims { id } userErrors { code message } } }";
const MAKE_CODE: &str = "mutation($input: CreateReferralCodeInput!) { \
    createReferralCode(input: $input) { code { code } userErrors { code message } } }";
const MAKE_PROGRAM: &str = "mutation($input: CreateProgramInput!) { \
    createProgram(input: $input) { program { key } userErrors { code message } } }";
const QUERIES: [&str; 5] = [
    "{ user(by: {externalId: \"ann\"}) { id referralCount balances { available claimed } } }",
    "{ leaderboard(metric: SIGNUPS) { nodes { rank score user { externalId } } } }",
    "{ rewards(first: 5) { nodes { amount { amount } status } } }",
    "{ users(first: 5) { nodes { externalId } } }",
    "{ ledgerCheck { ok differences } }",
];
const COUNT: &str = "subscription($id: ID!) { referralCount(userId: $id) { direct version } }";
/// What nobody outside has to know: words of the cause.
const INTERNALS: [&str; 12] = [
    "disk",
    "full",
    "i/o",
    "readonly",
    "read-only",
    "sqlite",
    "banyan.db",
    "insert",
    "commit",
    "extend",
    "device",
    "base/",
];

/// How soon everything has to be well again; a debug build on a busy machine is slow.
const RECOVERY_LIMIT: Duration = Duration::from_secs(30);
/// How soon a refusal has to come.
const REFUSAL_LIMIT: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// What was seen of a house whose disk fails.
pub struct Seen {
    /// What was done all the same: a full disk may have room for a small write where larger ones failed.
    pub done: Vec<&'static str>,
    refused: usize,
    answered: usize,
    slowest: Duration,
}

/// A server, and whoever comes to it.
pub struct House {
    /// Ann's code.
    pub code: String,
    server: Server,
    url: String,
    ann: String,
    watcher: Subscriber,
    /// What the watcher was shown last.
    version: i64,
    shown: usize,
    /// Rounds of everything that can be asked for.
    rounds: usize,
    friends: Cell<usize>,
}

impl House {
    /// Opens a house on a file. Ann has a friend, and 10.00 to claim.
    pub async fn open(url: &str, settings: &[(&str, String)]) -> Self {
        let mut all = vec![("DATABASE_URL", url), ("TRUSTED_PROXIES", "127.0.0.1")];
        all.extend(settings.iter().map(|(name, value)| (*name, value.as_str())));
        let mut server = Server::start(&all);
        server.ready().await;
        let done = server.client().insist(SIGN_UP, json!({"input": {"externalId": "ann"}})).await;
        let text = |field: &str| done["signUp"]["user"][field].as_str().expect("a text").to_owned();
        let (ann, code) = (text("id"), text("code"));
        let mut watcher = Subscriber::watch(&server.address(), ADMIN_KEY, COUNT, json!({"id": ann})).await;
        assert_eq!(watcher.next().await["referralCount"]["direct"], 0);
        let mut house = Self {
            code,
            server,
            url: url.to_owned(),
            ann,
            watcher,
            version: -1,
            shown: 0,
            rounds: 0,
            friends: Cell::new(0),
        };
        house.friend_buys().await;
        house
    }

    /// An operator's connection.
    pub fn client(&self) -> Client {
        self.server.client()
    }

    /// Asks until there is an answer without refusals.
    pub async fn insist(&self, document: &str, variables: Value) -> Value {
        let answer = self.client().insist(document, variables).await;
        without_refusals(document, &answer);
        answer
    }

    /// Whether somebody is there.
    pub async fn knows(&self, name: &str) -> bool {
        let document = "query($name: String!) { user(by: {externalId: $name}) { id } }";
        self.client().insist(document, json!({"name": name})).await["user"]["id"].is_string()
    }

    /// So many more friends of Ann's are known to be there.
    pub fn count(&self, friends: usize) {
        self.friends.set(self.friends.get() + friends);
    }

    /// Everything that changes something, for the next friend.
    fn deeds(&self) -> Vec<(&'static str, Value)> {
        let (ann, round) = (&self.ann, self.rounds);
        let amount = json!({"amount": "5.00", "currencyCode": "USD"});
        let of_program = json!({"key": format!("program-{round}"), "name": "P", "currencyCode": "USD", "rules": []});
        vec![
            (SIGN_UP, json!({"externalId": format!("new-{round}"), "code": self.code})),
            (
                BUY,
                json!({"externalId": "friend-0", "type": "purchase", "amount": amount, "idempotencyKey": format!("e-{round}")}),
            ),
            (CLAIM, json!({"userId": ann, "idempotencyKey": format!("claim-{round}")})),
            (MAKE_CODE, json!({"userId": ann, "code": format!("ANNS-{round}")})),
            (MAKE_PROGRAM, of_program),
        ]
    }

    /// Where a visitor of this round comes from; the same visitor again would be the same click, and nothing to note.
    fn visitor(&self) -> Ipv4Addr {
        Ipv4Addr::new(192, 0, 2, u8::try_from(self.rounds).expect("a few rounds"))
    }

    /// Asks for everything again and again for as long as told: what reads is answered, what writes is refused or done.
    pub async fn look(&mut self, long: Duration) -> Seen {
        let (begun, client) = (Instant::now(), self.client());
        let mut seen = Seen { done: Vec::new(), refused: 0, answered: 0, slowest: Duration::ZERO };
        while seen.refused == 0 || begun.elapsed() < long {
            for (document, input) in self.deeds() {
                if seen.done.contains(&document) {
                    continue;
                }
                let asked = Instant::now();
                let answer = client.ask(document, &json!({"input": input})).await;
                seen.slowest = seen.slowest.max(asked.elapsed());
                match answer {
                    Ok(answer) => {
                        without_refusals(document, &answer);
                        seen.done.push(document);
                    }
                    Err(Unknown(error)) => seen.refused += usize::from(is_refusal(document, &error)),
                }
            }
            if let Err(Unknown(cause)) = client.follow(&self.code, self.visitor()).await {
                assert_eq!(cause, "busy");
            }
            for document in QUERIES {
                let asked = Instant::now();
                let answer = client.ask(document, &Value::Null).await;
                seen.slowest = seen.slowest.max(asked.elapsed());
                answer.unwrap_or_else(|Unknown(cause)| panic!("{document}: {cause}"));
                seen.answered += 1;
            }
            self.listen().await;
            assert!(client.is_live().await && client.is_ready().await, "most can be answered, and is");
        }
        assert!(seen.slowest < REFUSAL_LIMIT, "an answer took {:?}", seen.slowest);
        seen
    }

    /// Waits until everything that was refused is done, and says how long that took.
    pub async fn recovers(&mut self, fault: &str, seen: Seen) {
        let begun = Instant::now();
        for (document, input) in self.deeds().into_iter().filter(|(document, _)| !seen.done.contains(document)) {
            self.insist(document, json!({"input": input})).await;
        }
        self.count(1);
        let (written, client) = (begun.elapsed(), self.client());
        while client.follow(&self.code, self.visitor()).await.is_err() {
            assert!(begun.elapsed() < RECOVERY_LIMIT, "{fault}: clicks are not noted");
            sleep(PAUSE).await;
        }
        self.rounds += 1;
        self.friend_buys().await;
        self.listen().await;
        assert!(begun.elapsed() < RECOVERY_LIMIT, "{fault}: took {:?}", begun.elapsed());
        println!(
            "{fault}: {} mutations refused, {} queries answered, slowest answer {:.1} s; written again after {:.1} s, folded after {:.1} s",
            seen.refused,
            seen.answered,
            seen.slowest.as_secs_f64(),
            written.as_secs_f64(),
            begun.elapsed().as_secs_f64()
        );
    }

    /// Hears what the watcher was told so far; who never listens is taken for gone.
    async fn listen(&mut self) {
        while let Some(seen) = self.watcher.next_within(PAUSE).await {
            let version = seen["referralCount"]["version"].as_i64().expect("a number");
            assert!(version > self.version, "version {} came, and then {seen}", self.version);
            self.version = version;
            self.shown = usize::try_from(seen["referralCount"]["direct"].as_u64().expect("a count")).expect("a count");
        }
    }

    /// One more friend buys for the first time, which gives Ann something to claim.
    async fn friend_buys(&mut self) {
        let (friend, begun) = (format!("friend-{}", self.rounds), Instant::now());
        self.insist(SIGN_UP, json!({"input": {"externalId": friend, "code": self.code}})).await;
        self.count(1);
        let amount = json!({"amount": "20.00", "currencyCode": "USD"});
        let input = json!({"externalId": friend, "type": "purchase", "amount": amount, "idempotencyKey": friend});
        self.insist(BUY, json!({"input": input})).await;
        while self.client().insist(QUERIES[0], Value::Null).await["user"]["balances"][0]["available"] != "10.00" {
            assert!(begun.elapsed() < RECOVERY_LIMIT, "{friend}'s purchase never paid");
            sleep(PAUSE).await;
        }
    }

    /// Nothing is missing, nothing is there twice, nobody was given up, and all that was derived is what a recount gives.
    pub async fn close(mut self) {
        let mut sql = Sql::connect(&self.url).await;
        let waiting = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM board_deltas) AS number";
        let parked = "SELECT count(*) AS number FROM outbox WHERE parked OR attempts > 0";
        let begun = Instant::now();
        while sql.number(waiting).await > 0 {
            assert_eq!(sql.number(parked).await, 0, "a disk is nobody's own failure");
            assert!(begun.elapsed() < RECOVERY_LIMIT, "not folded in time");
            sleep(PAUSE).await;
        }
        let users = sql.number("SELECT count(*) AS number FROM users").await;
        assert_eq!(usize::try_from(users), Ok(self.friends.get() + 1));
        for (what, each_round) in [
            ("claims", "claims"),
            ("codes of Ann's own", "codes WHERE kind = 'VANITY'"),
            ("programs", "programs WHERE key LIKE 'program-%'"),
            ("small purchases", "events WHERE key LIKE 'e-%'"),
        ] {
            let there = sql.number(&format!("SELECT count(*) AS number FROM {each_round}")).await;
            assert_eq!(usize::try_from(there), Ok(self.rounds), "{what}");
        }
        let differences = recount(&mut sql).await;
        assert!(differences.is_empty(), "stored is not what a recount says:\n{}", differences.join("\n"));
        if self.url.starts_with("sqlite:") {
            let damage = "SELECT count(*) AS number FROM pragma_integrity_check WHERE integrity_check <> 'ok'";
            assert_eq!(sql.number(damage).await, 0);
        }
        let ledger = self.client().insist("{ ledgerCheck { ok differences } }", Value::Null).await;
        assert_eq!(ledger["ledgerCheck"]["ok"], true, "{ledger}");
        // The watcher, who never lost the socket, comes to see all of them.
        while self.shown != self.friends.get() {
            assert!(begun.elapsed() < 2 * RECOVERY_LIMIT, "the watcher saw {} of {}", self.shown, self.friends.get());
            self.listen().await;
        }
        let log = self.server.log();
        assert!(!log.contains("panicked"), "{log}");
    }
}

/// Done, and nothing to say against it.
fn without_refusals(document: &str, answer: &Value) {
    let payload = answer.as_object().and_then(|fields| fields.values().next()).expect("a payload");
    assert_eq!(payload["userErrors"], json!([]), "{document}");
}

/// Refused with a code and a sentence, and without a word of why.
fn is_refusal(document: &str, error: &str) -> bool {
    let lower = error.to_lowercase();
    let told: Vec<&str> = INTERNALS.into_iter().filter(|word| lower.contains(word)).collect();
    assert!(told.is_empty(), "{document} tells of {told:?}: {error}");
    assert!(error.contains("\"UNAVAILABLE\""), "{document}: {error}");
    true
}
