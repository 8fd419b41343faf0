//! A server whose secrets are canaries, behind lines that can be cut.

use serde_json::{Value, json};

use crate::{
    callers::Callers,
    canaries::Canaries,
    inside,
    support::{ADMIN_KEY, Database, Line, PrivateRedis, Proxy, Server, Sql},
};

const MAKE_KEY: &str =
    "mutation { createApiKey(input: {name: \"shop\", role: SERVER}) { secret userErrors { code } } }";
const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { user { id code } userErrors { code message } } }";

/// A server, and all that it answered.
pub struct House {
    server: Server,
    database: Proxy,
    redis: Proxy,
    callers: Callers,
}

impl House {
    /// Starts a server, with everything in its environment that should stay there.
    pub async fn open(
        database: &Database,
        redis: &PrivateRedis,
        (log, format): (&str, &str),
        canaries: &mut Canaries,
    ) -> Self {
        let (database_url, database) = line_to_database(&database.url(), canaries).await;
        let (redis_url, redis) = line_to_redis(redis, canaries).await;
        // Longer than a hash of SHA-256, as it should be.
        let jwt_secret = canaries.hide("the secret of the host's tokens").repeat(2);
        let (hash_key, former) =
            (canaries.hide("the key of the hashes"), canaries.hide("the former key of the hashes"));
        canaries.keep("the admin key", ADMIN_KEY);
        let mut server = Server::start(&[
            ("DATABASE_URL", &database_url),
            ("REDIS_URL", &redis_url),
            ("JWT_SECRET", &jwt_secret),
            ("HASH_KEY", &hash_key),
            ("HASH_KEY_PREVIOUS", &former),
            ("TRUSTED_PROXIES", "127.0.0.0/8"),
            ("LOG", log),
            ("LOG_FORMAT", format),
        ]);
        server.ready().await;
        let client = server.client();
        let made = client.insist(MAKE_KEY, Value::Null).await;
        let key = made["createApiKey"]["secret"].as_str().expect("a key").to_owned();
        canaries.keep("a host's key", &key);
        let done = client.insist(SIGN_UP, json!({"input": {"externalId": "ann"}})).await;
        let text = |field: &str| done["signUp"]["user"][field].as_str().expect("a text").to_owned();
        let callers = Callers::new(server.address(), (key, text("code"), text("id")), &jwt_secret, canaries);
        Self { server, database, redis, callers }
    }

    /// Everybody asks everything that can be asked.
    pub async fn is_asked_everything(&mut self, state: &str, canaries: &Canaries) {
        self.callers.ask_everything(state, canaries).await;
    }

    /// The tables are not what they should be, in ways that make the database repeat whole rows.
    pub async fn database_is_damaged(&self, database: &Database, canaries: &Canaries) {
        let name = canaries.word("a display name");
        let mut sql = Sql::connect(&database.url()).await;
        sql.execute(&format!(
            "ALTER TABLE users ADD CONSTRAINT unlucky CHECK (display_name NOT LIKE '%{name}%') NOT VALID; \
             ALTER TABLE events ADD CONSTRAINT unhappy CHECK (metadata IS NULL) NOT VALID; \
             ALTER TABLE rewards RENAME TO rewards_elsewhere; \
             ALTER TABLE board_scores RENAME TO board_scores_elsewhere"
        ))
        .await;
    }

    /// Neither the database nor Redis can be reached any more.
    pub async fn everything_is_gone(&self) {
        self.database.set(Line::Cut);
        self.redis.set(Line::Cut);
    }

    /// The codes of all errors that anybody was told of.
    pub fn codes(&self) -> Vec<String> {
        let mut codes: Vec<String> = self.callers.answers().iter().flat_map(|answer| codes_in(answer)).collect();
        codes.sort_unstable();
        codes.dedup();
        codes
    }

    /// Answers that tell what is inside.
    pub fn told_of_inside(&self) -> Vec<String> {
        let told = self.callers.answers().iter().map(|answer| (inside::told(answer), answer));
        told.filter(|(words, _)| !words.is_empty()).map(|(words, answer)| format!("{words:?}: {answer}")).collect()
    }

    /// All that was logged and printed.
    pub fn log(&self) -> String {
        self.server.log()
    }
}

fn codes_in(answer: &str) -> impl Iterator<Item = String> {
    let parts = answer.split("\"code\":\"").skip(1);
    parts.filter_map(|rest| rest.split('"').next()).map(str::to_owned)
}

/// The database's address with a password in it, by way of a line. A server that trusts this machine takes any.
async fn line_to_database(url: &str, canaries: &mut Canaries) -> (String, Proxy) {
    let (scheme, rest) = url.split_once("://").expect("an address");
    let (user, place) = rest.split_once('@').unwrap_or(("postgres", rest));
    let host = place.split('/').next().expect("a host");
    let line = Proxy::before(host).await;
    let (user, password) = match user.split_once(':') {
        Some((user, password)) if password.len() > 6 => {
            canaries.keep("the password of the database", password);
            (user, password.to_owned())
        }
        Some((user, password)) => (user, password.to_owned()),
        None => (user, canaries.hide("the password of the database")),
    };
    let place = place.replacen(host, &line.address(), 1);
    (format!("{scheme}://{user}:{password}@{place}"), line)
}

/// A Redis that wants a password, by way of a line.
async fn line_to_redis(redis: &PrivateRedis, canaries: &mut Canaries) -> (String, Proxy) {
    let (url, password) = (redis.url(), canaries.hide("the password of Redis"));
    let mut connection =
        redis::Client::open(url.as_str()).and_then(|client| client.get_connection()).expect("connects");
    let guarded = redis::cmd("CONFIG").arg(&["SET", "requirepass", &password]).exec(&mut connection);
    guarded.expect("sets a password");
    let line = Proxy::before(url.trim_start_matches("redis://")).await;
    (format!("redis://:{password}@{}", line.address()), line)
}
