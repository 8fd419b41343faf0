//! What happened in the house before the stories begin: every kind of thing that can be seen is there, of several people.

use std::net::IpAddr;

use banyan::{
    domain::landing::Landing,
    engine::clicks::{Clicks, Purpose, Visit},
};
use serde_json::{Value, json};

use crate::{
    cast::{BUYERS, CAST, MOVED, Part},
    house::{House, deed, text},
};

/// Why something was done; never to be read by members.
pub const REASON: &str = "whispered among operators";
/// Longer than what would be too fast.
const PAUSE_SECONDS: i64 = 120;

/// Everything, in its order.
pub async fn all(house: &mut House) {
    programs(house).await;
    for part in &CAST {
        sign_up(house, part).await;
    }
    house.harness.clock().pass_seconds(PAUSE_SECONDS);
    house.harness.fold_all().await;
    codes_and_keys(house).await;
    stand(house, "suspendUser", "sue").await;
    for person in BUYERS {
        buy(house, person, "100.00", &Part::of(person).order()).await;
    }
    house.harness.fold_all().await;
    money(house).await;
    trouble(house).await;
    house.harness.fold_all().await;
    note_things(house).await;
}

/// A program with every kind of rule, and one that is a draft.
async fn programs(house: &mut House) {
    let purchase = |every: bool| json!({"event": "purchase", "every": every});
    let rules = json!([
        {"key": "bonus", "on": purchase(false), "requires": ["email_verified"], "to": "REFERRER",
         "pay": {"tiers": [{"fromReferrals": 1, "pay": {"fixed": "10.00"}}, {"fromReferrals": 50, "pay": {"percent": "12"}}]},
         "cap": {"perUserCount": 1000, "perUserAmount": "100000", "budget": "1000000", "period": "MONTH"},
         "expiresAfterDays": 365},
        {"key": "welcome", "on": {"event": "purchase", "minAmount": "10.00"}, "to": "REFERRED", "pay": {"fixed": "5.00"},
         "expiresAfterDays": 365},
        {"key": "loyalty", "on": purchase(true), "to": "REFERRED", "pay": {"percent": "1"}},
        {"key": "commission", "kind": "commission", "on": purchase(true), "to": "UPLINE", "compress": true,
         "levels": [{"level": 1, "pay": {"percent": "5"}}, {"level": 2, "pay": {"fixed": "1.00"}},
                    {"level": 3, "pay": {"fixed": "0.50"}}]},
    ]);
    let admin = house.harness.admin();
    let found = admin.run("{ program(by: {key: \"default\"}) { id } }", json!({})).await;
    let id = text(&found, "/program/id");
    let input = json!({
        "programId": id, "rules": rules, "minimumClaim": "0.10", "landingUrl": "https://shop.example/welcome",
        "startsAt": "2026-03-01T00:00:00Z", "endsAt": "2036-03-01T00:00:00Z",
        "qualifying": {"event": "purchase", "minAmount": "1.00"},
    });
    deed(&admin, "updateProgram", "program { id }", input).await;
    house.note("program", id);
    let input = json!({"key": "partners", "name": "Partners", "currencyCode": "EUR", "rules": []});
    let made = deed(&admin, "createProgram", "program { id }", input).await;
    house.note("draft", text(&made, "/program/id"));
}

async fn sign_up(house: &mut House, part: &Part) {
    let code = part.referrer.map(|referrer| house.word(&format!("code of {referrer}")).to_owned());
    let mut input = json!({
        "externalId": part.external_id(), "displayName": part.name, "email": part.email(), "phone": part.phone(),
        "deviceId": part.device(), "code": code,
    });
    if part.follows_link {
        input["code"] = Value::Null;
        input["clickId"] = json!(follow_twice(house, &code.expect("a link has a code")).await);
    }
    let made = deed(&house.harness.server(), "signUp", "user { id code }", input).await;
    for (word, value) in [
        ("user", text(&made, "/user/id")),
        ("referral", text(&made, "/user/id").replace("user_", "referral_")),
        ("code", text(&made, "/user/code")),
        ("name", part.external_id()),
        ("claim key", format!("claim of {}", part.person)),
        ("order", part.order()),
    ] {
        house.note(format!("{word} of {}", part.person), value);
    }
}

/// Follows a link on two days with one browser, and gives the last click.
async fn follow_twice(house: &House, code: &str) -> String {
    let landing = Landing::new("https://shop.example/", &[]).expect("an address");
    let clicks = Clicks::begin(house.harness.engine().clone(), landing);
    let mut visit = Visit {
        code: code.to_owned(),
        purpose: Purpose::Follow,
        address: Some(IpAddr::from([198, 51, 100, 7])),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".to_owned()),
        campaign: vec![("utm_source", "spring".to_owned())],
        page: None,
        cookie: None,
    };
    let first = clicks.follow(visit.clone()).await.expect("is recorded");
    visit.cookie = first.cookie.map(|cookie| cookie.value);
    house.harness.clock().pass_days(1);
    let last = clicks.follow(visit).await.expect("is recorded");
    last.page.split_once("click_id=").expect("a click").1.to_owned()
}

