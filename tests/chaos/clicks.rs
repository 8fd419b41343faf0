//! A server that dies while links are followed: every click that was answered is there afterwards.

use std::{
    collections::HashSet,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use banyan::{
    domain::id::{Id, Noun, parse_as},
    store::BackendKind,
};
use diesel::{QueryableByName, sql_types::Text};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::json;
use tokio::{task::JoinHandle, time::sleep};

use crate::{
    seed,
    support::{ADMIN_KEY, Client, Database, Server, Sql},
};

/// Connections that follow links at once.
const CONNECTIONS: usize = 50;
/// Deaths of one run.
const DEATHS: usize = 6;
const PAUSE: Duration = Duration::from_millis(2);

/// What all connections share.
struct Street {
    next: AtomicUsize,
    clicks: usize,
    answered: AtomicUsize,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    id: String,
}

/// Follows a link many times, each time as somebody else, while the server dies now and then.
pub async fn survive(database: &Database, server: &mut Server, clicks: usize) {
    let sign_up = "mutation { signUp(input: {externalId: \"ann\"}) { user { code } } }";
    let answer = server.client().insist(sign_up, json!({})).await;
    let code = answer["signUp"]["user"]["code"].as_str().expect("a code").to_owned();
    let street = Arc::new(Street { next: 0.into(), clicks, answered: 0.into() });
    let walkers: Vec<JoinHandle<HashSet<String>>> =
        (0..CONNECTIONS).map(|_| tokio::spawn(walk(server.address(), code.clone(), street.clone()))).collect();
    kill_at_random(server, &street, &walkers).await;
    let mut answered = HashSet::new();
    for walker in walkers {
        answered.extend(walker.await.expect("walks"));
    }
    assert_eq!(answered.len(), clicks, "each visitor has a click of their own");

    let mut sql = Sql::connect(&database.url()).await;
    let kept = kept(&mut sql, database.kind()).await;
    let lost: Vec<&String> = answered.iter().filter(|click| !kept.contains(&uuid(click))).collect();
    assert!(lost.is_empty(), "{} of {clicks} clicks were answered and lost: {lost:?}", lost.len());
    let visitors = sql.number("SELECT count(DISTINCT ip_hash) AS number FROM clicks").await;
    assert_eq!(usize::try_from(visitors).ok(), Some(clicks), "everybody came by");
    let batches = sql.number("SELECT count(DISTINCT created_at) AS number FROM clicks").await;
    eprintln!("{clicks} clicks in {batches} transactions, {DEATHS} deaths");
}

async fn walk(address: String, code: String, street: Arc<Street>) -> HashSet<String> {
    let (client, mut answered) = (Client::new(address, ADMIN_KEY), HashSet::new());
    loop {
        let number = street.next.fetch_add(1, Ordering::SeqCst);
        if number >= street.clicks {
            return answered;
        }
        let from = Ipv4Addr::from_bits(0x0b00_0000 + u32::try_from(number).expect("few"));
        let click = loop {
            match client.follow(&code, from).await {
                Ok(click) => break click,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        };
        answered.insert(click);
        street.answered.fetch_add(1, Ordering::SeqCst);
    }
}

async fn kill_at_random(server: &mut Server, street: &Street, walkers: &[JoinHandle<HashSet<String>>]) {
    let mut rng = StdRng::seed_from_u64(seed());
    let share = street.clicks / DEATHS;
    for death in 0..DEATHS {
        let at = death * share + rng.random_range(0..share.max(1));
        while street.answered.load(Ordering::SeqCst) < at && !walkers.iter().all(JoinHandle::is_finished) {
            sleep(PAUSE).await;
        }
        server.kill();
        sleep(Duration::from_millis(rng.random_range(0..100))).await;
        server.restart();
        server.ready().await;
    }
}

async fn kept(sql: &mut Sql, kind: BackendKind) -> HashSet<String> {
    let text = match kind {
        BackendKind::Sqlite => "SELECT lower(hex(id)) AS id FROM clicks",
        BackendKind::Postgres => "SELECT replace(id::text, '-', '') AS id FROM clicks",
    };
    sql.load::<Row>(text).await.into_iter().map(|row| row.id).collect()
}

fn uuid(click: &str) -> String {
    let id: Id = parse_as(Noun::Click, click).expect("a click");
    id.uuid().simple().to_string()
}
