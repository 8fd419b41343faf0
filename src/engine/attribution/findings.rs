//! What is told of an attribution, and kept as metadata of the event `signup`, so that asking again gives the same.

use serde::{Deserialize, Serialize};

use crate::{
    domain::{
        id::{self, Id, Noun},
        time::Timestamp,
        words::{Loss, Outcome},
    },
    store::StoreError,
};

/// What was found out about how somebody came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// What the attribution came to.
    pub outcome: Outcome,
    /// The code that it is about, as it is shown.
    pub code: Option<String>,
    /// The click that it is about, or that came before the code was given.
    pub click: Option<ClickSeen>,
    /// The other clicks that were known, in the order of the visits.
    pub lost: Vec<LostClick>,
}

/// A click as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClickSeen {
    /// The click.
    pub id: Id,
    /// Its code, as it is shown.
    pub code: String,
    /// When it was made.
    pub at: Timestamp,
}

/// A click that brought nobody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LostClick {
    /// The click.
    pub click: ClickSeen,
    /// Why it did not count.
    pub reason: Loss,
}

/// The stored form.
#[derive(Deserialize, Serialize)]
struct Stored {
    attribution: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    click: Option<StoredClick>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lost: Vec<StoredClick>,
}

#[derive(Deserialize, Serialize)]
struct StoredClick {
    id: String,
    code: String,
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Findings {
    /// An attribution that came to nothing and is about no code.
    pub(in crate::engine) const fn without_code(outcome: Outcome, lost: Vec<LostClick>) -> Self {
        Self { outcome, code: None, click: None, lost }
    }

    /// As it is kept.
    pub(in crate::engine) fn to_json(&self) -> Result<String, StoreError> {
        let lost =
            |lost: &LostClick| StoredClick { reason: Some(lost.reason.word().to_owned()), ..stored(&lost.click) };
        let stored = Stored {
            attribution: self.outcome.word().to_owned(),
            code: self.code.clone(),
            click: self.click.as_ref().map(stored),
            lost: self.lost.iter().map(lost).collect(),
        };
        serde_json::to_string(&stored).map_err(|error| StoreError::Corrupt(error.to_string()))
    }

    /// Reads what was kept; nothing when it was wiped since.
    pub(in crate::engine) fn from_json(text: &str) -> Option<Self> {
        let stored: Stored = serde_json::from_str(text).ok()?;
        Some(Self {
            outcome: Outcome::from_word(&stored.attribution)?,
            code: stored.code,
            click: stored.click.as_ref().and_then(seen),
            lost: stored.lost.iter().filter_map(lost).collect(),
        })
    }

    /// Of somebody whose signup keeps no findings: they were imported, or are from an earlier version.
    pub(in crate::engine) fn of_referral(outcome: Outcome, code: Option<String>) -> Self {
        Self { outcome, code, click: None, lost: Vec::new() }
    }
}

fn stored(click: &ClickSeen) -> StoredClick {
    let (id, at) = (click.id.typed(Noun::Click), click.at.to_string());
    StoredClick { id, code: click.code.clone(), at, reason: None }
}

fn seen(stored: &StoredClick) -> Option<ClickSeen> {
    let id = id::parse_as(Noun::Click, &stored.id).ok()?;
    Some(ClickSeen { id, code: stored.code.clone(), at: Timestamp::parse(&stored.at)? })
}

fn lost(stored: &StoredClick) -> Option<LostClick> {
    Some(LostClick { click: seen(stored)?, reason: Loss::from_word(stored.reason.as_deref()?)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_come_back_as_they_were_kept() {
        let at = Timestamp::parse("2026-03-04T12:00:00.000001Z").unwrap();
        let click = |number| ClickSeen { id: Id::new(at, [number; 10]), code: "ANN-1".to_owned(), at };
        let lost = vec![LostClick { click: click(2), reason: Loss::OtherClick }];
        let findings =
            Findings { outcome: Outcome::Attributed, code: Some("ANN-1".to_owned()), click: Some(click(1)), lost };
        assert_eq!(Findings::from_json(&findings.to_json().unwrap()), Some(findings));
        let bare = Findings::without_code(Outcome::None, Vec::new());
        assert_eq!(bare.to_json().unwrap(), "{\"attribution\":\"NONE\"}");
        assert_eq!(Findings::from_json("{}"), None);
    }
}
