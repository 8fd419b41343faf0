//! Two replicas that are restarted one after the other, and a balancer before them.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::support::{ADMIN_KEY, Client};

/// Connections that send at once.
const CONNECTIONS: usize = 16;
const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { created user { code } userErrors { code } } }";

/// What stands before the replicas. It passes each call on to the next of them that takes it, and sends nothing twice: a
/// call that was taken and not answered is lost, and fails the test.
struct Balancer {
    replicas: Vec<Client>,
    turn: usize,
}

impl Balancer {
    async fn pass_on(&mut self, variables: &Value) -> Value {
        let mut refused = 0;
        loop {
            self.turn = (self.turn + 1) % self.replicas.len();
            match self.replicas[self.turn].ask(SIGN_UP, variables).await {
                Ok(data) => return data,
                Err(cause) if cause.was_never_sent() && refused < self.replicas.len() => refused += 1,
                Err(cause) => panic!("a call was lost: {cause:?}"),
            }
        }
    }
}

/// People who sign up until they are told to stop.
pub struct Crowd {
    signed_up: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Crowd {
    /// Begins to sign up behind a code.
    pub fn begin(addresses: &[String], code: &str) -> Self {
        let (signed_up, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let task = |number: usize| {
            let replicas = addresses.iter().map(|address| Client::new(address.clone(), ADMIN_KEY)).collect();
            let mut balancer = Balancer { replicas, turn: number };
            let (signed_up, stop, code) = (Arc::clone(&signed_up), Arc::clone(&stop), code.to_owned());
            tokio::spawn(async move {
                for place in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    let input = json!({"externalId": format!("p{number}-{place}"), "code": code});
                    let done = balancer.pass_on(&json!({"input": input})).await;
                    assert_eq!((&done["signUp"]["created"], &done["signUp"]["userErrors"]), (&json!(true), &json!([])));
                    signed_up.fetch_add(1, Ordering::SeqCst);
                }
            })
        };
        let tasks = (0..CONNECTIONS).map(task).collect();
        Self { signed_up, stop, tasks }
    }

    /// How many have signed up.
    pub fn signed_up(&self) -> usize {
        self.signed_up.load(Ordering::SeqCst)
    }

    /// Lets everybody finish, and says how many signed up.
    pub async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.expect("no call is lost");
        }
        self.signed_up.load(Ordering::SeqCst)
    }
}

/// Somebody whose code everybody uses.
pub async fn code(client: &Client) -> String {
    let ann = client.insist(SIGN_UP, json!({"input": {"externalId": "ann"}})).await;
    ann["signUp"]["user"]["code"].as_str().expect("a code").to_owned()
}
