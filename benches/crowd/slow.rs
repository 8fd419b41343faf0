//! Clients that take their time: each keeps a connection for as long as the server has patience.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{sleep, timeout},
};

use crate::{
    crowd::{Counts, Here},
    support::ADMIN_KEY,
};

/// Between two bytes.
const DRIP: Duration = Duration::from_secs(1);
/// Longest time that anybody stays: the server has let go of it long before.
const LIMIT: Duration = Duration::from_secs(60);
/// Answers that are asked for and not read. Each is some hundred kilobytes, and Linux keeps up to 4 MiB of what a client
/// does not take: these are more, so that the server is left with some of them.
const UNREAD: usize = 64;
/// What the kernel keeps for a client that never reads, in bytes.
pub const UNREAD_BYTES: u32 = 4_096;
const SCHEMA: &str = "{ __schema { types { name description fields { name description args { name description } \
    type { name kind ofType { name kind ofType { name kind } } } } } } }";

/// A head that comes byte by byte.
pub async fn head(stream: TcpStream, counts: &Arc<Counts>) {
    drip(stream, "GET /health/live HTTP/1.1\r\nhost: x\r\nx-more: ", counts).await;
}

/// A body that does.
pub async fn body(stream: TcpStream, counts: &Arc<Counts>) {
    let head = "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{";
    drip(stream, head, counts).await;
}

async fn drip(mut stream: TcpStream, begin: &str, counts: &Arc<Counts>) {
    let _here = Here::new(counts);
    let drip = async {
        stream.write_all(begin.as_bytes()).await?;
        let mut answer = [0; 256];
        loop {
            tokio::select! {
                read = stream.read(&mut answer) => if read? == 0 { return Ok::<(), std::io::Error>(()) },
                () = sleep(DRIP) => stream.write_all(b" ").await?,
            }
        }
    };
    // However it ends, it is over.
    let _end = timeout(LIMIT, drip).await;
}

/// Asks for much, again and again, and reads nothing of it.
pub async fn never_reads(mut stream: TcpStream, counts: &Arc<Counts>) {
    let _here = Here::new(counts);
    let body = json!({"query": SCHEMA}).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {ADMIN_KEY}\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    let asking = async {
        for _ in 0..UNREAD {
            if stream.write_all(request.as_bytes()).await.is_err() {
                return;
            }
        }
        // Everything is asked for; now it stays until the server has had enough of it.
        while stream.write_all(b"\r\n").await.is_ok() {
            sleep(DRIP).await;
        }
    };
    let _end = timeout(LIMIT, asking).await;
}
