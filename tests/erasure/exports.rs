//! All that is stored about one person, on request.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Harness, Host, Person, each_backend, newcomer};

pub const EXPORT: &str = "query($id: ID) { exportUser(userId: $id) }";

/// What the host keeps with an event: any JSON comes back as it was.
fn metadata() -> Value {
    json!({"from": "an \"app\"", "tries": [1, 2.5, null, true], "nested": {"deep": "x"}})
}

fn typed(person: &Person) -> String {
    person.id.typed(banyan::domain::id::Noun::User)
}

/// Levels about which the decisions of an export tell.
fn decided_levels(export: &Value) -> BTreeSet<&str> {
    let decisions = export["events"].as_array().unwrap().iter().filter_map(|event| event["decisions"].as_object());
    let levels = decisions.flat_map(|rules| rules.values()).filter_map(Value::as_object);
    levels.flat_map(|levels| levels.keys().map(String::as_str)).collect()
}

async fn family(harness: &Harness) -> (Person, Person) {
    let ann = newcomer(harness, "ann", None).await;
    let ben = newcomer(harness, "ben", Some(&ann)).await;
    let host = Host::of(harness);
    host.buy("ben", "order-1", "20.00").await.unwrap();
    host.refund("order-1", "refund-1", Some("5.00")).await.unwrap();
    let login = "mutation($input: RecordEventInput!) { recordEvent(input: $input) { userErrors { message } } }";
    let input = json!({"externalId": "ben", "type": "login", "idempotencyKey": "login-1", "metadata": metadata()});
    let data = harness.server().run(login, json!({"input": input})).await;
    assert_eq!(data["recordEvent"]["userErrors"], json!([]));
    harness.fold_all().await;
    host.claim(ben.id, "claim-1").await.unwrap();
    (ann, ben)
}

#[test]
fn an_export_tells_everything() {
    each_backend(async |harness| {
        let (ann, ben) = family(&harness).await;
        let eve = newcomer(&harness, "eve", None).await;
        Host::of(&harness).move_user(ben.id, eve.id).await.unwrap();
        let trust = "mutation($input: AddListingInput!) { addListing(input: $input) { userErrors { message } } }";
        let input = json!({"effect": "ALLOW", "subject": "REFERRER", "value": "ben", "reason": "an old friend"});
        assert_eq!(harness.admin().run(trust, json!({"input": input})).await["addListing"]["userErrors"], json!([]));
        let export = harness.server().run(EXPORT, json!({"id": typed(&ben)})).await["exportUser"].take();
        assert_eq!((&export["user"]["id"], &export["user"]["externalId"]), (&json!(typed(&ben)), &json!("ben")));
        assert_eq!(export["codes"][0]["code"], json!(ben.code));
        assert_eq!(
            (&export["referral"]["via"], &export["referral"]["referrerId"]),
            (&json!("MOVE"), &json!(typed(&eve)))
        );
        let moved = &export["moves"][0];
        assert_eq!(
            (&moved["from"], &moved["fromCode"], &moved["reason"]),
            (&json!(typed(&ann)), &json!(ann.code), &json!("a story"))
        );
        let types: Vec<_> = export["events"].as_array().unwrap().iter().map(|event| event["type"].clone()).collect();
        assert_eq!(types, ["signup", "purchase", "login"]);
        assert_eq!(export["events"][2]["metadata"], metadata());
        assert_eq!((&export["refunds"][0]["key"], &export["refunds"][0]["applied"]), (&json!("refund-1"), &json!(500)));
        assert_eq!(
            (&export["rewards"][0]["amount"], &export["rewards"][0]["status"]),
            (&json!(500), &json!("CLAIMED"))
        );
        assert_eq!(export["claims"][0]["key"], "claim-1");
        assert_eq!(export["balances"][0]["claimed"], 500);
        assert_eq!(export["ledger"].as_array().unwrap().len(), 2);
        let signs = export["risk"]["signs"].as_array().unwrap().iter().map(|sign| sign["signal"].clone());
        assert_eq!(signs.collect::<Vec<_>>(), ["TOO_FAST"], "bought right after signing up, which is only reported");
        assert_eq!(export["risk"]["reviews"], json!([]));
        assert_eq!(decided_levels(&export), ["0", "1"].into());
        assert!(export["rewards"][0]["history"][0]["actor"].is_string());
        assert_eq!(export["claimRequests"][0]["key"], "claim-1");
        let deed = &export["auditLog"][0];
        assert_eq!((&deed["action"], &deed["reason"]), (&json!("moveUser"), &json!("a story")));
        let listed = (&export["listings"][0]["subject"], &export["listings"][0]["reason"]);
        assert_eq!(listed, (&json!("REFERRER"), &json!("an old friend")));
        assert_eq!(export["cut"], json!([]));
        harness.finish().await;
    });
}

#[test]
fn members_export_themselves_and_nobody_else() {
    each_backend(async |harness| {
        let (ann, ben) = family(&harness).await;
        let eve = newcomer(&harness, "eve", None).await;
        Host::of(&harness).move_user(ben.id, eve.id).await.unwrap();
        let member = harness.member("ben");
        for variables in [json!({}), json!({"id": typed(&ben)})] {
            let export = member.run(EXPORT, variables).await["exportUser"].take();
            assert_eq!(export["user"]["externalId"], "ben");
            assert_eq!((&export["moves"][0]["reason"], &export["referral"]["risk"]), (&Value::Null, &Value::Null));
            assert_eq!(export["risk"], Value::Null, "which signs there are is not told");
            assert_eq!((&export["listings"], &export["auditLog"]), (&Value::Null, &Value::Null));
            assert_eq!(export["waiting"], Value::Null);
            assert_eq!(decided_levels(&export), ["0"].into(), "how those above stand is theirs");
            assert_eq!(export["rewards"][0]["history"][0]["actor"], Value::Null);
        }
        // Of whom somebody brought in, it tells an id.
        let export = harness.member("eve").run(EXPORT, json!({})).await["exportUser"].take();
        let brought = (&export["referrals"][0]["referredId"], export["referrals"].as_array().map(Vec::len));
        assert_eq!(brought, (&json!(typed(&ben)), Some(1)));
        for word in ["\"ben\"", &ben.code, "order-1", "login-1"] {
            assert!(!export.to_string().contains(word), "{word} is Ben's: {export:#}");
        }
        // Neither above nor below nor beside.
        for other in [&ann, &eve] {
            assert_eq!(member.run(EXPORT, json!({"id": typed(other)})).await["exportUser"], Value::Null);
        }
        assert_eq!(harness.member("eve").run(EXPORT, json!({"id": typed(&ben)})).await["exportUser"], Value::Null);
        assert_eq!(harness.member("nobody").run(EXPORT, json!({})).await["exportUser"], Value::Null);
        assert_eq!(harness.admin().run(EXPORT, json!({})).await["exportUser"], Value::Null, "keys are nobody");
        assert_eq!(harness.anonymous().error_code(EXPORT, json!({"id": typed(&ben)})).await, "UNAUTHENTICATED");
        assert_eq!(harness.admin().error_code(EXPORT, json!({"id": "ben"})).await, "BAD_USER_INPUT");
        harness.finish().await;
    });
}
