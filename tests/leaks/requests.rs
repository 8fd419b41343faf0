//! Requests of every kind, with something to hide in each place where a caller can put something.

use axum::http::{Request, request::Builder};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::{canaries::Canaries, support::ADMIN_KEY};

const HIDDEN: [&str; 23] = [
    "an external id",
    "an e-mail",
    "a display name",
    "metadata",
    "a device",
    "a user agent of a signup",
    "a user agent",
    "a wrong key",
    "a malformed token",
    "what a socket begins with",
    "a variable",
    "a query string",
    "a campaign",
    "a way to go on",
    "a cookie",
    "a clicks cookie",
    "a referrer page",
    "a document",
    "a path",
    "a malformed head",
    "a malformed path",
    "an idempotency key",
    "a code that is none",
];
const PHONE: &str = "+14155550142";
const SIGN_UP_ADDRESS: &str = "203.0.113.77";
const FORWARDED_ADDRESS: &str = "198.51.100.23";
const JSON: &str = "application/json";

const SIGN_UP: &str = "mutation($input: SignUpInput!) { \
    signUp(input: $input) { user { id displayName } attribution { outcome } userErrors { code message } } }";
const EVENT: &str =
    "mutation($input: RecordEventInput!) { recordEvent(input: $input) { event { id } userErrors { code message } } }";
const CLAIM: &str = "mutation($input: ClaimRewardsInput!) { claimRewards(input: $input) { claims { id } userErrors { code message } } }";
const SEARCH: &str = "query($search: String) { users(search: $search) { nodes { id displayName } } }";

/// What callers know already.
pub struct Known {
    pub key: String,
    pub code: String,
    pub user: String,
    pub tokens: Vec<String>,
}

/// Makes up everything that is hidden in requests.
pub fn hide_all(canaries: &mut Canaries) {
    for what in HIDDEN {
        canaries.hide(what);
    }
    canaries.keep("a phone", &PHONE[2..]);
    canaries.keep("the address of a signup", SIGN_UP_ADDRESS);
    canaries.keep("the address behind a proxy", FORWARDED_ADDRESS);
}

/// A member's token, one that has expired, one of another secret, and one of no known kind.
pub fn tokens(secret: &str, canaries: &mut Canaries) -> Vec<String> {
    let subject = canaries.hide("the subject of a token");
    let claims = |exp: u64| json!({"sub": subject, "exp": exp, "email": "ann@shop.example"});
    let signed = |claims: &Value, secret: &str| {
        encode(&Header::default(), claims, &EncodingKey::from_secret(secret.as_bytes())).expect("signs a token")
    };
    let good = signed(&claims(4_000_000_000), secret);
    let foreign = signed(&claims(4_000_000_000), "another secret of 32 bytes or more, which nobody knows");
    let tokens = vec![good.clone(), signed(&claims(1_000_000_000), secret), foreign, good.replacen("eyJ0", "eyJ1", 1)];
    for token in &tokens {
        let parts: Vec<&str> = token.split('.').collect();
        canaries.keep("what a token says", parts[1]);
        canaries.keep("the signature of a token", parts[2]);
    }
    tokens
}

/// Everything, for a house in some state.
pub fn all(address: &str, known: &Known, state: &str, canaries: &Canaries) -> Vec<Request<String>> {
    let door = Door { address, canaries };
    let mut requests = mutations(&door, known, state);
    requests.extend(queries(&door, known));
    requests.extend(wrong(&door, known));
    requests.extend(refused(&door, known));
    requests.extend(links(&door, known, state));
    requests
}

/// Operations for a WebSocket: a query, a mutation, a subscription, and what cannot be run.
pub fn for_socket(known: &Known, canaries: &Canaries) -> Vec<Value> {
    let count = "subscription($id: ID!) { referralCount(userId: $id) { direct } }";
    let updated = "subscription($id: ID!) { rewardUpdated(userId: $id) { id } }";
    vec![
        json!({"query": SEARCH, "variables": {"search": canaries.word("a variable")}}),
        json!({"query": SIGN_UP, "variables": {"input": {"externalId": "by-socket", "displayName": canaries.word("a display name")}}}),
        json!({"query": count, "variables": {"id": known.user}}),
        json!({"query": updated, "variables": {"id": canaries.word("a variable")}}),
        json!({"query": format!("{{ {} }}", canaries.word("a document"))}),
    ]
}

