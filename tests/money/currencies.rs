//! Claims of several currencies at once.

use banyan::{domain::words::ClaimStatus, engine::RefusalCode};
use serde_json::json;

use crate::{NOTHING, in_a_shop, shop::Shop, support::Purse};

/// A second program, which pays Ann 100 JPY for each purchase of Eve's, and takes claims of 200 JPY and more.
async fn yen_for_eve(shop: &Shop) {
    let admin = shop.harness.admin();
    let create = "mutation ($input: CreateProgramInput!) { createProgram(input: $input) { program { id } } }";
    let rule =
        json!({"key": "yen", "on": {"event": "purchase", "every": true}, "to": "REFERRER", "pay": {"fixed": "100"}});
    let program = json!({"key": "yen", "name": "Yen", "currencyCode": "JPY", "activate": true, "minimumClaim": "200",
        "rules": [rule]});
    let made = admin.run(create, json!({"input": program})).await;
    let document =
        "mutation ($input: CreateReferralCodeInput!) { createReferralCode(input: $input) { code { code } } }";
    let input = json!({"userId": shop.ann.id.typed(banyan::domain::id::Noun::User),
        "programId": made["createProgram"]["program"]["id"]});
    let code = admin.run(document, json!({"input": input})).await["createReferralCode"]["code"]["code"].take();
    let document = "mutation ($input: SignUpInput!) { signUp(input: $input) { created } }";
    admin.run(document, json!({"input": {"externalId": "eve", "code": code}})).await;
}

async fn eve_buys(shop: &Shop, key: &str) {
    let document =
        "mutation ($input: RecordEventInput!) { recordEvent(input: $input) { created userErrors { code } } }";
    let input = json!({"externalId": "eve", "type": "purchase", "idempotencyKey": key,
        "amount": {"amount": "5000", "currencyCode": "JPY"}});
    let answer = shop.harness.server().run(document, json!({"input": input})).await;
    assert_eq!(answer["recordEvent"]["created"], json!(true), "{answer}");
    shop.harness.fold_all().await;
}

/// Ann was paid 10.00 USD for an order that was taken back, and has 10.00 USD of another one: she owes as much as she has.
async fn ann_owes_dollars(shop: &Shop) {
    shop.customer("ben").await;
    let claim = shop.ann_claims("of ben").await.unwrap();
    shop.settles(claim.id, ClaimStatus::Paid, None).await.unwrap();
    shop.refunds("order of ben", "refund-1", None).await;
    shop.customer("cid").await;
    shop.has("ann", OWING).await;
}

const OWING: Purse = Purse { available: 1_000, paid: 1_000, debt: 1_000, ..NOTHING };

#[test]
fn a_currency_that_cannot_be_claimed_does_not_keep_the_others_back() {
    in_a_shop(async |shop| {
        ann_owes_dollars(shop).await;
        yen_for_eve(shop).await;
        eve_buys(shop, "yen-1").await;
        eve_buys(shop, "yen-2").await;
        let claim = shop.ann_claims("all").await.unwrap();
        assert_eq!((claim.currency.as_str(), claim.amount, claim.netted), ("JPY", 200, 0));
        shop.has("ann", OWING).await;
        // The same key gives the same, though dollars could be claimed by now; another key gives these.
        shop.customer("dan").await;
        assert_eq!(shop.ann_claims("all").await.unwrap().id, claim.id);
        let claim = shop.ann_claims("all the rest").await.unwrap();
        assert_eq!((claim.currency.as_str(), claim.amount, claim.netted), ("USD", 1_000, 1_000));
        shop.has("ann", Purse { claimed: 1_000, paid: 1_000, ..NOTHING }).await;
    });
}

#[test]
fn a_claim_is_refused_when_no_currency_can_be_claimed() {
    in_a_shop(async |shop| {
        ann_owes_dollars(shop).await;
        yen_for_eve(shop).await;
        assert_eq!(shop.ann_claims("all").await.unwrap_err(), RefusalCode::DebtOutstanding);
        // Of two reasons, that of the first currency in alphabetical order.
        eve_buys(shop, "yen-1").await;
        assert_eq!(shop.ann_claims("all").await.unwrap_err(), RefusalCode::BelowMinimumClaim);
        shop.has("ann", OWING).await;
        eve_buys(shop, "yen-2").await;
        assert_eq!(shop.ann_claims("all").await.unwrap().amount, 200);
    });
}

#[test]
fn named_rewards_are_claimed_together_or_not_at_all() {
    in_a_shop(async |shop| {
        ann_owes_dollars(shop).await;
        yen_for_eve(shop).await;
        eve_buys(shop, "yen-1").await;
        eve_buys(shop, "yen-2").await;
        let rewards = shop.reward_ids("ann").await;
        let (open, yen) = (rewards[1..].to_vec(), rewards[2..].to_vec());
        let refused = shop.host.claim_only(shop.ann.id, "both", Some(open)).await.unwrap_err();
        assert_eq!(refused, RefusalCode::DebtOutstanding);
        let refused = shop.host.claim_only(shop.ann.id, "one", Some(yen[1..].to_vec())).await.unwrap_err();
        assert_eq!(refused, RefusalCode::BelowMinimumClaim);
        shop.has("ann", OWING).await;
        let claims = shop.host.claim_only(shop.ann.id, "yen", Some(yen)).await.unwrap();
        assert_eq!(
            claims.iter().map(|claim| (claim.currency.as_str(), claim.amount)).collect::<Vec<_>>(),
            [("JPY", 200)]
        );
    });
}
