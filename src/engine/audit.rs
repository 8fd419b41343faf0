//! Lines of the audit log: every deed of an operator leaves one, in the transaction that does it.

use crate::{domain::time::Timestamp, store::models::NewAudit};

/// Somebody's deed, at an instant.
pub(super) struct Deed<'a> {
    /// Who: the name of a key, or of what acts by itself.
    pub(super) actor: &'a str,
    /// What: the name of the mutation.
    pub(super) action: &'static str,
    /// When.
    pub(super) at: Timestamp,
}

impl Deed<'_> {
    /// The line about it: to what it was done, by the public id.
    pub(super) fn to(&self, subject: String) -> NewAudit {
        NewAudit {
            actor: self.actor.to_owned(),
            action: self.action.to_owned(),
            subject,
            reason: None,
            created_at: self.at,
        }
    }

    /// The same with the reason that was given.
    pub(super) fn to_because(&self, subject: String, reason: &str) -> NewAudit {
        NewAudit { reason: Some(reason.to_owned()), ..self.to(subject) }
    }
}
