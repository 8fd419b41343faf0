//! How soon those who watch somebody see that a friend of theirs has signed up.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::{
    figures::{Figures, Stopwatch},
    people::People,
    support::{ADMIN_KEY, Server, Subscriber},
};

const WATCH: &str = "subscription($id: ID!) { referralCount(userId: $id) { direct version } }";
const SIGN_UP: &str = "mutation($input: SignUpInput!) { signUp(input: $input) { user { id code } } }";
/// Signups, one after the other; each is delivered to every subscriber.
const ROUNDS: i64 = 40;
/// Between two signups: a topic sends at most ten messages a second, and waiting for that is not what is measured.
const PAUSE: Duration = Duration::from_millis(150);

/// Times from the acknowledged signup to each subscriber's message.
pub async fn measure(server: &Server, people: &People, subscribers: usize) -> Figures {
    let client = server.client();
    let sign_up = async |name: String, code: Option<&str>| {
        let input = json!({"externalId": format!("{name}-{}", people.number), "code": code});
        client.ask(SIGN_UP, &json!({"input": input})).await.expect("an answer")["signUp"]["user"].take()
    };
    let watched = sign_up("watched".to_owned(), None).await;
    let code = watched["code"].as_str().map(str::to_owned);
    let mut watching = Vec::new();
    for _ in 0..subscribers {
        let document = json!({"id": watched["id"]});
        let mut subscriber = Subscriber::watch(&server.address(), ADMIN_KEY, WATCH, document).await;
        assert_eq!(subscriber.next().await["referralCount"]["direct"], 0);
        watching.push(subscriber);
    }
    let stopwatch = Stopwatch::start(server.process_id());
    let mut latencies = Vec::new();
    for round in 1..=ROUNDS {
        sign_up(format!("friend-{round}"), code.as_deref()).await;
        let told = Instant::now();
        let hears = watching.iter_mut().map(|subscriber| hear(subscriber, round, told));
        latencies.extend(futures_util::future::join_all(hears).await);
        sleep(PAUSE).await;
    }
    stopwatch.stop("live, from signUp to message", latencies)
}

async fn hear(subscriber: &mut Subscriber, direct: i64, told: Instant) -> Duration {
    loop {
        let seen: Value = subscriber.next().await["referralCount"]["direct"].take();
        if seen == direct {
            return told.elapsed();
        }
    }
}
