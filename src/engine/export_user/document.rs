//! The export as JSON: every column of every row, under the names of the API.

use serde_json::{Value, json};

use super::{ExportFor, ROWS_MAX, Stored};
use crate::{
    domain::{
        id::{Id, Noun},
        keyed_hash::KeyedHash,
        time::Timestamp,
    },
    store::{
        fraud::{FoundSignal, Listing, Review},
        models,
    },
};

impl Stored {
    pub(super) fn document(&self, whom: ExportFor, now: Timestamp) -> Value {
        json!({
            "exportedAt": now.to_string(),
            "user": user(&self.user),
            "evidence": self.evidence.as_ref().map(evidence),
            "clicks": list(&self.clicks, click),
            "codes": list(&self.codes, code),
            "referral": self.referral.as_ref().map(|row| referral(row, whom)),
            "risk": (whom == ExportFor::Staff).then(|| self.risk()),
            "moves": list(&self.moves, |row| moved(row, whom)),
            "network": self.totals.as_ref().map(network),
            "events": list(&self.events, event),
            "refunds": list(&self.refunds, refund),
            "rewards": list(&self.rewards, |row| self.reward(row)),
            "claims": list(&self.claims, claim),
            "balances": list(&self.accounts, balance),
            "ledger": list(&self.transfers, transfer),
            "listings": (whom == ExportFor::Staff).then(|| list(&self.listings, listing)),
            "auditLog": (whom == ExportFor::Staff).then(|| list(&self.deeds, deed)),
            "cut": self.cut(),
        })
    }

    /// What was found against the referral and decided about it. People are not told which signs there are.
    fn risk(&self) -> Value {
        let sign = |row: &FoundSignal| {
            json!({
                "signal": row.signal.word(), "weight": row.weight, "shadow": row.shadow,
                "evidence": parsed(&row.evidence), "version": row.program_version, "at": row.created_at.to_string(),
            })
        };
        let review = |row: &Review| {
            json!({
                "id": row.id.typed(Noun::Review), "status": row.status.word(), "score": row.score, "reason": row.reason,
                "actor": row.actor, "at": row.created_at.to_string(), "decidedAt": at(row.decided_at),
            })
        };
        json!({
            "standing": self.risk.as_ref().map(|risk| risk.standing.word()),
            "score": self.risk.as_ref().map(|risk| risk.score),
            "signs": list(&self.signs, sign), "reviews": list(&self.reviews, review),
        })
    }

    /// Lists that are longer than what is given of them.
    fn cut(&self) -> Vec<&'static str> {
        let lengths = [
            ("moves", self.moves.len()),
            ("events", self.events.len()),
            ("rewards", self.rewards.len()),
            ("claims", self.claims.len()),
            ("ledger", self.transfers.len()),
            ("auditLog", self.deeds.len()),
        ];
        let is_cut = |length: usize| i64::try_from(length).is_ok_and(|length| length >= ROWS_MAX);
        lengths.into_iter().filter(|(_, length)| is_cut(*length)).map(|(name, _)| name).collect()
    }

    fn reward(&self, row: &models::Reward) -> Value {
        let history = self.reward_moves.iter().filter(|moved| moved.reward_id == row.id);
        let history: Vec<Value> = history
            .map(|moved| {
                json!({
                    "from": moved.from_status.word(), "to": moved.to_status.word(), "net": moved.net,
                    "reason": moved.reason, "at": moved.created_at.to_string(),
                })
            })
            .collect();
        json!({
            "id": row.id.typed(Noun::Reward), "eventId": row.event_id.typed(Noun::Event),
            "referralId": row.referred_id.typed(Noun::Referral), "programId": row.program_id.typed(Noun::Program),
            "version": row.program_version, "rule": row.rule_key, "kind": row.kind, "level": row.level,
            "currencyCode": row.currency, "amount": row.amount, "net": row.net, "taken": row.taken,
            "status": row.status.word(), "explanation": parsed(&row.explanation),
            "availableAt": row.available_at.to_string(), "expiresAt": at(row.expires_at),
            "claimId": named(Noun::Claim, row.claim_id), "createdAt": row.created_at.to_string(), "history": history,
        })
    }
}

fn list<T>(rows: &[T], show: impl Fn(&T) -> Value) -> Vec<Value> {
    rows.iter().map(show).collect()
}

