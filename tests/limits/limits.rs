//! Everybody has limits of their own, and is told how they stand.

use serde_json::{Value, json};

use crate::door::Door;
use crate::support::each_backend;

const LOOK_UP: &str = "{ referralCode(code: \"X\") { usable } }";
/// Costs 1,000 whoever asks; nobody asks by this name.
const EXPENSIVE: &str = "{ exportUser }";

#[test]
fn without_a_credential_an_address_has_60_requests_a_minute() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let (visitor, neighbour) = (door.anonymous("192.0.2.1"), door.anonymous("192.0.2.2"));
        let first = visitor.ask("{ __typename }").await;
        assert_eq!(first.header("ratelimit-policy"), r#""requests";q=60;w=60"#);
        assert_eq!(first.header("ratelimit"), r#""requests";r=59;t=1"#);
        assert_eq!(first.json["extensions"]["rateLimit"][0]["remaining"], 59);
        // What is refused was read, and counts as well.
        assert_eq!(visitor.ask("{ not graphql").await.header("ratelimit"), r#""requests";r=58;t=1"#);
        assert_eq!(visitor.ask("{ nothing }").await.header("ratelimit"), r#""requests";r=57;t=1"#);
        assert_eq!(visitor.served("{ __typename }", 100).await, 57);

        let refused = visitor.ask("{ __typename }").await;
        assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "RATE_LIMITED", "1"));
        assert_eq!(refused.header("ratelimit"), r#""requests";r=0;t=1"#);
        assert_eq!(refused.json["errors"][0]["extensions"]["retryAfter"], 1);
        assert!(refused.json.get("data").is_none());
        assert_eq!(neighbour.ask(LOOK_UP).await.status, 200, "somebody else's address");

        harness.clock().pass_seconds(1);
        assert_eq!(visitor.served("{ __typename }", 100).await, 1);
        harness.clock().pass_seconds(3_600);
        assert_eq!(visitor.served("{ __typename }", 100).await, 60);
        harness.finish().await;
    });
}

/// What a client sends who has only the hash of its document, and perhaps another's text.
fn by_hash(digits: char, query: Option<&str>) -> Value {
    let hash = digits.to_string().repeat(64);
    json!({"query": query, "extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}})
}

#[test]
fn hashes_are_not_looked_up_for_nothing() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let visitor = door.anonymous("192.0.2.1");
        let unknown = visitor.send(by_hash('a', None)).await;
        assert_eq!(unknown.code(), "PERSISTED_QUERY_NOT_FOUND");
        assert_eq!(unknown.header("ratelimit"), r#""requests";r=59;t=1"#);
        assert_eq!(visitor.send(by_hash('b', Some(LOOK_UP))).await.header("ratelimit"), r#""requests";r=58;t=1"#);
        assert_eq!(visitor.send(json!({"documentId": "viewer-1"})).await.header("ratelimit"), r#""requests";r=57;t=1"#);
        assert_eq!(visitor.served("{ __typename }", 57).await, 57);
        let refused = visitor.send(by_hash('a', None)).await;
        assert_eq!((refused.status, refused.code(), refused.header("retry-after")), (429, "RATE_LIMITED", "1"));

        let ann = door.member("ann");
        for left in [4_999, 4_998] {
            let unknown = ann.send(by_hash('c', None)).await;
            assert_eq!(unknown.code(), "PERSISTED_QUERY_NOT_FOUND");
            assert_eq!(unknown.header("ratelimit"), format!(r#""cost";r={left};t=1, "claims";r=30;t=2"#));
        }
        let admin = door.admin().send(by_hash('c', None)).await;
        assert_eq!((admin.code(), admin.header("ratelimit")), ("PERSISTED_QUERY_NOT_FOUND", ""));
        harness.finish().await;
    });
}

#[test]
fn documents_that_are_refused_before_they_are_run_were_read_all_the_same() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let ann = door.member("ann");
        let aliases = (0..40).map(|n| format!("a{n}: __typename")).collect::<Vec<_>>().join(" ");
        let refused = [
            ("{ not graphql".to_owned(), "BAD_USER_INPUT"),
            (format!("{{ {aliases} }}"), "QUERY_TOO_COMPLEX"),
            (
                "{ a: exportUser b: exportUser c: exportUser d: exportUser e: exportUser f: exportUser }".to_owned(),
                "QUERY_TOO_COMPLEX",
            ),
            ("{ nothing }".to_owned(), "BAD_USER_INPUT"),
            ("query A { __typename } query B { __typename }".to_owned(), "BAD_USER_INPUT"),
        ];
        for ((query, code), left) in refused.iter().zip((0..5_000).rev()) {
            let answer = ann.ask(query).await;
            assert_eq!((answer.code(), answer.json.get("data")), (*code, None), "{query}");
            assert!(answer.header("ratelimit").starts_with(&format!("\"cost\";r={left};")), "{query}: {answer:?}");
        }
        harness.finish().await;
    });
}

#[test]
fn addresses_are_told_apart_behind_a_proxy_and_not_by_what_they_say() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        assert_eq!(door.behind_proxy("192.0.2.1").served("{ __typename }", 100).await, 60);
        assert_eq!(door.behind_proxy("1.2.3.4, 192.0.2.1").served("{ __typename }", 100).await, 0);
        assert_eq!(door.behind_proxy("192.0.2.2").ask("{ __typename }").await.status, 200);
        // A /64 is one household.
        assert_eq!(door.anonymous("2001:db8::1").served("{ __typename }", 100).await, 60);
        assert_eq!(door.anonymous("2001:db8::2").served("{ __typename }", 100).await, 0);
        harness.finish().await;
    });
}

