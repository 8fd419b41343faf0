//! Refusals, as data.

use async_graphql::{ID, SimpleObject};

use crate::{
    domain::id::{self, Id, Noun},
    engine::{Error, Refusal, RefusalCode},
    graphql::{errors::ApiError, types::words::UserErrorCode},
};

/// Why something was not done: a refusal that the person at the screen can do something about.
#[derive(SimpleObject, Clone, Debug)]
pub struct UserError {
    /// What kind of refusal.
    pub code: UserErrorCode,
    /// What is wrong and, where it helps, what would be right.
    pub message: String,
    /// Path of the input field that it is about, from the input down; null when it is about none.
    pub field: Option<Vec<String>>,
}

impl From<Refusal> for UserError {
    fn from(refusal: Refusal) -> Self {
        let Refusal { code, message, field } = refusal;
        Self { code: code.into(), message, field: if field.is_empty() { None } else { Some(field) } }
    }
}

impl UserError {
    /// A refusal of one field of the input.
    pub fn new(code: RefusalCode, field: &'static str, message: impl Into<String>) -> Self {
        Refusal::new(code, field, message).into()
    }
}

/// The id that an input names. What cannot be an id of that kind is refused as one that is not there.
pub fn named(noun: Noun, field: &'static str, id: &ID) -> Result<Id, Refusal> {
    id::parse_as(noun, id).map_err(|error| Refusal::new(not_there(noun), field, error.to_string()))
}

const fn not_there(noun: Noun) -> RefusalCode {
    match noun {
        Noun::User => RefusalCode::UserNotFound,
        Noun::Referral => RefusalCode::ReferralNotFound,
        Noun::Claim => RefusalCode::ClaimNotFound,
        Noun::Program => RefusalCode::ProgramNotFound,
        Noun::Listing => RefusalCode::ListingNotFound,
        Noun::Reward => RefusalCode::RewardNotAvailable,
        Noun::Event | Noun::Refund | Noun::Click | Noun::Review | Noun::ApiKey => RefusalCode::InvalidInput,
    }
}

/// The two halves of a payload: what came of a mutation, and why nothing did. What broke is an error.
pub fn halves<T, S>(
    outcome: Result<T, Error>,
    shown: impl FnOnce(T) -> S,
) -> Result<(Option<S>, Vec<UserError>), ApiError> {
    Ok(match settled(outcome)? {
        Ok(done) => (Some(shown(done)), Vec::new()),
        Err(refusal) => (None, vec![refusal]),
    })
}

/// What came of a mutation: done, or refused. What broke is an error.
pub fn settled<T>(outcome: Result<T, Error>) -> Result<Result<T, UserError>, ApiError> {
    match outcome {
        Ok(done) => Ok(Ok(done)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal.into())),
        Err(failure @ Error::Failed(_)) => Err(failure.into()),
    }
}