struct Door<'a> {
    address: &'a str,
    canaries: &'a Canaries,
}

impl Door<'_> {
    fn word(&self, what: &str) -> &str {
        self.canaries.word(what)
    }

    /// A request with all that a browser sends along.
    fn request(&self, method: &str, path: &str) -> Builder {
        let cookies =
            format!("referral_code={}.{}; session={}", self.word("a clicks cookie"), "x", self.word("a cookie"));
        Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
            .header("user-agent", self.word("a user agent"))
            .header("referer", format!("https://{}.example/", self.word("a referrer page")))
            .header("x-forwarded-for", FORWARDED_ADDRESS)
            .header("cookie", cookies)
    }

    fn post(&self, credential: &str, document: &str, variables: Value) -> Request<String> {
        let body = json!({"query": document, "variables": variables}).to_string();
        finished(
            self.request("POST", "/graphql").header("content-type", JSON).header("authorization", credential),
            body,
        )
    }

    fn get(&self, credential: &str, path: &str) -> Request<String> {
        finished(self.request("GET", path).header("authorization", credential), String::new())
    }
}

fn finished(request: Builder, body: impl Into<String>) -> Request<String> {
    request.body(body.into()).expect("a request")
}

fn bearer(secret: &str) -> String {
    format!("Bearer {secret}")
}

fn mutations(door: &Door, known: &Known, state: &str) -> Vec<Request<String>> {
    let key = bearer(&known.key);
    let person = json!({
        "externalId": format!("{}-{state}", door.word("an external id")),
        "displayName": door.word("a display name"),
        "code": known.code,
        "email": format!("{}@shop.example", door.word("an e-mail")),
        "phone": PHONE,
        "ipAddress": SIGN_UP_ADDRESS,
        "deviceId": door.word("a device"),
        "userAgent": door.word("a user agent of a signup"),
    });
    let event = json!({
        "externalId": "ann", "type": "purchase", "amount": {"amount": "5.00", "currencyCode": "USD"},
        "idempotencyKey": format!("{}-{state}", door.word("an idempotency key")),
        "metadata": {"note": door.word("metadata")},
    });
    let claim = json!({"userId": known.user, "idempotencyKey": format!("{}-{state}", door.word("an idempotency key"))});
    let member = bearer(&known.tokens[0]);
    let themselves =
        json!({"externalId": door.word("the subject of a token"), "displayName": door.word("a display name")});
    vec![
        door.post(&key, SIGN_UP, json!({"input": person})),
        door.post(&key, EVENT, json!({"input": event})),
        door.post(&key, CLAIM, json!({"input": claim})),
        door.post(&member, SIGN_UP, json!({"input": themselves})),
        door.post(&bearer(ADMIN_KEY), "mutation($n: String!) { createApiKey(input: {name: $n, role: SERVER}) { apiKey { id } userErrors { code } } }",
            json!({"n": format!("key {state}")})),
    ]
}

fn queries(door: &Door, known: &Known) -> Vec<Request<String>> {
    let key = bearer(&known.key);
    let variables = json!({"search": door.word("a query string")}).to_string();
    let by_get = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("query", SEARCH)
        .append_pair("variables", &variables)
        .finish();
    let mut as_events = door.post(&key, SEARCH, json!({"search": door.word("a variable")}));
    as_events.headers_mut().insert("accept", "text/event-stream".parse().expect("a header"));
    vec![
        door.post(&key, SEARCH, json!({"search": door.word("a variable")})),
        door.post(&key, "{ rewards(first: 3) { nodes { id } } leaderboard { nodes { rank } } }", Value::Null),
        door.post(
            &bearer(ADMIN_KEY),
            "{ ledgerCheck { ok } apiKeys { name } auditLog { nodes { actor } } }",
            Value::Null,
        ),
        door.post(&bearer(&known.tokens[0]), "{ viewer { id displayName balances { available } } }", Value::Null),
        door.get(&key, &format!("/graphql?{by_get}")),
        door.get(&key, "/health/ready"),
        as_events,
    ]
}

