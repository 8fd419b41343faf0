//! Evidence is kept for a while only (rule 22), and so are entries of the lists that have ended.

use super::{Engine, Error};
use crate::store::{Tx, run};

/// Rows of one transaction.
const SLICE: i64 = 500;
/// Days for which evidence is kept unless told.
pub const EVIDENCE_DAYS: u32 = 90;

impl Engine {
    /// Removes hashes of signups and clicks that were kept long enough, and entries of the lists that ended as long ago, one
    /// slice; says how many rows that were.
    pub async fn purge(&self) -> Result<usize, Error> {
        let day = crate::domain::time::DAY_MICROS;
        let before = self.context.now().plus_micros(-i64::from(self.evidence_days) * day);
        let work = async |tx: &mut Tx| {
            // In the order in which an erasure goes about it.
            let listings = run!(tx, listings::purge(before, SLICE))?;
            let signups = run!(tx, evidence::purge(before, SLICE))?;
            Ok::<_, Error>(listings + signups + run!(tx, evidence::purge_clicks(before, SLICE))?)
        };
        let rows = self.store.write(work).await?;
        if rows == 0 {
            self.empty_log().await;
        }
        Ok(rows)
    }

    /// What was removed leaves the log of the database too. That it could not is no failure of what was done: whoever purges
    /// tries again every ten minutes, whether or not there is anything to remove.
    pub(super) async fn empty_log(&self) {
        match self.store.empty_log().await {
            Ok(true) => {}
            Ok(false) => tracing::debug!("the log of the database is being read and stays for now"),
            Err(error) => tracing::warn!(%error, "the log of the database stays for now"),
        }
    }
}
