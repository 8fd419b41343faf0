//! What the program promises while the server dies: something for every kind of work that can be interrupted.

use serde_json::{Value, json};

use crate::support::Client;

const PROGRAM: &str = "{ program(by: {key: \"default\"}) { id } }";
const UPDATE: &str =
    "mutation($input: UpdateProgramInput!) { updateProgram(input: $input) { userErrors { message } } }";

/// Cents of the rules that pay a fixed amount.
pub const WELCOME: i64 = 500;
pub const VISIT: i64 = 100;
pub const HELD: i64 = 300;
pub const LAPSING: i64 = 200;
/// Percent of a purchase, from the referrer on.
pub const CHAIN: [i64; 2] = [10, 5];
/// Visits of friends that pay somebody.
pub const VISITS_PAID: i64 = 3;

/// Gives the default program its rules.
pub async fn make(client: &Client) {
    let id = client.insist(PROGRAM, Value::Null).await["program"]["id"].take();
    let every = |event: &str| json!({"event": event, "every": true});
    let fixed = |cents: i64| json!({"fixed": format!("{}.{:02}", cents / 100, cents % 100)});
    let levels =
        CHAIN.iter().zip(1..).map(|(rate, level)| json!({"level": level, "pay": {"percent": rate.to_string()}}));
    let rules = json!([
        {"key": "chain", "on": every("purchase"), "to": "UPLINE", "levels": levels.collect::<Vec<_>>()},
        {"key": "welcome", "on": {"event": "purchase"}, "to": "REFERRED", "pay": fixed(WELCOME)},
        {"key": "visit", "on": every("visit"), "to": "REFERRER", "pay": fixed(VISIT),
         "cap": {"perUserCount": VISITS_PAID}},
        {"key": "held", "on": every("trial"), "to": "REFERRER", "pay": fixed(HELD), "holdDays": 1},
        {"key": "lapsing", "on": every("voucher"), "to": "REFERRED", "pay": fixed(LAPSING), "expiresAfterDays": 1},
    ]);
    let made = client.insist(UPDATE, json!({"input": {"programId": id, "rules": rules}})).await;
    assert_eq!(made["updateProgram"]["userErrors"], json!([]));
}
