//! Whatever is sent, there is a clear answer, and what was refused leaves no trace.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "in a test, what fails should fail loudly")]

#[path = "bad_input/clerk.rs"]
mod clerk;
mod support;

use clerk::{CLAIM, Clerk, EVENT, REFUND, SETTLE, SIGN_UP, UPDATE};
use serde_json::{Value, json};
use support::{Actor, Database, Harness, Server, each_backend, newcomer};

/// An id that nobody has.
const NOBODY: &str = "user_01h455vb4pex5vsknk084sn02q";

/// Ann, who brought in Ben, who bought something: `order-1`, of 100.00.
async fn ann_and_ben(harness: &Harness) -> (Clerk, String, String) {
    let clerk = Clerk::of(harness);
    let ann =
        clerk.signs_up(json!({"externalId": "ann", "email": "ann@example.com", "phone": "+1 202 555 0143"})).await;
    let code = clerk.code("ann").await;
    let ben = clerk.signs_up(json!({"externalId": "ben", "code": code})).await;
    clerk
        .records(json!({"externalId": "ben", "type": "purchase", "amount": usd("100.00"), "idempotencyKey": "order-1"}))
        .await;
    harness.fold_all().await;
    let id = |answer: Value| answer["user"]["id"].as_str().unwrap().to_owned();
    (clerk, id(ann), id(ben))
}

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currencyCode": "USD"})
}

/// An input with something else in it.
fn with(mut input: Value, field: &str, value: Value) -> Value {
    input[field] = value;
    input
}

#[test]
fn a_bad_signup_is_refused() {
    each_backend(async |harness| {
        let (clerk, ..) = ann_and_ben(&harness).await;
        let before = clerk.rows().await;
        let cid = json!({"externalId": "cid"});
        for (field, value) in [
            ("externalId", json!("")),
            ("externalId", json!("  ")),
            ("externalId", json!("a\u{0}b")),
            ("externalId", json!("x".repeat(256))),
            ("displayName", json!("x".repeat(101))),
            ("displayName", json!("two\nlines")),
            ("email", json!("not an address")),
            ("phone", json!("call me")),
            ("ipAddress", json!("999.1.1.1")),
            ("deviceId", json!("")),
        ] {
            clerk.is_refused(SIGN_UP, with(cid.clone(), field, value), "INVALID_INPUT", field).await;
        }
        assert_eq!(clerk.rows().await, before);
        harness.finish().await;
    });
}

/// A code that does not help never blocks the signup; only the referral is not made.
#[test]
fn a_code_that_cannot_be_used_refers_nobody() {
    each_backend(async |harness| {
        let (clerk, ..) = ann_and_ben(&harness).await;
        let code = clerk.code("ann").await;
        let before = clerk.rows().await;
        for (number, (code, own, outcome)) in [
            ("AAAAAAAAAAA", None, "CODE_UNKNOWN"),
            ("", None, "NONE"),
            ("what is this?", None, "CODE_UNKNOWN"),
            (&"A".repeat(5_000), None, "CODE_UNKNOWN"),
            (&code, Some(("email", "Ann@Example.com ")), "SELF_REFERRAL"),
            (&code, Some(("phone", "+1-202-555-0143")), "SELF_REFERRAL"),
        ]
        .into_iter()
        .enumerate()
        {
            let mut input = json!({"externalId": format!("new-{number}"), "code": code});
            if let Some((field, value)) = own {
                input[field] = json!(value);
            }
            let answer = clerk.signs_up(input).await;
            assert_eq!(answer["created"], true, "{code:.20}");
            assert_eq!(answer["attribution"], json!({"outcome": outcome, "via": null, "referral": null}));
        }
        let after = clerk.rows().await;
        assert_eq!((after["users"], after["referrals"]), (before["users"] + 6, before["referrals"]));
        harness.finish().await;
    });
}

#[test]
fn a_known_external_id_changes_nothing() {
    each_backend(async |harness| {
        let (clerk, ann, ben) = ann_and_ben(&harness).await;
        let before = clerk.rows().await;
        let code = clerk.code("ben").await;
        let again =
            json!({"externalId": "ann", "displayName": "Somebody else", "code": code, "email": "new@example.com"});
        let answer = clerk.signs_up(again).await;
        assert_eq!((&answer["created"], &answer["user"]["id"]), (&json!(false), &json!(ann)));
        assert_eq!((&answer["user"]["displayName"], &answer["attribution"]["outcome"]), (&json!(null), &json!("NONE")));
        let answer = clerk.signs_up(json!({"externalId": "ben"})).await;
        assert_eq!((&answer["created"], &answer["user"]["id"]), (&json!(false), &json!(ben)));
        let brought = json!({"outcome": "ATTRIBUTED", "via": "CODE", "referral": {"referrer": {"id": ann}}});
        assert_eq!(answer["attribution"], brought);
        assert_eq!(clerk.rows().await, before);
        harness.finish().await;
    });
}

