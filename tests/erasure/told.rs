//! Where an export tells what is stored. Every table is on one of two lists, and of a table that is told, every column:
//! whoever adds one decides whether it is about a person, and a test fails until it is told, or a reason says why not.

use std::collections::BTreeSet;

use banyan::{
    domain::{
        id::{Id, Noun},
        words::ClaimStatus,
    },
    engine::sign_up::SignUp,
};
use serde_json::{Value, json};

use crate::{
    columns::tables,
    exports::EXPORT,
    links::follow,
    support::{Harness, Host, each_backend, member, newcomer, program},
};

/// A table, its place in the export, and after the colon each column, with its name there where that is another one. In
/// brackets is why a column is not told.
const TOLD: &str = "
accounts in balances: user_id=(own) currency=currencyCode pending available withheld claimed paid debt
audit_log in auditLog: id=number actor action subject reason created_at=at
caps in caps: program_id=programId rule_key=rule scope=period starts_at=startsAt used_count=count used_amount=amount
claim_requests in claimRequests: user_id=(own) key fingerprint=(request) created_at=createdAt
claims in claims: id user_id=(own) request_key=key currency=currencyCode amount netted credited status reference
    created_at=createdAt settled_at=settledAt
clicks in clicks: id code_key=code program_id=programId user_id=referrerId ip_hash=ipHash network_hash=networkHash
    device_hash=deviceHash user_agent_hash=userAgentHash visit_key=visitHash utm=campaign earlier=earlierClickIds
    created_at=createdAt
codes in codes: key shown=code user_id=(own) program_id=programId kind status expires_at=expiresAt created_at=createdAt
events in events: id user_id=(own) seq=(order) event_type=type amount currency=currencyCode key fingerprint=(request)
    metadata occurred_at=occurredAt received_at=receivedAt program_id=programId program_version=version
    program_active=programActive pays remaining decided_no=(order) decisions
evidence in evidence: user_id=(own) referrer_id=referrerId ip_hash=ipHash network_hash=networkHash device_hash=deviceHash
    user_agent_hash=userAgentHash email_hash=emailHash alias_hash=mailboxHash domain_hash=domainHash disposable
    former_ip_hash=formerIpHash former_network_hash=formerNetworkHash former_device_hash=formerDeviceHash
    former_alias_hash=formerMailboxHash former_domain_hash=formerDomainHash created_at=createdAt
listings in listings: id effect subject subject_hash=subjectHash reason actor expires_at=expiresAt created_at=createdAt
outbox in waiting: seq=(order) user_id=(own) event_key=(early) attempts parked last_error=error created_at=since
referral_moves in moves: id=(order) user_id=(own) from_referrer_id=from to_referrer_id=to from_via=fromVia
    from_code=fromCode from_click_id=fromClickId reason actor created_at=at
referrals in referral: referred_id=id referrer_id=referrerId program_id=programId status via code click_id=clickId
    risk_score=risk created_at=createdAt completed_at=completedAt rejected_at=rejectedAt
referrals in referrals: referred_id=referredId referrer_id=(own) program_id=programId status via code click_id=(other)
    risk_score=(other) created_at=createdAt completed_at=completedAt rejected_at=rejectedAt
refunds in refunds: id event_id=eventId event_key=eventKey seq=(order) amount currency=currencyCode key
    fingerprint=(request) received_at=receivedAt applied decided_no=(order)
reviews in risk.reviews: id referred_id=(own) status score seq=(order) reason actor created_at=at decided_at=decidedAt
    decided_no=(order)
reward_moves in rewards.history: id=(order) reward_id=(within) from_status=from to_status=to net actor reason
    created_at=at
rewards in rewards: id user_id=(own) event_id=eventId referred_id=referralId program_id=programId
    program_version=version rule_key=rule kind level currency=currencyCode amount net taken status explanation
    available_at=availableAt expires_at=expiresAt claim_id=claimId changed_version=(order) created_at=createdAt
