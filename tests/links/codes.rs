//! Codes: chosen, switched off, over, and guessed.

use serde_json::{Value, json};

use crate::{
    site::{Browser, LANDING, Site, person, sign_up},
    support::each_backend,
};

const CREATE: &str = "mutation ($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { \
    code { code kind status expiresAt link } userErrors { code field } } }";
const DISABLE: &str = "mutation ($code: String!) { disableReferralCode(input: {code: $code}) { \
    code { code status } userErrors { code field } } }";
const LOOK_UP: &str = "query ($code: String!) { referralCode(code: $code) { code usable outcome ownerName } }";

async fn create(site: &Site, user: &str, input: Value) -> Value {
    let mut input = input;
    input["userId"] = json!(user);
    site.host(CREATE, json!({"input": input})).await["createReferralCode"].clone()
}

#[test]
fn a_code_is_chosen_once_and_for_ever() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (ann, _) = person(&site, "ann", Value::Null).await;
        let (bob, _) = person(&site, "bob", Value::Null).await;
        let made = create(&site, &ann, json!({"code": "Ann-Lee-10"})).await;
        let expected = json!({"code": "Ann-Lee-10", "kind": "VANITY", "status": "ACTIVE", "expiresAt": null,
            "link": "https://refer.example/r/Ann-Lee-10"});
        assert_eq!(made, json!({"code": expected, "userErrors": []}));
        assert_eq!(create(&site, &ann, json!({"code": "Ann-Lee-10"})).await, made, "asked for again");
        for (number, typed) in (1..).zip(["annlee10", "ANN-LEE-1O", "ann-1ee-io", " ANNLEE10 "]) {
            let attribution = sign_up(&site, &format!("friend-{number}"), json!({"code": typed})).await;
            assert_eq!(
                (&attribution["outcome"], &attribution["code"]),
                (&json!("ATTRIBUTED"), &json!("Ann-Lee-10")),
                "{typed}"
            );
            let refused = create(&site, &bob, json!({"code": typed.trim()})).await;
            assert_eq!(
                refused,
                json!({"code": null, "userErrors": [{"code": "CODE_TAKEN", "field": ["code"]}]}),
                "{typed}"
            );
        }
        let off = site.host(DISABLE, json!({"code": "annlee10"})).await["disableReferralCode"].clone();
        assert_eq!(off, json!({"code": {"code": "Ann-Lee-10", "status": "DISABLED"}, "userErrors": []}));
        assert_eq!(site.host(DISABLE, json!({"code": "annlee10"})).await["disableReferralCode"], off, "again");
        let audited = "SELECT count(*) AS number FROM audit_log WHERE action = 'disableReferralCode'";
        assert_eq!(harness.sql().await.number(audited).await, 1);
        assert_eq!(sign_up(&site, "late", json!({"code": "annlee10"})).await["outcome"], "CODE_DISABLED");
        for user in [&ann, &bob] {
            let refused = create(&site, user, json!({"code": "ANNLEE10"})).await;
            assert_eq!(refused["userErrors"][0]["code"], "CODE_TAKEN", "never given out again");
        }
        harness.finish().await;
    });
}

#[test]
fn what_cannot_be_chosen_is_refused() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (ann, _) = person(&site, "ann", Value::Null).await;
        for (code, refusal) in [
            ("AB", "INVALID_INPUT"),
            ("ANN LEE", "INVALID_INPUT"),
            ("ANN_LEE", "INVALID_INPUT"),
            ("", "INVALID_INPUT"),
            ("ADM1N", "CODE_NOT_ALLOWED"),
            ("support", "CODE_NOT_ALLOWED"),
            ("F-U-C-K", "CODE_NOT_ALLOWED"),
        ] {
            let refused = create(&site, &ann, json!({"code": code})).await;
            assert_eq!(refused, json!({"code": null, "userErrors": [{"code": refusal, "field": ["code"]}]}), "{code}");
        }
        let unknown = site.host(DISABLE, json!({"code": "NOBODYS"})).await["disableReferralCode"].clone();
        assert_eq!(unknown, json!({"code": null, "userErrors": [{"code": "CODE_NOT_FOUND", "field": ["code"]}]}));
        let member = harness.member("ann");
        assert_eq!(member.error_code(DISABLE, json!({"code": "X"})).await, "FORBIDDEN");
        assert_eq!(harness.anonymous().error_code(DISABLE, json!({"code": "X"})).await, "UNAUTHENTICATED");
        harness.finish().await;
    });
}