#[test]
fn a_bad_event_is_refused() {
    each_backend(async |harness| {
        let (clerk, _, ben) = ann_and_ben(&harness).await;
        let before = clerk.rows().await;
        let good = json!({"externalId": "ben", "type": "purchase", "amount": usd("5.00"), "idempotencyKey": "order-2"});
        for (field, value, code, about) in [
            ("externalId", json!("nobody"), "USER_NOT_FOUND", "externalId"),
            ("externalId", json!(null), "INVALID_INPUT", "userId"),
            ("userId", json!(ben), "INVALID_INPUT", "userId"),
            ("type", json!("Purchase!"), "INVALID_INPUT", "type"),
            ("type", json!(""), "INVALID_INPUT", "type"),
            ("amount", usd("-1.00"), "INVALID_INPUT", "amount"),
            ("amount", usd("1.001"), "INVALID_INPUT", "amount"),
            ("amount", usd("99999999999999"), "INVALID_INPUT", "amount"),
            ("amount", json!({"amount": "1.5", "currencyCode": "JPY"}), "INVALID_INPUT", "amount"),
            ("amount", json!({"amount": "1.00", "currencyCode": "XYZ"}), "INVALID_INPUT", "amount"),
            ("amount", json!({"amount": "1.00", "currencyCode": "usd"}), "INVALID_INPUT", "amount"),
            ("amount", json!({"amount": "1.00", "currencyCode": ""}), "INVALID_INPUT", "amount"),
            ("amount", json!({"amount": "1.00", "currencyCode": "EUR"}), "CURRENCY_MISMATCH", "amount"),
            ("idempotencyKey", json!(""), "INVALID_INPUT", "idempotencyKey"),
            ("idempotencyKey", json!("x".repeat(256)), "INVALID_INPUT", "idempotencyKey"),
            ("idempotencyKey", json!("signup:mine"), "INVALID_INPUT", "idempotencyKey"),
            ("idempotencyKey", json!("order-1"), "IDEMPOTENCY_CONFLICT", "idempotencyKey"),
            ("occurredAt", json!("2999-01-01T00:00:00Z"), "INVALID_INPUT", "occurredAt"),
            ("metadata", json!({"note": "x".repeat(5_000)}), "INVALID_INPUT", "metadata"),
        ] {
            clerk.is_refused(EVENT, with(good.clone(), field, value), code, about).await;
        }
        let by_id = json!({"type": "purchase", "amount": null, "idempotencyKey": "order-2"});
        for id in [NOBODY, "nonsense", "event_01h455vb4pex5vsknk084sn02q"] {
            clerk.is_refused(EVENT, with(by_id.clone(), "userId", json!(id)), "USER_NOT_FOUND", "userId").await;
        }
        for (field, value) in [
            ("idempotencyKey", json!(null)),
            ("amount", usd("ten")),
            ("amount", json!({"amount": 0.1, "currencyCode": "USD"})),
            ("occurredAt", json!("yesterday")),
            ("type", json!(7)),
            ("unheardOf", json!(1)),
        ] {
            clerk.is_invalid(EVENT, with(good.clone(), field, value)).await;
        }
        assert_eq!(clerk.rows().await, before);
        harness.finish().await;
    });
}

#[test]
fn a_bad_refund_is_refused() {
    each_backend(async |harness| {
        let (clerk, ..) = ann_and_ben(&harness).await;
        let good = json!({"eventKey": "order-1", "amount": usd("40.00"), "idempotencyKey": "refund-1"});
        assert_eq!(clerk.does(REFUND, good.clone()).await["created"], true);
        clerk.records(json!({"externalId": "ben", "type": "visit", "idempotencyKey": "visit-1"})).await;
        harness.fold_all().await;
        let before = clerk.rows().await;
        assert_eq!(clerk.does(REFUND, good.clone()).await["created"], false);
        let another = with(good.clone(), "idempotencyKey", json!("refund-2"));
        for (field, value, code) in [
            ("amount", usd("60.01"), "REFUND_EXCEEDS_EVENT"),
            ("amount", usd("0.00"), "INVALID_INPUT"),
            ("amount", usd("-1.00"), "INVALID_INPUT"),
            ("amount", usd("1.001"), "INVALID_INPUT"),
            ("amount", json!({"amount": "1.00", "currencyCode": "XYZ"}), "INVALID_INPUT"),
            ("amount", json!({"amount": "1.00", "currencyCode": "EUR"}), "CURRENCY_MISMATCH"),
            ("idempotencyKey", json!(""), "INVALID_INPUT"),
            ("eventKey", json!(""), "INVALID_INPUT"),
            ("eventKey", json!("visit-1"), "INVALID_INPUT"),
        ] {
            clerk.is_refused(REFUND, with(another.clone(), field, value), code, field).await;
        }
        for (field, value) in [("amount", usd("41.00")), ("eventKey", json!("visit-1")), ("amount", json!(null))] {
            let reused = with(good.clone(), field, value);
            clerk.is_refused(REFUND, reused, "IDEMPOTENCY_CONFLICT", "idempotencyKey").await;
        }
        clerk.is_invalid(REFUND, json!({"eventKey": "order-1"})).await;
        assert_eq!(clerk.rows().await, before);
        harness.finish().await;
    });
}

