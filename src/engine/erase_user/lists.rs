//! Entries of the allow list and the block list that name the person.
//!
//! Why something was listed is forgotten. The entry itself stays where others may share what it names, and where it blocks:
//! a fraudster is not let in again for having asked to be forgotten. It ends where it is about nobody else: an allowed
//! mailbox, and a listed referrer, whose name is free for a new person from now on.

use super::{ERASED, PER_STATEMENT};
use crate::{
    domain::{
        id::{Id, Noun},
        keyed_hash::KeyedHash,
        words::{ListingEffect, ListingSubject},
    },
    engine::{Engine, Error, audit::Deed, evidence, input},
    store::{Tx, fraud::Listing, models::User, run},
};

impl Engine {
    /// Before the evidence is forgotten, by which the entries are found; the user as they were before the erasure.
    pub(super) async fn forget_listings(
        &self,
        tx: &mut Tx,
        (user, clicks): (&User, &[Id]),
        removal: Deed<'_>,
    ) -> Result<(), Error> {
        let mut hashes = shown(tx, user.id, clicks).await?;
        let (name, former_name) =
            input::hashes(&self.context.hash_key, evidence::REFERRER, Some(user.external_id.as_str()));
        hashes.extend(name.into_iter().chain(former_name));
        for some in hashes.chunks(PER_STATEMENT) {
            let entries = run!(tx, listings::naming(some.to_vec()))?;
            if entries.is_empty() {
                continue;
            }
            run!(tx, erasure::forget_listings(entries.iter().map(|entry| entry.id).collect(), ERASED))?;
            let subjects = entries.iter().map(|entry| entry.id.typed(Noun::Listing)).collect();
            run!(tx, erasure::forget_deeds(subjects, ERASED))?;
            for entry in entries.iter().filter(|entry| names_nobody_else(entry)) {
                if run!(tx, listings::remove(entry.id))?.is_some() {
                    run!(tx, audit::insert(removal.to_because(entry.id.typed(Noun::Listing), ERASED)))?;
                }
            }
        }
        Ok(())
    }
}

/// Hashes of what the person showed at signup and with clicks, under both keys, as lists name it.
async fn shown(tx: &mut Tx, user: Id, clicks: &[Id]) -> Result<Vec<KeyedHash>, Error> {
    let mut hashes = Vec::new();
    for row in run!(tx, evidence::of_users(vec![user]))? {
        hashes.extend(evidence::listed_as(&row).into_iter().flatten());
    }
    for click in run!(tx, clicks::by_ids(clicks))? {
        hashes.extend([click.ip_hash, click.network_hash, click.device_hash].into_iter().flatten());
    }
    hashes.sort_unstable_by_key(|hash| hash.0);
    hashes.dedup();
    Ok(hashes)
}

fn names_nobody_else(entry: &Listing) -> bool {
    match entry.subject {
        ListingSubject::Referrer => true,
        ListingSubject::Email => entry.effect == ListingEffect::Allow,
        ListingSubject::Ip | ListingSubject::Network | ListingSubject::Device | ListingSubject::EmailDomain => false,
    }
}
