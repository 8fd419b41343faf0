//! A shop in which everything has happened once that moves money.

use banyan::{
    domain::{id::Id, words::ClaimStatus},
    store::sql_types::Uuid,
};
use diesel::QueryableByName;
use serde_json::json;

use crate::support::{Harness, Host, Person, member, newcomer, program};

const EVENT: &str =
    "mutation($input: RecordEventInput!) { recordEvent(input: $input) { created userErrors { code message } } }";

/// Undoes the lies of the story about words.
pub const TRUTH: &str = "UPDATE transfers SET amount = 2000 WHERE id = 1; \
    UPDATE events SET remaining = 7000 WHERE key = 'order-1'; \
    UPDATE refunds SET applied = 3000 WHERE key = 'refund-1'; \
    UPDATE caps SET used_count = 4 WHERE used_amount = 400";

/// Rewards in every state that there is without a review; claims that wait, were paid, and failed; a debt, and one that
/// was netted; caps of one person and of everybody; refunds before and after; and changes that boards have yet to take in.
pub async fn has_everything(harness: &Harness) {
    let rules = json!([
        {"key": "upline", "on": {"event": "purchase", "every": true}, "to": "UPLINE",
         "levels": [{"level": 1, "pay": {"percent": "20"}}, {"level": 2, "pay": {"percent": "5"}}]},
        {"key": "own", "on": {"event": "purchase", "every": true}, "to": "REFERRED", "pay": {"fixed": "1.00"},
         "cap": {"perUserCount": 9}},
        {"key": "shared", "on": {"event": "purchase", "every": true}, "to": "REFERRER", "pay": {"percent": "1"},
         "cap": {"budget": "3.50", "period": "DAY"}},
        {"key": "held", "on": {"event": "trial", "every": true}, "to": "REFERRER", "pay": {"fixed": "2.00"}, "holdDays": 9},
        {"key": "lapsing", "on": {"event": "voucher", "every": true}, "to": "REFERRED", "pay": {"fixed": "3.00"},
         "expiresAfterDays": 1},
    ]);
    let id = program(harness, "p", rules).await;
    let ann = member(harness, "ann", &id, None).await;
    let ben = member(harness, "ben", &id, Some(&ann)).await;
    member(harness, "cleo", &id, Some(&ben)).await;
    let host = Host::of(harness);
    host.buy("cleo", "order-1", "100.00").await.unwrap();
    harness.fold_all().await;
    host.refund("order-1", "refund-1", Some("30.00")).await.unwrap();
    happens(harness, "ben", "voucher").await;
    harness.fold_all().await;
    // Taken back whole before it is claimed, and partly by a refund that came first.
    host.refund("order-2", "refund-2", Some("10.00")).await.unwrap();
    host.buy("cleo", "order-2", "50.00").await.unwrap();
    host.buy("cleo", "order-3", "50.00").await.unwrap();
    harness.fold_all().await;
    host.refund("order-3", "refund-3", None).await.unwrap();
    harness.fold_all().await;
    // Ben is paid; what is taken back afterwards he owes, and his next claim is less by it.
    let paid = host.claim(ben.id, "paid").await.unwrap()[0].id;
    host.settle(paid, ClaimStatus::Paid, Some("payout")).await.unwrap();
    host.refund("order-2", "refund-4", Some("20.00")).await.unwrap();
    harness.fold_all().await;
    host.buy("cleo", "order-4", "200.00").await.unwrap();
    harness.fold_all().await;
    let netted = &host.claim(ben.id, "netted").await.unwrap()[0];
    assert!(netted.netted > 0);
    host.refund("order-4", "refund-5", Some("50.00")).await.unwrap();
    let failed = host.claim(ann.id, "failed").await.unwrap()[0].id;
    host.settle(failed, ClaimStatus::Failed, None).await.unwrap();
    happens(harness, "ben", "trial").await;
    harness.fold_all().await;
    happens(harness, "cleo", "voucher").await;
    harness.fold_all().await;
    harness.clock().pass_days(2);
    harness.fold_all().await;
    // Folded, and not yet summed.
    host.buy("ben", "order-5", "10.00").await.unwrap();
    host.fold().await;
}

/// Somebody whom Ann brings in and who buys something at once; gives Ann's reward for it.
pub async fn customer(harness: &Harness, ann: &Person, name: &str) -> Id {
    newcomer(harness, name, Some(ann)).await;
    Host::of(harness).buy(name, &format!("order of {name}"), "100.00").await.unwrap();
    harness.fold_all().await;
    let text = "SELECT rewards.id AS id FROM rewards JOIN users ON users.id = rewards.user_id \
        WHERE external_id = 'ann' ORDER BY rewards.id DESC LIMIT 1";
    harness.sql().await.load::<RewardId>(text).await.remove(0).id
}

#[derive(QueryableByName)]
struct RewardId {
    #[diesel(sql_type = Uuid)]
    id: Id,
}

async fn happens(harness: &Harness, name: &str, kind: &str) {
    let input = json!({"externalId": name, "type": kind, "idempotencyKey": format!("{kind} of {name}")});
    let data = harness.server().run(EVENT, json!({"input": input})).await;
    assert_eq!(data["recordEvent"], json!({"created": true, "userErrors": []}));
}
