//! Programs: what is wrong with one is said all at once, and what it promises is paid.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod support;

use banyan::engine::Clock as _;
use serde_json::{Value, json};
use support::{Harness, Host, Person, each_backend, member, program, upline};

const CREATE: &str = "mutation($input: CreateProgramInput!) { createProgram(input: $input) { \
    program { id version status rules { key levels { level pay { percent } } } } \
    warnings { code field message } userErrors { code field message } } }";
const UPDATE: &str = "mutation($input: UpdateProgramInput!) { updateProgram(input: $input) { \
    program { version versions { version rules { key } } } userErrors { code field } } }";
const STATUS: &str = "mutation($input: SetProgramStatusInput!) { setProgramStatus(input: $input) { \
    program { status } userErrors { code field } } }";
const REWARDS: &str = "query($id: ID!) { user(by: {id: $id}) { rewards(first: 100) { \
    nodes { level amount { amount } net { amount } status explanation } } } }";

async fn rewards(harness: &Harness, person: &Person) -> Vec<Value> {
    let id = person.id.typed(banyan::domain::id::Noun::User);
    let data = harness.admin().run(REWARDS, json!({"id": id})).await;
    data["user"]["rewards"]["nodes"].as_array().unwrap().clone()
}

/// Minor units that rewards of a program come to, and how many rewards there are.
async fn granted(harness: &Harness) -> (i64, i64) {
    let mut sql = harness.sql().await;
    let sum = sql.number("SELECT CAST(coalesce(sum(amount), 0) AS bigint) AS number FROM rewards").await;
    (sum, sql.number("SELECT count(*) AS number FROM rewards").await)
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    each_backend(async |harness| {
        let rules = json!([
            {"key": "a", "on": {"event": "Purchase"}, "to": "REFERRER", "pay": {"fixed": "1.005"}},
            {"key": "a", "on": {"event": "signup"}, "to": "UPLINE", "levels": [
                {"level": 0, "pay": {"percent": "60"}}, {"level": 2, "pay": {"percent": "60"}},
                {"level": 2, "pay": {"percent": "60"}}]},
        ]);
        let input =
            json!({"key": "Bad key", "name": "", "currencyCode": "USD", "timeZone": "Mars/Base", "rules": rules});
        let payload = harness.admin().run(CREATE, json!({"input": input})).await["createProgram"].take();
        let paths: Vec<String> = payload["userErrors"].as_array().unwrap().iter().map(path).collect();
        let expected = [
            "key",
            "name",
            "timeZone",
            "rules.0.on.event",
            "rules.0.pay.fixed",
            "rules.1.key",
            "rules.1.levels.0.level",
            "rules.1.levels.2.level",
        ];
        assert_eq!(paths, expected);
        assert_eq!(payload["program"], Value::Null);
        harness.finish().await;
    });
}

fn path(error: &Value) -> String {
    let parts = error["field"].as_array().unwrap().iter().map(|part| part.as_str().unwrap().to_owned());
    parts.collect::<Vec<_>>().join(".")
}

#[test]
fn a_plan_that_pays_for_recruiting_is_warned_of() {
    each_backend(async |harness| {
        let mut rules = upline(&["10", "5"]);
        rules[0]["on"] = json!({"event": "signup"});
        rules[0]["levels"] = json!([{"level": 2, "pay": {"fixed": "1.00"}}]);
        let input = json!({"key": "p", "name": "P", "currencyCode": "USD", "rules": rules});
        let payload = harness.admin().run(CREATE, json!({"input": input})).await["createProgram"].take();
        assert_eq!(payload["warnings"][0]["code"], "PAYS_FOR_RECRUITING");
        assert_eq!(payload["warnings"][0]["field"], json!(["rules", "0"]));
        assert_eq!(payload["program"]["status"], "DRAFT");
        harness.finish().await;
    });
}

#[test]
fn versions_stay_and_what_was_active_is_fixed() {
    each_backend(async |harness| {
        let id = program(&harness, "p", upline(&["10"])).await;
        let admin = harness.admin();
        let update = async |change: Value| {
            let mut input = change;
            input["programId"] = json!(id);
            admin.run(UPDATE, json!({"input": input})).await["updateProgram"].take()
        };
        let renamed = update(json!({"name": "Another name"})).await;
        assert_eq!(renamed["program"]["version"], 1, "a name is not what is promised");
        let changed = update(json!({"rules": upline(&["12"])})).await;
        assert_eq!(changed["program"]["version"], 2);
        assert_eq!(changed["program"]["versions"].as_array().unwrap().len(), 2);
        let same = update(json!({"rules": upline(&["12"])})).await;
        assert_eq!(same["program"]["version"], 2, "nothing changed");
        for (field, value) in [("currencyCode", "EUR"), ("timeZone", "Europe/Berlin")] {
            let refused = update(json!({field: value, "rules": upline(&["12"])})).await;
            assert_eq!(refused["userErrors"], json!([{"code": "INVALID_INPUT", "field": [field]}]));
        }
        for (status, code) in [("ENDED", None), ("ACTIVE", Some("INVALID_TRANSITION"))] {
            let input = json!({"programId": id, "status": status});
            let payload = admin.run(STATUS, json!({"input": input})).await["setProgramStatus"].take();
            assert_eq!(payload["userErrors"][0]["code"].as_str(), code);
        }
        assert_eq!(
            harness
                .server()
                .error_code(
                    CREATE,
                    json!({"input": {
            "key": "x", "name": "x", "currencyCode": "USD", "rules": []}})
                )
                .await,
            "FORBIDDEN"
        );
        harness.finish().await;
    });
}

