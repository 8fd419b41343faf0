//! Who signed up around newcomers by the same referrer: what it takes to see that there were too many at once.
//!
//! A referrer may have brought thousands within the hour, and looking at all of them for each newcomer would make the most
//! successful ones the slowest. It takes no more than as many before the first newcomer, and after the last one, as the
//! limit allows. Of any crowd let the member be looked at who was weighed last, when all others were there: either the
//! whole crowd is that near, or those that are make a crowd already, and so do those who are left over without this one.

use std::collections::BTreeMap;

use super::{judge::Policies, people::Person};
use crate::{
    domain::{fraud::Signal, id::Id},
    engine::Error,
    store::{
        Tx,
        requests::{Around, Arrival},
        run,
    },
};

/// Most arrivals that are looked at for one batch. Where there are more, the newest count.
const ARRIVALS_MAX: i64 = 50_000;

/// The arrivals that matter.
pub(super) async fn load(tx: &mut Tx, newcomers: &[&Person], policies: &Policies) -> Result<Vec<Arrival>, Error> {
    let wanted = policies.values().map(|(_, policy)| policy.of(Signal::Velocity)).filter(|limits| limits.is_wanted());
    let wanted: Vec<_> = wanted.collect();
    let window = wanted.iter().map(|limits| limits.window_micros()).max().unwrap_or(0);
    let Some(limit) = wanted.iter().map(|limits| i64::from(limits.threshold)).max() else { return Ok(Vec::new()) };
    let mut around: BTreeMap<Id, Around> = BTreeMap::new();
    for referral in newcomers.iter().filter_map(|person| person.referral.as_ref()) {
        let (id, at) = (referral.referred_id, referral.created_at);
        let own = Around {
            referrer: referral.referrer_id,
            first: id,
            last: id,
            from: Id::new(at.plus_micros(-window), [0; 10]),
            until: Id::new(at.plus_micros(window), [u8::MAX; 10]),
        };
        around.entry(referral.referrer_id).and_modify(|known| known.take_in(&own)).or_insert(own);
    }
    let around = around.into_values().collect();
    run!(tx, referrals::arrivals(around, limit.clamp(1, ARRIVALS_MAX), ARRIVALS_MAX)).map_err(Error::from)
}
