//! Who sees and does what, asked through the schema.

mod support;

use serde_json::{Value, json};
use support::{Harness, each_backend};

const SIGN_UP: &str = "mutation ($id: String!, $code: String) {
    signUp(input: { externalId: $id, displayName: $id, code: $code }) {
        created user { id code } attribution { outcome via referral { status } } userErrors { code }
    } }";

async fn sign_up(harness: &Harness, name: &str, code: Option<&str>) -> Value {
    let mut data = harness.server().run(SIGN_UP, json!({ "id": name, "code": code })).await;
    assert_eq!(data["signUp"]["userErrors"], json!([]), "{data:#}");
    data["signUp"].take()
}

/// Ann brings Ben in, Ben brings Cleo in; Dan comes by himself. Their ids.
async fn family(harness: &Harness) -> [Value; 4] {
    let ann = sign_up(harness, "Ann Lee", None).await;
    let ben = sign_up(harness, "Ben Orr", ann["user"]["code"].as_str()).await;
    assert_eq!(
        ben["attribution"],
        json!({ "outcome": "ATTRIBUTED", "via": "CODE", "referral": { "status": "PENDING" } })
    );
    let cleo = sign_up(harness, "Cleo Fox", ben["user"]["code"].as_str()).await;
    let dan = sign_up(harness, "Dan Poe", Some("NO-SUCH-CODE")).await;
    assert_eq!(dan["attribution"]["outcome"], "CODE_UNKNOWN");
    harness.fold_all().await;
    [ann, ben, cleo, dan].map(|mut signed_up| signed_up["user"]["id"].take())
}

#[test]
fn a_member_sees_themselves_whole_their_network_without_money_and_others_masked() {
    each_backend(async |harness| {
        let [ann, ben, cleo, dan] = family(&harness).await;
        let query = "query ($id: ID!) { viewer { id } user(by: { id: $id }) {
            displayName externalId code link referralCount balances { currencyCode } events { nodes { key } }
            referrer { displayName externalId referralCount code } upline { displayName }
            referral { risk { score } referrer { displayName } }
            referredUsers { totalCount nodes { displayName externalId referralCount code rewards { nodes { id } } } } } }";
        let member = harness.member("Ben Orr");
        let seen = member.run(query, json!({ "id": ben })).await;
        let me = &seen["user"];
        assert_eq!(seen["viewer"]["id"], ben);
        assert_eq!((&me["displayName"], &me["externalId"]), (&json!("Ben Orr"), &json!("Ben Orr")));
        assert_eq!(me["link"], json!(format!("https://refer.example/r/{}", me["code"].as_str().unwrap())));
        assert_eq!(
            me["referrer"],
            json!({ "displayName": "A*** L***", "externalId": null, "referralCount": null, "code": null })
        );
        assert_eq!(me["upline"], json!([{ "displayName": "A*** L***" }]));
        assert_eq!(me["referral"], json!({ "risk": null, "referrer": { "displayName": "A*** L***" } }));
        let below =
            json!({ "displayName": "Cleo Fox", "externalId": null, "referralCount": 0, "code": null, "rewards": null });
        assert_eq!(me["referredUsers"], json!({ "totalCount": 1, "nodes": [below] }));
        assert_eq!(me["events"]["nodes"].as_array().unwrap().len(), 1, "the signup");

        let network = member.run(query, json!({ "id": cleo })).await;
        assert_eq!(network["user"]["displayName"], "Cleo Fox");
        assert_eq!((&network["user"]["events"], &network["user"]["code"]), (&Value::Null, &Value::Null));
        assert_eq!(network["user"]["upline"], json!([{ "displayName": "Ben Orr" }, { "displayName": "A*** L***" }]));
        for stranger in [&ann, &dan] {
            assert_eq!(
                member.run(query, json!({ "id": stranger })).await["user"],
                Value::Null,
                "not yours is not there"
            );
        }
        let server = harness.server().run(query, json!({ "id": ben })).await;
        assert_eq!(server["viewer"], Value::Null);
        assert_eq!(server["user"]["referrer"]["externalId"], "Ann Lee");
        assert_eq!(server["user"]["referral"]["risk"], json!({ "score": 0 }));
        harness.finish().await;
    });
}