/// Five people in a chain; what the last one buys pays the three above.
#[test]
fn commissions_of_three_levels_and_their_halves() {
    each_backend(async |harness| {
        let id = program(&harness, "p", upline(&["10", "5", "2"])).await;
        let mut chain: Vec<Person> = Vec::new();
        for name in ["a", "b", "c", "d", "e"] {
            chain.push(member(&harness, name, &id, chain.last()).await);
        }
        let host = Host::of(&harness);
        host.buy("e", "order", "200.00").await.unwrap();
        harness.fold_all().await;
        for (person, level, amount, half, rate) in [
            (&chain[3], 1, "20.00", "10.00", "10 %"),
            (&chain[2], 2, "10.00", "5.00", "5 %"),
            (&chain[1], 3, "4.00", "2.00", "2 %"),
        ] {
            let reward = rewards(&harness, person).await.remove(0);
            assert_eq!((&reward["level"], &reward["amount"]["amount"]), (&json!(level), &json!(amount)));
            let explanation = reward["explanation"].as_str().unwrap();
            assert!(explanation.contains(&format!("{rate} of 200.00 USD")), "{explanation}");
            host.refund("order", "half", Some("100.00")).await.unwrap();
            harness.fold_all().await;
            assert_eq!(rewards(&harness, person).await[0]["net"]["amount"], json!(half));
        }
        assert_eq!(rewards(&harness, &chain[0]).await, [] as [Value; 0]);
        harness.finish().await;
    });
}

/// Whatever was said in one currency has to be said anew in another one, before anybody was promised anything.
#[test]
fn a_draft_that_changes_its_currency_says_its_amounts_anew() {
    each_backend(async |harness| {
        let admin = harness.admin();
        let qualifying = json!({"event": "purchase", "minAmount": "20.00"});
        let input = json!({"key": "p", "name": "P", "currencyCode": "USD", "rules": upline(&["10"]),
            "minimumClaim": "20.00", "qualifying": qualifying});
        let made = admin.run(CREATE, json!({"input": input})).await["createProgram"].take();
        let id = made["program"]["id"].as_str().unwrap();
        let mut change = json!({"programId": id, "currencyCode": "JPY"});
        for (field, value) in [
            ("rules", upline(&["10"])),
            ("qualifying", json!({"event": "purchase", "minAmount": "2000"})),
            ("minimumClaim", json!("2000")),
        ] {
            let refused = admin.run(UPDATE, json!({"input": change})).await["updateProgram"].take();
            assert_eq!(refused["userErrors"][0], json!({"code": "INVALID_INPUT", "field": [field]}), "{refused}");
            change[field] = value;
        }
        let taken = admin.run(UPDATE, json!({"input": change})).await["updateProgram"].take();
        assert_eq!(taken["userErrors"], json!([]));
        harness.finish().await;
    });
}

