//! Starting on a file that cannot be served from: said in a sentence, and the process ends.

use std::{fs, path::Path};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    disk::Disk,
    house::SIGN_UP,
    runtime,
    support::{Server, Sql},
};

/// Starts a server that cannot, and gives what it says.
fn refused(url: &str) -> String {
    let (status, log) = Server::start(&[("DATABASE_URL", url)]).ended();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    let said = log.lines().find(|line| line.starts_with("banyan: "));
    said.unwrap_or_else(|| panic!("no sentence that says why:\n{log}")).to_owned()
}

fn url_of(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// Serves for a moment, so that a database is there, and somebody in it.
async fn found(url: &str) {
    let mut server = Server::start(&[("DATABASE_URL", url)]);
    server.ready().await;
    server.client().insist(SIGN_UP, json!({"input": {"externalId": "ann"}})).await;
    // With its log left behind.
    server.kill();
}

#[test]
fn a_file_that_is_no_database_is_refused_and_stays_as_it_is() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("letters.txt");
    let text = "Dear Ann, this is a letter and not a database. ".repeat(100);
    fs::write(&path, &text).expect("writes a letter");
    let said = refused(&url_of(&path));
    assert!(said.contains("letters.txt: file is not a database"), "{said}");
    assert_eq!(fs::read_to_string(&path).expect("a letter"), text);
}

#[test]
fn a_folder_is_no_database_either() {
    let folder = TempDir::new().expect("a folder");
    let said = refused(&url_of(folder.path()));
    assert!(said.contains(": unable to open database file"), "{said}");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("writes a file");
    let said = refused(&url_of(&file.join("banyan.db")));
    assert!(said.contains("cannot make the folder"), "{said}");
}

#[test]
fn a_database_that_was_cut_short_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("banyan.db");
    runtime().block_on(found(&url_of(&path)));
    runtime().block_on(async { Sql::connect(&url_of(&path)).await.execute("PRAGMA wal_checkpoint(TRUNCATE)").await });
    let whole = fs::read(&path).expect("a database");
    fs::write(&path, &whole[..whole.len() / 3]).expect("cuts it short");
    let said = refused(&url_of(&path));
    assert!(said.contains("database disk image is malformed"), "{said}");
}

#[test]
fn a_database_of_a_later_generation_is_refused() {
    let folder = TempDir::new().expect("a folder");
    let url = url_of(&folder.path().join("banyan.db"));
    runtime().block_on(async {
        found(&url).await;
        Sql::connect(&url).await.execute("UPDATE settings SET value = '2' WHERE key = 'oldest_binary'").await;
    });
    let said = refused(&url);
    assert!(said.contains("the database needs a newer banyan (generation 2, this one is 1)"), "{said}");
}

#[test]
fn a_read_only_disk_is_said_at_the_start_and_nothing_is_lost() {
    let Some(disk) = Disk::mount() else { return };
    runtime().block_on(found(&disk.url()));
    disk.remount("ro");
    let said = refused(&disk.url());
    assert!(said.contains("readonly database") || said.contains("unable to open database file"), "{said}");
    disk.remount("rw");
    runtime().block_on(async {
        let mut server = Server::start(&[("DATABASE_URL", &disk.url())]);
        server.ready().await;
        let found = server.client().insist("{ user(by: {externalId: \"ann\"}) { id } }", Value::Null).await;
        assert!(found["user"]["id"].is_string(), "{found}");
        server.kill();
    });
}

#[test]
fn a_full_disk_at_the_first_start_is_said() {
    let Some(disk) = Disk::mount() else { return };
    let ballast = disk.fill();
    let said = refused(&disk.url());
    assert!(said.contains("disk"), "{said}");
    fs::remove_file(ballast).expect("frees the disk");
    runtime().block_on(found(&disk.url()));
}
