//! Recording that an event, or a part of it, was taken back; only appends (rule 16).

use super::{
    Engine, Error, Refusal, RefusalCode, input,
    record_event::{Recorded, conflict},
};
use crate::{
    domain::{
        decimal::Decimal,
        keyed_hash::{self, KeyedHash},
        money::{Currency, Money},
        time::Timestamp,
    },
    failpoint::{self, Point},
    live::Hint,
    store::{StoreError, Tx, models, run},
};

/// A refund as the host tells it.
#[derive(Clone, Debug)]
pub struct RecordRefund {
    /// Idempotency key of the event.
    pub event_key: String,
    /// Amount in major units and its currency's code; nothing means all that is left.
    pub amount: Option<(Decimal, String)>,
    /// Idempotency key of the refund.
    pub key: String,
}

/// A checked refund.
struct Checked {
    money: Option<Money>,
    fingerprint: KeyedHash,
    now: Timestamp,
}

impl Engine {
    /// Stores a refund, once per key. The event may come later: the refund is cut to what is left of it then.
    pub async fn record_refund(&self, request: RecordRefund) -> Result<Recorded<models::Refund>, Error> {
        input::idempotency_key("idempotencyKey", &request.key)?;
        input::text("eventKey", &request.event_key, input::KEY_MAX_CHARS)?;
        let money = input::money(request.amount.as_ref())?;
        if money.as_ref().is_some_and(|money| money.minor == 0) {
            return Err(Refusal::new(RefusalCode::InvalidInput, "amount", "a refund is more than nothing").into());
        }
        let amount = money.as_ref().map(ToString::to_string);
        let fingerprint = KeyedHash(keyed_hash::fingerprint(&[Some(&request.event_key), amount.as_deref()]));
        let checked = Checked { money, fingerprint, now: self.context.now() };
        let stored = self.store.write(async |tx: &mut Tx| self.refund_in(tx, &request, &checked).await).await;
        let recorded = match stored {
            Err(Error::Failed(failure)) if failure.is_duplicate_of("refunds.key") => {
                let twin = self.store.look(async |tx: &mut Tx| run!(tx, events::refund_by_key(&request.key))).await?;
                same_request(twin.ok_or_else(|| StoreError::Corrupt("a refund's twin vanished".to_owned()))?, &checked)?
            }
            other => other?,
        };
        if recorded.created {
            failpoint::reach(Point::RefundCommitted);
            self.live.publish(vec![Hint::workers()]);
        }
        Ok(recorded)
    }

    async fn refund_in(
        &self,
        tx: &mut Tx,
        request: &RecordRefund,
        checked: &Checked,
    ) -> Result<Recorded<models::Refund>, Error> {
        // The lock comes first: a twin, or another refund of this event, is seen only once it has committed.
        let event = run!(tx, events::lock_by_key(&request.event_key))?;
        if let Some(known) = run!(tx, events::refund_by_key(&request.key))? {
            return same_request(known, checked);
        }
        if let Some(event) = &event {
            check_left(tx, event, checked.money.as_ref()).await?;
        }
        let row = models::NewOutbox {
            user_id: event.as_ref().map(|event| event.user_id),
            event_key: event.is_none().then(|| request.event_key.clone()),
            created_at: checked.now,
        };
        let seq = run!(tx, outbox::insert(row))?;
        let refund = models::Refund {
            id: self.context.new_id_at(checked.now),
            event_key: request.event_key.clone(),
            event_id: None,
            seq,
            amount: checked.money.as_ref().map(|money| money.minor),
            currency: checked.money.as_ref().map(|money| money.currency.code().to_owned()),
            key: request.key.clone(),
            fingerprint: checked.fingerprint,
            received_at: checked.now,
            applied: None,
            decided_no: None,
        };
        run!(tx, events::insert_refund(refund.clone()))?;
        failpoint::reach(Point::RefundWritten);
        Ok(Recorded { object: refund, created: true })
    }
}

fn same_request(known: models::Refund, checked: &Checked) -> Result<Recorded<models::Refund>, Error> {
    if known.fingerprint == checked.fingerprint {
        return Ok(Recorded { object: known, created: false });
    }
    Err(conflict("idempotencyKey", "refund").into())
}

/// Whether this much is left of an event, counting refunds that are not decided yet.
async fn check_left(tx: &mut Tx, event: &models::Event, money: Option<&Money>) -> Result<(), Error> {
    let (Some(amount), Some(currency)) = (event.amount, event.currency.as_deref()) else {
        return Err(Refusal::new(RefusalCode::InvalidInput, "eventKey", "this event has no amount to refund").into());
    };
    if let Some(money) = money.filter(|money| money.currency.code() != currency) {
        let message = format!("the event is in {currency}, not in {}", money.currency);
        return Err(Refusal::new(RefusalCode::CurrencyMismatch, "amount", message).into());
    }
    let earlier = run!(tx, events::refunds_of(vec![event.key.clone()]))?;
    let left = earlier.iter().fold(amount, |left, refund| left - taken_by(refund, left));
    let wanted = money.map_or(left.max(1), |money| money.minor);
    if wanted > left {
        let message = format!("{} {currency} is left of this event", Currency::stored(currency).to_major(left));
        return Err(Refusal::new(RefusalCode::RefundExceedsEvent, "amount", message).into());
    }
    Ok(())
}

/// What an earlier refund takes of what was left before it.
fn taken_by(refund: &models::Refund, left: i64) -> i64 {
    refund.applied.unwrap_or_else(|| refund.amount.unwrap_or(left).min(left))
}
