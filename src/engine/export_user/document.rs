//! The export as JSON: every column of every row, under the names of the API.

use serde_json::{Value, json};

use super::{ExportFor, ROWS_MAX, Stored, rows};
use crate::domain::time::Timestamp;

impl Stored {
    pub(super) fn document(&self, whom: ExportFor, now: Timestamp) -> Value {
        let is_staff = whom == ExportFor::Staff;
        json!({
            "exportedAt": now.to_string(),
            "user": rows::user(&self.user),
            "evidence": self.evidence.as_ref().map(rows::evidence),
            "clicks": list(&self.clicks, rows::click),
            "codes": list(&self.codes, rows::code),
            "referral": self.referral.as_ref().map(|row| rows::referral(row, whom)),
            "risk": is_staff.then(|| self.risk()),
            "moves": list(&self.moves, |row| rows::moved(row, whom)),
            "referrals": list(&self.referrals, rows::made),
            "network": self.totals.as_ref().map(rows::network),
            "events": list(&self.events, |row| rows::event(row, whom)),
            "refunds": list(&self.refunds, rows::refund),
            "rewards": list(&self.rewards, |row| rows::reward(row, &self.reward_moves, whom)),
            "caps": list(&self.caps, rows::cap),
            "claims": list(&self.claims, rows::claim),
            "claimRequests": list(&self.claim_requests, rows::claim_request),
            "balances": list(&self.accounts, rows::balance),
            "ledger": list(&self.transfers, rows::transfer),
            "waiting": is_staff.then(|| list(&self.waiting, rows::waiting)),
            "listings": is_staff.then(|| list(&self.listings, rows::listing)),
            "auditLog": is_staff.then(|| list(&self.deeds, rows::deed)),
            "cut": self.cut(),
        })
    }

    /// What was found against the referral and decided about it. People are not told which signs there are.
    fn risk(&self) -> Value {
        let risk = self.risk.as_ref();
        json!({
            "standing": risk.map(|risk| risk.standing.word()), "score": risk.map(|risk| risk.score),
            "version": risk.map(|risk| risk.program_version), "changedAt": risk.map(|risk| risk.changed_at.to_string()),
            "signs": list(&self.signs, rows::sign), "reviews": list(&self.reviews, rows::review),
        })
    }

    /// Lists that are longer than what is given of them.
    fn cut(&self) -> Vec<&'static str> {
        let lengths = [
            ("moves", self.moves.len()),
            ("referrals", self.referrals.len()),
            ("events", self.events.len()),
            ("rewards", self.rewards.len()),
            ("claims", self.claims.len()),
            ("claimRequests", self.claim_requests.len()),
            ("ledger", self.transfers.len()),
            ("waiting", self.waiting.len()),
            ("auditLog", self.deeds.len()),
        ];
        let is_cut = |length: usize| i64::try_from(length).is_ok_and(|length| length >= ROWS_MAX);
        lengths.into_iter().filter(|(_, length)| is_cut(*length)).map(|(name, _)| name).collect()
    }
}

fn list<T>(rows: &[T], show: impl Fn(&T) -> Value) -> Vec<Value> {
    rows.iter().map(show).collect()
}
