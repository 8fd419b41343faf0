//! The way of the money: granted, taken back, claimed, paid and owed, and what everybody has after each step.
//!
//! The default program pays Ann 10.00 for each friend who makes a first purchase, and the friend 5.00.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

#[path = "money/credit.rs"]
mod credit;
#[path = "money/currencies.rs"]
mod currencies;
#[path = "money/shop.rs"]
mod shop;
mod support;

use banyan::{domain::words::ClaimStatus, engine::RefusalCode};
use serde_json::json;
use shop::Shop;
use support::{Harness, Purse, each_backend};

const NOTHING: Purse = Purse::EMPTY;

const fn available(available: i64) -> Purse {
    Purse { available, ..NOTHING }
}

/// Tells a story in a shop.
fn in_a_shop(story: impl AsyncFn(&Shop)) {
    each_backend(async |harness: Harness| {
        let shop = Shop::open(harness).await;
        story(&shop).await;
        shop.close().await;
    });
}

#[test]
fn a_first_purchase_pays_both() {
    in_a_shop(async |shop| {
        shop.friend("ben").await;
        shop.has("ann", NOTHING).await;
        assert_eq!(shop.referral("ben").await, "PENDING");
        shop.buys("ben", "order-1", "100.00").await;
        shop.has("ann", available(1_000)).await;
        shop.has("ben", available(500)).await;
        assert_eq!(shop.referral("ben").await, "COMPLETED by order-1");
        shop.buys("ben", "order-2", "100.00").await;
        shop.has("ann", available(1_000)).await;
        shop.has("ben", available(500)).await;
    });
}

#[test]
fn nobody_is_paid_without_a_referral_or_for_nothing() {
    in_a_shop(async |shop| {
        shop.buys("ann", "own order", "100.00").await;
        shop.has("ann", NOTHING).await;
        shop.friend("ben").await;
        shop.buys("ben", "a gift", "0.00").await;
        assert_eq!(shop.referral("ben").await, "PENDING");
        shop.has("ann", NOTHING).await;
        // What cost nothing was no purchase: this is the first.
        shop.buys("ben", "order-1", "0.01").await;
        shop.has("ann", available(1_000)).await;
    });
}

#[test]
fn a_whole_refund_takes_everything_back() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        shop.customer("cid").await;
        shop.has("ann", available(2_000)).await;
        shop.refunds("order of ben", "refund-1", Some("100.00")).await;
        shop.has("ann", available(1_000)).await;
        shop.has("ben", NOTHING).await;
        assert_eq!(shop.referral("ben").await, "PENDING");
        // No amount: all that is left.
        shop.refunds("order of cid", "refund-2", None).await;
        shop.has("ann", NOTHING).await;
        shop.has("cid", NOTHING).await;
        assert_eq!(shop.rewards("ann").await, ["order of ben REVERSED 1000 0", "order of cid REVERSED 1000 0"]);
    });
}

#[test]
fn a_partial_refund_leaves_a_fixed_reward() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        for (key, dollars) in [("refund-1", "33.33"), ("refund-2", "33.33")] {
            shop.refunds("order of ben", key, Some(dollars)).await;
            shop.has("ann", available(1_000)).await;
        }
        let too_much = shop.host.refund("order of ben", "refund-3", Some("33.35")).await;
        assert_eq!(too_much.unwrap_err(), RefusalCode::RefundExceedsEvent);
        shop.refunds("order of ben", "refund-3", Some("33.34")).await;
        shop.has("ann", NOTHING).await;
        shop.has("ben", NOTHING).await;
        let nothing_left = shop.host.refund("order of ben", "refund-4", None).await;
        assert_eq!(nothing_left.unwrap_err(), RefusalCode::RefundExceedsEvent);
    });
}

