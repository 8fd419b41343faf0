//! A database on a disk that is full, read-only or broken, or in a file that is none of ours: SQLite's, and for the first
//! also PostgreSQL's.
//!
//! | | query | mutation | `/health/ready` | afterwards |
//! | --- | --- | --- | --- | --- |
//! | a disk that fills up | answered | `UNAVAILABLE`, or done where a small write still fits | ready | works again by itself |
//! | a disk that turns read-only, or breaks for writing | answered | `UNAVAILABLE` | ready | works again by itself |
//! | any of these at the start | | | | a clear error, and it ends |
//!
//! It is ready all the while because most of what it is asked can be answered; who reads its log, or sees the refusals,
//! learns of the disk. Deaths in the middle of writes are in `chaos` and `failpoints`.
//!
//! Each fault prints a line of what was seen: `cargo test --test disk_faults -- --nocapture`.
#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "in a test, what fails should fail loudly; what was seen is told"
)]

mod clerks;
mod disk;
mod house;
mod starts;
#[path = "../support/mod.rs"]
mod support;

use std::{fs, time::Duration};

use clerks::Clerks;
use disk::{Breakable, Disk, Fault};
use house::House;
use support::private_postgres_on;
use tokio::runtime::{Builder, Runtime};

/// How long a fault lasts: several rounds of the worker's own attempts.
const FAULT: Duration = Duration::from_secs(4);

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(4).enable_all().build().expect("starts a runtime")
}

#[test]
fn a_disk_fills_up_and_is_freed() {
    let Some(disk) = Disk::mount() else { return };
    runtime().block_on(fills_up(&disk, &disk.url()));
}

#[test]
fn the_disk_of_postgresql_fills_up_and_is_freed() {
    let Some(disk) = Disk::mount_for_postgres() else { return };
    let Some(database) = private_postgres_on(disk.path()) else { return };
    runtime().block_on(fills_up(&disk, &database.url()));
}

async fn fills_up(disk: &Disk, url: &str) {
    let mut house = House::open(url, &[]).await;
    for round in ["a full disk", "a full disk, again"] {
        let clerks = Clerks::begin(&house);
        clerks.have_done(20).await;
        let ballast = disk.fill();
        clerks.are_refused().await;
        let seen = house.look(FAULT).await;
        fs::remove_file(ballast).expect("frees the disk");
        house.recovers(round, seen).await;
        clerks.end(&house).await;
    }
    house.close().await;
}

#[test]
fn a_disk_turns_read_only_or_breaks_and_is_mended() {
    let disk = Breakable::new();
    runtime().block_on(async {
        let mut house = House::open(&disk.url(), &disk.settings()).await;
        for fault in [Fault::ReadOnly, Fault::Broken, Fault::Full] {
            let clerks = Clerks::begin(&house);
            clerks.have_done(20).await;
            disk.set(Some(fault));
            clerks.are_refused().await;
            let seen = house.look(FAULT).await;
            assert_eq!(seen.done, [""; 0], "nothing at all can be written");
            disk.set(None);
            house.recovers(&format!("{fault:?}"), seen).await;
            clerks.end(&house).await;
        }
        house.close().await;
    });
}
