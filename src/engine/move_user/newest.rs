//! When the newest person of a network came, after a part of it went elsewhere or was rejected.

use crate::{
    domain::{id::Id, time::Timestamp},
    store::{StoreError, Tx, changes::NETWORK_LEVELS, run},
};

/// Finds out for each of these users when the newest of their network came, whoever stands below first. Until then their
/// counters may say too late an instant, but not too early a one.
pub(in crate::engine) async fn correct(tx: &mut Tx, users: impl Iterator<Item = Id>) -> Result<(), StoreError> {
    for user in users {
        let newest = newest_below(tx, user).await?;
        run!(tx, totals::set_newest(user, newest))?;
    }
    Ok(())
}

/// The newest within ten levels. The counters of the direct ones, which are right by now, nearly always tell: only a network
/// of more than ten levels has to be gone down into, and then only along what is newer than what is known.
async fn newest_below(tx: &mut Tx, user: Id) -> Result<Option<Timestamp>, StoreError> {
    let below = run!(tx, network::newest_by_children(user))?;
    let known = below.direct.max(below.certain);
    if below.at_most <= known {
        return Ok(known);
    }
    let deeper = run!(tx, network::newest_after(user, known, NETWORK_LEVELS as i32))?;
    Ok(known.max(deeper))
}
