//! Real processes of the product, which may be killed.

use std::{
    fs::{self, File},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;
use tokio::time::sleep;

use super::{client::Client, port::free_port};

/// The admin key of every server of the tests.
pub const ADMIN_KEY: &str = "banyan-tests-0123456789abcdef0123456789abcdef";
/// How long a process may take to serve, or to end by itself; a debug build on a busy machine is slow.
const LIMIT: Duration = Duration::from_secs(60);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);
/// Lines of a log that are told when a test fails.
const TOLD_LINES: usize = 30;

/// One process of the product. It is killed when it is dropped.
pub struct Server {
    child: Option<Child>,
    port: u16,
    settings: Vec<(String, String)>,
    folder: TempDir,
}

impl Server {
    /// Starts a process with these settings, at a port of its own, and waits for nothing.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let folder = TempDir::with_prefix("banyan_server").expect("a folder for a log");
        let mut server = Self { child: None, port: free_port(), settings, folder };
        server.launch();
        server
    }

    /// Where it listens: `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Its process.
    pub fn process_id(&self) -> u32 {
        self.child.as_ref().expect("runs").id()
    }

    /// An operator's connection to it.
    pub fn client(&self) -> Client {
        Client::new(self.address(), ADMIN_KEY)
    }

    /// Waits until it is ready to serve.
    pub async fn ready(&mut self) {
        let client = self.client();
        let begun = Instant::now();
        while !client.is_ready().await {
            assert!(self.status().is_none(), "the server ended:\n{}", self.log());
            assert!(begun.elapsed() < LIMIT, "the server is not ready:\n{}", self.log());
            sleep(PAUSE).await;
        }
    }

    /// Kills it at once, as `kill -9` does.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("kills its own child");
            child.wait().expect("buries its own child");
        }
    }

    /// Asks it to leave, as service managers do (SIGTERM), and waits until it has.
    pub async fn leave(&mut self) -> ExitStatus {
        let told = Command::new("kill").args(["-TERM", &self.process_id().to_string()]).status().expect("tells it");
        assert!(told.success(), "a process of our own can be told");
        self.death(LIMIT).await.unwrap_or_else(|| panic!("it does not leave:\n{}", self.log()))
    }

    /// Starts it again with the same settings at the same port.
    pub fn restart(&mut self) {
        self.kill();
        self.launch();
    }

    /// Changes a setting, from the next start on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.settings.retain(|(known, _)| known != name);
        if !value.is_empty() {
            self.settings.push((name.to_owned(), value.to_owned()));
        }
    }

    /// Waits until it dies by itself, if it does in time.
    pub async fn death(&mut self, limit: Duration) -> Option<ExitStatus> {
        let begun = Instant::now();
        while begun.elapsed() < limit {
            if let Some(status) = self.status() {
                return Some(status);
            }
            sleep(PAUSE).await;
        }
        None
    }

    /// Waits until it ends by itself and gives its status and its log.
    pub fn ended(mut self) -> (ExitStatus, String) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.status() {
                return (status, self.log());
            }
            assert!(begun.elapsed() < LIMIT, "it does not end:\n{}", self.log());
            thread::sleep(PAUSE);
        }
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.as_mut().and_then(|child| child.try_wait().expect("looks at its own child"))
    }

    /// What it wrote, in all its lives.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn launch(&mut self) {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).expect("opens a log");
        let mut command = Command::new(env!("CARGO_BIN_EXE_banyan"));
        command.env_clear().env("BIND", self.address()).env("ADMIN_API_KEY", ADMIN_KEY).env("LOG", "info");
        let settings = self.settings.iter().map(|(name, value)| (name, value));
        command.envs(settings).current_dir(self.folder.path());
        let copy = log.try_clone().expect("the same log");
        command.stdin(Stdio::null()).stdout(copy).stderr(log);
        self.child = Some(command.spawn().expect("starts the product"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Also in the middle of a panic; a second one would leave the other processes alive.
        if let Some(mut child) = self.child.take() {
            let _was_dead = child.kill();
            let _was_buried = child.wait();
        }
        if thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let told = lines[lines.len().saturating_sub(TOLD_LINES)..].join("\n");
            eprintln!("--- the last of the log of {} {:?}\n{told}", self.address(), self.settings);
        }
    }
}
