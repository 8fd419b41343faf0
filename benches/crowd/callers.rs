//! Those who want something: queries at a fixed rate.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use serde_json::json;
use tokio::time::sleep_until;

use crate::{
    Arguments,
    figures::{Figures, Stopwatch},
    support::{Client, Server, Unknown},
};

const SIGN_UP: &str = "mutation($input: SignUpInput!) { signUp(input: $input) { user { id code } } }";
const PAGE: &str = "query($id: ID!) { user(by: {id: $id}) { id code referralCount network { size } \
    referredUsers(first: 10) { nodes { id displayName } } balances { available } } }";
/// Friends of the one who is asked about.
const FRIENDS: usize = 20;

/// Some who ask about somebody.
pub struct Callers {
    /// Who is asked about, by our id.
    pub somebody: String,
    client: Client,
    process: u32,
    rate: u32,
}

impl Callers {
    /// Signs up whom they will ask about.
    pub async fn settle(server: &Server, arguments: &Arguments) -> Self {
        let client = server.client();
        let done = client.insist(SIGN_UP, json!({"input": {"externalId": "somebody"}})).await;
        let user = &done["signUp"]["user"];
        for friend in 0..FRIENDS {
            let input =
                json!({"externalId": format!("friend-{friend}"), "displayName": "A friend", "code": user["code"]});
            client.insist(SIGN_UP, json!({"input": input})).await;
        }
        let somebody = user["id"].as_str().expect("an id").to_owned();
        Self { somebody, client, process: server.process_id(), rate: arguments.rate.max(1) }
    }

    /// Asks for so many seconds; gives the figures, and how many were refused as `UNAVAILABLE`. A query's time counts from
    /// when it was due, so that one that is late because others were not answered yet is late.
    pub async fn ask(&self, name: &'static str, seconds: u32) -> (Figures, usize) {
        let (stopwatch, refused) = (Stopwatch::start(self.process), AtomicUsize::new(0));
        let (begun, between) = (Instant::now(), Duration::from_secs(1) / self.rate);
        let ask = async |number: u32| {
            let due = begun + between * number;
            sleep_until(due.into()).await;
            match self.client.ask(PAGE, &json!({"id": self.somebody})).await {
                Ok(answer) => {
                    let friends = answer["user"]["referredUsers"]["nodes"].as_array().map(Vec::len);
                    assert_eq!(friends, Some(10), "{answer}");
                }
                Err(Unknown(_)) => drop(refused.fetch_add(1, Ordering::SeqCst)),
            }
            due.elapsed()
        };
        let latencies = futures_util::future::join_all((0..self.rate * seconds).map(ask)).await;
        (stopwatch.stop(name, latencies), refused.into_inner())
    }
}
