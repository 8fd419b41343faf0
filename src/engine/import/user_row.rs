//! One row of a file of users.

use super::table::{Cells, Columns, shown};
use crate::{
    domain::{code::CodeKey, time::Timestamp},
    engine::input,
};

/// The columns of a file of users.
pub static USER_COLUMNS: Columns =
    Columns { names: &["external_id", "referrer_external_id", "code", "display_name", "created_at"], required: 1 };

/// A person as a file tells of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct UserRow {
    /// The host's id.
    pub(super) external_id: String,
    /// The host's id of who brought the person in.
    pub(super) referrer: Option<String>,
    /// The code that the person shares already.
    pub(super) code: Option<GivenCode>,
    /// The name shown to others.
    pub(super) display_name: Option<String>,
    /// When the person signed up.
    pub(super) created_at: Option<Timestamp>,
}

/// A code that people know already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct GivenCode {
    /// Folded.
    pub(super) key: String,
    /// As it is shown.
    pub(super) shown: String,
}

impl UserRow {
    /// Reads a row, or says what is wrong with it.
    pub(super) fn parse(cells: &Cells<'_>, now: Timestamp) -> Result<Self, String> {
        let external_id = checked("external_id", cells.need(0)?)?;
        let referrer = cells.get(1)?.map(|referrer| checked("referrer_external_id", referrer)).transpose()?;
        if referrer.as_ref() == Some(&external_id) {
            return Err(format!("`{}` cannot be their own referrer", shown(&external_id)));
        }
        Ok(Self {
            external_id,
            referrer,
            code: cells.get(2)?.map(GivenCode::parse).transpose()?,
            display_name: input::display_name(cells.get(3)?).map_err(|refusal| as_column("display_name", &refusal))?,
            created_at: cells.get(4)?.map(|text| instant("created_at", text, now)).transpose()?,
        })
    }
}

impl GivenCode {
    fn parse(text: &str) -> Result<Self, String> {
        let key = CodeKey::fold(text).ok_or_else(|| {
            format!("`{}` cannot be a code: a code has at most 32 letters and digits, and hyphens", shown(text))
        })?;
        Ok(Self { key: key.as_str().to_owned(), shown: text.trim().to_owned() })
    }
}

/// An id or key of the host.
pub(super) fn checked(column: &'static str, text: &str) -> Result<String, String> {
    input::text(column, text, input::KEY_MAX_CHARS).map_err(|refusal| refusal.message)?;
    Ok(text.to_owned())
}

/// An instant that is not later than tomorrow.
pub(super) fn instant(column: &'static str, text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let at = Timestamp::parse(text.trim()).ok_or_else(|| {
        format!("{column} is `{}`, not a time from 1970 on such as 2026-01-31T12:00:00Z or 2026-01-31", shown(text))
    })?;
    input::occurred_at(Some(at), now).map_err(|_| format!("{column} lies in the future"))
}

/// A refusal that names the API's field, told of a file's column.
fn as_column(column: &str, refusal: &crate::engine::Refusal) -> String {
    refusal.field.iter().fold(refusal.message.clone(), |message, field| message.replace(field.as_str(), column))
}
