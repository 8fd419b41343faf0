//! Many at once: whoever comes at the same moment, each thing happens exactly once and no cent is made or lost.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

mod support;

use banyan::{
    domain::words::ClaimStatus,
    engine::{RefusalCode, sign_up::SignUp},
};
use support::{Harness, Host, Person, Purse, at_once, each_backend, newcomer};

/// Tasks that come at once.
const CROWD: usize = 50;
/// How often a race of two is run: one run would seldom meet the moment.
const ROUNDS: usize = 20;

/// Ann, who brought Ben in.
async fn ann_and_ben(harness: &Harness) {
    let ann = newcomer(harness, "ann", None).await;
    newcomer(harness, "ben", Some(&ann)).await;
}

/// Ann, with a reward for each of some friends who bought something.
async fn ann_with_rewards(harness: &Harness, friends: usize) -> Person {
    let ann = newcomer(harness, "ann", None).await;
    for number in 0..friends {
        let friend = newcomer(harness, &format!("friend-{number}"), Some(&ann)).await;
        Host::of(harness).buy(&friend.external_id, &format!("order-{number}"), "100.00").await.unwrap();
    }
    harness.fold_all().await;
    ann
}

async fn count(harness: &Harness, table: &str) -> i64 {
    harness.sql().await.number(&format!("SELECT count(*) AS number FROM {table}")).await
}

/// How many came to each of these.
fn tally<T>(results: &[Result<T, RefusalCode>], refusal: RefusalCode) -> (usize, usize) {
    let done = results.iter().filter(|result| result.is_ok()).count();
    let refused = results.iter().filter(|result| result.as_ref().err() == Some(&refusal)).count();
    (done, refused)
}

#[test]
fn one_external_id_makes_one_user() {
    each_backend(async |harness| {
        let (ann, host) = (newcomer(&harness, "ann", None).await, Host::of(&harness));
        let results = at_once(CROWD, |number| {
            let (host, code) = (host.clone(), ann.code.clone());
            let request = SignUp {
                external_id: "ben".to_owned(),
                display_name: Some(format!("Ben {number}")),
                code: Some(code),
                ..SignUp::default()
            };
            async move { host.sign_up(request).await.unwrap() }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.created).count(), 1);
        let winner = results.iter().find(|result| result.created).unwrap();
        for result in &results {
            assert_eq!((result.user.id, result.outcome), (winner.user.id, winner.outcome));
            assert_eq!(result.user.display_name, winner.user.display_name);
            assert_eq!(result.referral.as_ref().map(|edge| edge.referrer_id), Some(ann.id));
        }
        let counts = (count(&harness, "users").await, count(&harness, "codes").await);
        assert_eq!((counts, count(&harness, "events").await), ((2, 2), 2));
        harness.finish().await;
    });
}

#[test]
fn one_event_key_pays_once() {
    each_backend(async |harness| {
        ann_and_ben(&harness).await;
        let host = Host::of(&harness);
        let results = at_once(CROWD, |_| {
            let host = host.clone();
            async move {
                let recorded = host.buy("ben", "order-1", "100.00").await.unwrap();
                // Workers fold while twins are still coming.
                host.fold().await;
                recorded
            }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.created).count(), 1);
        assert!(results.iter().all(|result| result.object.id == results[0].object.id));
        harness.fold_all().await;
        assert_eq!(count(&harness, "rewards").await, 2);
        assert_eq!(Purse::of(&harness, "ann").await, Purse { available: 1_000, ..Purse::EMPTY });
        harness.finish().await;
    });
}

#[test]
fn one_event_key_is_for_one_event() {
    each_backend(async |harness| {
        ann_and_ben(&harness).await;
        let host = Host::of(&harness);
        let results = at_once(CROWD, |number| {
            let (host, dollars) = (host.clone(), format!("{}.00", number + 1));
            async move { host.buy("ben", "order-1", &dollars).await }
        })
        .await;
        assert_eq!(tally(&results, RefusalCode::IdempotencyConflict), (1, CROWD - 1));
        harness.finish().await;
    });
}