#[test]
fn a_tree_ends_where_the_network_does() {
    each_backend(async |harness| {
        let [ann, ben, ..] = family(&harness).await;
        let query = "query ($id: ID!, $depth: Int) { referralTree(userId: $id, depth: $depth) {
            truncated root { id } nodes { level parentId user { displayName } } } }";
        let tree = harness.member("Ann Lee").run(query, json!({ "id": ann, "depth": 1 })).await;
        let node = |level, parent: &Value, name| json!({ "level": level, "parentId": parent, "user": { "displayName": name } });
        let nodes = json!([node(0, &Value::Null, "Ann Lee"), node(1, &ann, "Ben Orr")]);
        assert_eq!(tree["referralTree"], json!({ "truncated": true, "root": { "id": ann }, "nodes": nodes }));
        let whole = harness.member("Ann Lee").run(query, json!({ "id": ann, "depth": null })).await;
        assert_eq!(whole["referralTree"]["truncated"], json!(false));
        assert_eq!(whole["referralTree"]["nodes"][2], node(2, &ben, "Cleo Fox"));
        assert_eq!(harness.member("Ben Orr").run(query, json!({ "id": ann })).await["referralTree"], Value::Null);
        assert_eq!(harness.admin().error_code(query, json!({ "id": ann, "depth": 11 })).await, "BAD_USER_INPUT");
        harness.finish().await;
    });
}

#[test]
fn every_door_is_for_somebody() {
    each_backend(async |harness| {
        let [ann, ..] = family(&harness).await;
        let id = ann.as_str().unwrap();
        let node = format!("node(id: \"{id}\") {{ id }}");
        let claim = "claimRewards(input: { idempotencyKey: \"k\" }) { userErrors { code } }";
        let settle = "settleClaim(input: { claimId: \"claim_x\", outcome: PAID }) { userErrors { code } }";
        let event =
            "recordEvent(input: { externalId: \"x\", type: \"t\", idempotencyKey: \"k\" }) { userErrors { code } }";
        let key = "createApiKey(input: { name: \"n\", role: SERVER }) { secret }";
        // Which of anonymous, member, server and admin get through, from the first that does.
        for (from, kind, field) in [
            (0, "query", "referralCode(code: \"X\") { usable }"),
            (1, "query", "viewer { id }"),
            (1, "query", node.as_str()),
            (1, "query", "leaderboard { nodes { rank } }"),
            (1, "mutation", claim),
            (2, "query", "users { nodes { id } }"),
            (2, "query", "rewards { nodes { id } }"),
            (2, "query", "claims { nodes { id } }"),
            (2, "query", "programs { nodes { key } }"),
            (2, "query", "program(by: { key: \"default\" }) { rules { pay { fixed } } }"),
            (2, "mutation", event),
            (3, "query", "ledgerCheck { ok differences }"),
            (3, "query", "apiKeys { name }"),
            (3, "mutation", settle),
            (3, "mutation", key),
        ] {
            let callers = [harness.anonymous(), harness.member("Ann Lee"), harness.server(), harness.admin()];
            let document = format!("{kind} {{ {field} }}");
            for (place, caller) in callers.iter().enumerate() {
                if place >= from {
                    caller.run(&document, json!({})).await;
                } else {
                    let code = if place == 0 { "UNAUTHENTICATED" } else { "FORBIDDEN" };
                    assert_eq!(caller.error_code(&document, json!({})).await, code, "{document} for {place}");
                }
            }
        }
        harness.finish().await;
    });
}

#[test]
fn one_failure_leaves_its_siblings_alone() {
    each_backend(async |harness| {
        family(&harness).await;
        let response =
            harness.member("Ann Lee").response("{ users { nodes { id } } viewer { displayName } }", json!({})).await;
        assert_eq!(response["data"], json!({ "users": null, "viewer": { "displayName": "Ann Lee" } }));
        assert_eq!(response["errors"][0]["path"], json!(["users"]));
        let response =
            harness.admin().response("{ nodes(ids: [\"nonsense\"]) { id } apiKeys { id } }", json!({})).await;
        assert_eq!(response["data"]["nodes"], json!([null]));
        harness.finish().await;
    });
}

