//! Which clicks a person made before they signed up, as far as is known.

use super::{attribution::Findings, sign_up::signup_key};
use crate::{
    domain::id::Id,
    store::{StoreError, Tx, models, run},
};

/// Most moves of one person that are looked at.
const MOVES_MAX: i64 = 10_000;

/// What was found out when a person signed up.
pub(super) async fn findings_of(tx: &mut Tx, user: Id) -> Result<Option<Findings>, StoreError> {
    let event = run!(tx, events::by_key(&signup_key(user)))?;
    Ok(event.and_then(|event: models::Event| Findings::from_json(&event.metadata?)))
}

/// The clicks that brought a person, or came to nothing, sorted.
pub(super) async fn own_clicks(tx: &mut Tx, user: Id) -> Result<Vec<Id>, StoreError> {
    let referral = run!(tx, referrals::of_referred(&[user]))?.pop();
    let mut clicks: Vec<Id> = referral.and_then(|referral| referral.click_id).into_iter().collect();
    clicks.extend(run!(tx, moves::of_user(user, MOVES_MAX))?.into_iter().filter_map(|moved| moved.from_click_id));
    if let Some(findings) = findings_of(tx, user).await? {
        clicks.extend(findings.click.iter().map(|click| click.id));
        clicks.extend(findings.lost.iter().map(|lost| lost.click.id));
    }
    clicks.sort_unstable();
    clicks.dedup();
    Ok(clicks)
}