#[test]
fn a_member_has_5_000_of_cost_and_1_000_more_each_second() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let (ann, ben) = (door.member("ann"), door.member("ben"));
        let first = ann.ask(EXPENSIVE).await;
        assert_eq!(first.header("ratelimit-policy"), r#""cost";q=5000;w=5, "claims";q=30;w=60"#);
        assert_eq!(first.header("ratelimit"), r#""cost";r=4000;t=1, "claims";r=30;t=2"#);
        assert_eq!(ann.served(EXPENSIVE, 100).await, 4);
        let refused = ann.ask(EXPENSIVE).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "1"));
        assert_eq!(ben.ask(EXPENSIVE).await.status, 200, "another member");
        harness.clock().pass_seconds(2);
        assert_eq!(ann.served(EXPENSIVE, 100).await, 2);
        harness.finish().await;
    });
}

#[test]
fn a_member_claims_30_times_a_minute_however_it_is_written() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let ann = door.member("ann");
        let claims = |number: usize| {
            let field =
                |n| format!("c{n}: claimRewards(input: {{ idempotencyKey: \"k\" }}) {{ userErrors {{ code }} }}");
            format!("mutation {{ {} }}", (0..number).map(field).collect::<Vec<_>>().join(" "))
        };
        let first = ann.ask(&claims(10)).await;
        assert_eq!((first.status, first.header("ratelimit").ends_with(r#""claims";r=20;t=2"#)), (200, true));
        assert_eq!(ann.ask(&claims(15)).await.status, 200);
        let refused = ann.ask(&claims(10)).await;
        assert_eq!((refused.status, refused.header("retry-after")), (429, "10"), "five more in ten seconds");
        assert_eq!(ann.served(&claims(1), 100).await, 5, "and nothing was charged for what was refused");
        assert_eq!(ann.ask("{ viewer { id } }").await.status, 200, "the rest goes on");
        harness.clock().pass_seconds(2);
        assert_eq!(ann.served(&claims(1), 100).await, 1);
        harness.finish().await;
    });
}

#[test]
fn bad_credentials_are_requests_without_one() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let guesser = door.holder("banyan_server_000000000000000000000000000000");
        let mut statuses = Vec::new();
        for _ in 0..62 {
            statuses.push(guesser.ask("{ __typename }").await.status);
        }
        assert_eq!(statuses[..60], [401; 60]);
        assert_eq!(statuses[60..], [429; 2]);
        assert_eq!(door.admin().ask("{ apiKeys { id } }").await.status, 200, "good ones do not notice");
        harness.finish().await;
    });
}

#[test]
fn a_key_has_no_limit_unless_it_was_made_with_one() {
    each_backend(async |harness| {
        let door = Door::of(&harness).await;
        let create = "mutation($input: CreateApiKeyInput!) { createApiKey(input: $input) { \
            secret apiKey { costPerSecond } userErrors { code field } } }";
        let input = json!({"name": "batch", "role": "SERVER", "costPerSecond": 400});
        let mut made = door.admin().data(create, json!({"input": input})).await["createApiKey"].take();
        assert_eq!(made["apiKey"]["costPerSecond"], 400);
        let batch = door.holder(made["secret"].take().as_str().unwrap());
        let first = batch.ask(EXPENSIVE).await;
        assert_eq!(first.header("ratelimit-policy"), r#""cost";q=2000;w=5"#);
        assert_eq!(batch.served(EXPENSIVE, 100).await, 1);
        assert_eq!(batch.ask(EXPENSIVE).await.header("retry-after"), "3", "2.5 s, rounded up");
        // Larger than the bucket: all of it, once it is full, and what follows waits for the rest.
        harness.clock().pass_seconds(60);
        let largest = "{ a: exportUser b: exportUser c: exportUser d: exportUser }";
        assert_eq!(batch.ask(largest).await.status, 200);
        assert_eq!(batch.ask("{ __typename }").await.header("retry-after"), "6");

        let admin = door.admin().ask(EXPENSIVE).await;
        assert_eq!((admin.status, admin.header("ratelimit"), admin.header("ratelimit-policy")), (200, "", ""));
        assert!(admin.json.get("extensions").is_none());
        for cost in [0, -5, 10_001] {
            let input = json!({"name": "bad", "role": "SERVER", "costPerSecond": cost});
            let refused = door.admin().data(create, json!({"input": input})).await;
            let expected = json!([{"code": "INVALID_INPUT", "field": ["costPerSecond"]}]);
            assert_eq!(refused["createApiKey"]["userErrors"], expected, "{cost}");
        }
        harness.finish().await;
    });
}
