//! What stories of moves ask again and again.

use banyan::domain::id::{Id, Noun};
use serde_json::{Value, json};

use crate::support::{Harness, recount};

const MOVE: &str = "mutation($input: MoveUserInput!) { moveUser(input: $input) { \
    user { id status referrer { externalId } referral { via code status program { key } } } \
    userErrors { code field message } } }";
const SEEN: &str = "query($id: ID!) { user(by: {id: $id}) { \
    upline { externalId } referralCount completedReferralCount \
    network { size levels { level signups completed } } \
    referral { via code status createdAt program { key } referrer { externalId } } } }";

/// The public id of a user.
pub fn user(id: Id) -> String {
    id.typed(Noun::User)
}

/// What an operator who moves somebody is answered.
pub async fn moves(harness: &Harness, moved: Id, referrer: Id) -> Value {
    let input = json!({"userId": user(moved), "referrerId": user(referrer), "reason": "the wrong link was printed"});
    harness.admin().run(MOVE, json!({"input": input})).await["moveUser"].take()
}

/// The codes of refusal of any input, with their fields.
pub async fn refused(harness: &Harness, input: Value) -> Vec<(String, String)> {
    let payload = harness.admin().run(MOVE, json!({"input": input})).await["moveUser"].take();
    assert_eq!(payload["user"], Value::Null, "{payload:#}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = payload["userErrors"].as_array().unwrap().iter();
    errors.map(|error| (text(&error["code"]), text(&error["field"][0]))).collect()
}

/// The code of the error for somebody who may not move users.
pub async fn forbidden(actor: &crate::support::Actor) -> String {
    let input = json!({"userId": "user_x", "referrerId": "user_y", "reason": "I want to"});
    actor.error_code(MOVE, json!({"input": input})).await
}

/// A user as operators see them.
pub async fn seen(harness: &Harness, id: Id) -> Value {
    harness.admin().run(SEEN, json!({"id": user(id)})).await["user"].take()
}

/// Signups and completions on the levels of somebody's network, as far down as there is anybody.
pub async fn levels(harness: &Harness, id: Id) -> Vec<(i64, i64)> {
    let seen = seen(harness, id).await;
    let level = |level: &Value| (level["signups"].as_i64().unwrap(), level["completed"].as_i64().unwrap());
    let mut levels: Vec<_> = seen["network"]["levels"].as_array().unwrap().iter().map(level).collect();
    while levels.last() == Some(&(0, 0)) {
        levels.pop();
    }
    assert_eq!(seen["network"]["size"].as_i64().unwrap(), levels.iter().map(|(signups, _)| signups).sum::<i64>());
    levels
}

/// Names of everybody above somebody, nearest first.
pub async fn upline(harness: &Harness, id: Id) -> Vec<String> {
    let seen = seen(harness, id).await;
    let name = |above: &Value| above["externalId"].as_str().unwrap().to_owned();
    seen["upline"].as_array().unwrap().iter().map(name).collect()
}

/// The version of somebody's totals.
pub async fn version(harness: &Harness, id: Id) -> i64 {
    let text = format!(
        "SELECT version AS number FROM user_totals JOIN users ON users.id = user_totals.user_id \
         WHERE external_id = '{}'",
        name_of(harness, id).await
    );
    harness.sql().await.number(&text).await
}

async fn name_of(harness: &Harness, id: Id) -> String {
    let query = "query($id: ID!) { user(by: {id: $id}) { externalId } }";
    let data = harness.admin().run(query, json!({"id": user(id)})).await;
    data["user"]["externalId"].as_str().unwrap().to_owned()
}

/// Counters, boards, decisions and ledger are what the rows say, by the house's own count and by the tests'.
pub async fn is_right(harness: &Harness, when: &str) {
    harness.fold_all().await;
    let differences = recount(&mut harness.sql().await).await;
    assert!(differences.is_empty(), "{when}: a recount says otherwise:\n{}", differences.join("\n"));
    let differences = harness.engine().verify().await.unwrap();
    assert!(differences.is_empty(), "{when}: verify names:\n{}", differences.join("\n"));
}

/// How many chains above somebody never end: longer than there are people.
pub async fn circles(harness: &Harness) -> i64 {
    let people = harness.sql().await.number("SELECT count(*) AS number FROM users").await;
    let text = format!(
        "WITH RECURSIVE up(start_id, id, level) AS (SELECT referred_id, referrer_id, 1 FROM referrals \
         UNION ALL SELECT up.start_id, edge.referrer_id, up.level + 1 \
         FROM up JOIN referrals AS edge ON edge.referred_id = up.id WHERE up.level <= {people}) \
         SELECT count(*) AS number FROM up WHERE level > {people}"
    );
    harness.sql().await.number(&text).await
}
