//! What operators wrote: about the person, and about others where it was done because of the person. Words elsewhere that
//! happen to name them cannot be told from others.

use super::{ERASED, PER_STATEMENT};
use crate::{
    domain::id::{Id, Noun},
    engine::{Error, fold},
    store::{Tx, requests::DeedsAt, run},
};

/// Writes over all of it, in the log of deeds as well.
pub(super) async fn forget(tx: &mut Tx, user: Id) -> Result<(), Error> {
    run!(tx, erasure::forget_words(user, ERASED))?;
    let moved = run!(tx, erasure::forget_moves(user, ERASED))?;
    for some in moved.chunks(PER_STATEMENT) {
        let subjects = some.iter().map(|(moved, _)| moved.typed(Noun::User)).collect();
        let instants = some.iter().map(|(_, at)| *at).collect();
        // A move and its line in the log are of one instant, and no two moves are made at once.
        run!(tx, erasure::forget_deeds_at(DeedsAt { action: "moveUser", subjects, instants }, ERASED))?;
    }
    let reviewed = run!(tx, erasure::forget_reviews(user, fold::ACTOR, ERASED))?;
    let mut subjects = vec![user.typed(Noun::User), user.typed(Noun::Referral)];
    subjects.extend(reviewed.iter().map(|referral| referral.typed(Noun::Referral)));
    for some in subjects.chunks(PER_STATEMENT) {
        run!(tx, erasure::forget_deeds(some.to_vec(), ERASED))?;
    }
    Ok(())
}
