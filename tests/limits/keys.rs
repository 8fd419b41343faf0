//! What a key is good for, for how long, and when it was used.

use std::time::Duration;

use banyan::{
    domain::{
        id::{self, Noun},
        scopes::Scopes,
        words::KeyScope,
    },
    engine::Engine,
    live::{Live, LiveSettings},
};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::door::Door;
use crate::support::{each_backend, newcomer};

const CREATE: &str = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { \
    secret apiKey { id role scopes expiresAt } userErrors { code field } } }";
const REVOKE: &str = "mutation($id: ID!) { revokeApiKey(input: { apiKeyId: $id }) { apiKey { revokedAt } } }";
const KEYS: &str = "{ apiKeys { id name scopes expiresAt revokedAt lastUsedAt } }";
/// How often something is looked at before it counts as never happening.
const LOOKS: usize = 2_000;

/// Id and secret of a new key.
async fn create(door: &Door, input: Value) -> (Value, String) {
    let mut made = door.admin().data(CREATE, json!({"input": input})).await["createApiKey"].take();
    assert_eq!(made["userErrors"], json!([]));
    (made["apiKey"]["id"].take(), made["secret"].as_str().unwrap().to_owned())
}

async fn listed(door: &Door, id: &Value) -> Value {
    let keys = door.admin().data(KEYS, Value::Null).await;
    keys["apiKeys"].as_array().unwrap().iter().find(|key| key["id"] == *id).unwrap().clone()
}

#[test]
fn a_key_does_what_its_scopes_say() {
    each_backend(async |harness| {
        let ann = newcomer(&harness, "ann", None).await;
        let id = ann.id.typed(Noun::User);
        let read = "query { users { nodes { id } } }".to_owned();
        let event = "mutation { recordEvent(input: { externalId: \"ann\", type: \"visit\", idempotencyKey: \"e\", \
            amount: { amount: \"9.00\", currencyCode: \"USD\" } }) { \
            event { type user { id externalId displayName } rewards { id } } userErrors { code } } }";
        let refund = "mutation { recordRefund(input: { eventKey: \"e\", idempotencyKey: \"r\" }) { \
            refund { id event { user { externalId } } } userErrors { code } } }";
        let sign_up = "mutation { signUp(input: { externalId: \"ben\" }) { user { id externalId code } } }";
        let update = format!("mutation {{ updateUser(input: {{ userId: \"{id}\" }}) {{ user {{ externalId }} }} }}");
        let code = format!("mutation {{ createReferralCode(input: {{ userId: \"{id}\" }}) {{ code {{ code }} }} }}");
        let claim = format!(
            "mutation {{ claimRewards(input: {{ userId: \"{id}\", idempotencyKey: \"c\" }}) {{ userErrors {{ code }} }} }}"
        );
        let documents = [
            (KeyScope::Read, read),
            (KeyScope::Read, format!("{{ node(id: \"{id}\") {{ id }} }}")),
            (KeyScope::Read, format!("{{ user(by: {{ id: \"{id}\" }}) {{ id }} }}")),
            (KeyScope::Read, "{ leaderboard { nodes { rank } } }".to_owned()),
            (KeyScope::EventsWrite, event.to_owned()),
            (KeyScope::EventsWrite, refund.to_owned()),
            (KeyScope::UsersWrite, sign_up.to_owned()),
            (KeyScope::UsersWrite, update),
            (KeyScope::UsersWrite, code),
            (KeyScope::ClaimsWrite, claim),
        ];
        for scope in KeyScope::ALL {
            let holder = harness.server_with([*scope].into_iter().collect());
            for (needed, document) in &documents {
                if needed == scope {
                    holder.run(document, json!({})).await;
                } else {
                    assert_eq!(holder.error_code(document, json!({})).await, "FORBIDDEN", "{document} with {scope:?}");
                }
            }
        }
        // Who may only write sees no more of a person than a stranger does.
        let writer = harness.server_with([KeyScope::EventsWrite].into_iter().collect());
        let written = writer.run(event, json!({})).await["recordEvent"]["event"].take();
        let stranger = json!({"id": id, "externalId": null, "displayName": null});
        assert_eq!(written, json!({"type": "visit", "user": stranger, "rewards": []}));
        let refunded = writer.run(refund, json!({})).await["recordRefund"]["refund"].take();
        assert_eq!(refunded["event"]["user"], json!({"externalId": null}));
        let registrar = harness.server_with([KeyScope::UsersWrite].into_iter().collect());
        let again = registrar.run(sign_up, json!({})).await["signUp"]["user"].take();
        assert_eq!((&again["externalId"], &again["code"]), (&Value::Null, &Value::Null));
        assert_eq!(harness.server_with(Scopes::ALL).run(sign_up, json!({})).await["signUp"]["user"]["id"], again["id"]);
        harness.finish().await;
    });
}

