//! Refusals, as data.

use async_graphql::SimpleObject;

use crate::{
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

/// What came of a mutation: done, or refused. What broke is an error.
pub fn settled<T>(outcome: Result<T, Error>) -> Result<Result<T, UserError>, ApiError> {
    match outcome {
        Ok(done) => Ok(Ok(done)),
        Err(Error::Refused(refusal)) => Ok(Err(refusal.into())),
        Err(failure @ Error::Failed(_)) => Err(failure.into()),
    }
}