#[test]
fn a_refund_may_come_before_its_event() {
    in_a_shop(async |shop| {
        for name in ["ben", "cid", "dan"] {
            shop.friend(name).await;
        }
        shop.refunds("order-1", "refund-1", None).await;
        shop.refunds("order-2", "refund-2", Some("40.00")).await;
        shop.refunds("order-3", "refund-3", Some("500.00")).await;
        shop.buys("ben", "order-1", "100.00").await;
        shop.has("ann", NOTHING).await;
        shop.has("ben", NOTHING).await;
        assert_eq!(shop.referral("ben").await, "PENDING");
        shop.buys("cid", "order-2", "100.00").await;
        shop.has("ann", available(1_000)).await;
        // It takes at most what there is.
        shop.buys("dan", "order-3", "100.00").await;
        shop.has("ann", available(1_000)).await;
        shop.has("dan", NOTHING).await;
        let more = shop.host.refund("order-2", "refund-4", Some("60.01")).await;
        assert_eq!(more.unwrap_err(), RefusalCode::RefundExceedsEvent);
        shop.refunds("order-2", "refund-4", Some("60.00")).await;
        shop.has("ann", NOTHING).await;
    });
}

#[test]
fn a_second_purchase_moves_up() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        shop.buys("ben", "order-2", "7.00").await;
        shop.buys("ben", "order-3", "8.00").await;
        shop.refunds("order of ben", "refund-1", None).await;
        assert_eq!(shop.referral("ben").await, "COMPLETED by order-2");
        shop.has("ann", available(1_000)).await;
        shop.has("ben", available(500)).await;
        shop.refunds("order-2", "refund-2", None).await;
        assert_eq!(shop.referral("ben").await, "COMPLETED by order-3");
        let paid = ["order of ben REVERSED 1000 0", "order-2 REVERSED 1000 0", "order-3 AVAILABLE 1000 1000"];
        assert_eq!(shop.rewards("ann").await, paid);
        shop.refunds("order-3", "refund-3", None).await;
        assert_eq!(shop.referral("ben").await, "PENDING");
        shop.has("ann", NOTHING).await;
        shop.has("ben", NOTHING).await;
    });
}

#[test]
fn a_refund_after_the_claim_is_owed() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        let claim = shop.ann_claims("claim-1").await.unwrap();
        assert_eq!((claim.amount, claim.netted, claim.status), (1_000, 0, ClaimStatus::Requested));
        shop.has("ann", Purse { claimed: 1_000, ..NOTHING }).await;
        shop.refunds("order of ben", "refund-1", None).await;
        shop.has("ann", Purse { claimed: 1_000, debt: 1_000, ..NOTHING }).await;
        shop.has("ben", NOTHING).await;
        shop.settles(claim.id, ClaimStatus::Paid, Some("payout-1")).await.unwrap();
        shop.has("ann", Purse { paid: 1_000, debt: 1_000, ..NOTHING }).await;
        assert_eq!(shop.rewards("ann").await, ["order of ben PAID 1000 0"]);
    });
}

#[test]
fn what_is_owed_is_netted_by_a_later_claim() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        let claim = shop.ann_claims("claim-1").await.unwrap();
        shop.settles(claim.id, ClaimStatus::Paid, Some("payout-1")).await.unwrap();
        shop.refunds("order of ben", "refund-1", None).await;
        shop.has("ann", Purse { paid: 1_000, debt: 1_000, ..NOTHING }).await;
        // As much as is owed does not suffice, and changes nothing.
        shop.customer("cid").await;
        let owing = Purse { available: 1_000, paid: 1_000, debt: 1_000, ..NOTHING };
        shop.has("ann", owing).await;
        assert_eq!(shop.ann_claims("claim-2").await.unwrap_err(), RefusalCode::DebtOutstanding);
        shop.has("ann", owing).await;
        shop.customer("dan").await;
        // The key of what was refused is still free.
        let claim = shop.ann_claims("claim-2").await.unwrap();
        assert_eq!((claim.amount, claim.netted), (1_000, 1_000));
        shop.has("ann", Purse { claimed: 1_000, paid: 1_000, ..NOTHING }).await;
        shop.settles(claim.id, ClaimStatus::Paid, Some("payout-2")).await.unwrap();
        shop.has("ann", Purse { paid: 2_000, ..NOTHING }).await;
    });
}