#[test]
fn scopes_are_chosen_when_a_key_is_made() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let all = json!(["READ", "EVENTS_WRITE", "USERS_WRITE", "CLAIMS_WRITE"]);
        for (scopes, expected) in
            [(Value::Null, all), (json!(["EVENTS_WRITE", "READ"]), json!(["READ", "EVENTS_WRITE"]))]
        {
            let input = json!({"name": "shop", "role": "SERVER", "scopes": scopes});
            let (id, _) = create(&door, input).await;
            assert_eq!(listed(&door, &id).await["scopes"], expected);
        }
        let (_, secret) = create(&door, json!({"name": "pos", "role": "SERVER", "scopes": ["EVENTS_WRITE"]})).await;
        assert_eq!(door.holder(&secret).ask("{ users { nodes { id } } }").await.code(), "FORBIDDEN");
        let (id, _) = create(&door, json!({"name": "boss", "role": "ADMIN"})).await;
        assert_eq!(listed(&door, &id).await["scopes"], Value::Null);
        for (role, field, value) in [
            ("SERVER", "scopes", json!([])),
            ("ADMIN", "scopes", json!(["READ"])),
            ("SERVER", "expiresAt", json!("2026-03-04T12:00:00Z")),
        ] {
            let mut input = json!({"name": "bad", "role": role});
            input[field] = value;
            let refused = door.admin().data(CREATE, json!({"input": input})).await["createApiKey"].take();
            assert_eq!(refused["userErrors"], json!([{"code": "INVALID_INPUT", "field": [field]}]), "{input}");
            assert_eq!(refused["secret"], Value::Null);
        }
        harness.finish().await;
    });
}

#[test]
fn keys_expire_and_two_of_them_may_be_valid_at_once() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let input = json!({"name": "shop", "role": "SERVER", "expiresAt": "2026-03-04T13:00:00Z"});
        let (old_id, old) = create(&door, input.clone()).await;
        let mut later = input;
        later["expiresAt"] = json!("2026-03-05T12:00:00Z");
        let (_, new) = create(&door, later).await;
        assert_ne!(old, new);
        let statuses = async || {
            let status = async |secret: &str| door.holder(secret).ask("{ users { nodes { id } } }").await.status;
            (status(&old).await, status(&new).await)
        };
        assert_eq!(statuses().await, (200, 200));
        door.admin().data(REVOKE, json!({"id": old_id})).await;
        assert_eq!(statuses().await, (401, 200), "with the next request");
        assert!(listed(&door, &old_id).await["revokedAt"].is_string());
        harness.clock().pass_days(1);
        assert_eq!(statuses().await, (401, 401));
        harness.finish().await;
    });
}

#[test]
fn the_use_of_a_key_is_noted_once_a_minute() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let (id, secret) = create(&door, json!({"name": "shop", "role": "SERVER"})).await;
        assert_eq!(listed(&door, &id).await["lastUsedAt"], Value::Null);
        door.holder(&secret).ask("{ users { nodes { id } } }").await;
        is_noted(&door, &id, "2026-03-04T12:00:00Z").await;
        harness.clock().pass_seconds(59);
        door.holder(&secret).ask("{ users { nodes { id } } }").await;
        harness.clock().pass_seconds(1);
        door.holder(&secret).ask("{ users { nodes { id } } }").await;
        is_noted(&door, &id, "2026-03-04T12:01:00Z").await;
        // Another server knows nothing of that, and notes nothing all the same.
        let (store, context) = (harness.store().clone(), harness.engine().context.clone());
        let other = Engine::new(store, Live::in_process(LiveSettings::new("other", 2)), context);
        harness.clock().pass_seconds(30);
        other.note_use(id::parse_as(Noun::ApiKey, id.as_str().unwrap()).unwrap());
        sleep(Duration::from_millis(200)).await;
        is_noted(&door, &id, "2026-03-04T12:01:00Z").await;
        harness.finish().await;
    });
}

async fn is_noted(door: &Door, id: &Value, at: &str) {
    let mut seen = Value::Null;
    for _ in 0..LOOKS {
        seen = listed(door, id).await["lastUsedAt"].take();
        if seen == at {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the last use was {seen}, not {at}");
}
