//! Recording what a user did; only appends.

use super::{Engine, Error, Refusal, RefusalCode, input, sign_up::is_active};
use crate::{
    domain::{
        decimal::Decimal,
        id::{Id, Noun},
        keyed_hash::{self, KeyedHash},
        money::Money,
        time::Timestamp,
        words::UserStatus,
    },
    failpoint::{self, Point},
    live::Hint,
    store::{StoreError, Tx, models, run},
};

/// A user by either id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserRef {
    /// Ours.
    Id(Id),
    /// The host's.
    ExternalId(String),
}

/// An event as the host tells it.
#[derive(Clone, Debug)]
pub struct RecordEvent {
    /// Who did it.
    pub user: UserRef,
    /// What.
    pub event_type: String,
    /// Amount in major units and its currency's code.
    pub amount: Option<(Decimal, String)>,
    /// Idempotency key.
    pub key: String,
    /// When; now, unless told.
    pub occurred_at: Option<Timestamp>,
    /// JSON kept with the event.
    pub metadata: Option<String>,
}

/// Something under an idempotency key.
#[derive(Clone, Debug)]
pub struct Recorded<T> {
    /// What is stored.
    pub object: T,
    /// Whether it is new.
    pub created: bool,
}

/// What the checks of an event came to.
pub(super) struct Checked {
    pub(super) money: Option<Money>,
    pub(super) occurred_at: Timestamp,
    now: Timestamp,
}

impl RecordEvent {
    /// Checks all that needs no database.
    pub(super) fn check(&self, now: Timestamp) -> Result<Checked, Refusal> {
        input::event_key(&self.key)?;
        input::event_type(&self.event_type)?;
        input::metadata(self.metadata.as_deref())?;
        let money = input::money(self.amount.as_ref())?;
        Ok(Checked { money, occurred_at: input::occurred_at(self.occurred_at, now)?, now })
    }
}

impl Engine {
    /// Stores an event, once per key. The same key and request gives the same event.
    pub async fn record_event(&self, request: RecordEvent) -> Result<Recorded<models::Event>, Error> {
        let checked = request.check(self.context.now())?;
        let recorded = self.store.write(async |tx: &mut Tx| self.record_in(tx, &request, &checked).await).await?;
        if recorded.created {
            failpoint::reach(Point::EventCommitted);
            self.live.publish(vec![Hint::workers()]);
        }
        Ok(recorded)
    }

    async fn record_in(
        &self,
        tx: &mut Tx,
        request: &RecordEvent,
        checked: &Checked,
    ) -> Result<Recorded<models::Event>, Error> {
        let user = find_user(tx, &request.user).await?;
        let fingerprint = fingerprint(request, checked, user.id);
        if let Some(known) = run!(tx, events::by_key(&request.key))? {
            return same_request(known, fingerprint);
        }
        let program = self.program_of(tx, user.id).await?;
        check_currency(program.as_ref(), checked.money.as_ref())?;
        let row = models::NewOutbox { user_id: Some(user.id), event_key: None, created_at: checked.now };
        let seq = run!(tx, outbox::insert(row))?;
        let event = models::Event {
            id: self.context.new_id_at(checked.now),
            user_id: user.id,
            seq,
            event_type: request.event_type.clone(),
            amount: checked.money.as_ref().map(|money| money.minor),
            currency: checked.money.as_ref().map(|money| money.currency.code().to_owned()),
            key: request.key.clone(),
            fingerprint,
            metadata: request.metadata.clone(),
            occurred_at: checked.occurred_at,
            received_at: checked.now,
            program_id: program.as_ref().map(|program| program.id),
            program_version: program.as_ref().map(|program| program.version),
            program_active: program.as_ref().is_some_and(|program| is_active(program, checked.now)),
            pays: true,
            remaining: None,
            decided_no: None,
            decisions: None,
        };
        // A twin that is being stored at the same time makes this wait, and then find the twin's event.
        if run!(tx, events::insert_if_new(event.clone()))? {
            failpoint::reach(Point::EventWritten);
            return Ok(Recorded { object: event, created: true });
        }
        let twin = run!(tx, events::by_key(&request.key))?;
        same_request(twin.ok_or_else(|| StoreError::Corrupt("an event's twin vanished".to_owned()))?, fingerprint)
    }

    /// The program of a user's referral.
    async fn program_of(&self, tx: &mut Tx, user: Id) -> Result<Option<models::Program>, Error> {
        match run!(tx, referrals::of_referred(&[user]))?.pop() {
            Some(referral) => self.program(tx, referral.program_id).await.map(Some),
            None => Ok(None),
        }
    }
}

async fn find_user(tx: &mut Tx, user: &UserRef) -> Result<models::User, Error> {
    let (found, field) = match user {
        UserRef::Id(id) => (run!(tx, users::hold(*id))?, "userId"),
        UserRef::ExternalId(external_id) => (run!(tx, users::hold_by_external_id(external_id))?, "externalId"),
    };
    let found = found.filter(|user| user.status != UserStatus::Erased);
    found.ok_or_else(|| Refusal::new(RefusalCode::UserNotFound, field, "there is no such user").into())
}

/// What must be equal for two requests under one key to be the same. A time that was not given is not compared.
pub(super) fn fingerprint(request: &RecordEvent, checked: &Checked, user: Id) -> KeyedHash {
    let amount = checked.money.as_ref().map(ToString::to_string);
    let occurred_at = request.occurred_at.map(|at| at.to_string());
    KeyedHash(keyed_hash::fingerprint(&[
        Some(&user.typed(Noun::User)),
        Some(&request.event_type),
        amount.as_deref(),
        occurred_at.as_deref(),
        request.metadata.as_deref(),
    ]))
}

fn same_request(known: models::Event, fingerprint: KeyedHash) -> Result<Recorded<models::Event>, Error> {
    if known.fingerprint == fingerprint {
        return Ok(Recorded { object: known, created: false });
    }
    Err(conflict("idempotencyKey", "event").into())
}

/// The refusal of a key that was used for something else.
pub(super) fn conflict(field: &'static str, what: &str) -> Refusal {
    Refusal::new(RefusalCode::IdempotencyConflict, field, format!("this key was used for another {what} already"))
}

/// Rule 11: the currency of an event is its program's.
pub(super) fn check_currency(program: Option<&models::Program>, money: Option<&Money>) -> Result<(), Refusal> {
    match (program, money) {
        (Some(program), Some(money)) if program.currency != money.currency.code() => Err(Refusal::new(
            RefusalCode::CurrencyMismatch,
            "amount",
            format!("the program `{}` is in {}, not in {}", program.key, program.currency, money.currency),
        )),
        _ => Ok(()),
    }
}
