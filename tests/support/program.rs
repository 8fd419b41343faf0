//! Programs of a story, and people who share codes of them.

use banyan::{domain::id::Noun, engine::sign_up::SignUp};
use serde_json::{Value, json};

use super::{Harness, Host, Person};

const CREATE: &str = "mutation($input: CreateProgramInput!) { createProgram(input: $input) { \
    program { id } userErrors { code field message } } }";
const CODE: &str = "mutation($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { \
    code { code } userErrors { code } } }";

/// Makes a running program of these rules in US dollars and gives its id.
pub async fn program(harness: &Harness, key: &str, rules: Value) -> String {
    let input = json!({"key": key, "name": key, "currencyCode": "USD", "rules": rules, "activate": true});
    let payload = harness.admin().run(CREATE, json!({"input": input})).await["createProgram"].take();
    assert_eq!(payload["userErrors"], json!([]));
    payload["program"]["id"].as_str().expect("an id").to_owned()
}

/// Somebody with a code of this program, brought in by somebody else or not.
pub async fn member(harness: &Harness, name: &str, program: &str, referrer: Option<&Person>) -> Person {
    let code = referrer.map(|referrer| referrer.code.clone());
    let request = SignUp { external_id: name.to_owned(), code, ..SignUp::default() };
    let id = Host::of(harness).sign_up(request).await.expect("signs up").user.id;
    let input = json!({"userId": id.typed(Noun::User), "programId": program});
    let data = harness.server().run(CODE, json!({"input": input})).await;
    let code = data["createReferralCode"]["code"]["code"].as_str().expect("a code").to_owned();
    Person { id, external_id: name.to_owned(), code }
}

/// One rule that pays the chain above for every purchase, by level from the referrer on, in percent.
pub fn upline(rates: &[&str]) -> Value {
    let levels = rates.iter().zip(1..).map(|(rate, level)| json!({"level": level, "pay": {"percent": rate}}));
    json!([{
        "key": "upline", "on": {"event": "purchase", "every": true}, "to": "UPLINE",
        "levels": levels.collect::<Vec<_>>(),
    }])
}