#[test]
fn a_failed_payout_gives_back() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        let claim = shop.ann_claims("claim-1").await.unwrap();
        let failed = shop.settles(claim.id, ClaimStatus::Failed, None).await.unwrap();
        assert!(failed.settled_at.is_some());
        shop.has("ann", available(1_000)).await;
        let claim = shop.ann_claims("claim-2").await.unwrap();
        shop.settles(claim.id, ClaimStatus::Paid, None).await.unwrap();
        shop.has("ann", Purse { paid: 1_000, ..NOTHING }).await;
    });
}

#[test]
fn a_failed_payout_brings_back_what_was_owed() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        let first = shop.ann_claims("claim-1").await.unwrap();
        shop.settles(first.id, ClaimStatus::Paid, None).await.unwrap();
        shop.refunds("order of ben", "refund-1", None).await;
        for name in ["cid", "dan"] {
            shop.customer(name).await;
        }
        let netting = shop.ann_claims("claim-2").await.unwrap();
        assert_eq!((netting.amount, netting.netted), (1_000, 1_000));
        // Cid's order goes back while it is claimed, and then the payout fails: only Dan's is left, and owed.
        shop.refunds("order of cid", "refund-2", None).await;
        shop.has("ann", Purse { claimed: 1_000, paid: 1_000, debt: 1_000, ..NOTHING }).await;
        shop.settles(netting.id, ClaimStatus::Failed, None).await.unwrap();
        shop.has("ann", Purse { available: 1_000, paid: 1_000, debt: 1_000, ..NOTHING }).await;
        let rewards = shop.rewards("ann").await;
        assert_eq!(
            rewards,
            ["order of ben PAID 1000 0", "order of cid REVERSED 1000 0", "order of dan AVAILABLE 1000 1000"]
        );
    });
}

#[test]
fn a_failed_payout_of_what_was_taken_back_leaves_nothing() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        let claim = shop.ann_claims("claim-1").await.unwrap();
        shop.refunds("order of ben", "refund-1", None).await;
        shop.settles(claim.id, ClaimStatus::Failed, None).await.unwrap();
        shop.has("ann", NOTHING).await;
        assert_eq!(shop.ann_claims("claim-2").await.unwrap_err(), RefusalCode::NothingToClaim);
    });
}

#[test]
fn a_claim_is_settled_once() {
    in_a_shop(async |shop| {
        shop.customer("ben").await;
        let claim = shop.ann_claims("claim-1").await.unwrap();
        let paid = shop.settles(claim.id, ClaimStatus::Paid, Some("payout-1")).await.unwrap();
        let again = shop.settles(claim.id, ClaimStatus::Paid, Some("payout-1")).await.unwrap();
        assert_eq!((again.id, again.settled_at), (paid.id, paid.settled_at));
        for (outcome, reference) in
            [(ClaimStatus::Failed, Some("payout-1")), (ClaimStatus::Paid, Some("payout-2")), (ClaimStatus::Paid, None)]
        {
            let otherwise = shop.settles(claim.id, outcome, reference).await;
            assert_eq!(otherwise.unwrap_err(), RefusalCode::ClaimAlreadySettled, "{outcome:?} {reference:?}");
        }
        shop.has("ann", Purse { paid: 1_000, ..NOTHING }).await;
        // The reference is that payout's alone.
        shop.customer("cid").await;
        let claim = shop.ann_claims("claim-2").await.unwrap();
        let taken = shop.settles(claim.id, ClaimStatus::Paid, Some("payout-1")).await;
        assert_eq!(taken.unwrap_err(), RefusalCode::ReferenceTaken);
        shop.has("ann", Purse { claimed: 1_000, paid: 1_000, ..NOTHING }).await;
        shop.settles(claim.id, ClaimStatus::Paid, Some("payout-2")).await.unwrap();
    });
}