#[test]
fn a_code_ends_when_it_was_told_to_and_a_click_before_still_counts() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (ann, own) = person(&site, "ann", Value::Null).await;
        create(&site, &ann, json!({"code": "SPRING", "expiresAt": "2026-03-05T12:00:00Z"})).await;
        let click = Browser::new(1).follow(&site, "SPRING").await.click();
        harness.clock().pass_days(2);
        assert_eq!(sign_up(&site, "late", json!({"code": "SPRING"})).await["outcome"], "CODE_EXPIRED");
        assert_eq!(sign_up(&site, "clicked", json!({"clickId": click})).await["outcome"], "ATTRIBUTED");
        assert_eq!(Browser::new(2).follow(&site, "SPRING").await.location, LANDING);
        let query = "query ($id: ID!) { user(by: {id: $id}) { code codes { code } } }";
        site.host(DISABLE, json!({"code": own})).await;
        let user = site.host(query, json!({"id": ann})).await["user"].clone();
        assert_eq!((&user["code"], user["codes"].as_array().unwrap().len()), (&Value::Null, 2), "none is in use");
        harness.finish().await;
    });
}

#[test]
fn fifty_codes_are_enough_also_when_all_are_asked_for_at_once() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (ann, _) = person(&site, "ann", Value::Null).await;
        for number in 0..45 {
            create(&site, &ann, json!({"code": format!("TREE-{number:03}")})).await;
        }
        let made = crate::support::at_once(12, |number| {
            let (site, ann) = (site.clone(), ann.clone());
            async move { create(&site, &ann, json!({"code": format!("BUSH-{number:03}")})).await }
        });
        let made = made.await;
        let refused =
            made.iter().filter(|made| made["userErrors"] == json!([{"code": "INVALID_INPUT", "field": ["userId"]}]));
        assert_eq!((refused.count(), made.iter().filter(|made| !made["code"].is_null()).count()), (8, 4));
        assert_eq!(harness.sql().await.number("SELECT count(*) AS number FROM codes").await, 50);
        harness.finish().await;
    });
}

#[test]
fn who_guesses_codes_is_told_nothing_any_more() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", json!({"displayName": "Ann Lee"})).await;
        let look_up = async |code: &str| site.graphql(LOOK_UP, json!({"code": code}), &[]).await;
        assert_eq!(look_up(&code).await["data"]["referralCode"]["ownerName"], "A*** L***");
        for number in 0..20 {
            let unknown = look_up(&format!("GUESS-{number}")).await;
            assert_eq!((&unknown["data"], unknown.get("errors")), (&json!({"referralCode": null}), None));
        }
        let refused = look_up("GUESS-20").await;
        let extensions = &refused["errors"][0]["extensions"];
        assert_eq!((&extensions["code"], &extensions["retryAfter"]), (&json!("RATE_LIMITED"), &json!(3)));
        assert_eq!(look_up(&code).await["errors"], refused["errors"], "also of a code that exists");
        let staff = site.host(LOOK_UP, json!({"code": "GUESS"})).await;
        assert_eq!(staff["referralCode"], Value::Null, "the host may look up what it wants");
        harness.clock().pass_seconds(600);
        assert_eq!(look_up(&code).await["data"]["referralCode"]["usable"], true, "forgiven");

        let mut guesser = Browser::new(7);
        for number in 0..20 {
            assert_eq!(guesser.follow(&site, &format!("GUESS-{number}")).await.location, LANDING);
        }
        let shut_out = guesser.follow(&site, &code).await;
        assert_eq!(
            (shut_out.status, shut_out.location.as_str(), shut_out.cookie),
            (302, LANDING, None),
            "as if unknown"
        );
        let honest = Browser::new(8).follow(&site, &code).await;
        assert_eq!(honest.parameter("ref"), Some(code), "a neighbour");
        harness.finish().await;
    });
}