#[test]
fn one_refund_key_takes_once() {
    each_backend(async |harness| {
        ann_and_ben(&harness).await;
        let host = Host::of(&harness);
        host.buy("ben", "order-1", "100.00").await.unwrap();
        let results = at_once(CROWD, |_| {
            let host = host.clone();
            async move { host.refund("order-1", "refund-1", Some("40.00")).await.unwrap() }
        })
        .await;
        assert_eq!(results.iter().filter(|result| result.created).count(), 1);
        assert!(results.iter().all(|result| result.object.id == results[0].object.id));
        harness.fold_all().await;
        let left = "SELECT remaining AS number FROM events WHERE key = 'order-1'";
        assert_eq!(harness.sql().await.number(left).await, 6_000);
        harness.finish().await;
    });
}

#[test]
fn two_refunds_never_take_more_than_there_is() {
    each_backend(async |harness| {
        ann_and_ben(&harness).await;
        let host = Host::of(&harness);
        for round in 0..ROUNDS {
            let order = format!("order-{round}");
            host.buy("ben", &order, "100.00").await.unwrap();
            let results = at_once(2, |number| {
                let (host, order) = (host.clone(), order.clone());
                async move { host.refund(&order, &format!("{order}-refund-{number}"), Some("60.00")).await }
            })
            .await;
            assert_eq!(tally(&results, RefusalCode::RefundExceedsEvent), (1, 1), "round {round}");
        }
        harness.fold_all().await;
        let left = "SELECT count(*) AS number FROM events WHERE remaining = 4000";
        assert_eq!(harness.sql().await.number(left).await, i64::try_from(ROUNDS).unwrap());
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

#[test]
fn claims_never_share_a_reward() {
    each_backend(async |harness| {
        let (ann, host) = (ann_with_rewards(&harness, 3).await, Host::of(&harness));
        let results = at_once(CROWD, |number| {
            let host = host.clone();
            async move { host.claim(ann.id, &format!("claim-{number}")).await }
        })
        .await;
        assert_eq!(tally(&results, RefusalCode::NothingToClaim), (1, CROWD - 1));
        let claims = results.into_iter().find_map(Result::ok).unwrap();
        assert_eq!(claims.iter().map(|claim| claim.amount).collect::<Vec<_>>(), [3_000]);
        assert_eq!(Purse::of(&harness, "ann").await, Purse { claimed: 3_000, ..Purse::EMPTY });
        assert_eq!(count(&harness, "claim_requests").await, 1);
        harness.finish().await;
    });
}

#[test]
fn one_claim_key_makes_one_claim() {
    each_backend(async |harness| {
        let (ann, host) = (ann_with_rewards(&harness, 3).await, Host::of(&harness));
        let results = at_once(CROWD, |_| {
            let host = host.clone();
            async move { host.claim(ann.id, "claim-1").await.unwrap() }
        })
        .await;
        for claims in &results {
            assert_eq!(claims.len(), 1);
            assert_eq!((claims[0].id, claims[0].amount), (results[0][0].id, 3_000));
        }
        assert_eq!(Purse::of(&harness, "ann").await, Purse { claimed: 3_000, ..Purse::EMPTY });
        harness.finish().await;
    });
}

#[test]
fn a_claim_ends_one_way() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        let ann = ann_with_rewards(&harness, ROUNDS).await;
        let mut paid = 0;
        for round in 0..ROUNDS {
            let claims = host.claim(ann.id, &format!("claim-{round}")).await;
            let Ok(claims) = claims else {
                assert_eq!(claims.unwrap_err(), RefusalCode::NothingToClaim);
                break;
            };
            let claim = claims[0].clone();
            let results = at_once(2, |number| {
                let outcome = if number == 0 { ClaimStatus::Paid } else { ClaimStatus::Failed };
                let host = host.clone();
                async move { host.settle(claim.id, outcome, None).await }
            })
            .await;
            assert_eq!(tally(&results, RefusalCode::ClaimAlreadySettled), (1, 1), "round {round}");
            let ended = results.into_iter().find_map(Result::ok).unwrap();
            paid += if ended.status == ClaimStatus::Paid { ended.amount } else { 0 };
            let purse = Purse::of(&harness, "ann").await;
            assert_eq!((purse.paid, purse.claimed, purse.worth()), (paid, 0, 1_000 * i64::try_from(ROUNDS).unwrap()));
        }
        harness.finish().await;
    });
}