#[test]
fn a_claim_can_name_its_rewards() {
    in_a_shop(async |shop| {
        let ben = shop.customer("ben").await;
        shop.customer("cid").await;
        let named = shop.reward_ids("ann").await;
        let claims = shop.host.claim_only(shop.ann.id, "one", Some(vec![named[0]])).await.unwrap();
        assert_eq!(claims[0].amount, 1_000);
        shop.has("ann", Purse { available: 1_000, claimed: 1_000, ..NOTHING }).await;
        // Neither what is claimed already nor what is somebody else's.
        let bens = shop.reward_ids("ben").await;
        for not_hers in [named[0], bens[0]] {
            let refused = shop.host.claim_only(shop.ann.id, "two", Some(vec![named[1], not_hers])).await;
            assert_eq!(refused.unwrap_err(), RefusalCode::RewardNotAvailable);
        }
        assert_eq!(shop.host.claim(ben.id, "one").await.unwrap()[0].amount, 500);
        shop.has("ann", Purse { available: 1_000, claimed: 1_000, ..NOTHING }).await;
    });
}

#[test]
fn a_held_reward_waits_for_its_day_and_lapses() {
    in_a_shop(async |shop| {
        shop.promise_with_hold(7, 30).await;
        shop.customer("ben").await;
        shop.has("ann", Purse { pending: 1_000, ..NOTHING }).await;
        assert_eq!(shop.ann_claims("claim-1").await.unwrap_err(), RefusalCode::NothingToClaim);
        shop.harness.clock().pass_days(7);
        // Claims go by the clock, whether the sweeper ran or not.
        let claim = shop.host.claim(shop.ann.id, "claim-1").await.unwrap().remove(0);
        shop.has("ann", Purse { claimed: 1_000, ..NOTHING }).await;
        shop.has("ben", Purse { pending: 500, ..NOTHING }).await;
        shop.harness.clock().pass_days(29);
        shop.settles(claim.id, ClaimStatus::Failed, None).await.unwrap();
        // It had a day left, and gets at least a day.
        shop.has("ann", available(1_000)).await;
        shop.has("ben", available(500)).await;
        shop.harness.clock().pass_seconds(23 * 3_600);
        shop.harness.fold_all().await;
        shop.has("ann", available(1_000)).await;
        shop.harness.clock().pass_days(1);
        assert_eq!(shop.ann_claims("claim-2").await.unwrap_err(), RefusalCode::NothingToClaim);
        shop.has("ann", NOTHING).await;
        assert_eq!(shop.rewards("ann").await, ["order of ben EXPIRED 1000 1000"]);
        // What lapsed cannot be taken back a second time.
        shop.refunds("order of ben", "refund-1", None).await;
        shop.has("ann", NOTHING).await;
    });
}

#[test]
fn what_lapsed_unnoticed_is_not_taken_back() {
    in_a_shop(async |shop| {
        shop.promise_with_hold(0, 30).await;
        shop.customer("ben").await;
        shop.has("ann", available(1_000)).await;
        shop.harness.clock().pass_days(30);
        // The refund is folded before the sweep comes by.
        shop.refunds("order of ben", "refund-1", None).await;
        shop.has("ann", NOTHING).await;
        assert_eq!(shop.rewards("ann").await, ["order of ben EXPIRED 1000 0"]);
    });
}

/// Two referrals are undone and a third friend buys again, all in one batch: the tier is that of the six that are left.
#[test]
fn a_tier_is_chosen_by_those_that_are_left() {
    in_a_shop(async |shop| {
        for number in 0..8 {
            shop.customer(&format!("friend-{number}")).await;
        }
        let tiers =
            json!([{"fromReferrals": 1, "pay": {"fixed": "1.00"}}, {"fromReferrals": 5, "pay": {"fixed": "9.00"}}]);
        let on = json!({"event": "purchase", "every": true});
        shop.promise(json!([{"key": "stairs", "on": on, "to": "REFERRER", "pay": {"tiers": tiers}}])).await;
        for number in 0..2 {
            let (order, refund) = (format!("order of friend-{number}"), format!("refund-{number}"));
            shop.host.refund(&order, &refund, None).await.unwrap();
        }
        shop.buys("friend-7", "another order", "100.00").await;
        let rewards = shop.rewards("ann").await;
        assert_eq!(rewards.last().map(String::as_str), Some("another order AVAILABLE 900 900"), "{rewards:?}");
    });
}
