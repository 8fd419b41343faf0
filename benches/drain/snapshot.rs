//! A snapshot that somebody else holds open: what was deleted since stays in the way of everybody.

use std::time::Duration;

use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use crate::support::Sql;

/// A snapshot that is held for a time, or until it is released.
pub struct Snapshot {
    release: oneshot::Sender<()>,
    holder: JoinHandle<()>,
}

impl Snapshot {
    /// Opens a snapshot in a session of its own.
    pub async fn hold(url: &str, time: Duration) -> Self {
        let mut sql = Sql::connect(url).await;
        let begin = if matches!(sql, Sql::Postgres(_)) { "BEGIN ISOLATION LEVEL REPEATABLE READ" } else { "BEGIN" };
        sql.execute(begin).await;
        let seen = sql.number("SELECT count(*) AS number FROM outbox").await;
        let (release, released) = oneshot::channel();
        let holder = tokio::spawn(async move {
            let _either_way_it_ends = timeout(time, released).await;
            assert_eq!(sql.number("SELECT count(*) AS number FROM outbox").await, seen, "one snapshot");
            sql.execute("COMMIT").await;
        });
        Self { release, holder }
    }

    /// Lets go of it, unless its time was over before.
    pub async fn release(self) {
        let _it_may_be_over = self.release.send(());
        self.holder.await.expect("the snapshot was held");
    }
}