#[test]
fn members_sign_up_themselves_and_nobody_else() {
    each_backend(async |harness| {
        let member = harness.member("Eve Ash");
        assert_eq!(member.run("{ viewer { id } }", json!({})).await["viewer"], Value::Null, "not signed up yet");
        assert_eq!(member.error_code(SIGN_UP, json!({ "id": "Somebody Else" })).await, "FORBIDDEN");
        assert_eq!(harness.anonymous().error_code(SIGN_UP, json!({ "id": "x" })).await, "UNAUTHENTICATED");
        let signed_up = member.run(SIGN_UP, json!({ "id": "Eve Ash" })).await;
        assert_eq!(signed_up["signUp"]["created"], json!(true));
        let viewer = member.run("{ viewer { id code } }", json!({})).await;
        assert_eq!(viewer["viewer"], signed_up["signUp"]["user"]);
        let again = member.run(SIGN_UP, json!({ "id": "Eve Ash" })).await;
        assert_eq!(again["signUp"]["created"], json!(false));
        let claim = "mutation { claimRewards(input: { idempotencyKey: \"k\" }) { claims { id } userErrors { code } } }";
        let claimed = member.run(claim, json!({})).await;
        assert_eq!(claimed["claimRewards"], json!({ "claims": [], "userErrors": [{ "code": "NOTHING_TO_CLAIM" }] }));
        harness.finish().await;
    });
}

#[test]
fn pages_lead_through_a_list_from_both_ends() {
    each_backend(async |harness| {
        let root = sign_up(&harness, "root", None).await;
        for number in 0..5 {
            sign_up(&harness, &format!("p{number}"), root["user"]["code"].as_str()).await;
        }
        harness.fold_all().await;
        let admin = harness.admin();
        let list = async |paging: &str| {
            let query = format!(
                "{{ user(by: {{ externalId: \"root\" }}) {{ referredUsers{paging} {{ edges {{ cursor node {{ id }} }} \
                 nodes {{ id }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }} }}"
            );
            admin.run(&query, json!({})).await["user"]["referredUsers"].take()
        };
        let all = list("").await;
        let ids: Vec<_> = all["nodes"].as_array().unwrap().clone();
        assert_eq!(ids.len(), 5);
        assert_eq!(all["pageInfo"]["hasNextPage"], json!(false));
        let (first, second) = (list("(first: 2)").await, &all["edges"][1]["cursor"]);
        assert_eq!((&first["nodes"], &first["pageInfo"]["endCursor"]), (&json!(ids[..2]), second));
        assert_eq!(
            (&first["pageInfo"]["hasNextPage"], &first["pageInfo"]["hasPreviousPage"]),
            (&json!(true), &json!(false))
        );
        let next = list(&format!("(first: 2, after: {second})")).await;
        assert_eq!((&next["nodes"], &next["pageInfo"]["hasPreviousPage"]), (&json!(ids[2..4]), &json!(true)));
        let last = list(&format!("(last: 2, before: {})", all["edges"][4]["cursor"])).await;
        assert_eq!((&last["nodes"], &last["pageInfo"]["hasPreviousPage"]), (&json!(ids[2..4]), &json!(true)));
        for bad in ["(first: 0)", "(first: 101)", "(last: -1)", "(first: 1, last: 1)", "(after: \"x\")"] {
            let query = format!("{{ users{bad} {{ nodes {{ id }} }} }}");
            assert_eq!(admin.error_code(&query, json!({})).await, "BAD_USER_INPUT", "{bad}");
        }
        let foreign = format!("{{ users(after: {second}) {{ nodes {{ id }} }} }}");
        assert_eq!(admin.error_code(&foreign, json!({})).await, "BAD_USER_INPUT", "a cursor of another list");
        harness.finish().await;
    });
}

#[test]
fn people_are_found_by_how_their_names_begin() {
    each_backend(async |harness| {
        family(&harness).await;
        let query = "query ($search: String) { users(search: $search) { nodes { displayName } } }";
        for (search, expected) in [
            ("Ann", &["Ann Lee"][..]),
            ("ann l", &["Ann Lee"]),
            ("BEN", &["Ben Orr"]),
            ("Lee", &[]),
            ("%", &[]),
            ("a_n", &[]),
            ("\\", &[]),
            ("", &["Ann Lee", "Ben Orr", "Cleo Fox", "Dan Poe"]),
        ] {
            let found = harness.server().run(query, json!({ "search": search })).await["users"]["nodes"].take();
            let names: Vec<Value> = expected.iter().map(|name| json!({ "displayName": name })).collect();
            assert_eq!(found, json!(names), "{search}");
        }
        harness.finish().await;
    });
}
