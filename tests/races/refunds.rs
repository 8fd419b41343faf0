//! Refunds that come at the same moment.

use banyan::engine::RefusalCode;

use crate::{
    CROWD, ROUNDS, ann_and_ben, count,
    support::{Books, Harness, Host, Purse, at_once, each_backend, member, program, upline},
    tally,
};

/// Ann, who has a tenth of what Ben buys.
async fn ann_earns_a_tenth(harness: &Harness) {
    let id = program(harness, "p", upline(&["10"])).await;
    let ann = member(harness, "ann", &id, None).await;
    member(harness, "ben", &id, Some(&ann)).await;
}

#[test]
fn one_refund_key_takes_once() {
    each_backend(async |harness| {
        ann_earns_a_tenth(&harness).await;
        let host = Host::of(&harness);
        host.buy("ben", "order-1", "100.00").await.unwrap();
        harness.fold_all().await;
        let results = at_once(CROWD, |_| {
            let host = host.clone();
            async move {
                let refunded = host.refund("order-1", "refund-1", Some("40.00")).await.unwrap();
                // Workers fold while twins are still coming.
                host.fold().await;
                refunded
            }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.created).count(), 1);
        assert!(results.iter().all(|result| result.object.id == results[0].object.id));
        harness.fold_all().await;
        let left = "SELECT remaining AS number FROM events WHERE key = 'order-1'";
        assert_eq!(harness.sql().await.number(left).await, 6_000);
        assert_eq!(count(&harness, "refunds").await, 1);
        assert_eq!(Purse::of(&harness, "ann").await, Purse { available: 600, ..Purse::EMPTY });
        Books::of(&harness).await.say(&[("ISSUER > AVAILABLE", 1_000), ("AVAILABLE > ISSUER", 400)]);
        harness.finish().await;
    });
}

/// Fifty orders of 100.00, and two refunds of 60.00 on each, all at the same moment.
#[test]
fn two_refunds_never_take_more_than_there_is() {
    each_backend(async |harness| {
        ann_earns_a_tenth(&harness).await;
        let host = Host::of(&harness);
        for order in 0..CROWD {
            host.buy("ben", &format!("order-{order}"), "100.00").await.unwrap();
        }
        let results = at_once(2 * CROWD, |number| {
            let (host, order) = (host.clone(), format!("order-{}", number / 2));
            async move {
                let refunded = host.refund(&order, &format!("{order}-{number}"), Some("60.00")).await;
                host.fold().await;
                refunded
            }
        })
        .await;
        for (order, two) in results.chunks(2).enumerate() {
            assert_eq!(tally(two, RefusalCode::RefundExceedsEvent), (1, 1), "order {order}");
        }
        harness.fold_all().await;
        let crowd = i64::try_from(CROWD).unwrap();
        let left = "SELECT count(*) AS number FROM events WHERE remaining = 4000";
        assert_eq!(harness.sql().await.number(left).await, crowd);
        assert_eq!(Purse::of(&harness, "ann").await, Purse { available: 400 * crowd, ..Purse::EMPTY });
        let ways = [("ISSUER > AVAILABLE", 1_000 * crowd), ("AVAILABLE > ISSUER", 600 * crowd)];
        Books::of(&harness).await.say(&ways);
        harness.finish().await;
    });
}

#[test]
fn all_that_is_left_is_refunded_once() {
    each_backend(async |harness| {
        ann_and_ben(&harness).await;
        let host = Host::of(&harness);
        host.buy("ben", "order-1", "100.00").await.unwrap();
        let results = at_once(CROWD, |number| {
            let host = host.clone();
            async move { host.refund("order-1", &format!("refund-{number}"), None).await }
        })
        .await;
        assert_eq!(tally(&results, RefusalCode::RefundExceedsEvent), (1, CROWD - 1));
        harness.fold_all().await;
        assert_eq!(Purse::of(&harness, "ann").await, Purse::EMPTY);
        harness.finish().await;
    });
}

#[test]
fn a_refund_finds_the_event_that_comes_at_the_same_moment() {
    each_backend(async |harness| {
        ann_and_ben(&harness).await;
        let host = Host::of(&harness);
        for round in 0..ROUNDS {
            at_once(4, |number| {
                let (host, order) = (host.clone(), format!("order-{round}"));
                async move {
                    match number {
                        0 => drop(host.buy("ben", &order, "100.00").await.unwrap()),
                        1 => drop(host.refund(&order, &format!("{order}-refund"), None).await.unwrap()),
                        _ => host.fold().await,
                    }
                }
            })
            .await;
        }
        harness.fold_all().await;
        let undecided = "SELECT count(*) AS number FROM refunds WHERE decided_no IS NULL";
        assert_eq!(harness.sql().await.number(undecided).await, 0);
        for person in ["ann", "ben"] {
            assert_eq!(Purse::of(&harness, person).await, Purse::EMPTY, "{person}");
        }
        harness.finish().await;
    });
}
