//! Rows of an export as JSON.

use serde_json::{Value, json};

use super::{ExportFor, Waiting};
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

pub(super) fn user(row: &models::User) -> Value {
    json!({
        "id": row.id.typed(Noun::User), "externalId": row.external_id, "displayName": row.display_name,
        "status": row.status.word(), "emailHash": hash(row.email_hash), "phoneHash": hash(row.phone_hash),
        "createdAt": row.created_at.to_string(),
    })
}

pub(super) fn evidence(row: &models::Evidence) -> Value {
    json!({
        "ipHash": hash(row.ip_hash), "networkHash": hash(row.network_hash), "deviceHash": hash(row.device_hash),
        "userAgentHash": hash(row.user_agent_hash), "emailHash": hash(row.email_hash),
        "mailboxHash": hash(row.alias_hash), "domainHash": hash(row.domain_hash), "disposable": row.disposable,
        "formerIpHash": hash(row.former_ip_hash), "formerNetworkHash": hash(row.former_network_hash),
        "formerDeviceHash": hash(row.former_device_hash), "formerMailboxHash": hash(row.former_alias_hash),
        "formerDomainHash": hash(row.former_domain_hash), "referrerId": named(Noun::User, row.referrer_id),
        "createdAt": row.created_at.to_string(),
    })
}

pub(super) fn click(row: &models::Click) -> Value {
    json!({
        "id": row.id.typed(Noun::Click), "code": row.code_key, "referrerId": row.user_id.typed(Noun::User),
        "programId": row.program_id.typed(Noun::Program), "ipHash": hash(row.ip_hash),
        "networkHash": hash(row.network_hash), "deviceHash": hash(row.device_hash),
        "userAgentHash": hash(row.user_agent_hash), "visitHash": hash(row.visit_key),
        "campaign": row.utm.as_deref().map(parsed),
        "earlierClickIds": row.earlier.as_deref().map(|ids| ids.split('.').collect::<Vec<_>>()),
        "createdAt": row.created_at.to_string(),
    })
}

pub(super) fn code(row: &models::Code) -> Value {
    json!({
        "code": row.shown, "key": row.key, "programId": row.program_id.typed(Noun::Program), "kind": row.kind.word(),
        "status": row.status.word(), "expiresAt": at(row.expires_at), "createdAt": row.created_at.to_string(),
    })
}

pub(super) fn referral(row: &models::Referral, whom: ExportFor) -> Value {
    json!({
        "id": row.referred_id.typed(Noun::Referral), "referrerId": row.referrer_id.typed(Noun::User),
        "programId": row.program_id.typed(Noun::Program), "status": row.status.word(), "via": row.via.word(),
        "code": row.code, "clickId": named(Noun::Click, row.click_id),
        "risk": (whom == ExportFor::Staff).then_some(row.risk_score), "createdAt": row.created_at.to_string(),
        "completedAt": at(row.completed_at), "rejectedAt": at(row.rejected_at),
    })
}

/// A referral that the person made: who it was by id only, and neither their click nor what was found against them.
pub(super) fn made(row: &models::Referral) -> Value {
    json!({
        "id": row.referred_id.typed(Noun::Referral), "referredId": row.referred_id.typed(Noun::User),
        "programId": row.program_id.typed(Noun::Program), "status": row.status.word(), "via": row.via.word(),
        "code": row.code, "createdAt": row.created_at.to_string(), "completedAt": at(row.completed_at),
        "rejectedAt": at(row.rejected_at),
    })
}

pub(super) fn sign(row: &FoundSignal) -> Value {
    json!({
        "signal": row.signal.word(), "weight": row.weight, "shadow": row.shadow, "evidence": parsed(&row.evidence),
        "version": row.program_version, "at": row.created_at.to_string(),
    })
}

pub(super) fn review(row: &Review) -> Value {
    json!({
        "id": row.id.typed(Noun::Review), "status": row.status.word(), "score": row.score, "reason": row.reason,
        "actor": row.actor, "at": row.created_at.to_string(), "decidedAt": at(row.decided_at),
    })
}

pub(super) fn moved(row: &models::ReferralMove, whom: ExportFor) -> Value {
    let for_staff = |text: &String| (whom == ExportFor::Staff).then(|| text.clone());
    json!({
        "from": named(Noun::User, row.from_referrer_id), "to": row.to_referrer_id.typed(Noun::User),
        "fromVia": row.from_via.map(|via| via.word()), "fromCode": row.from_code,
        "fromClickId": named(Noun::Click, row.from_click_id),
        "reason": for_staff(&row.reason), "actor": for_staff(&row.actor), "at": row.created_at.to_string(),
    })
}

