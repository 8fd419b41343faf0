//! Reviews, and what they do to the money of everybody whom a referral paid.

use banyan::{
    domain::words::ClaimStatus,
    engine::review_referral::{ReviewDecision, ReviewReferral},
};
use serde_json::{Value, json};

use crate::{
    scene::{Scene, Seen, on_the_scene},
    support::{Person, Purse},
};

const QUEUE: &str = "query($status: ReviewStatus) { reviews(status: $status) { nodes { \
    status score reason actor decidedAt referral { referred { externalId } risk { standing signals { signal weight shadow \
    evidence policyVersion } } } } } reviewGroups { referrer { externalId } signal reviews highestScore } }";

const NOTHING: Purse = Purse::EMPTY;

/// From now on five levels are paid 10, 5, 4, 3 and 2 percent.
async fn pay_five_levels(scene: &Scene) {
    let rates = ["10", "5", "4", "3", "2"].iter().zip(1..);
    let levels: Vec<Value> = rates.map(|(rate, level)| json!({"level": level, "pay": {"percent": rate}})).collect();
    let on = json!({"event": "purchase", "every": true});
    let rules = json!([{"key": "upline", "on": on, "to": "UPLINE", "levels": levels}]);
    assert_eq!(scene.promise(json!({"rules": rules})).await["userErrors"], json!([]));
}

/// Ann brought in Ben, he Cid, he Dan, she Eve, and she Fay.
async fn chain(scene: &Scene) -> Person {
    let mut last = scene.ann.clone();
    for name in ["ben", "cid", "dan", "eve", "fay"] {
        last = scene.sign_up(name, Some(&last), Seen::NOTHING).await;
    }
    last
}

#[test]
fn a_denied_referral_is_taken_back_on_five_levels_claimed_paid_or_not() {
    on_the_scene(async |scene| {
        pay_five_levels(scene).await;
        let fay = chain(scene).await;
        scene.buys("fay").await;
        let paid = [("eve", 1_000), ("dan", 500), ("cid", 400), ("ben", 300), ("ann", 200)];
        for (name, available) in paid {
            scene.has(name, Purse { available, ..NOTHING }).await;
        }
        let eve = scene.host.claim(id(scene, "eve").await, "eve's").await.unwrap().remove(0);
        scene.host.settle(eve.id, ClaimStatus::Paid, Some("payout-1")).await.unwrap();
        scene.host.claim(id(scene, "dan").await, "dan's").await.unwrap();
        let denied = scene.review(&fay, "DENY").await;
        assert_eq!(denied["userErrors"], json!([]));
        assert_eq!(denied["referral"]["status"], "REJECTED");
        assert_eq!(denied["referral"]["risk"], json!({"standing": "DENIED", "score": 0}));
        // What was paid stays paid and is owed; what was claimed is owed as well; the rest is simply gone.
        scene.has("eve", Purse { paid: 1_000, debt: 1_000, ..NOTHING }).await;
        scene.has("dan", Purse { claimed: 500, debt: 500, ..NOTHING }).await;
        for name in ["cid", "ben", "ann"] {
            scene.has(name, NOTHING).await;
        }
        for (name, count) in [("eve", 0), ("dan", 1), ("ann", 1)] {
            assert_eq!(scene.counted(id(scene, name).await).await, count, "{name}");
        }
        // Nothing that comes later brings it back.
        scene.host.buy("fay", "another order", "50.00").await.unwrap();
        scene.host.refund("order of fay", "refund", Some("10.00")).await.unwrap();
        scene.harness.fold_all().await;
        scene.has("eve", Purse { paid: 1_000, debt: 1_000, ..NOTHING }).await;
        scene.has("ann", NOTHING).await;
        // Below the rejected one the tree goes on: Eve is paid 5 percent for Gus, of which her debt takes its part.
        scene.sign_up("gus", Some(&fay), Seen::NOTHING).await;
        scene.buys("gus").await;
        scene.has("fay", Purse { available: 1_000, ..NOTHING }).await;
        scene.has("eve", Purse { paid: 1_000, available: 500, debt: 1_000, ..NOTHING }).await;
        assert_eq!(
            scene.lines("SELECT action || ' ' || reason AS line FROM audit_log WHERE action = 'reviewReferral'").await,
            ["reviewReferral looked at it"]
        );
    });
}

