//! What is owed to somebody: a claim was reduced by a debt, and then the payout failed of the claim that had caused it.

use banyan::{domain::words::ClaimStatus, engine::RefusalCode, store::models};
use serde_json::{Value, json};

use crate::{NOTHING, available, in_a_shop, shop::Shop, support::Purse, support::at_once};

/// Amount, what was netted and what was credited.
const fn parts(claim: &models::Claim) -> (i64, i64, i64) {
    (claim.amount, claim.netted, claim.credited)
}

/// Ben's order is claimed and then taken back, the next claim is reduced by it, and then the payout of the first one
/// fails: Ann has 10.00 to get that no reward stands for. Gives the second claim.
async fn ann_has_a_credit(shop: &Shop, round: &str) -> models::Claim {
    let [ben, cid, dan] = ["ben", "cid", "dan"].map(|name| format!("{name}{round}"));
    shop.customer(&ben).await;
    let first = shop.ann_claims(&format!("first{round}")).await.unwrap();
    shop.refunds(&format!("order of {ben}"), &format!("refund{round}"), None).await;
    shop.customer(&cid).await;
    shop.customer(&dan).await;
    let second = shop.ann_claims(&format!("second{round}")).await.unwrap();
    assert_eq!(parts(&second), (1_000, 1_000, 0));
    shop.settles(first.id, ClaimStatus::Failed, None).await.unwrap();
    second
}

/// What Ann is shown.
async fn shown(shop: &Shop) -> Value {
    let document = "{ user(by: {externalId: \"ann\"}) { balances { available claimed paid debt } } }";
    shop.harness.server().run(document, json!({})).await["user"]["balances"][0].take()
}

#[test]
fn what_was_netted_for_a_failed_payout_is_paid_by_the_next_claim() {
    in_a_shop(async |shop| {
        let second = ann_has_a_credit(shop, "").await;
        shop.has("ann", Purse { claimed: 1_000, debt: -1_000, ..NOTHING }).await;
        let is_shown = json!({"available": "10.00", "claimed": "10.00", "paid": "0.00", "debt": "0.00"});
        assert_eq!(shown(shop).await, is_shown);
        // There is no reward to claim, only the credit.
        let third = shop.ann_claims("third").await.unwrap();
        assert_eq!(parts(&third), (1_000, 0, 1_000));
        shop.has("ann", Purse { claimed: 2_000, ..NOTHING }).await;
        assert_eq!(shop.ann_claims("third").await.unwrap().id, third.id);
        assert_eq!(shop.ann_claims("fourth").await.unwrap_err(), RefusalCode::NothingToClaim);
        shop.settles(third.id, ClaimStatus::Paid, None).await.unwrap();
        shop.settles(second.id, ClaimStatus::Paid, None).await.unwrap();
        shop.has("ann", Purse { paid: 2_000, ..NOTHING }).await;
    });
}

#[test]
fn a_credit_is_paid_on_top_of_rewards() {
    in_a_shop(async |shop| {
        ann_has_a_credit(shop, "").await;
        shop.customer("eve").await;
        shop.has("ann", Purse { available: 1_000, claimed: 1_000, debt: -1_000, ..NOTHING }).await;
        assert_eq!(shown(shop).await["available"], "20.00");
        let third = shop.ann_claims("third").await.unwrap();
        assert_eq!(parts(&third), (2_000, 0, 1_000));
        let document = "query ($id: ID!) { node(id: $id) { ... on Claim { \
            amount { amount } netted { amount } credited { amount } rewards { amount { amount } } } } }";
        let id = third.id.typed(banyan::domain::id::Noun::Claim);
        let seen = shop.harness.server().run(document, json!({"id": id})).await["node"].take();
        assert_eq!(
            (&seen["amount"]["amount"], &seen["netted"]["amount"], &seen["credited"]["amount"]),
            (&json!("20.00"), &json!("0.00"), &json!("10.00"))
        );
        assert_eq!(seen["rewards"].as_array().unwrap().len(), 1);
        shop.has("ann", Purse { claimed: 3_000, ..NOTHING }).await;
    });
}

#[test]
fn a_credit_comes_back_when_its_payout_fails() {
    in_a_shop(async |shop| {
        ann_has_a_credit(shop, "").await;
        let third = shop.ann_claims("third").await.unwrap();
        shop.settles(third.id, ClaimStatus::Failed, None).await.unwrap();
        shop.has("ann", Purse { claimed: 1_000, debt: -1_000, ..NOTHING }).await;
        shop.settles(third.id, ClaimStatus::Failed, None).await.unwrap();
        shop.has("ann", Purse { claimed: 1_000, debt: -1_000, ..NOTHING }).await;
        let fourth = shop.ann_claims("fourth").await.unwrap();
        assert_eq!(parts(&fourth), (1_000, 0, 1_000));
        shop.settles(fourth.id, ClaimStatus::Paid, None).await.unwrap();
        shop.has("ann", Purse { claimed: 1_000, paid: 1_000, ..NOTHING }).await;
    });
}

