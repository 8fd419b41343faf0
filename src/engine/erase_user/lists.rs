//! Entries of the allow list and the block list that name the person.
//!
//! Why something was listed is forgotten. The entry itself stays where others may share what it names, and where it blocks:
//! a fraudster is not let in again for having asked to be forgotten. It ends where it is about nobody else: an allowed
//! mailbox, and a listed referrer, whose name is free for a new person from now on.

use super::{ERASED, NAME_MIN_CHARS, PER_STATEMENT};
use crate::{
    domain::{
        id::{self, Id, Noun},
        words::{ListingEffect, ListingSubject},
    },
    engine::{Engine, Error, audit::Deed},
    store::{Tx, fraud::Listing, models::User, run},
};

/// Lines of the log that are looked at together.
const DEEDS_PER_LOOK: i64 = 1_000;

impl Engine {
    /// Before the evidence is forgotten, by which the entries are found; the user as they were before the erasure.
    pub(super) async fn forget_listings(
        &self,
        tx: &mut Tx,
        (user, clicks): (&User, &[Id]),
        removal: Deed<'_>,
    ) -> Result<(), Error> {
        let hashes = self.listed_as(tx, user, clicks).await?;
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

/// What an entry named that was taken off or purged, or whose evidence was, is not known any more: only the reason that was
/// given may say that it was about the person, and then it is found by their names.
pub(super) async fn forget_names(tx: &mut Tx, user: &User) -> Result<(), Error> {
    let mut after = 0;
    loop {
        let deeds = run!(tx, erasure::listing_deeds(after, DEEDS_PER_LOOK))?;
        let Some((last, ..)) = deeds.last() else { return Ok(()) };
        after = *last;
        let telling = deeds.iter().filter(|(_, _, reason)| reason.as_deref().is_some_and(|text| is_named(user, text)));
        let subjects: Vec<String> = telling.map(|(_, subject, _)| subject.clone()).collect();
        if !subjects.is_empty() {
            let entries = subjects.iter().filter_map(|subject| id::parse_as(Noun::Listing, subject).ok()).collect();
            run!(tx, erasure::forget_listings(entries, ERASED))?;
            run!(tx, erasure::forget_deeds(subjects, ERASED))?;
        }
    }
}

/// Whether a text names somebody, in words of its own: an external id may be a number, which stands within others.
fn is_named(user: &User, text: &str) -> bool {
    let text = text.to_lowercase();
    let stands_alone = |(at, name): (usize, &str)| {
        let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + name.len()..).unwrap_or_default());
        !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
    };
    let names = user.display_name.iter().chain([&user.external_id]).map(|name| name.to_lowercase());
    names.filter(|name| name.chars().count() >= NAME_MIN_CHARS).any(|name| text.match_indices(&name).any(stands_alone))
}

fn names_nobody_else(entry: &Listing) -> bool {
    match entry.subject {
        ListingSubject::Referrer => true,
        ListingSubject::Email => entry.effect == ListingEffect::Allow,
        ListingSubject::Ip | ListingSubject::Network | ListingSubject::Device | ListingSubject::EmailDomain => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{time::Timestamp, words::UserStatus};

    #[test]
    fn a_name_is_found_where_it_stands_alone() {
        let user = User {
            id: Id::from_uuid(uuid::Uuid::nil()),
            external_id: "4711".to_owned(),
            display_name: Some("Zoë Orr".to_owned()),
            status: UserStatus::Active,
            email_hash: None,
            phone_hash: None,
            created_at: Timestamp::EPOCH,
        };
        for text in ["zoË orr's tablet", "of 4711", "(4711)", "147115, and 4711"] {
            assert!(is_named(&user, text), "{text}");
        }
        for text in ["ticket 147112", "Zoë Orrin", "a farm of phones", ""] {
            assert!(!is_named(&user, text), "{text}");
        }
    }
}