risks in risk: referred_id=(own) standing score program_version=version rejected_no=(order) changed_at=changedAt
signals in risk.signs: referred_id=(own) signal weight shadow evidence program_version=version created_at=at
transfers in ledger: id=number user_id=(own) currency=currencyCode from_account=from to_account=to amount
    reward_id=rewardId claim_id=claimId reason created_at=createdAt
user_totals in network: user_id=(own) version network=size network_at=newestAt signups completed
users in user: id external_id=externalId display_name=displayName status email_hash=emailHash phone_hash=phoneHash
    created_at=createdAt
";

/// Why a column is not told.
const REASONS: [(&str, &str); 6] = [
    ("(early)", "names an event that was not there yet, in rows that name no user"),
    ("(order)", "a place in an order in which the house works"),
    ("(other)", "of the other person"),
    ("(own)", "the person's own id, which the user has"),
    ("(request)", "made of what is told, so that a request is known again"),
    ("(within)", "names that within which it is told"),
];

/// Tables that are not told, and why.
const NOT_TOLD: [(&str, &str); 12] = [
    ("api_keys", "of the host, not of people"),
    ("board_deltas", "what boards have still to take in of what is told"),
    ("board_histogram", "names nobody"),
    ("board_scores", "sums of the referrals and rewards that are told"),
    ("boards", "names nobody"),
    ("fold_gate", "names nobody"),
    ("fraud_rows", "a lock, which holds nothing"),
    ("program_versions", "names nobody"),
    ("programs", "names nobody"),
    ("retired_codes", "of people who are erased, whom it does not name"),
    ("settings", "names nobody, and holds keys of the house"),
    ("uncounted", "a mark on an imported referral, which is told"),
];

/// One entry of [`TOLD`].
struct Told {
    table: &'static str,
    place: &'static str,
    /// Each with its name in the export, or with a reason.
    columns: Vec<(&'static str, &'static str)>,
}

fn told() -> Vec<Told> {
    let mut all: Vec<Told> = Vec::new();
    for line in TOLD.lines() {
        let columns = match line.split_once(':') {
            Some((head, columns)) => {
                let (table, place) = head.split_once(" in ").unwrap();
                all.push(Told { table, place, columns: Vec::new() });
                columns
            }
            None => line,
        };
        let columns = columns.split_whitespace().map(|column| column.split_once('=').unwrap_or((column, column)));
        if let Some(told) = all.last_mut() {
            told.columns.extend(columns);
        }
    }
    all
}

/// Columns that are numbered are one.
fn without_number(column: &str) -> &str {
    column.trim_end_matches(|symbol: char| symbol.is_ascii_digit()).trim_end_matches('_')
}

#[test]
fn every_table_and_column_is_told_or_a_reason_says_why_not() {
    let (tables, told) = (tables(), told());
    let declared: BTreeSet<&str> = tables.keys().map(String::as_str).collect();
    let listed: BTreeSet<&str> =
        told.iter().map(|told| told.table).chain(NOT_TOLD.iter().map(|(table, _)| *table)).collect();
    assert_eq!(listed, declared, "say in tests/erasure/told.rs where the export tells each table, or why not");
    for Told { table, place, columns } in &told {
        assert!(NOT_TOLD.iter().all(|(name, _)| name != table), "{table} is told and not told");
        let declared: BTreeSet<&str> = tables[*table].keys().map(|column| without_number(column)).collect();
        let listed: BTreeSet<&str> = columns.iter().map(|(column, _)| *column).collect();
        assert_eq!(listed, declared, "say in tests/erasure/told.rs where `{place}` tells each column, or why not");
        for (column, name) in columns {
            let is_reason = REASONS.iter().any(|(reason, _)| reason == name);
            assert!(is_reason || !name.starts_with('('), "{table}.{column}: no such reason");
        }
    }
}