#[test]
fn what_is_held_pays_nobody_until_it_is_approved() {
    on_the_scene(async |scene| {
        scene.friend("ben", Seen::device("tablet")).await;
        scene.buys_in_time("ben").await;
        scene.has("ann", Purse { available: 1_000, ..NOTHING }).await;
        let cid = scene.friend("cid", Seen::device("tablet")).await;
        scene.buys_in_time("cid").await;
        // Ben's rewards were there to be claimed, and are held back with Cid's.
        scene.has("ann", Purse { withheld: 2_000, ..NOTHING }).await;
        scene.has("ben", Purse { withheld: 500, ..NOTHING }).await;
        assert!(scene.host.claim(scene.ann.id, "too soon").await.is_err());
        let approved = scene.review(&cid, "APPROVE").await;
        assert_eq!(approved["referral"]["risk"], json!({"standing": "APPROVED", "score": 60}));
        scene.has("ann", Purse { available: 1_000, withheld: 1_000, ..NOTHING }).await;
        scene.has("cid", Purse { available: 500, ..NOTHING }).await;
        // Further signs are noted, and change nothing.
        scene.friend("dan", Seen::device("tablet")).await;
        assert_eq!(scene.signals("cid").await, ["RING", "SAME_DEVICE"]);
        scene.has("cid", Purse { available: 500, ..NOTHING }).await;
        assert_eq!(scene.review(&cid, "APPROVE").await["userErrors"], json!([]), "the same again changes nothing");
        // Somebody looks once more.
        assert_eq!(scene.review(&cid, "DENY").await["referral"]["status"], "REJECTED");
        scene.has("cid", NOTHING).await;
        scene.has("ann", Purse { withheld: 1_000, ..NOTHING }).await;
        assert_eq!(scene.counted(scene.ann.id).await, 2);
    });
}

#[test]
fn what_is_approved_waits_for_its_day_and_does_not_lapse_at_once() {
    on_the_scene(async |scene| {
        let bonus = |key, to| {
            json!({"key": key, "on": {"event": "purchase"}, "to": to, "pay": {"fixed": "10"},
            "holdDays": 10, "expiresAfterDays": 5})
        };
        scene.promise(json!({"rules": [bonus("one", "REFERRER"), bonus("two", "REFERRED")]})).await;
        let ben = scene.friend("ben", Seen::device("tablet")).await;
        let cid = scene.friend("cid", Seen::device("tablet")).await;
        scene.buys("ben").await;
        scene.buys("cid").await;
        scene.has("ben", Purse { withheld: 1_000, ..NOTHING }).await;
        scene.review(&ben, "APPROVE").await;
        scene.has("ben", Purse { pending: 1_000, ..NOTHING }).await;
        scene.harness.clock().pass_days(20);
        scene.harness.fold_all().await;
        scene.has("ben", NOTHING).await;
        scene.has("cid", Purse { withheld: 1_000, ..NOTHING }).await;
        scene.review(&cid, "APPROVE").await;
        scene.harness.fold_all().await;
        scene.has("cid", Purse { available: 1_000, ..NOTHING }).await;
        scene.harness.clock().pass_days(1);
        scene.harness.fold_all().await;
        scene.has("cid", NOTHING).await;
    });
}