#[test]
fn three_refunds_of_a_third_leave_exactly_nothing() {
    each_backend(async |harness| {
        let id = program(&harness, "p", upline(&["3.3333"; 5])).await;
        let mut chain: Vec<Person> = Vec::new();
        for name in ["a", "b", "c", "d", "e", "f"] {
            chain.push(member(&harness, name, &id, chain.last()).await);
        }
        let host = Host::of(&harness);
        host.buy("f", "order", "100.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(granted(&harness).await, (5 * 333, 5));
        for (key, third) in [("one", "33.33"), ("two", "33.33"), ("three", "33.34")] {
            host.refund("order", key, Some(third)).await.unwrap();
            harness.fold_all().await;
        }
        let mut sql = harness.sql().await;
        assert_eq!(sql.number("SELECT CAST(sum(net) AS bigint) AS number FROM rewards").await, 0);
        let left = "SELECT CAST(coalesce(sum(pending + available + withheld + claimed + paid + debt), 0) AS bigint) \
            AS number FROM accounts";
        assert_eq!(sql.number(left).await, 0);
        harness.finish().await;
    });
}

#[test]
fn a_claim_below_the_minimum_waits() {
    each_backend(async |harness| {
        let input = json!({
            "key": "p", "name": "P", "currencyCode": "USD", "rules": upline(&["10"]), "activate": true,
            "minimumClaim": "15.00",
        });
        let payload = harness.admin().run(CREATE, json!({"input": input})).await["createProgram"].take();
        let id = payload["program"]["id"].as_str().unwrap().to_owned();
        let ann = member(&harness, "ann", &id, None).await;
        member(&harness, "ben", &id, Some(&ann)).await;
        let host = Host::of(&harness);
        host.buy("ben", "first", "100.00").await.unwrap();
        harness.fold_all().await;
        let refusal = host.claim(ann.id, "early").await.unwrap_err();
        assert_eq!(refusal, banyan::engine::RefusalCode::BelowMinimumClaim);
        host.buy("ben", "second", "50.00").await.unwrap();
        harness.fold_all().await;
        assert_eq!(host.claim(ann.id, "early").await.unwrap()[0].amount, 1_500, "a refused key is free");
        harness.finish().await;
    });
}

/// The present version over what happened gives what was paid; another one says how it would differ.
#[test]
fn a_simulation_of_what_is_in_force_gives_what_was_paid() {
    const SIMULATE: &str = "query($input: SimulateProgramInput!) { \
        simulateProgram(input: $input, from: \"2000-01-01T00:00:00Z\", to: \"2100-01-01T00:00:00Z\") { userErrors { field } \
        simulation { events peoplePaid simulated { rewards net { amount } } really { rewards net { amount } } \
        rules { rule level simulated { rewards amount { amount } net { amount } } really { rewards amount { amount } \
        net { amount } } difference { amount } } topEarners { user { externalId } net { amount } } \
        capHits { rule times } } } }";
    each_backend(async |harness| {
        let mut rules = upline(&["10", "5"]);
        rules.as_array_mut().unwrap().push(json!({
            "key": "first", "on": {"event": "purchase"}, "to": "REFERRER", "cap": {"budget": "12.00"},
            "pay": {"tiers": [{"fromReferrals": 1, "pay": {"fixed": "4.00"}}, {"fromReferrals": 3, "pay": {"fixed": "6.00"}}]},
        }));
        let id = program(&harness, "p", rules).await;
        let ann = member(&harness, "ann", &id, None).await;
        let host = Host::of(&harness);
        for number in 0..5 {
            let friend = member(&harness, &format!("friend-{number}"), &id, Some(&ann)).await;
            let below = member(&harness, &format!("below-{number}"), &id, Some(&friend)).await;
            for person in [&friend, &below] {
                host.buy(&person.external_id, &format!("order of {}", person.external_id), "20.00").await.unwrap();
            }
            harness.fold_all().await;
        }
        host.refund("order of friend-0", "half", Some("10.00")).await.unwrap();
        host.refund("order of later", "early", Some("5.00")).await.unwrap();
        host.buy("below-1", "order of later", "30.00").await.unwrap();
        harness.fold_all().await;
        let before = granted(&harness).await;
        let simulate = async |input: Value| {
            let data = harness.admin().run(SIMULATE, json!({"input": input})).await;
            assert_eq!(data["simulateProgram"]["userErrors"], json!([]));
            data["simulateProgram"]["simulation"].clone()
        };
        let same = simulate(json!({"programId": id})).await;
        assert_eq!(same["simulated"], same["really"], "{same:#}");
        assert_eq!(same["simulated"]["rewards"], json!(before.1));
        for rule in same["rules"].as_array().unwrap() {
            assert_eq!((&rule["simulated"], &rule["difference"]["amount"]), (&rule["really"], &json!("0.00")));
        }
        assert_eq!(same["topEarners"][0]["user"]["externalId"], "ann");
        assert!(same["capHits"][0]["times"].as_i64().unwrap() > 0, "{same:#}");
        // What was bought in a time counts with refunds that came after it, as what was paid for it does.
        let until = harness.clock().now().plus_micros(1_000_000).to_string();
        harness.clock().pass_days(10);
        host.refund("order of friend-2", "late", Some("15.00")).await.unwrap();
        harness.fold_all().await;
        let asked = async |document: String| {
            let data = harness.admin().run(&document, json!({"input": {"programId": id}})).await;
            data["simulateProgram"]["simulation"].clone()
        };
        let past = asked(SIMULATE.replace("2100-01-01T00:00:00Z", &until)).await;
        assert_eq!(past["simulated"], past["really"], "{past:#}");
        assert_ne!(past["simulated"], same["simulated"], "the refund is in it");
        let since = asked(SIMULATE.replace("2000-01-01T00:00:00Z", &until)).await;
        assert_eq!((&since["events"], &since["capHits"]), (&json!(0), &json!([])), "nothing since: {since:#}");
        let (same, before) = (simulate(json!({"programId": id})).await, granted(&harness).await);
        let doubled = simulate(json!({"programId": id, "rules": upline(&["20", "10"])})).await;
        let level = |simulation: &Value, level: i64| {
            let rules = simulation["rules"].as_array().unwrap();
            rules.iter().find(|rule| rule["rule"] == "upline" && rule["level"] == level).unwrap().clone()
        };
        let paid: f64 = level(&same, 1)["really"]["net"]["amount"].as_str().unwrap().parse().unwrap();
        let would: f64 = level(&doubled, 1)["simulated"]["net"]["amount"].as_str().unwrap().parse().unwrap();
        assert!((would - 2.0 * paid).abs() < 0.001, "{would} and {paid}");
        assert_eq!(granted(&harness).await, before, "nothing was written");
        harness.finish().await;
    });
}
