//! The allow list and the block list: what is no sign of fraud, and what always is. Kept as keyed hashes.

use super::{Engine, Error, Refusal, RefusalCode, audit::Deed, evidence, input};
use crate::{
    domain::{
        contact::ContactError,
        fraud::email,
        id::{Id, Noun},
        keyed_hash::KeyedHash,
        time::Timestamp,
        words::{ListingEffect, ListingSubject},
    },
    store::{StoreError, Tx, fraud::Listing, models::User, run},
};

/// Longest domain, in characters (RFC 1035, section 2.3.4).
const DOMAIN_MAX_CHARS: usize = 255;

/// Something to list.
#[derive(Clone, Debug)]
pub struct AddListing {
    /// On which list.
    pub effect: ListingEffect,
    /// What kind of thing.
    pub subject: ListingSubject,
    /// The thing itself; stored as a keyed hash.
    pub value: String,
    /// Why.
    pub reason: String,
    /// Until when; for good unless told.
    pub expires_at: Option<Timestamp>,
}

impl Engine {
    /// Lists something; an entry about the same is replaced. Signups are judged by the lists as they are when they are
    /// folded.
    pub async fn add_listing(&self, request: AddListing, actor: &str) -> Result<Listing, Error> {
        input::reason(&request.reason)?;
        let now = self.context.now();
        if request.expires_at.is_some_and(|at| at <= now) {
            return Err(Refusal::new(RefusalCode::InvalidInput, "expiresAt", "expiresAt lies in the past").into());
        }
        let (purpose, value) = spelled(request.subject, &request.value)?;
        let row = Listing {
            id: self.context.new_id_at(now),
            effect: request.effect,
            subject: request.subject,
            subject_hash: self.context.hash_key.hash(purpose, &value),
            reason: request.reason.clone(),
            actor: actor.to_owned(),
            expires_at: request.expires_at,
            created_at: now,
        };
        let work = async |tx: &mut Tx| {
            let kept = run!(tx, listings::keep(row.clone()))?;
            let deed = Deed { actor, action: "addListing", at: now };
            run!(tx, audit::insert(deed.to_because(kept.id.typed(Noun::Listing), &request.reason)))?;
            Ok::<_, Error>(kept)
        };
        self.store.write(work).await
    }

    /// Takes an entry off its list.
    pub async fn remove_listing(&self, id: Id, reason: &str, actor: &str) -> Result<Listing, Error> {
        input::reason(reason)?;
        let now = self.context.now();
        let work = async |tx: &mut Tx| {
            let Some(removed) = run!(tx, listings::remove(id))? else { return Ok::<_, Error>(None) };
            let deed = Deed { actor, action: "removeListing", at: now };
            run!(tx, audit::insert(deed.to_because(removed.id.typed(Noun::Listing), reason)))?;
            Ok(Some(removed))
        };
        let unknown = || Refusal::new(RefusalCode::ListingNotFound, "listingId", "there is no such entry");
        self.store.write(work).await?.ok_or_else(|| unknown().into())
    }

    /// Hashes by which entries may name a person: of their name, and of what they showed at the signup and with these
    /// clicks, under both keys.
    pub(super) async fn listed_as(
        &self,
        tx: &mut Tx,
        user: &User,
        clicks: &[Id],
    ) -> Result<Vec<KeyedHash>, StoreError> {
        let (name, former_name) =
            input::hashes(&self.context.hash_key, evidence::REFERRER, Some(user.external_id.as_str()));
        let mut hashes: Vec<KeyedHash> = name.into_iter().chain(former_name).collect();
        for row in run!(tx, evidence::of_users(vec![user.id]))? {
            hashes.extend(evidence::listed_as(&row).into_iter().flatten());
        }
        for click in run!(tx, clicks::by_ids(clicks))? {
            hashes.extend([click.ip_hash, click.network_hash, click.device_hash].into_iter().flatten());
        }
        hashes.sort_unstable_by_key(|hash| hash.0);
        hashes.dedup();
        Ok(hashes)
    }
}

/// The purpose under which a value is hashed, and its one spelling.
fn spelled(subject: ListingSubject, value: &str) -> Result<(&'static str, String), Refusal> {
    let wrong = |message: String| Refusal::new(RefusalCode::InvalidInput, "value", message);
    let relabelled = |refusal: Refusal| wrong(refusal.message);
    let contact = |error: ContactError| wrong(error.to_string());
    Ok(match subject {
        ListingSubject::Ip => ("ip", input::address_and_network(value).map_err(relabelled)?.0),
        ListingSubject::Network => ("network", input::address_and_network(value).map_err(relabelled)?.1),
        ListingSubject::Device => {
            input::evidence("value", value)?;
            (evidence::DEVICE, value.to_owned())
        }
        ListingSubject::Email => (evidence::MAILBOX, email::read(value).map_err(contact)?.delivered),
        ListingSubject::EmailDomain => {
            input::text("value", value, DOMAIN_MAX_CHARS)?;
            let domain = value.trim().trim_start_matches('@').to_lowercase();
            (evidence::DOMAIN, email::read(&format!("x@{domain}")).map_err(contact)?.domain)
        }
        ListingSubject::Referrer => {
            input::text("value", value, input::KEY_MAX_CHARS)?;
            (evidence::REFERRER, value.to_owned())
        }
    })
}