#[test]
fn a_bad_claim_is_refused() {
    each_backend(async |harness| {
        let (clerk, ann, ben) = ann_and_ben(&harness).await;
        let good = json!({"userId": ann, "idempotencyKey": "claim-1"});
        let claims = clerk.does(CLAIM, good.clone()).await;
        let claim = claims["claims"][0]["id"].as_str().unwrap().to_owned();
        let before = clerk.rows().await;
        let bens = clerk.rewards("ben").await;
        for (field, value, code, about) in [
            ("userId", json!(NOBODY), "USER_NOT_FOUND", "userId"),
            ("userId", json!("nonsense"), "USER_NOT_FOUND", "userId"),
            ("userId", json!(claim), "USER_NOT_FOUND", "userId"),
            ("userId", json!(null), "INVALID_INPUT", "userId"),
            ("idempotencyKey", json!(""), "INVALID_INPUT", "idempotencyKey"),
            ("idempotencyKey", json!("claim-2"), "NOTHING_TO_CLAIM", "userId"),
            ("rewardIds", json!(["nonsense"]), "REWARD_NOT_AVAILABLE", "rewardIds"),
            ("rewardIds", json!([NOBODY]), "REWARD_NOT_AVAILABLE", "rewardIds"),
            ("rewardIds", json!(bens), "IDEMPOTENCY_CONFLICT", "idempotencyKey"),
        ] {
            clerk.is_refused(CLAIM, with(good.clone(), field, value), code, about).await;
        }
        let bens = json!({"userId": ann, "idempotencyKey": "claim-2", "rewardIds": bens});
        clerk.is_refused(CLAIM, bens, "REWARD_NOT_AVAILABLE", "rewardIds").await;
        for (id, outcome) in
            [("claim_01h455vb4pex5vsknk084sn02q", "PAID"), ("nonsense", "FAILED"), (ben.as_str(), "PAID")]
        {
            clerk.is_refused(SETTLE, json!({"claimId": id, "outcome": outcome}), "CLAIM_NOT_FOUND", "claimId").await;
        }
        let blank = json!({"claimId": claim, "outcome": "PAID", "reference": " "});
        clerk.is_refused(SETTLE, blank, "INVALID_INPUT", "reference").await;
        clerk.is_invalid(SETTLE, json!({"claimId": claim, "outcome": "REQUESTED"})).await;
        clerk.is_invalid(CLAIM, json!({"userId": ann})).await;
        for (id, code) in [(NOBODY, "USER_NOT_FOUND"), ("nonsense", "USER_NOT_FOUND")] {
            clerk.is_refused(UPDATE, json!({"userId": id, "displayName": "X"}), code, "userId").await;
        }
        clerk.is_refused(UPDATE, json!({"userId": ann, "email": "nowhere"}), "INVALID_INPUT", "email").await;
        assert_eq!(clerk.rows().await, before);
        harness.finish().await;
    });
}