async fn codes_and_keys(house: &mut House) {
    let admin = house.harness.admin();
    let input = json!({
        "userId": house.word("user of ben"), "code": "BENS-OWN-CODE", "expiresAt": "2036-01-01T00:00:00Z",
    });
    deed(&admin, "createReferralCode", "code { code }", input).await;
    for word in ["key", "old key"] {
        let input = json!({"name": word, "role": "SERVER", "expiresAt": "2036-01-01T00:00:00Z", "costPerSecond": 100});
        let made = deed(&admin, "createApiKey", "apiKey { id }", input).await;
        house.note(word, text(&made, "/apiKey/id"));
    }
    deed(&admin, "revokeApiKey", "apiKey { id }", json!({"apiKeyId": house.word("old key")})).await;
    // When a key was last used is noted by nobody yet; here it is, so that it can be seen who is shown it.
    house.harness.sql().await.execute("UPDATE api_keys SET last_used_at = created_at").await;
    for (word, value) in
        [("listing", "rogue-1"), ("listing to remove", "rogue-2"), ("other listing to remove", "rogue-3")]
    {
        let input = json!({
            "effect": "BLOCK", "subject": "DEVICE", "value": value, "reason": REASON, "expiresAt": "2036-01-01T00:00:00Z",
        });
        let made = deed(&admin, "addListing", "listing { id }", input).await;
        house.note(word, text(&made, "/listing/id"));
    }
}

async fn stand(house: &House, field: &str, person: &str) {
    let input = json!({"userId": house.word(&format!("user of {person}")), "reason": REASON});
    deed(&house.harness.admin(), field, "user { status }", input).await;
}

/// Somebody verifies their address, if they have not, and buys something.
pub async fn buy(house: &House, person: &str, dollars: &str, key: &str) {
    let (server, name) = (house.harness.server(), Part::of(person).external_id());
    let input = json!({"externalId": name, "type": "email_verified", "idempotencyKey": format!("verified {key}")});
    deed(&server, "recordEvent", "created", input).await;
    let input = json!({
        "externalId": name, "type": "purchase", "idempotencyKey": key, "metadata": {"note": format!("basket of {person}")},
        "amount": {"amount": dollars, "currencyCode": "USD"},
    });
    deed(&server, "recordEvent", "created", input).await;
}

/// Claims that wait and claims that were paid, and a part of an order that is taken back.
async fn money(house: &House) {
    let (server, admin) = (house.harness.server(), house.harness.admin());
    let input = json!({
        "eventKey": "order of ben", "idempotencyKey": "refund of ben", "amount": {"amount": "10.00", "currencyCode": "USD"},
    });
    deed(&server, "recordRefund", "created", input).await;
    for person in ["ann", "ben", "cleo", "dan"] {
        let input = json!({
            "userId": house.word(&format!("user of {person}")), "idempotencyKey": format!("claim of {person}"),
        });
        let claimed = deed(&server, "claimRewards", "claims { id }", input).await;
        if person == "ben" {
            let id = text(&claimed, "/claims/0/id");
            let input = json!({"claimId": id, "outcome": "PAID", "reference": "payout of ben"});
            deed(&admin, "settleClaim", "claim { id }", input).await;
        }
    }
    for (person, key) in [("cleo", "second order of cleo"), ("fay", "second order of fay")] {
        buy(house, person, "40.00", key).await;
        house.harness.fold_all().await;
    }
    let input = json!({"userId": house.word("user of ben"), "idempotencyKey": "second claim of ben"});
    deed(&server, "claimRewards", "claims { id }", input).await;
    buy(house, "cleo", "60.00", "third order of cleo").await;
}

/// A referral is denied, somebody is moved, somebody is erased.
async fn trouble(house: &House) {
    house.harness.fold_all().await;
    let admin = house.harness.admin();
    let input = json!({"referralId": house.word("referral of ivy"), "decision": "DENY", "reason": REASON});
    deed(&admin, "reviewReferral", "referral { status }", input).await;
    let (moved, to) = MOVED;
    let input = json!({
        "userId": house.word(&format!("user of {moved}")), "referrerId": house.word(&format!("user of {to}")),
        "reason": REASON,
    });
    deed(&admin, "moveUser", "user { id }", input).await;
    stand(house, "eraseUser", "eli").await;
}

/// Looks up what events, rewards and claims there are by now.
async fn note_things(house: &mut House) {
    const THINGS: &str = "query($id: ID!) { user(by: {id: $id}) { events(first: 100) { nodes { id key } } \
        rewards(first: 100) { nodes { id referral { referred { id } } } } claims(first: 100) { nodes { id } } } }";
    for part in &CAST {
        let id = house.word(&format!("user of {}", part.person)).to_owned();
        let data = house.harness.admin().run(THINGS, json!({"id": id})).await;
        let nodes = |list: &str| data["user"][list]["nodes"].as_array().expect("a list").clone();
        for event in nodes("events").iter().filter(|event| event["key"] == json!(part.order())) {
            house.note(format!("event of {}", part.person), text(event, "/id"));
        }
        for claim in nodes("claims") {
            house.note(format!("claim of {}", part.person), text(&claim, "/id"));
        }
        for reward in nodes("rewards") {
            house.note(format!("reward of {}", part.person), text(&reward, "/id"));
            let paid_for = CAST.iter().find(|other| {
                reward["referral"]["referred"]["id"] == json!(house.word(&format!("user of {}", other.person)))
            });
            if let (Some(other), "ben") = (paid_for, part.person) {
                house.note(format!("paid of {}", other.person), text(&reward, "/id"));
            }
        }
    }
}
