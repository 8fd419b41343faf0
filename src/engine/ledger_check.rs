//! Computing every balance again from the ledger, the rewards and the claims (rule 19).

use super::{Engine, Error};
use crate::store::{Tx, run};

/// Most differences that are named.
const DIFFERENCES_MAX: i64 = 100;

impl Engine {
    /// Names the differences between the stored balances, the ledger, the rewards and the claims; none when all is well.
    /// Everything is read from one snapshot, so it holds in the middle of traffic too.
    pub async fn ledger_check(&self) -> Result<Vec<String>, Error> {
        let check = async |tx: &mut Tx| run!(tx, ledger::differences(DIFFERENCES_MAX)).map_err(Error::from);
        self.store.read_long(check).await
    }
}
