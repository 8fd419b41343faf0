//! Redis for tests: the one that is there, or one of a test's own that may die.

use std::{
    io,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::{or_do_without, port::free_port};

/// How long a Redis may take to answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// Looks at a Redis that was just started, and the pause between two.
const START_LOOKS: u32 = 200;
const START_PAUSE: Duration = Duration::from_millis(50);

/// A Redis that tests share, if it answers: use a namespace of your own and never flush it.
pub fn redis_url() -> Option<&'static str> {
    static URL: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        let url = std::env::var("TEST_REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".to_owned());
        let answer = ping(&url).map(|()| url);
        or_do_without("Redis at TEST_REDIS_URL", answer)
    };
    URL.get_or_init(find).as_deref()
}

fn ping(url: &str) -> Result<(), String> {
    obey(url, &["PING"])
}

fn obey(url: &str, command: &[&str]) -> Result<(), String> {
    let answer = || {
        let mut connection = redis::Client::open(url)?.get_connection_with_timeout(ANSWER_LIMIT)?;
        connection.set_read_timeout(Some(ANSWER_LIMIT))?;
        let mut whole = redis::Cmd::new();
        for word in command {
            whole.arg(*word);
        }
        whole.exec(&mut connection)
    };
    answer().map_err(|error: redis::RedisError| error.to_string())
}

/// A Redis of one test, which keeps nothing on disk; nothing when `redis-server` is not installed.
pub fn private_redis() -> Option<PrivateRedis> {
    or_do_without("redis-server", PrivateRedis::start())
}

/// A Redis of one test; it ends with it.
pub struct PrivateRedis {
    port: u16,
    folder: TempDir,
    server: Option<Child>,
}

impl PrivateRedis {
    fn start() -> Result<Self, String> {
        let folder = TempDir::with_prefix("banyan_redis").map_err(|error| error.to_string())?;
        let mut redis = Self { port: free_port(), folder, server: None };
        redis.launch()?;
        Ok(redis)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its process, for signals other than death; nothing while it is dead.
    pub fn pid(&self) -> Option<u32> {
        self.server.as_ref().map(Child::id)
    }

    /// Kills it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("kills its own child");
            server.wait().expect("buries its own child");
        }
    }

    /// Has it do something, such as `FLUSHALL`.
    pub fn does(&self, command: &[&str]) {
        obey(&self.url(), command).expect("a Redis of our own obeys");
    }

    /// Starts it again at the same address, empty.
    pub fn restart(&mut self) {
        self.kill();
        self.launch().expect("starts again");
    }

    fn launch(&mut self) -> Result<(), String> {
        let port = self.port.to_string();
        let arguments = ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"];
        let spawn = || -> io::Result<Child> {
            Command::new("redis-server")
                .args(arguments)
                .arg("--dir")
                .arg(self.folder.path())
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
        };
        self.server = Some(spawn().map_err(|error| format!("cannot start redis-server: {error}"))?);
        let mut cause = String::new();
        for _ in 0..START_LOOKS {
            match ping(&self.url()) {
                Ok(()) => return Ok(()),
                Err(error) => cause = error,
            }
            thread::sleep(START_PAUSE);
        }
        Err(cause)
    }
}

impl Drop for PrivateRedis {
    fn drop(&mut self) {
        self.kill();
    }
}
