//! Claims and settlements that come at the same moment.

use banyan::{
    domain::{id::Id, words::ClaimStatus},
    engine::RefusalCode,
};

use crate::{
    CROWD, ROUNDS, ann_with_rewards, count,
    support::{Books, Host, Purse, at_once, each_backend, newcomer},
    tally,
};

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
        assert_eq!((count(&harness, "claim_requests").await, count(&harness, "claims").await), (1, 1));
        // Each of three friends has 5.00 as well.
        Books::of(&harness).await.say(&[("ISSUER > AVAILABLE", 4_500), ("AVAILABLE > CLAIMED", 3_000)]);
        harness.finish().await;
    });
}

/// Ten rewards on a ring, and everybody asks for two neighbours: who shares one with somebody else gets neither.
#[test]
fn claims_of_named_rewards_never_share_one() {
    const RING: usize = 10;
    each_backend(async |harness| {
        let (ann, host) = (ann_with_rewards(&harness, RING).await, Host::of(&harness));
        let rewards = reward_ids(&harness, ann.id).await;
        assert_eq!(rewards.len(), RING);
        let results = at_once(CROWD, |number| {
            let (host, two) = (host.clone(), vec![rewards[number % RING], rewards[(number + 1) % RING]]);
            async move { host.claim_only(ann.id, &format!("claim-{number}"), Some(two)).await }
        })
        .await;
        let (done, refused) = tally(&results, RefusalCode::RewardNotAvailable);
        assert_eq!(done + refused, CROWD);
        // Neighbours are taken until no two are left beside each other.
        assert!((4..=5).contains(&done), "{done} claims of two");
        let claimed = 2_000 * i64::try_from(done).unwrap();
        assert!(results.iter().flatten().all(|claims| claims.len() == 1 && claims[0].amount == 2_000));
        let expected = Purse { claimed, available: 10_000 - claimed, ..Purse::EMPTY };
        assert_eq!(Purse::of(&harness, "ann").await, expected);
        let taken = "SELECT count(*) AS number FROM rewards WHERE status = 'CLAIMED' AND taken = 1000";
        assert_eq!(harness.sql().await.number(taken).await, claimed / 1_000);
        Books::of(&harness).await.say(&[("ISSUER > AVAILABLE", 15_000), ("AVAILABLE > CLAIMED", claimed)]);
        harness.finish().await;
    });
}

#[derive(diesel::QueryableByName)]
struct RewardId {
    #[diesel(sql_type = banyan::store::sql_types::Uuid)]
    id: Id,
    #[diesel(sql_type = banyan::store::sql_types::Uuid)]
    user_id: Id,
}

async fn reward_ids(harness: &crate::support::Harness, user: Id) -> Vec<Id> {
    let rows: Vec<RewardId> = harness.sql().await.load("SELECT id, user_id FROM rewards ORDER BY id").await;
    rows.into_iter().filter(|row| row.user_id == user).map(|row| row.id).collect()
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
        Books::of(&harness).await.say(&[("ISSUER > AVAILABLE", 4_500), ("AVAILABLE > CLAIMED", 3_000)]);
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
        let ways = [("ISSUER > AVAILABLE", 1_500), ("AVAILABLE > CLAIMED", 1_000), ("CLAIMED > PAID", 1_000)];
        Books::of(&harness).await.say(&ways);
        harness.finish().await;
    });
}

/// Half say that it was paid, each by a payout of its own, and half that it failed: one thing happened.
#[test]
fn fifty_settlements_make_one_end() {
    each_backend(async |harness| {
        let (ann, host) = (ann_with_rewards(&harness, 1).await, Host::of(&harness));
        let claim = host.claim(ann.id, "claim-1").await.unwrap()[0].id;
        let results = at_once(CROWD, |number| {
            let host = host.clone();
            async move {
                match number % 2 {
                    0 => host.settle(claim, ClaimStatus::Paid, Some(&format!("payout-{number}"))).await,
                    _ => host.settle(claim, ClaimStatus::Failed, None).await,
                }
            }
        })
        .await;
        let ended = results.iter().find_map(|result| result.as_ref().ok()).unwrap().status;
        let (twins, purse, way) = match ended {
            ClaimStatus::Paid => (1, Purse { paid: 1_000, ..Purse::EMPTY }, "CLAIMED > PAID"),
            _ => (CROWD / 2, Purse { available: 1_000, ..Purse::EMPTY }, "CLAIMED > AVAILABLE"),
        };
        assert_eq!(tally(&results, RefusalCode::ClaimAlreadySettled), (twins, CROWD - twins));
        assert_eq!(Purse::of(&harness, "ann").await, purse);
        let ways = [("ISSUER > AVAILABLE", 1_500), ("AVAILABLE > CLAIMED", 1_000), (way, 1_000)];
        Books::of(&harness).await.say(&ways);
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

/// Fifty people claim what is taken back from them at that very moment.
#[test]
fn fifty_claims_and_fifty_refunds_meet() {
    each_backend(async |harness| {
        let (host, mut anns) = (Host::of(&harness), Vec::new());
        for number in 0..CROWD {
            let ann = newcomer(&harness, &format!("ann-{number}"), None).await;
            let ben = newcomer(&harness, &format!("ben-{number}"), Some(&ann)).await;
            host.buy(&ben.external_id, &format!("order-{number}"), "100.00").await.unwrap();
            anns.push(ann.id);
        }
        harness.fold_all().await;
        let results = at_once(3 * CROWD, |number| {
            let (host, place) = (host.clone(), number / 3);
            let ann = anns[place];
            async move {
                match number % 3 {
                    0 => return host.claim(ann, "claim-1").await.is_ok(),
                    1 => drop(host.refund(&format!("order-{place}"), &format!("refund-{place}"), None).await.unwrap()),
                    _ => host.fold().await,
                }
                false
            }
        })
        .await;
        harness.fold_all().await;
        let mut claimed = 0;
        for (place, three) in results.chunks(3).enumerate() {
            let purse = Purse::of(&harness, &format!("ann-{place}")).await;
            let expected = if three[0] { Purse { claimed: 1_000, debt: 1_000, ..Purse::EMPTY } } else { Purse::EMPTY };
            assert_eq!(purse, expected, "ann-{place}");
            claimed += purse.claimed;
        }
        let given = 1_500 * i64::try_from(CROWD).unwrap();
        Books::of(&harness).await.say(&[
            ("ISSUER > AVAILABLE", given),
            ("AVAILABLE > CLAIMED", claimed),
            ("DEBT > ISSUER", claimed),
            ("AVAILABLE > ISSUER", given - claimed),
        ]);
        harness.finish().await;
    });
}