fn at(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

fn named(noun: Noun, id: Option<Id>) -> Option<String> {
    id.map(|id| id.typed(noun))
}

fn hash(hash: Option<KeyedHash>) -> Option<String> {
    hash.map(|hash| hash.0.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// JSON that is stored as text, as JSON; text that is not, as text.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn user(row: &models::User) -> Value {
    json!({
        "id": row.id.typed(Noun::User), "externalId": row.external_id, "displayName": row.display_name,
        "status": row.status.word(), "emailHash": hash(row.email_hash), "phoneHash": hash(row.phone_hash),
        "createdAt": row.created_at.to_string(),
    })
}

fn evidence(row: &models::Evidence) -> Value {
    json!({
        "ipHash": hash(row.ip_hash), "networkHash": hash(row.network_hash), "deviceHash": hash(row.device_hash),
        "userAgentHash": hash(row.user_agent_hash), "emailHash": hash(row.email_hash),
        "mailboxHash": hash(row.alias_hash), "domainHash": hash(row.domain_hash), "disposable": row.disposable,
        "createdAt": row.created_at.to_string(),
    })
}

fn click(row: &models::Click) -> Value {
    json!({
        "id": row.id.typed(Noun::Click), "programId": row.program_id.typed(Noun::Program), "ipHash": hash(row.ip_hash),
        "networkHash": hash(row.network_hash), "deviceHash": hash(row.device_hash),
        "userAgentHash": hash(row.user_agent_hash), "campaign": row.utm.as_deref().map(parsed),
        "createdAt": row.created_at.to_string(),
    })
}

fn code(row: &models::Code) -> Value {
    json!({
        "code": row.shown, "programId": row.program_id.typed(Noun::Program), "kind": row.kind.word(),
        "status": row.status.word(), "expiresAt": at(row.expires_at), "createdAt": row.created_at.to_string(),
    })
}

fn referral(row: &models::Referral, whom: ExportFor) -> Value {
    json!({
        "id": row.referred_id.typed(Noun::Referral), "referrerId": row.referrer_id.typed(Noun::User),
        "programId": row.program_id.typed(Noun::Program), "status": row.status.word(), "via": row.via.word(),
        "code": row.code, "clickId": named(Noun::Click, row.click_id),
        "risk": (whom == ExportFor::Staff).then_some(row.risk_score), "createdAt": row.created_at.to_string(),
        "completedAt": at(row.completed_at), "rejectedAt": at(row.rejected_at),
    })
}

fn moved(row: &models::ReferralMove, whom: ExportFor) -> Value {
    let for_staff = |text: &String| (whom == ExportFor::Staff).then(|| text.clone());
    json!({
        "from": named(Noun::User, row.from_referrer_id), "to": row.to_referrer_id.typed(Noun::User),
        "fromVia": row.from_via.map(|via| via.word()), "fromCode": row.from_code,
        "fromClickId": named(Noun::Click, row.from_click_id),
        "reason": for_staff(&row.reason), "actor": for_staff(&row.actor), "at": row.created_at.to_string(),
    })
}

fn listing(row: &Listing) -> Value {
    json!({
        "id": row.id.typed(Noun::Listing), "effect": row.effect.word(), "subject": row.subject.word(),
        "reason": row.reason, "actor": row.actor, "expiresAt": at(row.expires_at), "createdAt": row.created_at.to_string(),
    })
}

fn deed(row: &models::Audit) -> Value {
    json!({
        "actor": row.actor, "action": row.action, "reason": row.reason, "at": row.created_at.to_string(),
    })
}

fn network(row: &models::Totals) -> Value {
    json!({
        "size": row.network, "newestAt": at(row.network_at), "signups": row.signups(), "completed": row.completed(),
        "version": row.version,
    })
}

fn event(row: &models::Event) -> Value {
    json!({
        "id": row.id.typed(Noun::Event), "type": row.event_type, "key": row.key, "amount": row.amount,
        "remaining": row.remaining, "currencyCode": row.currency, "metadata": row.metadata.as_deref().map(parsed),
        "occurredAt": row.occurred_at.to_string(), "receivedAt": row.received_at.to_string(),
        "programId": named(Noun::Program, row.program_id), "version": row.program_version,
    })
}

fn refund(row: &models::Refund) -> Value {
    json!({
        "id": row.id.typed(Noun::Refund), "eventKey": row.event_key, "key": row.key, "amount": row.amount,
        "currencyCode": row.currency, "applied": row.applied, "receivedAt": row.received_at.to_string(),
    })
}

fn claim(row: &models::Claim) -> Value {
    json!({
        "id": row.id.typed(Noun::Claim), "key": row.request_key, "currencyCode": row.currency, "amount": row.amount,
        "netted": row.netted, "credited": row.credited, "status": row.status.word(), "reference": row.reference,
        "createdAt": row.created_at.to_string(), "settledAt": at(row.settled_at),
    })
}

fn balance(row: &models::Account) -> Value {
    json!({
        "currencyCode": row.currency, "pending": row.pending, "available": row.available, "withheld": row.withheld,
        "claimed": row.claimed, "paid": row.paid, "debt": row.debt,
    })
}

fn transfer(row: &models::Transfer) -> Value {
    json!({
        "number": row.id, "currencyCode": row.currency, "from": row.from_account, "to": row.to_account,
        "amount": row.amount, "rewardId": named(Noun::Reward, row.reward_id),
        "claimId": named(Noun::Claim, row.claim_id), "reason": row.reason, "createdAt": row.created_at.to_string(),
    })
}
