//! One row of a file of events.

use super::{
    table::{Cells, Columns, shown},
    user_row::{checked, instant},
};
use crate::{
    domain::{decimal::Decimal, time::Timestamp},
    engine::record_event::{Checked, RecordEvent, UserRef},
};

/// The columns of a file of events.
pub static EVENT_COLUMNS: Columns =
    Columns { names: &["external_id", "type", "idempotency_key", "amount", "currency", "occurred_at"], required: 3 };

/// An event as a file tells of it, checked as far as that needs no database.
pub(super) struct EventRow {
    /// The host's id of who did it.
    pub(super) external_id: String,
    /// The event.
    pub(super) request: RecordEvent,
    /// What the checks came to.
    pub(super) checked: Checked,
}

impl EventRow {
    /// Reads a row, or says what is wrong with it.
    pub(super) fn parse(cells: &Cells<'_>, now: Timestamp) -> Result<Self, String> {
        let external_id = checked("external_id", cells.need(0)?)?;
        let request = RecordEvent {
            user: UserRef::ExternalId(external_id.clone()),
            event_type: cells.need(1)?.to_owned(),
            amount: amount(cells)?,
            key: checked("idempotency_key", cells.need(2)?)?,
            occurred_at: cells.get(5)?.map(|text| instant("occurred_at", text, now)).transpose()?,
            metadata: None,
        };
        let checked = request.check(now).map_err(|refusal| refusal.message)?;
        Ok(Self { external_id, request, checked })
    }
}

fn amount(cells: &Cells<'_>) -> Result<Option<(Decimal, String)>, String> {
    match (cells.get(3)?, cells.get(4)?) {
        (None, None) => Ok(None),
        (Some(_), None) => Err("an amount needs a currency".to_owned()),
        (None, Some(_)) => Err("a currency needs an amount".to_owned()),
        (Some(amount), Some(currency)) => match amount.trim().parse() {
            Ok(amount) => Ok(Some((amount, currency.trim().to_owned()))),
            Err(error) => Err(format!("amount is `{}`: {error}", shown(amount))),
        },
    }
}