#[test]
fn it_can_happen_twice() {
    in_a_shop(async |shop| {
        ann_has_a_credit(shop, "").await;
        // The first claim of the second round pays the credit of the first round, and fails as well.
        shop.customer("ben 2").await;
        let first = shop.ann_claims("first 2").await.unwrap();
        assert_eq!(parts(&first), (2_000, 0, 1_000));
        shop.refunds("order of ben 2", "refund 2", None).await;
        shop.has("ann", Purse { claimed: 3_000, debt: 1_000, ..NOTHING }).await;
        shop.customer("cid 2").await;
        shop.customer("dan 2").await;
        let second = shop.ann_claims("second 2").await.unwrap();
        assert_eq!(parts(&second), (1_000, 1_000, 0));
        shop.settles(first.id, ClaimStatus::Failed, None).await.unwrap();
        // Both: what the second claim of the first round was reduced by, and that of the second round.
        shop.has("ann", Purse { claimed: 2_000, debt: -2_000, ..NOTHING }).await;
        let last = shop.ann_claims("last").await.unwrap();
        assert_eq!(parts(&last), (2_000, 0, 2_000));
    });
}

#[test]
fn the_claim_that_netted_may_end_either_way() {
    in_a_shop(async |shop| {
        // It fails as well: nothing was ever paid, and nothing is owed by anybody.
        let second = ann_has_a_credit(shop, "").await;
        shop.settles(second.id, ClaimStatus::Failed, None).await.unwrap();
        shop.has("ann", available(2_000)).await;
        let all = shop.ann_claims("all").await.unwrap();
        assert_eq!(parts(&all), (2_000, 0, 0));
        shop.settles(all.id, ClaimStatus::Paid, None).await.unwrap();
        // It is paid after the other one failed.
        let second = ann_has_a_credit(shop, " 2").await;
        shop.settles(second.id, ClaimStatus::Paid, None).await.unwrap();
        shop.has("ann", Purse { paid: 3_000, debt: -1_000, ..NOTHING }).await;
        // The credit is paid out, so that there is a debt again when something else is taken back.
        let credit = shop.ann_claims("credit").await.unwrap();
        shop.settles(credit.id, ClaimStatus::Paid, None).await.unwrap();
        shop.has("ann", Purse { paid: 4_000, ..NOTHING }).await;
    });
}

#[test]
fn a_credit_that_was_paid_is_owed_when_the_netting_claim_fails() {
    in_a_shop(async |shop| {
        let second = ann_has_a_credit(shop, "").await;
        let credit = shop.ann_claims("credit").await.unwrap();
        shop.settles(credit.id, ClaimStatus::Paid, None).await.unwrap();
        shop.settles(second.id, ClaimStatus::Failed, None).await.unwrap();
        shop.has("ann", Purse { available: 2_000, paid: 1_000, debt: 1_000, ..NOTHING }).await;
        assert_eq!(parts(&shop.ann_claims("rest").await.unwrap()), (1_000, 1_000, 0));
    });
}

#[test]
fn a_refund_is_taken_from_the_credit_first() {
    in_a_shop(async |shop| {
        ann_has_a_credit(shop, "").await;
        shop.refunds("order of cid", "refund-2", None).await;
        shop.has("ann", Purse { claimed: 1_000, ..NOTHING }).await;
        assert_eq!(shop.ann_claims("third").await.unwrap_err(), RefusalCode::NothingToClaim);
        shop.refunds("order of dan", "refund-3", None).await;
        shop.has("ann", Purse { claimed: 1_000, debt: 1_000, ..NOTHING }).await;
    });
}

#[test]
fn a_credit_is_claimed_once() {
    const CROWD: usize = 50;
    in_a_shop(async |shop| {
        ann_has_a_credit(shop, "").await;
        let results = at_once(CROWD, |number| {
            let (host, ann) = (shop.host.clone(), shop.ann.id);
            async move { host.claim(ann, &format!("claim-{number}")).await }
        })
        .await;
        let made: Vec<_> = results.iter().filter_map(|result| result.as_ref().ok()).collect();
        assert_eq!(made.len(), 1);
        assert_eq!(parts(&made[0][0]), (1_000, 0, 1_000));
        assert!(results.iter().filter_map(|it| it.as_ref().err()).all(|code| *code == RefusalCode::NothingToClaim));
        shop.has("ann", Purse { claimed: 2_000, ..NOTHING }).await;
    });
}

/// Claims, a failing payout and refunds meet: whatever comes first, what Ann has in the end is what the rules grant, and
/// every claim is worth the rewards that it holds. What is folded may have been given back and claimed again meanwhile.
#[test]
fn a_credit_and_refunds_meet() {
    const ROUNDS: usize = 4;
    in_a_shop(async |shop| {
        for round in 0..ROUNDS {
            let second = ann_has_a_credit(shop, &format!(" {round}")).await;
            for name in ["cid", "dan"] {
                let (order, key) = (format!("order of {name} {round}"), format!("refund of {name} {round}"));
                shop.host.refund(&order, &key, None).await.unwrap();
            }
            at_once(8, |number| {
                let (host, ann) = (shop.host.clone(), shop.ann.id);
                async move {
                    match number {
                        0 => drop(host.settle(second.id, ClaimStatus::Failed, None).await.unwrap()),
                        1 | 2 => host.fold().await,
                        _ => drop(host.claim(ann, &format!("claim {round} {number}")).await),
                    }
                }
            })
            .await;
            shop.settled().await;
            assert_eq!(Purse::of(&shop.harness, "ann").await.worth(), 0, "round {round}");
            // So that the next round begins with nothing.
            for claim in shop.open_claims().await {
                shop.settles(claim, ClaimStatus::Failed, None).await.unwrap();
            }
            shop.has("ann", NOTHING).await;
        }
    });
}