#[test]
fn malformed_ids_are_told_and_unknown_ones_are_null() {
    each_backend(async |harness| {
        let (_, ann, _) = ann_and_ben(&harness).await;
        let admin = harness.admin();
        for id in ["", "nonsense", "user_", "user_01H455VB4PEX5VSKNK084SN02Q", "tree_01h455vb4pex5vsknk084sn02q"] {
            let code = admin.error_code("query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await;
            assert_eq!(code, "BAD_USER_INPUT", "{id}");
        }
        for field in ["user(by: {id: $id}) { id }", "referralTree(userId: $id) { truncated }"] {
            let document = format!("query($id: ID!) {{ {field} }}");
            for id in ["nonsense", "event_01h455vb4pex5vsknk084sn02q"] {
                assert_eq!(admin.error_code(&document, json!({"id": id})).await, "BAD_USER_INPUT", "{field} {id}");
            }
            let unknown = admin.run(&document, json!({"id": NOBODY})).await;
            assert!(unknown.as_object().unwrap().values().all(Value::is_null), "{unknown}");
        }
        let unknown = [json!({"externalId": "nobody"}), json!({"code": "AAAAAAAAAAA"}), json!({"code": "?"})];
        for by in unknown {
            let answer = admin.run("query($by: UserBy!) { user(by: $by) { id } }", json!({"by": by})).await;
            assert_eq!(answer, json!({"user": null}), "{by}");
        }
        let two =
            admin.response("query($by: UserBy!) { user(by: $by) { id } }", json!({"by": {"id": ann, "code": "X"}}));
        assert!(two.await["errors"][0].is_object());
        // One bad field does not take its sibling along.
        let document = "query($id: ID!) { node(id: \"nonsense\") { id } user(by: {id: $id}) { id } }";
        let answer = admin.response(document, json!({"id": ann})).await;
        assert_eq!(answer["data"], json!({"node": null, "user": {"id": ann}}));
        harness.finish().await;
    });
}

/// Everything that has pages, as fields of the query `{ paged(ARGUMENTS) { nodes { id } } }`.
const PAGED: [&str; 9] = [
    "users(ARGS) { nodes { id } }",
    "programs(ARGS) { nodes { id } }",
    "rewards(ARGS) { nodes { id } }",
    "claims(ARGS) { nodes { id } }",
    "leaderboard(ARGS) { nodes { rank } }",
    "user(by: {externalId: \"ann\"}) { referrals(ARGS) { nodes { id } } }",
    "user(by: {externalId: \"ann\"}) { referredUsers(ARGS) { nodes { id } } }",
    "user(by: {externalId: \"ann\"}) { rewards(ARGS) { nodes { id } } }",
    "user(by: {externalId: \"ann\"}) { events(ARGS) { nodes { id } } }",
];

async fn is_bad_page(admin: &Actor, field: &str, arguments: &str) {
    let document = format!("{{ {} }}", field.replace("ARGS", arguments));
    assert_eq!(admin.error_code(&document, Value::Null).await, "BAD_USER_INPUT", "{document}");
}

#[test]
fn pages_have_a_length_and_a_place() {
    each_backend(async |harness| {
        ann_and_ben(&harness).await;
        let admin = harness.admin();
        for field in PAGED {
            for arguments in ["first: 0", "first: 1000", "first: -1", "last: 0", "last: 101", "first: 1, last: 1"] {
                is_bad_page(&admin, field, arguments).await;
            }
            for cursor in ["nonsense", "", "%%%", &"A".repeat(5_000)] {
                is_bad_page(&admin, field, &format!("after: \"{cursor}\"")).await;
                is_bad_page(&admin, field, &format!("last: 1, before: \"{cursor}\"")).await;
            }
            admin.run(&format!("{{ {} }}", field.replace("ARGS", "first: 100")), Value::Null).await;
        }
        let others = admin.run("{ users(first: 1) { pageInfo { endCursor } } }", Value::Null).await;
        let cursor = others["users"]["pageInfo"]["endCursor"].as_str().unwrap();
        for field in &PAGED[1..] {
            is_bad_page(&admin, field, &format!("after: \"{cursor}\"")).await;
        }
        for arguments in ["depth: 0", "depth: 11", "depth: -1", "first: 0", "first: 101"] {
            let ann = newcomer(&harness, &format!("root with {arguments}"), None).await;
            let id = ann.id.typed(banyan::domain::id::Noun::User);
            is_bad_page(&admin, "referralTree(ARGS) { truncated }", &format!("userId: \"{id}\", {arguments}")).await;
        }
        harness.finish().await;
    });
}

/// Starts the product on a database that cannot be, and gives what it says.
fn refused_by_the_product(database_url: &str) -> String {
    let (status, log) = Server::start(&[("DATABASE_URL", database_url)]).ended();
    assert!(!status.success(), "{database_url}: {log}");
    assert!(!log.contains("panicked") && !log.contains("canary"), "{database_url}: {log}");
    log
}

#[test]
fn a_database_of_an_unknown_kind_is_refused() {
    for url in ["mysql://root:canary@127.0.0.1/x", "mongodb://127.0.0.1", "banyan.db", "", "sqlite://"] {
        let log = refused_by_the_product(url);
        assert!(log.contains("DATABASE_URL"), "{url}: {log}");
    }
}

#[test]
fn a_database_that_is_not_there_is_told() {
    let mut urls = vec![
        // Port 1 is nobody's.
        "postgres://postgres:canary@127.0.0.1:1/banyan?sslmode=disable".to_owned(),
        "sqlite:///proc/nowhere/banyan.db".to_owned(),
        "sqlite:///proc/version".to_owned(),
    ];
    if let Some(database) = Database::fresh(banyan::store::BackendKind::Postgres) {
        urls.push(database.url().replace("banyan_test", "banyan_nobody"));
    }
    for url in urls {
        let log = refused_by_the_product(&url);
        assert!(log.contains("banyan: "), "{url}: {log}");
    }
}
