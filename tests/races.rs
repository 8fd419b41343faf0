//! Many at once: whoever comes at the same moment, each thing happens exactly once and no cent is made or lost.
#![expect(clippy::unwrap_used, reason = "in a test, what fails should fail loudly")]

#[path = "races/caps.rs"]
mod caps;
#[path = "races/claims.rs"]
mod claims;
#[path = "races/refunds.rs"]
mod refunds;
mod support;

use banyan::{
    domain::words::ClaimStatus,
    engine::{RefusalCode, sign_up::SignUp},
};
use support::{Books, Harness, Host, Person, Purse, at_once, each_backend, newcomer};

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
            assert_eq!((result.user.id, &result.findings), (winner.user.id, &winner.findings));
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
        assert_eq!((count(&harness, "rewards").await, count(&harness, "transfers").await), (2, 2));
        assert_eq!(Purse::of(&harness, "ann").await, Purse { available: 1_000, ..Purse::EMPTY });
        assert_eq!(Purse::of(&harness, "ben").await, Purse { available: 500, ..Purse::EMPTY });
        Books::of(&harness).await.say(&[("ISSUER > AVAILABLE", 1_500)]);
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
