//! Evidence is kept for a while only (rule 22).

use super::{Engine, Error};
use crate::store::{Tx, run};

/// Rows of one transaction.
const SLICE: i64 = 500;
/// Days for which evidence is kept unless told.
pub const EVIDENCE_DAYS: u32 = 90;

impl Engine {
    /// Removes hashes of signups and clicks that were kept long enough, one slice; says how many rows that were.
    pub async fn purge(&self) -> Result<usize, Error> {
        let day = crate::domain::time::DAY_MICROS;
        let before = self.context.now().plus_micros(-i64::from(self.evidence_days) * day);
        let work = async |tx: &mut Tx| {
            let signups = run!(tx, evidence::purge(before, SLICE))?;
            Ok::<_, Error>(signups + run!(tx, evidence::purge_clicks(before, SLICE))?)
        };
        self.store.write(work).await
    }
}
