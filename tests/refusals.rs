//! Refusals of programs, codes and standing: each is provoked, and nothing was done.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod support;

use banyan::{
    domain::id::Noun,
    engine::{Clock as _, Error, RefusalCode, referral_codes::CreateReferralCode},
    store::StoreError,
};
use serde_json::{Value, json};
use support::{Harness, Host, Person, Purse, at_once, each_backend, member, newcomer, program, upline};

const CREATE: &str = "mutation($input: CreateProgramInput!) { createProgram(input: $input) { \
    program { id } userErrors { code field } } }";
const UPDATE: &str = "mutation($input: UpdateProgramInput!) { updateProgram(input: $input) { \
    program { id } userErrors { code field } } }";
const STATUS: &str = "mutation($input: SetProgramStatusInput!) { setProgramStatus(input: $input) { \
    program { id } userErrors { code field } } }";
const SIMULATE: &str = "query($input: SimulateProgramInput!) { \
    simulateProgram(input: $input, from: \"2000-01-01T00:00:00Z\", to: \"2100-01-01T00:00:00Z\") { \
    simulation { events } userErrors { code field } } }";
const CODE: &str = "mutation($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { \
    code { code } userErrors { code field } } }";
const SUSPEND: &str = "mutation($input: SuspendUserInput!) { suspendUser(input: $input) { \
    user { status } userErrors { code field } } }";
const REINSTATE: &str = "mutation($input: ReinstateUserInput!) { reinstateUser(input: $input) { \
    user { status } userErrors { code field } } }";

/// Most codes of one user.
const CODES_MAX: usize = 50;
/// Tasks that come at once.
const CROWD: usize = 50;
/// Before a busy database is asked again.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
/// An id of the right noun that nobody has.
const NOBODY: &str = "user_00000000000000000000000001";
const NO_PROGRAM: &str = "program_00000000000000000000000001";

fn user_id(person: &Person) -> String {
    person.id.typed(Noun::User)
}

/// Sends one input as an operator, and gives the payload.
async fn ask(harness: &Harness, document: &str, input: Value) -> Value {
    let data = harness.admin().run(document, json!({"input": input})).await;
    data.as_object().unwrap().values().next().unwrap().clone()
}

/// Fails unless this is the only refusal, and nothing came of the request.
#[track_caller]
fn is_refused(payload: &Value, code: &str, field: &str) {
    assert_eq!(payload["userErrors"], json!([{"code": code, "field": [field]}]));
    for (name, value) in payload.as_object().unwrap() {
        assert!(name == "userErrors" || value.is_null(), "{name}: {value}");
    }
}

async fn number(harness: &Harness, what: &str) -> i64 {
    harness.sql().await.number(&format!("SELECT count(*) AS number FROM {what}")).await
}

#[test]
fn a_key_belongs_to_one_program() {
    each_backend(async |harness| {
        program(&harness, "partners", upline(&["10"])).await;
        let input = |key: &str| json!({"key": key, "name": "Again", "currencyCode": "EUR", "rules": []});
        is_refused(&ask(&harness, CREATE, input("partners")).await, "PROGRAM_KEY_TAKEN", "key");
        is_refused(&ask(&harness, CREATE, input("default")).await, "PROGRAM_KEY_TAKEN", "key");
        let versions = number(&harness, "program_versions").await;
        let admin = harness.admin();
        let results = at_once(CROWD, |_| {
            let (admin, input) = (admin.clone(), input("everybody-s"));
            async move { admin.response(CREATE, json!({"input": input})).await["data"]["createProgram"].take() }
        })
        .await;
        let (made, refused): (Vec<_>, Vec<_>) = results.iter().partition(|payload| !payload["program"].is_null());
        assert_eq!((made.len(), refused.len()), (1, CROWD - 1));
        refused.into_iter().for_each(|payload| is_refused(payload, "PROGRAM_KEY_TAKEN", "key"));
        assert_eq!(number(&harness, "program_versions").await, versions + 1);
        harness.finish().await;
    });
}

#[test]
fn a_program_that_is_not_there_is_said_to_be_missing() {
    each_backend(async |harness| {
        let ann = newcomer(&harness, "ann", None).await;
        let user = user_id(&ann);
        for id in [NO_PROGRAM, user.as_str(), "", "partners"] {
            for (document, input) in [
                (UPDATE, json!({"programId": id, "name": "x"})),
                (STATUS, json!({"programId": id, "status": "PAUSED"})),
                (SIMULATE, json!({"programId": id})),
                (CODE, json!({"userId": user, "programId": id})),
            ] {
                is_refused(&ask(&harness, document, input).await, "PROGRAM_NOT_FOUND", "programId");
            }
        }
        assert_eq!(number(&harness, "codes").await, 1);
        harness.finish().await;
    });
}