pub(super) fn waiting((attempts, parked, error, since): &Waiting) -> Value {
    json!({ "attempts": attempts, "parked": parked, "error": error, "since": since.to_string() })
}

pub(super) fn listing(row: &Listing) -> Value {
    json!({
        "id": row.id.typed(Noun::Listing), "effect": row.effect.word(), "subject": row.subject.word(),
        "subjectHash": hash(Some(row.subject_hash)), "reason": row.reason, "actor": row.actor,
        "expiresAt": at(row.expires_at), "createdAt": row.created_at.to_string(),
    })
}

pub(super) fn deed(row: &models::Audit) -> Value {
    json!({
        "number": row.id, "actor": row.actor, "action": row.action, "subject": row.subject, "reason": row.reason,
        "at": row.created_at.to_string(),
    })
}

pub(super) fn network(row: &models::Totals) -> Value {
    json!({
        "size": row.network, "newestAt": at(row.network_at), "signups": row.signups(), "completed": row.completed(),
        "version": row.version,
    })
}

pub(super) fn event(row: &models::Event, whom: ExportFor) -> Value {
    json!({
        "id": row.id.typed(Noun::Event), "type": row.event_type, "key": row.key, "amount": row.amount,
        "remaining": row.remaining, "currencyCode": row.currency, "metadata": row.metadata.as_deref().map(parsed),
        "occurredAt": row.occurred_at.to_string(), "receivedAt": row.received_at.to_string(),
        "programId": named(Noun::Program, row.program_id), "version": row.program_version,
        "programActive": row.program_active, "pays": row.pays,
        "decisions": row.decisions.as_deref().map(|text| decisions(text, whom)),
    })
}

/// What was decided, by rule and level. People are told what was decided about their own reward, level 0; the other levels
/// tell how those above them stand.
fn decisions(text: &str, whom: ExportFor) -> Value {
    let mut decisions = parsed(text);
    if whom == ExportFor::Themselves {
        let rules = decisions.as_object_mut().into_iter().flat_map(|rules| rules.values_mut());
        rules.filter_map(Value::as_object_mut).for_each(|levels| levels.retain(|level, _| level == "0"));
    }
    decisions
}

pub(super) fn refund(row: &models::Refund) -> Value {
    json!({
        "id": row.id.typed(Noun::Refund), "eventId": named(Noun::Event, row.event_id), "eventKey": row.event_key,
        "key": row.key, "amount": row.amount, "currencyCode": row.currency, "applied": row.applied,
        "receivedAt": row.received_at.to_string(),
    })
}

pub(super) fn reward(row: &models::Reward, moves: &[models::NewRewardMove], whom: ExportFor) -> Value {
    let history = moves.iter().filter(|moved| moved.reward_id == row.id);
    let history: Vec<Value> = history.map(|moved| reward_move(moved, whom)).collect();
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

fn reward_move(row: &models::NewRewardMove, whom: ExportFor) -> Value {
    json!({
        "from": row.from_status.word(), "to": row.to_status.word(), "net": row.net, "reason": row.reason,
        "actor": (whom == ExportFor::Staff).then_some(&row.actor), "at": row.created_at.to_string(),
    })
}

/// What was used of the person's own cap; its scope is the period and the person.
pub(super) fn cap(row: &models::Cap) -> Value {
    let period = row.scope.split_once(' ').map_or(row.scope.as_str(), |(period, _)| period);
    json!({
        "programId": row.program_id.typed(Noun::Program), "rule": row.rule_key, "period": period,
        "startsAt": row.starts_at.to_string(), "count": row.used_count, "amount": row.used_amount,
    })
}

pub(super) fn claim(row: &models::Claim) -> Value {
    json!({
        "id": row.id.typed(Noun::Claim), "key": row.request_key, "currencyCode": row.currency, "amount": row.amount,
        "netted": row.netted, "credited": row.credited, "status": row.status.word(), "reference": row.reference,
        "createdAt": row.created_at.to_string(), "settledAt": at(row.settled_at),
    })
}

pub(super) fn claim_request(row: &models::ClaimRequest) -> Value {
    json!({ "key": row.key, "createdAt": row.created_at.to_string() })
}

pub(super) fn balance(row: &models::Account) -> Value {
    json!({
        "currencyCode": row.currency, "pending": row.pending, "available": row.available, "withheld": row.withheld,
        "claimed": row.claimed, "paid": row.paid, "debt": row.debt,
    })
}

pub(super) fn transfer(row: &models::Transfer) -> Value {
    json!({
        "number": row.id, "currencyCode": row.currency, "from": row.from_account, "to": row.to_account,
        "amount": row.amount, "rewardId": named(Noun::Reward, row.reward_id),
        "claimId": named(Noun::Claim, row.claim_id), "reason": row.reason, "createdAt": row.created_at.to_string(),
    })
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
