//! Who is asking: the four roles of the contract.

use super::scopes::Scopes;

/// Who sent a request, as far as their credential proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// No credential was sent.
    Anonymous,
    /// A user of the host product, proved by the host's token; `sub` is the user's external id.
    Member {
        /// The host's own id of the user.
        external_id: String,
    },
    /// The host's back end, by an API key of role `server`.
    Server {
        /// Name of the key, for the audit log.
        key: String,
        /// What the key may do.
        scopes: Scopes,
    },
    /// An operator, by an API key of role `admin`.
    Admin {
        /// Name of the key, for the audit log.
        key: String,
    },
}
