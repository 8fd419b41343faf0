//! Recording events and refunds.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, settled};
use crate::{
    domain::id::{self, Noun},
    engine::{
        RefusalCode,
        record_event::{RecordEvent, Recorded, UserRef},
        record_refund::RecordRefund,
    },
    graphql::{
        caller::EventWriter,
        errors::ApiError,
        scalars::{DateTime, Json},
        scope::Scope,
        types::{event::Event, money::MoneyInput, refund::Refund},
    },
};

/// Who did what.
#[derive(InputObject, Clone, Debug)]
pub struct RecordEventInput {
    /// The user, by our id. Give this or `externalId`.
    pub user_id: Option<ID>,
    /// The user, by the host's own id. Give this or `userId`.
    pub external_id: Option<String>,
    /// What happened: `purchase`, `email_verified`, or any name of your own, of 1 to 64 of `a-z 0-9 _ . : -`.
    #[graphql(name = "type")]
    pub event_type: String,
    /// What it was worth, in the currency of the user's program.
    pub amount: Option<MoneyInput>,
    /// Your key of the event, 1 to 255 characters: the same key and event again is recorded once.
    pub idempotency_key: String,
    /// When it happened; now unless told.
    pub occurred_at: Option<DateTime>,
    /// Anything you want to keep with the event, as JSON of at most 4 KB.
    pub metadata: Option<Json>,
}

/// What came of recording an event.
#[derive(SimpleObject)]
pub struct RecordEventPayload {
    /// The event; null when it was refused.
    pub event: Option<Event>,
    /// Whether the event is new; false when the key was used for the same event before.
    pub created: Option<bool>,
    /// Why the event was refused; empty when it was not.
    pub user_errors: Vec<UserError>,
}

impl RecordEventInput {
    fn whose(&self) -> Result<UserRef, UserError> {
        match (&self.user_id, &self.external_id) {
            (Some(id), None) => id::parse_as(Noun::User, id)
                .map(UserRef::Id)
                .map_err(|error| UserError::new(RefusalCode::UserNotFound, "userId", error.to_string())),
            (None, Some(external_id)) => Ok(UserRef::ExternalId(external_id.clone())),
            (Some(_), Some(_)) | (None, None) => {
                Err(UserError::new(RefusalCode::InvalidInput, "userId", "give one of `userId` and `externalId`"))
            }
        }
    }
}

/// Records an event.
pub(super) async fn record_event(scope: &Scope, input: RecordEventInput) -> Result<RecordEventPayload, ApiError> {
    scope.caller_as::<EventWriter>()?;
    let refused = |error| RecordEventPayload { event: None, created: None, user_errors: vec![error] };
    let user = match input.whose() {
        Ok(user) => user,
        Err(error) => return Ok(refused(error)),
    };
    // What the executor calls its text is GraphQL, not JSON.
    let metadata = input.metadata.map(|metadata| serde_json::to_string(&metadata.0)).transpose();
    let request = RecordEvent {
        user,
        event_type: input.event_type,
        amount: input.amount.map(Into::into),
        key: input.idempotency_key,
        occurred_at: input.occurred_at.map(|at| at.0),
        metadata: metadata.map_err(|error| ApiError::internal(&error))?,
    };
    Ok(match settled(scope.engine.record_event(request).await)? {
        Ok(Recorded { object, created }) => RecordEventPayload {
            event: Some(Event { row: Arc::new(object), sight: scope.sight_of_written() }),
            created: Some(created),
            user_errors: Vec::new(),
        },
        Err(error) => refused(error),
    })
}

/// Of which event, and how much.
#[derive(InputObject, Clone, Debug)]
pub struct RecordRefundInput {
    /// Idempotency key of the event. The event may be recorded later than its refund.
    pub event_key: String,
    /// How much is taken back; everything that is left unless told.
    pub amount: Option<MoneyInput>,
    /// Your key of the refund, 1 to 255 characters: the same key and refund again is recorded once.
    pub idempotency_key: String,
}

/// What came of recording a refund.
#[derive(SimpleObject)]
pub struct RecordRefundPayload {
    /// The refund; null when it was refused.
    pub refund: Option<Refund>,
    /// Whether the refund is new; false when the key was used for the same refund before.
    pub created: Option<bool>,
    /// Why the refund was refused; empty when it was not.
    pub user_errors: Vec<UserError>,
}

/// Records a refund.
pub(super) async fn record_refund(scope: &Scope, input: RecordRefundInput) -> Result<RecordRefundPayload, ApiError> {
    scope.caller_as::<EventWriter>()?;
    let RecordRefundInput { event_key, amount, idempotency_key: key } = input;
    let request = RecordRefund { event_key, amount: amount.map(Into::into), key };
    Ok(match settled(scope.engine.record_refund(request).await)? {
        Ok(Recorded { object, created }) => RecordRefundPayload {
            refund: Some(Refund(Arc::new(object))),
            created: Some(created),
            user_errors: Vec::new(),
        },
        Err(error) => RecordRefundPayload { refund: None, created: None, user_errors: vec![error] },
    })
}
