//! What callers see of failures: a message, a code of a closed list, and nothing of the cause.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use async_graphql::{Error, ErrorExtensionValues};

use crate::{engine, store::StoreError};

/// A value that may be null, or fail without taking its parent with it.
///
/// The executor nulls the parent of a nullable field that returns `Err`; an `Err` inside an `Option` it reports, and
/// goes on with null.
pub type Nullable<T> = Option<Result<T, ApiError>>;

/// A failure as a caller sees it: a top-level error with `extensions.code`.
///
/// It has no `Display` on purpose: the executor turns whatever can be displayed into an error without a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApiError {
    /// `UNAUTHENTICATED`: a credential is needed.
    Unauthenticated,
    /// `FORBIDDEN`: another credential is needed.
    Forbidden,
    /// `BAD_USER_INPUT`: an argument cannot be taken as it is; the sentence says what would be right.
    BadUserInput(Arc<str>),
    /// `RATE_LIMITED`: too much was asked for; the same request may succeed later.
    RateLimited {
        /// When, in seconds from now.
        retry_after_seconds: i64,
    },
    /// `UNAVAILABLE`: the database is away; the same request may succeed later.
    Unavailable,
    /// `INTERNAL`: something broke; the log has the cause under this id.
    Internal {
        /// Names the incident, to callers and in the log.
        incident: Arc<str>,
    },
}

impl ApiError {
    /// Something the caller has to write differently.
    pub fn bad_input(message: impl AsRef<str>) -> Self {
        Self::BadUserInput(message.as_ref().into())
    }

    /// Something of ours broke: logs the cause, once, and keeps only the id under which it was logged.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        static INCIDENTS: AtomicU64 = AtomicU64::new(1);
        let incident = format!("{:x}-g{:x}", std::process::id(), INCIDENTS.fetch_add(1, Ordering::Relaxed));
        tracing::error!(incident, %cause, "internal error");
        Self::Internal { incident: incident.into() }
    }

    /// A row that another row refers to is not there.
    pub fn missing(what: &str) -> Self {
        Self::internal(&format!("{what} is referred to and does not exist"))
    }

    /// A failure of the store that several share, such as the subscribers of one topic.
    pub fn of_store(failure: &StoreError) -> Self {
        match failure {
            // A transaction that lost against others each time it was run may be luckier later.
            StoreError::Unavailable(_) | StoreError::TooSlow(_) | StoreError::Transient(_) => {
                tracing::warn!(%failure, "not available");
                Self::Unavailable
            }
            StoreError::Duplicate { .. } | StoreError::Database(_) | StoreError::Corrupt(_) => Self::internal(failure),
        }
    }

    /// The same for whatever the engine says; a refusal where no `userErrors` can carry it is bad input.
    pub fn of_engine(failure: &engine::Error) -> Self {
        match failure {
            engine::Error::Refused(refusal) => Self::bad_input(&refusal.message),
            engine::Error::Failed(failure) => Self::of_store(failure),
        }
    }

    /// Whether the same request may succeed later: something failed, and the caller was not refused.
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Unavailable | Self::Internal { .. } => true,
            Self::Unauthenticated | Self::Forbidden | Self::BadUserInput(_) => false,
        }
    }

    const fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated => "UNAUTHENTICATED",
            Self::Forbidden => "FORBIDDEN",
            Self::BadUserInput(_) => "BAD_USER_INPUT",
            Self::RateLimited { .. } => "RATE_LIMITED",
            Self::Unavailable => "UNAVAILABLE",
            Self::Internal { .. } => "INTERNAL",
        }
    }

    fn message(&self) -> String {
        match self {
            Self::Unauthenticated => "Send a credential: `Authorization: Bearer ...`.".to_owned(),
            Self::Forbidden => "This credential does not allow that.".to_owned(),
            Self::BadUserInput(message) => message.to_string(),
            Self::RateLimited { retry_after_seconds: seconds } => {
                format!("Too many codes that do not exist; try again in {seconds} s.")
            }
            Self::Unavailable => "The database cannot be reached right now; try again in a moment.".to_owned(),
            Self::Internal { incident } => format!("Something broke on our side (incident {incident})."),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(failure: StoreError) -> Self {
        Self::of_store(&failure)
    }
}

impl From<engine::Error> for ApiError {
    fn from(failure: engine::Error) -> Self {
        Self::of_engine(&failure)
    }
}

/// The single mapping to what is sent.
impl From<ApiError> for Error {
    fn from(error: ApiError) -> Self {
        let mut extensions = ErrorExtensionValues::default();
        extensions.set("code", error.code());
        match &error {
            ApiError::Internal { incident } => extensions.set("incident", incident.as_ref()),
            ApiError::RateLimited { retry_after_seconds } => extensions.set("retryAfter", *retry_after_seconds),
            ApiError::Unauthenticated | ApiError::Forbidden | ApiError::BadUserInput(_) | ApiError::Unavailable => {}
        }
        Self { message: error.message(), source: None, extensions: Some(extensions) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_never_reaches_the_caller() {
        let cause = StoreError::Corrupt("the password is hunter2".to_owned());
        for error in [ApiError::from(cause), StoreError::Unavailable("host db-7 is down".to_owned()).into()] {
            let sent = Error::from(error);
            let text = format!("{} {:?}", sent.message, sent.extensions);
            assert!(!text.contains("hunter2") && !text.contains("db-7"), "{text}");
        }
    }

    #[test]
    fn every_incident_has_its_own_id() {
        assert_ne!(ApiError::internal(&"x"), ApiError::internal(&"x"));
    }
}
