//! A burst of clicks on links, each by a visitor of their own.

use std::{
    fmt,
    net::Ipv4Addr,
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use crate::{
    figures::{Figures, Stopwatch},
    people::People,
    support::{Database, Server, Sql},
};

/// Connections that the burst comes from.
const CONNECTIONS: usize = 50;

/// How many transactions the clicks cost.
pub struct Transactions {
    clicks: usize,
    batches: i64,
}

impl fmt::Display for Transactions {
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let each = self.batches as f64 / self.clicks.max(1) as f64;
        write!(f, "{} clicks in {} transactions: {each:.3} a click", self.clicks, self.batches)
    }
}

/// Follows links from many connections at once; every click that was answered must be there afterwards.
pub async fn measure(server: &Server, people: &People, clicks: usize, database: &Database) -> (Figures, Transactions) {
    let next = AtomicUsize::new(0);
    let stopwatch = Stopwatch::start(server.process_id());
    let connection = async || {
        let (client, mut latencies) = (server.client(), Vec::new());
        loop {
            let number = next.fetch_add(1, Ordering::SeqCst);
            if number >= clicks {
                return latencies;
            }
            let from = Ipv4Addr::from_bits(0x0b00_0000 + u32::try_from(number).expect("few"));
            let code = &people.leaders[number % people.leaders.len()].code;
            let begun = Instant::now();
            client.follow(code, from).await.expect("an answer");
            latencies.push(begun.elapsed());
        }
    };
    let connections = (0..CONNECTIONS).map(|_| connection());
    let latencies = futures_util::future::join_all(connections).await.concat();
    let figures = stopwatch.stop("clicks from 50 connections", latencies);
    let mut sql = Sql::connect(&database.url()).await;
    let kept = sql.number("SELECT count(*) AS number FROM clicks").await;
    assert_eq!(usize::try_from(kept).ok(), Some(clicks), "every click that was answered is there");
    let batches = sql.number("SELECT count(DISTINCT created_at) AS number FROM clicks").await;
    (figures, Transactions { clicks, batches })
}
