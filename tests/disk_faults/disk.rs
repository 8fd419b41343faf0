//! Disks of a test's own: one that is small enough to be filled, and one that can be broken under a running server.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::support::{is_ci, say};

/// Room for a file of SQLite, its log and a few thousand rows; and for the data of a PostgreSQL server and as many.
const MEGABYTES: u32 = 32;
const POSTGRES_MEGABYTES: u32 = 96;
/// What is written at once while filling: one page, so that not even that is left.
const PAGE_BYTES: usize = 4096;

/// A file system in memory. It is unmounted when it is dropped, also in the middle of a panic.
pub struct Disk {
    folder: TempDir,
}

impl Disk {
    /// Mounts one; nothing where that is not allowed, which is a failure on CI.
    pub fn mount() -> Option<Self> {
        Self::of(MEGABYTES)
    }

    /// The same, with room for a PostgreSQL server.
    pub fn mount_for_postgres() -> Option<Self> {
        Self::of(POSTGRES_MEGABYTES)
    }

    fn of(megabytes: u32) -> Option<Self> {
        let folder = TempDir::with_prefix("banyan_disk").expect("a folder to mount at");
        let size = format!("size={megabytes}m");
        match run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], folder.path()) {
            Ok(()) => Some(Self { folder }),
            Err(cause) => {
                assert!(!is_ci(), "no disk can be mounted, and CI=true: {cause}");
                say(&format!("NOT RUN: a full and a read-only disk, which need root and mount: {cause}"));
                None
            }
        }
    }

    /// The address of a file of SQLite on it.
    pub fn url(&self) -> String {
        url_in(self.folder.path())
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes to it until nothing fits any more; gives the file that can be removed again.
    pub fn fill(&self) -> PathBuf {
        let path = self.folder.path().join("ballast");
        let mut file = File::create(&path).expect("makes a ballast");
        loop {
            match file.write_all(&[1; PAGE_BYTES]) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::StorageFull => return path,
                Err(error) => panic!("cannot fill a disk: {error}"),
            }
        }
    }

    /// Mounts it again, `ro` or `rw`; nobody may be writing to it.
    pub fn remount(&self, how: &str) {
        run("mount", &["-o", &format!("remount,{how}")], self.folder.path()).expect("mounts its own disk again");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whoever still has a file open keeps it until then.
        let unmounted = run("umount", &[], self.folder.path()).or_else(|_| run("umount", &["-l"], self.folder.path()));
        if let Err(cause) = unmounted {
            say(&format!("{} stays mounted: {cause}", self.folder.path().display()));
        }
    }
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<(), String> {
    let done = Command::new(program).args(arguments).arg(folder).output();
    let done = done.map_err(|error| format!("{program}: {error}"))?;
    if done.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&done.stderr).trim().to_owned()) }
}

/// What can befall a disk, by the number in errno(3) of Linux.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// `EIO`.
    Broken = 5,
    /// `ENOSPC`.
    Full = 28,
    /// `EROFS`.
    ReadOnly = 30,
}

/// A folder whose files cannot be written while it has a fault; see `broken_disk.c`. Only who is started with its settings
/// sees it.
pub struct Breakable {
    folder: TempDir,
    library: PathBuf,
}

impl Breakable {
    /// Makes one, with the C compiler that the product is built with.
    pub fn new() -> Self {
        let folder = TempDir::with_prefix("banyan_breakable").expect("a folder");
        let library = folder.path().join("broken_disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/disk_faults/broken_disk.c");
        let mut compiler = Command::new("cc");
        let built = compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
        assert!(built.expect("runs the C compiler").success(), "broken_disk.c does not compile");
        fs::create_dir(folder.path().join("data")).expect("a folder for data");
        Self { folder, library }
    }

    /// The address of a database in it.
    pub fn url(&self) -> String {
        url_in(&self.data())
    }

    /// What a server has to be started with.
    pub fn settings(&self) -> [(&'static str, String); 3] {
        let text = |path: &Path| path.display().to_string();
        [("LD_PRELOAD", text(&self.library)), ("DISK_FOLDER", text(&self.data())), ("DISK_FAULT", text(&self.fault()))]
    }

    /// From now on it has a fault, or none.
    pub fn set(&self, fault: Option<Fault>) {
        match fault {
            Some(fault) => {
                // Renamed into place: nobody reads half of a number.
                let draft = self.folder.path().join("draft");
                fs::write(&draft, (fault as u32).to_string()).expect("writes a number");
                fs::rename(draft, self.fault()).expect("puts a fault in place");
            }
            None => fs::remove_file(self.fault()).expect("takes a fault away"),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn fault(&self) -> PathBuf {
        self.folder.path().join("fault")
    }
}

fn url_in(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("banyan.db").display())
}
