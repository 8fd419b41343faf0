//! The Redis of this room's tests: one that is shared, or one that a test may kill.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::Client;
use tokio::time::sleep;

use crate::live::story::soon;

async fn answers(url: &str) -> bool {
    let Ok(client) = Client::open(url) else { return false };
    let Ok(mut connection) = client.get_multiplexed_async_connection().await else { return false };
    redis::cmd("PING").exec_async(&mut connection).await.is_ok()
}

/// Leaves a test out where there is no Redis, aloud, and never on CI.
fn leave_out(what: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "CI has to have {what}");
    eprintln!("left out: there is no {what}");
}

/// The shared Redis of a test run.
pub(super) async fn shared_redis() -> Option<String> {
    let url = std::env::var("TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
    if answers(&url).await {
        return Some(url);
    }
    leave_out("Redis at TEST_REDIS_URL");
    None
}

/// A Redis only this test talks to, so that it may be killed.
pub(super) struct OwnRedis {
    port: u16,
    server: Option<Child>,
}

impl OwnRedis {
    pub(super) async fn start() -> Option<OwnRedis> {
        let mut own = OwnRedis { port: free_port(), server: None };
        if own.again().await {
            return Some(own);
        }
        leave_out("redis-server");
        None
    }

    pub(super) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it (again), empty; says whether the program is there.
    pub(super) async fn again(&mut self) -> bool {
        let (port, dir) = (self.port.to_string(), std::env::temp_dir());
        let server = Command::new("redis-server")
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .current_dir(dir)
            .stdout(Stdio::null())
            .spawn();
        self.server = server.ok();
        if self.server.is_some() {
            let url = self.url();
            soon("Redis answers", async {
                while !answers(&url).await {
                    sleep(Duration::from_millis(20)).await;
                }
            })
            .await;
        }
        self.server.is_some()
    }

    pub(super) fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("it was ours and ran");
            server.wait().expect("it ends");
        }
    }

    /// Freezes it (`STOP`) or lets it go on (`CONT`): its connections stay open and nothing answers.
    pub(super) fn signal(&self, name: &str) {
        let pid = self.server.as_ref().expect("it runs").id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().expect("kill is there").success());
    }

    /// Cuts the connections of a type: `pubsub` or `normal`.
    pub(super) async fn cut(&self, kind: &str) {
        let mut connection = Client::open(self.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
        let kill: i64 = redis::cmd("CLIENT").arg(&["KILL", "TYPE", kind]).query_async(&mut connection).await.unwrap();
        assert!(kill >= 1, "nothing was cut");
    }
}

impl Drop for OwnRedis {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(super) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}
