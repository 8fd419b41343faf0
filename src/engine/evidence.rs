//! What a signup shows of where it came from: kept as keyed hashes only (rules 20 and 22).

use super::{
    Refusal, RefusalCode,
    input::{self, hashes},
    sign_up::SignUp,
};
use crate::{
    domain::{
        fraud::email,
        keyed_hash::{HashKey, KeyedHash},
    },
    store::{
        StoreError, Tx,
        models::{Evidence, Referral, User},
        run,
    },
};

/// Checks and hashes what came with the signup of a user.
pub(super) fn of_sign_up(key: &HashKey, request: &SignUp, user: &User) -> Result<Evidence, Refusal> {
    let address = request.ip_address.as_deref().map(input::address_and_network).transpose()?;
    let checked =
        |field, value: &Option<String>| value.as_deref().map_or(Ok(()), |value| input::evidence(field, value));
    checked("deviceId", &request.device_id)?;
    checked("userAgent", &request.user_agent)?;
    let mailbox = request.email.as_deref().map(email::read).transpose();
    let mailbox = mailbox.map_err(|error| Refusal::new(RefusalCode::InvalidInput, "email", error.to_string()))?;
    let (ip_hash, former_ip_hash) = hashes(key, "ip", address.as_ref().map(|(address, _)| address.as_str()));
    let (network_hash, former_network_hash) =
        hashes(key, "network", address.as_ref().map(|(_, network)| network.as_str()));
    let (device_hash, former_device_hash) = hashes(key, DEVICE, request.device_id.as_deref());
    let (alias_hash, former_alias_hash) = hashes(key, MAILBOX, mailbox.as_ref().map(|read| read.delivered.as_str()));
    let (domain_hash, former_domain_hash) = hashes(key, DOMAIN, mailbox.as_ref().map(|read| read.domain.as_str()));
    Ok(Evidence {
        user_id: user.id,
        ip_hash,
        network_hash,
        device_hash,
        user_agent_hash: request.user_agent.as_deref().map(|browser| key.hash("userAgent", browser)),
        created_at: user.created_at,
        referrer_id: None,
        email_hash: mailbox.as_ref().map(|read| key.hash("spelling", &read.spelled)),
        alias_hash,
        domain_hash,
        disposable: mailbox.is_some_and(|read| read.is_disposable),
        former_ip_hash,
        former_network_hash,
        former_device_hash,
        former_alias_hash,
        former_domain_hash,
    })
}

/// The same with whom the signup is credited to, and with the address of the click that brought it where the signup itself
/// shows none.
pub(super) async fn of_edge(tx: &mut Tx, own: &Evidence, referral: Option<&Referral>) -> Result<Evidence, StoreError> {
    let mut shown = Evidence { referrer_id: referral.map(|referral| referral.referrer_id), ..own.clone() };
    if let (None, Some(click)) = (shown.ip_hash, referral.and_then(|referral| referral.click_id)) {
        for click in run!(tx, clicks::by_ids(&[click]))? {
            (shown.ip_hash, shown.network_hash) = (click.ip_hash, click.network_hash);
        }
    }
    Ok(shown)
}

/// Purposes of hashes, which lists share.
pub(super) const DEVICE: &str = "deviceId";
pub(super) const MAILBOX: &str = "mailbox";
pub(super) const DOMAIN: &str = "domain";
/// Of a referrer's name on a list.
pub(super) const REFERRER: &str = "referrer";

/// What lists may name of it, under the present key and the one before.
pub(super) fn listed_as(evidence: &Evidence) -> [Option<KeyedHash>; 10] {
    [
        evidence.ip_hash,
        evidence.network_hash,
        evidence.device_hash,
        evidence.alias_hash,
        evidence.domain_hash,
        evidence.former_ip_hash,
        evidence.former_network_hash,
        evidence.former_device_hash,
        evidence.former_alias_hash,
        evidence.former_domain_hash,
    ]
}

/// Whether there is anything to keep.
pub(super) fn says_something(evidence: &Evidence) -> bool {
    [evidence.ip_hash, evidence.device_hash, evidence.user_agent_hash, evidence.alias_hash].iter().any(Option::is_some)
}
