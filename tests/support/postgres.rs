//! A PostgreSQL server of one test's own, which may die: a database on a shared server cannot show that.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use super::{database::answers, or_do_without, port::free_port};

/// Where Debian keeps the programs of each version.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Whose server it is when tests run as root, as whom PostgreSQL does not run.
const OWNER: &str = "postgres";
/// Looks at a server that was just started, and the pause between two.
const START_LOOKS: u32 = 300;
const START_PAUSE: Duration = Duration::from_millis(100);

/// A server of one test; nothing when PostgreSQL's own programs are not installed.
pub fn private_postgres() -> Option<PrivatePostgres> {
    or_do_without("initdb of PostgreSQL", PrivatePostgres::start(None))
}

/// The same with its data in a folder that everybody may write to, on a disk that may fill up; the log is elsewhere.
pub fn private_postgres_on(disk: &Path) -> Option<PrivatePostgres> {
    or_do_without("initdb of PostgreSQL", PrivatePostgres::start(Some(disk)))
}

/// A server of one test; it ends with it.
pub struct PrivatePostgres {
    port: u16,
    programs: PathBuf,
    folder: TempDir,
    data: PathBuf,
    server: Option<Child>,
}

impl PrivatePostgres {
    fn start(disk: Option<&Path>) -> Result<Self, String> {
        let programs = programs().ok_or("no such program")?;
        let folder = TempDir::with_prefix("banyan_postgres").map_err(|error| error.to_string())?;
        if let Some((user, group)) = owner().map_err(|error| error.to_string())? {
            chown(folder.path(), Some(user), Some(group)).map_err(|error| error.to_string())?;
        }
        let data = disk.unwrap_or(folder.path()).join("data");
        let mut server = Self { port: free_port(), programs, folder, data, server: None };
        let made = server
            .command("initdb")
            .args(["--username", OWNER, "--auth", "trust", "--no-sync", "--pgdata"])
            .arg(&server.data)
            .arg("--waldir")
            .arg(server.folder.path().join("log"))
            .stderr(Stdio::piped())
            .output()
            .map_err(|error| error.to_string())?;
        if !made.status.success() {
            return Err(String::from_utf8_lossy(&made.stderr).into_owned());
        }
        server.launch()?;
        Ok(server)
    }

    /// The address of its database.
    pub fn url(&self) -> String {
        format!("postgres://{OWNER}@127.0.0.1:{}/postgres", self.port)
    }

    /// Kills it at once, as `kill -9` does; what it was doing dies with it.
    pub fn kill(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().expect("kills its own child");
            server.wait().expect("buries its own child");
        }
    }

    /// Starts it again at the same address, with all that was committed.
    pub fn restart(&mut self) {
        self.kill();
        self.launch().expect("starts again");
    }

    /// It refuses to start while processes of its former life are dying, and then it is started again.
    fn launch(&mut self) -> Result<(), String> {
        let mut cause = String::new();
        for _ in 0..START_LOOKS {
            if self.has_ended() {
                self.server = Some(self.spawn().map_err(|error| error.to_string())?);
            }
            match answers(&self.url()) {
                Ok(()) => return Ok(()),
                Err(error) => cause = error,
            }
            thread::sleep(START_PAUSE);
        }
        Err(cause)
    }

    fn has_ended(&mut self) -> bool {
        self.server.as_mut().is_none_or(|server| server.try_wait().is_ok_and(|status| status.is_some()))
    }

    fn spawn(&self) -> io::Result<Child> {
        let folder = self.folder.path();
        let mut command = self.command("postgres");
        command.arg("-D").arg(&self.data).arg("-k").arg(folder).args(["-p", &self.port.to_string()]);
        command.args(["-c", "listen_addresses=127.0.0.1"]).spawn()
    }

    /// One of PostgreSQL's own programs, as somebody who may run it.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = match owner() {
            Ok(Some(_)) => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", OWNER, "--regid", OWNER, "--clear-groups"]).arg(program);
                command
            }
            Ok(None) | Err(_) => Command::new(program),
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Where PostgreSQL's own programs are: of several versions, the newest.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let versions = fs::read_dir(DEBIAN).into_iter().flatten().filter_map(Result::ok);
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse().ok()).unwrap_or(0_u32);
    let mut versions: Vec<PathBuf> = versions.map(|entry| entry.path()).collect();
    versions.sort_by_key(version);
    folders.extend(versions.into_iter().rev().map(|version| version.join("bin")));
    folders.into_iter().find(|folder| folder.join("initdb").is_file() && folder.join("postgres").is_file())
}

/// User and group of the server's owner when tests run as root; nothing when they do not.
fn owner() -> io::Result<Option<(u32, u32)>> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string("/etc/passwd")?;
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find(|fields| fields[0] == OWNER);
    let number = |at: usize| fields.as_ref().and_then(|fields| fields.get(at)?.parse().ok());
    number(2).zip(number(3)).map(Some).ok_or_else(|| io::Error::other(format!("there is no user {OWNER}")))
}
