//! What every column that can hold a text or a hash holds, as far as people are concerned. A new column has to be put on
//! this list: whoever adds one decides whether an erasure has to write over it.

use std::{collections::BTreeSet, fs, path::Path};

use crate::declared::{self, Tables};

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Something about a person that `eraseUser` writes over or removes.
    Erased,
    /// Something about visitors or contacts nobody can be told by any more once it is purged; not bound to one user.
    Purged,
    /// A key or reference of the host, kept for the books: the host must not write people into it.
    HostsKey,
    /// Words of the house, of programs and operators; nothing about people.
    NoPerson,
}

use Holds::{Erased, HostsKey, NoPerson, Purged};

/// Every column of text or bytes.
pub const COLUMNS: &[(&str, Holds)] = &[
    ("accounts.currency", NoPerson),
    ("api_keys.hash", NoPerson),
    ("api_keys.name", NoPerson),
    ("api_keys.prefix", NoPerson),
    ("api_keys.role", NoPerson),
    ("api_keys.scopes", NoPerson),
    ("audit_log.action", NoPerson),
    ("audit_log.actor", NoPerson),
    ("audit_log.reason", Erased),
    ("audit_log.subject", Erased),
    ("board_deltas.metric", NoPerson),
    ("board_histogram.metric", NoPerson),
    ("board_histogram.period", NoPerson),
    ("board_scores.metric", NoPerson),
    ("board_scores.period", NoPerson),
    ("boards.metric", NoPerson),
    ("caps.rule_key", NoPerson),
    ("caps.scope", NoPerson),
    ("claim_requests.fingerprint", NoPerson),
    ("claim_requests.key", HostsKey),
    ("claims.currency", NoPerson),
    ("claims.reference", HostsKey),
    ("claims.request_key", HostsKey),
    ("claims.status", NoPerson),
    ("clicks.code_key", Erased),
    ("clicks.device_hash", Erased),
    ("clicks.earlier", Erased),
    ("clicks.ip_hash", Erased),
    ("clicks.network_hash", Erased),
    ("clicks.user_agent_hash", Erased),
    ("clicks.utm", Erased),
    ("clicks.visit_key", Erased),
    ("codes.key", Erased),
    ("codes.kind", NoPerson),
    ("codes.shown", Erased),
    ("codes.status", NoPerson),
    ("events.currency", NoPerson),
    ("events.decisions", NoPerson),
    ("events.event_type", NoPerson),
    ("events.fingerprint", Erased),
    ("events.key", HostsKey),
    ("events.metadata", Erased),
    ("evidence.alias_hash", Erased),
    ("evidence.device_hash", Erased),
    ("evidence.domain_hash", Erased),
    ("evidence.email_hash", Erased),
    ("evidence.former_alias_hash", Erased),
    ("evidence.former_device_hash", Erased),
    ("evidence.former_domain_hash", Erased),
    ("evidence.former_ip_hash", Erased),
    ("evidence.former_network_hash", Erased),
    ("evidence.ip_hash", Erased),
    ("evidence.network_hash", Erased),
    ("evidence.user_agent_hash", Erased),
    ("listings.actor", NoPerson),
    ("listings.effect", NoPerson),
    ("listings.reason", Erased),
    ("listings.subject", NoPerson),
    ("listings.subject_hash", Purged),
    ("outbox.event_key", HostsKey),
    ("outbox.last_error", Erased),
    ("program_versions.actor", NoPerson),
    ("program_versions.definition", NoPerson),
    ("programs.click_parameter", NoPerson),
    ("programs.currency", NoPerson),
    ("programs.key", NoPerson),
    ("programs.landing_url", NoPerson),
    ("programs.name", NoPerson),
    ("programs.ref_parameter", NoPerson),
    ("programs.status", NoPerson),
    ("programs.time_zone", NoPerson),
    ("referral_moves.actor", NoPerson),
    ("referral_moves.from_code", Erased),
    ("referral_moves.from_via", NoPerson),
    ("referral_moves.reason", Erased),
    ("referrals.code", Erased),
    ("referrals.status", NoPerson),
    ("referrals.via", NoPerson),
    ("refunds.currency", NoPerson),
    ("refunds.event_key", HostsKey),
    ("refunds.fingerprint", NoPerson),
    ("refunds.key", HostsKey),
    ("retired_codes.hash", Purged),
    ("reviews.actor", NoPerson),
    ("reviews.reason", Erased),
    ("reviews.status", NoPerson),
    ("reward_moves.actor", NoPerson),
    ("reward_moves.from_status", NoPerson),
    ("reward_moves.reason", NoPerson),
    ("reward_moves.to_status", NoPerson),
    ("rewards.currency", NoPerson),
    ("rewards.explanation", NoPerson),
    ("rewards.kind", NoPerson),
    ("rewards.rule_key", NoPerson),
    ("rewards.status", NoPerson),
    ("risks.standing", NoPerson),
    ("settings.key", NoPerson),
    ("settings.value", NoPerson),
    ("signals.evidence", Erased),
    ("signals.signal", NoPerson),
    ("transfers.currency", NoPerson),
    ("transfers.from_account", NoPerson),
    ("transfers.reason", NoPerson),
    ("transfers.to_account", NoPerson),
    ("users.display_name", Erased),
    ("users.email_hash", Erased),
    ("users.external_id", Erased),
    ("users.phone_hash", Erased),
    ("users.status", NoPerson),
];

/// Every table of `schema.rs` with its columns.
pub fn tables() -> Tables {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/schema.rs");
    declared::tables(&fs::read_to_string(file).unwrap())
}

/// Every column of `schema.rs` that can hold a text or bytes, as `table.column`, and whether it holds bytes.
pub fn declared() -> Vec<(String, String, bool)> {
    let columns = tables()
        .into_iter()
        .flat_map(|(table, columns)| columns.into_iter().map(move |(name, column)| (table.clone(), name, column.kind)));
    let words = columns.filter(|(_, _, kind)| kind == "Text" || kind == "Bytea");
    words.map(|(table, name, kind)| (table, name, kind == "Bytea")).collect()
}

#[test]
fn every_column_is_on_the_list() {
    let declared: BTreeSet<String> = declared().into_iter().map(|(table, name, _)| format!("{table}.{name}")).collect();
    let listed: BTreeSet<String> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let unlisted: Vec<_> = declared.difference(&listed).collect();
    assert!(unlisted.is_empty(), "say in tests/erasure/columns.rs what these hold about people: {unlisted:?}");
    let gone: Vec<_> = listed.difference(&declared).collect();
    assert!(gone.is_empty(), "these columns are no more: {gone:?}");
    assert_eq!(listed.len(), COLUMNS.len(), "a column is listed twice");
}