#[test]
fn the_queue_is_grouped_by_referrer_and_sign() {
    on_the_scene(async |scene| {
        let bea = scene.sign_up("bea", None, Seen::NOTHING).await;
        let cid = scene.friend("cid", Seen::device("tablet")).await;
        for (name, referrer) in [("dan", &scene.ann), ("eve", &bea), ("fay", &bea), ("gus", &bea)] {
            let device = if referrer.id == bea.id { "phone" } else { "tablet" };
            scene.sign_up(name, Some(referrer), Seen::device(device)).await;
        }
        let data = scene.admin().run(QUEUE, json!({"status": "PENDING"})).await;
        let waiting: Vec<&str> = data["reviews"]["nodes"].as_array().unwrap().iter().map(referred).collect();
        assert_eq!(waiting.len(), 5);
        let group = |name: &str, signal: &str, reviews: i32| json!({"referrer": {"externalId": name}, "signal": signal, "reviews": reviews, "highestScore": 60});
        let mut groups = data["reviewGroups"].as_array().unwrap().clone();
        assert_eq!(groups.pop().unwrap(), group("ann", "SAME_DEVICE", 2));
        groups.sort_by_key(|group| group["signal"].to_string());
        assert_eq!(groups, [group("bea", "RING", 3), group("bea", "SAME_DEVICE", 3)]);
        let first = &data["reviews"]["nodes"][0];
        let signal = &first["referral"]["risk"]["signals"][0];
        assert_eq!(
            (&signal["weight"], &signal["shadow"], &signal["policyVersion"]),
            (&json!(60), &json!(false), &json!(1))
        );
        assert_eq!(signal["evidence"]["count"], 2);
        scene.review(&cid, "DENY").await;
        let data = scene.admin().run(QUEUE, json!({"status": "DENIED"})).await;
        let denied = &data["reviews"]["nodes"];
        assert_eq!(denied.as_array().unwrap().len(), 1);
        assert_eq!((referred(&denied[0]), &denied[0]["reason"]), ("cid", &json!("looked at it")));
        assert!(denied[0]["actor"].is_string() && denied[0]["decidedAt"].is_string());
        let of_bea = "query($id: ID!) { reviews(referrerId: $id, signal: RING) { nodes { score } } }";
        let id = json!({"id": bea.id.typed(banyan::domain::id::Noun::User)});
        assert_eq!(scene.admin().run(of_bea, id).await["reviews"]["nodes"].as_array().unwrap().len(), 3);
    });
}

fn referred(review: &Value) -> &str {
    review["referral"]["referred"]["externalId"].as_str().unwrap()
}

#[test]
fn a_deny_while_others_claim_fold_and_buy_leaves_the_books_right() {
    on_the_scene(async |scene| {
        let mut friends = Vec::new();
        for number in 0..6 {
            let name = format!("f{number}");
            friends.push(scene.friend(&name, Seen::NOTHING).await);
            scene.host.buy(&name, &format!("order {number}"), "100.00").await.unwrap();
        }
        let tasks = friends.len() + 3;
        crate::support::at_once(tasks, |task| {
            let (host, ann) = (scene.host.clone(), scene.ann.id);
            let friend = friends.get(task).map(|friend| friend.id);
            async move {
                match friend {
                    Some(referral) => {
                        let (decision, reason) = (ReviewDecision::Deny, "all of them".to_owned());
                        host.review(ReviewReferral { referral, decision, reason }).await.expect("denies");
                    }
                    None if task % 2 == 0 => drop(host.claim(ann, &format!("claim {task}")).await),
                    None => host.fold().await,
                }
            }
        })
        .await;
        scene.harness.fold_all().await;
        let ann = Purse::of(&scene.harness, "ann").await;
        assert_eq!((ann.worth(), ann.available, ann.withheld), (0, 0, 0), "whatever was claimed is owed: {ann:?}");
        assert_eq!(scene.counted(scene.ann.id).await, 0);
    });
}

async fn id(scene: &Scene, name: &str) -> banyan::domain::id::Id {
    crate::people::id(scene, name).await
}

/// A payout fails while somebody looks at the referral that brought the reward: the money waits for what they decide.
#[test]
fn a_failed_payout_does_not_let_go_of_what_is_held() {
    on_the_scene(async |scene| {
        let ben = scene.friend("ben", Seen::device("tablet")).await;
        scene.buys_in_time("ben").await;
        let claim = scene.host.claim(scene.ann.id, "in time").await.unwrap().remove(0);
        scene.friend("cid", Seen::device("tablet")).await;
        assert_eq!(scene.risk("ben").await.1, "HELD");
        scene.has("ann", Purse { claimed: 1_000, ..NOTHING }).await;
        scene.host.settle(claim.id, ClaimStatus::Failed, None).await.unwrap();
        scene.has("ann", Purse { withheld: 1_000, ..NOTHING }).await;
        assert!(scene.host.claim(scene.ann.id, "too soon").await.is_err());
        scene.review(&ben, "APPROVE").await;
        scene.has("ann", Purse { available: 1_000, ..NOTHING }).await;
        let moves = "SELECT from_status || ' ' || to_status AS line FROM reward_moves \
            JOIN rewards ON rewards.id = reward_id JOIN users ON users.id = rewards.user_id \
            WHERE external_id = 'ann' ORDER BY reward_moves.id";
        let moves = scene.lines(moves).await;
        assert_eq!(moves[moves.len() - 3..], ["CLAIMED AVAILABLE", "AVAILABLE WITHHELD", "WITHHELD AVAILABLE"]);
    });
}