#[test]
fn a_code_is_not_made_for_the_past_or_for_nobody() {
    each_backend(async |harness| {
        let user = user_id(&newcomer(&harness, "ann", None).await);
        let now = harness.clock().now();
        for past in ["2000-01-01T00:00:00Z".to_owned(), now.to_string()] {
            let input = json!({"userId": user, "expiresAt": past});
            is_refused(&ask(&harness, CODE, input).await, "INVALID_INPUT", "expiresAt");
        }
        let input = json!({"userId": user, "expiresAt": now.plus_days(1).to_string()});
        assert_eq!(ask(&harness, CODE, input).await["userErrors"], json!([]));
        for nobody in [NOBODY, "ann", ""] {
            is_refused(&ask(&harness, CODE, json!({"userId": nobody})).await, "USER_NOT_FOUND", "userId");
        }
        assert_eq!(number(&harness, "codes").await, 2);
        harness.finish().await;
    });
}

/// One comes with the signup; of sixty requests at the same moment, forty-nine more are granted.
#[test]
fn a_user_has_fifty_codes_at_most() {
    each_backend(async |harness| {
        let ann = newcomer(&harness, "ann", None).await;
        let engine = harness.engine();
        let results = at_once(CODES_MAX + 10, |_| {
            let (engine, request) =
                (engine.clone(), CreateReferralCode { user: ann.id, program: None, code: None, expires_at: None });
            async move {
                loop {
                    match engine.create_referral_code(request.clone()).await {
                        // All of them wait for one row, and there are fewer connections than that.
                        Err(Error::Failed(StoreError::Unavailable(_))) => tokio::time::sleep(PAUSE).await,
                        done => return done.map_err(|error| error.to_string()),
                    }
                }
            }
        })
        .await;
        let refused: Vec<&String> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert_eq!(refused, vec!["a user has at most 50 codes"; 11]);
        is_refused(&ask(&harness, CODE, json!({"userId": user_id(&ann)})).await, "INVALID_INPUT", "userId");
        assert_eq!(number(&harness, "codes").await, 50);
        harness.finish().await;
    });
}

#[test]
fn standing_changes_for_a_reason_and_for_somebody() {
    each_backend(async |harness| {
        let user = user_id(&newcomer(&harness, "ann", None).await);
        for document in [SUSPEND, REINSTATE] {
            for nobody in [NOBODY, NO_PROGRAM, "ann", ""] {
                let input = json!({"userId": nobody, "reason": "because"});
                is_refused(&ask(&harness, document, input).await, "USER_NOT_FOUND", "userId");
            }
            for reason in ["", "  ", "a\u{7}b", &"x".repeat(501)] {
                let input = json!({"userId": user, "reason": reason});
                is_refused(&ask(&harness, document, input).await, "INVALID_INPUT", "reason");
            }
            for stranger in [harness.server(), harness.member("ann"), harness.anonymous()] {
                let input = json!({"input": {"userId": user, "reason": "because"}});
                let code = stranger.error_code(document, input).await;
                assert!(["FORBIDDEN", "UNAUTHENTICATED"].contains(&code.as_str()), "{code}");
            }
        }
        assert_eq!(number(&harness, "audit_log").await, 0);
        assert_eq!(number(&harness, "users WHERE status = 'ACTIVE'").await, 1);
        harness.finish().await;
    });
}

#[test]
fn who_is_suspended_earns_and_claims_nothing_and_keeps_what_is_theirs() {
    each_backend(async |harness| {
        let id = program(&harness, "p", upline(&["10"])).await;
        let ann = member(&harness, "ann", &id, None).await;
        member(&harness, "ben", &id, Some(&ann)).await;
        let host = Host::of(&harness);
        host.buy("ben", "before", "100.00").await.unwrap();
        harness.fold_all().await;
        let input = json!({"userId": user_id(&ann), "reason": "a chargeback"});
        for _ in 0..2 {
            let payload = ask(&harness, SUSPEND, input.clone()).await;
            assert_eq!(payload, json!({"user": {"status": "SUSPENDED"}, "userErrors": []}));
        }
        assert_eq!(host.claim(ann.id, "claim-1").await.unwrap_err(), RefusalCode::UserInactive);
        host.buy("ben", "meanwhile", "100.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "ann").await, Purse { available: 1_000, ..Purse::EMPTY });
        let unpaid = "events WHERE key = 'meanwhile' AND decisions LIKE '%BENEFICIARY_INACTIVE%'";
        assert_eq!(number(&harness, unpaid).await, 1);
        let signed_up = "mutation($code: String) { signUp(input: {externalId: \"cleo\", code: $code}) { \
            created attribution { outcome } } }";
        let data = harness.server().run(signed_up, json!({"code": ann.code})).await;
        assert_eq!(data["signUp"], json!({"created": true, "attribution": {"outcome": "CODE_DISABLED"}}));

        for _ in 0..2 {
            let payload = ask(&harness, REINSTATE, input.clone()).await;
            assert_eq!(payload, json!({"user": {"status": "ACTIVE"}, "userErrors": []}));
        }
        host.buy("ben", "after", "100.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(host.claim(ann.id, "claim-1").await.unwrap()[0].amount, 2_000, "a refused key is free");
        assert_eq!(number(&harness, "audit_log WHERE reason = 'a chargeback'").await, 2);
        harness.finish().await;
    });
}