/// What is wrong in itself.
fn wrong(door: &Door, known: &Known) -> Vec<Request<String>> {
    let (key, word) = (bearer(&known.key), door.word("a document"));
    let raw = |kind: &str, body: String| {
        let request = door.request("POST", "/graphql").header("content-type", kind).header("authorization", &key);
        finished(request, body)
    };
    vec![
        door.post(&key, &format!("{{ {word} }}"), Value::Null),
        door.post(&key, &format!("{{ users(first: \"{word}\") {{ nodes {{ id }} }} }}"), Value::Null),
        door.post(&key, &format!("{{ viewer {{ {word}"), Value::Null),
        door.post(&key, "query($n: Int!) { users(first: $n) { nodes { id } } }", json!({"n": word})),
        door.post(&key, SIGN_UP, json!({"input": {"externalId": "", "email": door.word("an e-mail"), "phone": word}})),
        door.post(&key, SIGN_UP, json!({"input": {"externalId": "zed", "ipAddress": word, "clickId": word}})),
        door.post(&key, EVENT, json!({"input": {"externalId": word, "type": "PURCHASE!", "idempotencyKey": word}})),
        door.post(&key, "query($i: ID!) { node(id: $i) { id } }", json!({"i": word})),
        raw(JSON, format!("{{\"query\": \"{word}")),
        raw(JSON, format!("\"{}\"", word.repeat(5_000))),
        raw(word, format!("{{\"query\": \"{word}\"}}")),
        raw("text/plain", word.to_owned()),
        door.get(&key, &format!("/graphql?query={word}&variables={word}")),
        door.get(&key, &format!("/graphql?query=mutation%7B{word}%7D")),
        door.get(&key, &format!("/{}?x={}", door.word("a path"), door.word("a query string"))),
        finished(door.request("DELETE", &format!("/graphql?{}", door.word("a query string"))), word),
    ]
}

/// What is not for who asks.
fn refused(door: &Door, known: &Known) -> Vec<Request<String>> {
    let ask = "{ viewer { id } }";
    let mut requests: Vec<_> =
        known.tokens[1..].iter().map(|token| door.post(&bearer(token), ask, Value::Null)).collect();
    let word = door.word("a wrong key");
    for credential in [
        bearer(word),
        bearer(&format!("banyan_server_{word}")),
        bearer(&format!("{0}.{0}.{0}", door.word("a malformed token"))),
        format!("Basic {word}"),
        word.to_owned(),
    ] {
        requests.push(door.post(&credential, ask, Value::Null));
    }
    requests.push(door.post(&bearer(&known.tokens[0]), SEARCH, json!({"search": door.word("a variable")})));
    requests.push(door.post(&bearer(&known.key), "{ apiKeys { name } }", Value::Null));
    requests
}

fn links(door: &Door, known: &Known, state: &str) -> Vec<Request<String>> {
    let tail = format!(
        "?utm_source={}&utm_campaign={state}&to=https://{}.example/",
        door.word("a campaign"),
        door.word("a way to go on")
    );
    let follow = |code: &str| {
        let request = door.request("GET", &format!("/r/{code}{tail}")).header("sec-fetch-dest", "document");
        finished(request.header("sec-fetch-mode", "navigate"), String::new())
    };
    let preview = "query($code: String!) { referralCode(code: $code) { code } }";
    let none = door.word("a code that is none");
    vec![
        follow(&known.code),
        follow(none),
        finished(door.request("GET", &format!("/r/{none}/qr.svg")), String::new()),
        door.post(&bearer(&known.key), preview, json!({"code": none})),
    ]
}
