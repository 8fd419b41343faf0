//! What operators do is on record.

use serde_json::{Value, json};

use crate::support::{Harness, Host, each_backend, newcomer};

const LOG: &str = "query($subject: ID, $first: Int, $after: String) { \
    auditLog(subject: $subject, first: $first, after: $after) { \
    nodes { number actor action subject reason createdAt } pageInfo { hasNextPage endCursor } } }";

async fn log(harness: &Harness, variables: Value) -> Value {
    harness.admin().run(LOG, variables).await["auditLog"].take()
}

fn actions(page: &Value) -> Vec<String> {
    let nodes = page["nodes"].as_array().unwrap().iter();
    nodes.map(|node| format!("{} {}", node["actor"].as_str().unwrap(), node["action"].as_str().unwrap())).collect()
}

#[test]
fn every_deed_of_an_operator_is_noted() {
    each_backend(async |harness| {
        let (ann, host) = (newcomer(&harness, "ann", None).await, Host::of(&harness));
        let ben = newcomer(&harness, "ben", Some(&ann)).await;
        let eve = newcomer(&harness, "eve", None).await;
        host.buy("ben", "order", "20.00").await.unwrap();
        harness.fold_all().await;
        let claim = host.claim(ann.id, "claim").await.unwrap().remove(0);
        let claim = claim.id.typed(banyan::domain::id::Noun::Claim);
        let user = ben.id.typed(banyan::domain::id::Noun::User);
        let eve = eve.id.typed(banyan::domain::id::Noun::User);
        let admin = harness.admin();
        let mut key = Value::Null;
        for document in [
            "mutation { createProgram(input: {key: \"p\", name: \"P\", currencyCode: \"USD\", rules: []}) { program { id } } }".to_owned(),
            format!("mutation {{ moveUser(input: {{userId: \"{user}\", referrerId: \"{eve}\", reason: \"a mistake\"}}) {{ user {{ id }} }} }}"),
            format!("mutation {{ suspendUser(input: {{userId: \"{user}\", reason: \"odd\"}}) {{ user {{ id }} }} }}"),
            format!("mutation {{ reinstateUser(input: {{userId: \"{user}\", reason: \"fine\"}}) {{ user {{ id }} }} }}"),
            format!("mutation {{ settleClaim(input: {{claimId: \"{claim}\", outcome: PAID}}) {{ claim {{ id }} }} }}"),
            "mutation { createApiKey(input: {name: \"shop\", role: SERVER}) { apiKey { id } } }".to_owned(),
            "revoke".to_owned(),
            format!("mutation {{ eraseUser(input: {{userId: \"{eve}\", reason: \"asked\"}}) {{ user {{ id }} }} }}"),
        ] {
            let document = if document == "revoke" {
                let id = key["createApiKey"]["apiKey"]["id"].as_str().unwrap();
                format!("mutation {{ revokeApiKey(input: {{apiKeyId: \"{id}\"}}) {{ apiKey {{ id }} }} }}")
            } else {
                document
            };
            let data = admin.run(&document, json!({})).await;
            if data["createApiKey"] != Value::Null {
                key = data;
            }
        }
        let page = log(&harness, json!({"first": 100})).await;
        let done = [
            "eraseUser",
            "revokeApiKey",
            "createApiKey",
            "settleClaim",
            "reinstateUser",
            "suspendUser",
            "moveUser",
            "createProgram",
        ];
        assert_eq!(actions(&page)[..8], done.map(|action| format!("story {action}")));
        let of_ben = log(&harness, json!({"subject": user, "first": 2})).await;
        assert_eq!(actions(&of_ben), ["story reinstateUser", "story suspendUser"]);
        assert_eq!(of_ben["nodes"][1]["reason"], "odd");
        assert_eq!(of_ben["pageInfo"]["hasNextPage"], true);
        let after = of_ben["pageInfo"]["endCursor"].clone();
        assert_eq!(actions(&log(&harness, json!({"subject": user, "after": after})).await), ["story moveUser"]);
        let settled = log(&harness, json!({"subject": claim})).await;
        assert_eq!((&settled["nodes"][0]["reason"], settled["nodes"].as_array().unwrap().len()), (&json!("PAID"), 1));
        harness.finish().await;
    });
}

#[test]
fn the_log_is_for_operators() {
    each_backend(async |harness| {
        assert_eq!(harness.anonymous().error_code(LOG, json!({})).await, "UNAUTHENTICATED");
        for actor in [harness.member("ann"), harness.server()] {
            assert_eq!(actor.error_code(LOG, json!({})).await, "FORBIDDEN");
        }
        harness.finish().await;
    });
}