#[test]
fn one_settlement_is_told_to_all() {
    each_backend(async |harness| {
        let (ann, host) = (ann_with_rewards(&harness, 1).await, Host::of(&harness));
        let claim = host.claim(ann.id, "claim-1").await.unwrap()[0].id;
        let results = at_once(CROWD, |_| {
            let host = host.clone();
            async move { host.settle(claim, ClaimStatus::Paid, Some("payout-1")).await.unwrap() }
        })
        .await;
        assert!(results.iter().all(|claim| claim.settled_at == results[0].settled_at));
        assert_eq!(Purse::of(&harness, "ann").await, Purse { paid: 1_000, ..Purse::EMPTY });
        harness.finish().await;
    });
}

#[test]
fn one_reference_pays_one_claim() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        let mut claims = Vec::new();
        let ann = newcomer(&harness, "ann", None).await;
        for number in 0..10 {
            let ben = newcomer(&harness, &format!("ben-{number}"), Some(&ann)).await;
            host.buy(&ben.external_id, &format!("order-{number}"), "1.00").await.unwrap();
            harness.fold_all().await;
            claims.push(host.claim(ben.id, "claim-1").await.unwrap()[0].id);
        }
        let results = at_once(claims.len(), |number| {
            let (host, claim) = (host.clone(), claims[number]);
            async move { host.settle(claim, ClaimStatus::Paid, Some("payout-1")).await }
        })
        .await;
        assert_eq!(tally(&results, RefusalCode::ReferenceTaken), (1, claims.len() - 1));
        harness.finish().await;
    });
}

/// Whichever comes first: taken back before the claim, or claimed and owed. Never both, never neither.
#[test]
fn a_claim_and_a_refund_meet() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        for round in 0..ROUNDS {
            let (name, order) = (format!("ann-{round}"), format!("order-{round}"));
            let ann = newcomer(&harness, &name, None).await;
            let ben = newcomer(&harness, &format!("ben-{round}"), Some(&ann)).await;
            host.buy(&ben.external_id, &order, "100.00").await.unwrap();
            harness.fold_all().await;
            host.refund(&order, &format!("refund-{round}"), None).await.unwrap();
            let results = at_once(3, |number| {
                let host = host.clone();
                async move {
                    if number == 0 {
                        return Some(host.claim(ann.id, "claim-1").await);
                    }
                    host.fold().await;
                    None
                }
            })
            .await;
            harness.fold_all().await;
            let purse = Purse::of(&harness, &name).await;
            match results[0].as_ref().unwrap() {
                Ok(_) => assert_eq!(purse, Purse { claimed: 1_000, debt: 1_000, ..Purse::EMPTY }),
                Err(RefusalCode::NothingToClaim) => assert_eq!(purse, Purse::EMPTY),
                Err(other) => panic!("round {round}: {other:?}"),
            }
        }
        harness.finish().await;
    });
}

/// Everything that can happen to one person's money, all at once: only the sums are certain.
#[test]
fn everything_happens_at_once() {
    each_backend(async |harness| {
        let (ann, host) = (ann_with_rewards(&harness, CROWD).await, Host::of(&harness));
        let deeds = at_once(4 * CROWD, |number| {
            let (host, friend) = (host.clone(), number / 4);
            async move {
                match number % 4 {
                    0 => {
                        drop(host.refund(&format!("order-{friend}"), &format!("refund-{friend}"), None).await.unwrap())
                    }
                    1 => drop(host.buy(&format!("friend-{friend}"), &format!("again-{friend}"), "5.00").await.unwrap()),
                    2 => return host.claim(ann.id, &format!("claim-{friend}")).await.unwrap_or_default(),
                    _ => host.fold().await,
                }
                Vec::new()
            }
        })
        .await;
        let claims: Vec<_> = deeds.into_iter().flatten().collect();
        at_once(claims.len(), |number| {
            let (host, claim) = (host.clone(), claims[number].id);
            let outcome = if number % 2 == 0 { ClaimStatus::Paid } else { ClaimStatus::Failed };
            async move { host.settle(claim, outcome, None).await.unwrap() }
        })
        .await;
        harness.fold_all().await;
        // Each friend's first purchase was taken back, and the second one pays instead.
        let purse = Purse::of(&harness, "ann").await;
        assert_eq!((purse.worth(), purse.claimed), (1_000 * i64::try_from(CROWD).unwrap(), 0));
        harness.finish().await;
    });
}
