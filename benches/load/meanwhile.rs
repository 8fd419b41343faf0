//! Signing up while an import runs beside the server.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{task::spawn_blocking, time::sleep};

use crate::{
    figures::{Figures, Stopwatch},
    people,
    support::Server,
};

/// Connections that sign people up.
const CONNECTIONS: usize = 4;
/// What each of them waits after an answer, as people do not come in one after the other without a pause.
const PAUSE: Duration = Duration::from_millis(25);
const SIGN_UP: &str =
    "mutation($input: SignUpInput!) { signUp(input: $input) { created user { code } userErrors { code } } }";

/// Imports people while others sign up; gives the time of the import and the figures of the signups.
pub async fn import(server: &Server, number: u32, database_url: &str) -> (Duration, Figures) {
    let (done, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let host = sign_up(server, &json!({"externalId": "meanwhile"})).await;
    let code = host["user"]["code"].as_str().expect("a code").to_owned();
    let path = people::make_up(number);
    let stopwatch = Stopwatch::start(server.process_id());
    let import = {
        let (url, done) = (database_url.to_owned(), Arc::clone(&done));
        spawn_blocking(move || {
            let took = people::import(path.path(), &url);
            done.store(true, Ordering::SeqCst);
            took
        })
    };
    let connection = async || {
        let mut latencies = Vec::new();
        while !done.load(Ordering::SeqCst) {
            let place = next.fetch_add(1, Ordering::SeqCst);
            let input = json!({"externalId": format!("meanwhile-{place}"), "code": code});
            let begun = Instant::now();
            let payload = sign_up(server, &input).await;
            latencies.push(begun.elapsed());
            assert_eq!(payload["created"], true, "{input}: {payload}");
            sleep(PAUSE).await;
        }
        latencies
    };
    let latencies = futures_util::future::join_all((0..CONNECTIONS).map(|_| connection())).await.concat();
    (import.await.expect("the import ends"), stopwatch.stop("signUp during the import", latencies))
}

async fn sign_up(server: &Server, input: &Value) -> Value {
    server.client().insist(SIGN_UP, json!({"input": input})).await["signUp"].take()
}