/// Ben, of whom something stands in every table that is told.
async fn ben(harness: &Harness) -> Id {
    let host = Host::of(harness);
    let rules = json!([{"key": "welcome", "on": {"event": "purchase"}, "to": "REFERRED", "pay": {"fixed": "5.00"},
        "cap": {"perUserCount": 9}}]);
    let capped = program(harness, "capped", rules).await;
    let ann = member(harness, "ann", &capped, None).await;
    let eve = newcomer(harness, "eve", None).await;
    let ben = SignUp {
        external_id: "ben".to_owned(),
        click_id: Some(follow(harness, &ann.code, 1).await),
        email: Some("ben@mailbox.example".to_owned()),
        device_id: Some("tablet".to_owned()),
        ..SignUp::default()
    };
    let ben = host.sign_up(ben).await.unwrap().user.id;
    let code = harness.server().run("{ user(by: {externalId: \"ben\"}) { code } }", json!({})).await;
    let code = code["user"]["code"].as_str().unwrap();
    let cid = SignUp { external_id: "cid".to_owned(), code: Some(code.to_owned()), ..SignUp::default() };
    host.sign_up(cid).await.unwrap();
    host.buy("ben", "order 1", "20.00").await.unwrap();
    host.refund("order 1", "refund 1", Some("5.00")).await.unwrap();
    harness.fold_all().await;
    let claim = host.claim(ben, "claim 1").await.unwrap().remove(0);
    host.settle(claim.id, ClaimStatus::Paid, Some("payout 1")).await.unwrap();
    host.move_user(ben, eve.id).await.unwrap();
    operate(harness, ben, code).await;
    // The last purchase waits to be folded.
    host.buy("ben", "order 2", "1.00").await.unwrap();
    ben
}

/// What operators do about Ben.
async fn operate(harness: &Harness, ben: Id, code: &str) {
    let referral = ben.typed(Noun::Referral);
    for (field, kind, input) in [
        ("reviewReferral", "ReviewReferralInput", json!({"referralId": referral, "decision": "DENY", "reason": "odd"})),
        (
            "addListing",
            "AddListingInput",
            json!({"effect": "BLOCK", "subject": "DEVICE", "value": "tablet", "reason": "odd"}),
        ),
        ("disableReferralCode", "DisableReferralCodeInput", json!({"code": code})),
    ] {
        let text =
            format!("mutation($input: {kind}!) {{ {field}(input: $input) {{ userErrors {{ code message }} }} }}");
        let data = harness.admin().run(&text, json!({"input": input})).await;
        assert_eq!(data[field]["userErrors"], json!([]), "{field}");
    }
}

/// What stands at a place of an export, row by row.
fn rows_at<'a>(export: &'a Value, place: &str) -> Vec<&'a Value> {
    let below = |rows: Vec<&'a Value>, name: &str| {
        let found = rows.into_iter().filter_map(|row| row.get(name).filter(|found| !found.is_null()));
        found.flat_map(|found| found.as_array().map_or_else(|| vec![found], |rows| rows.iter().collect())).collect()
    };
    place.split('.').fold(vec![export], below)
}

#[test]
fn the_export_tells_what_the_list_says() {
    each_backend(async |harness| {
        let ben = ben(&harness).await;
        let export = harness.server().run(EXPORT, json!({"id": ben.typed(Noun::User)})).await["exportUser"].take();
        for Told { place, columns, .. } in told() {
            let rows = rows_at(&export, place);
            assert!(!rows.is_empty(), "nothing stands in `{place}`: {export:#}");
            for (_, name) in columns.iter().filter(|(_, name)| !name.starts_with('(')) {
                assert!(rows.iter().all(|row| row.get(name).is_some()), "`{place}` tells no {name}: {export:#}");
            }
        }
        let deeds: Vec<&str> =
            rows_at(&export, "auditLog").iter().map(|deed| deed["action"].as_str().unwrap()).collect();
        assert_eq!(deeds, ["settleClaim", "moveUser", "reviewReferral", "addListing", "disableReferralCode"]);
        harness.finish().await;
    });
}
