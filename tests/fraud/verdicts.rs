//! Decisions about one referral that come at the same moment, from people and from those whom it paid.

use std::sync::Arc;

use banyan::{
    domain::{id::Id, words::ReferralStatus},
    engine::{
        RefusalCode,
        review_referral::{ReviewDecision, ReviewReferral},
    },
};
use tokio::sync::Barrier;

use crate::{
    scene::{Scene, Seen, on_the_scene},
    support::{Books, Person, Purse, at_once},
};

/// Who decides at once.
const CROWD: usize = 50;
/// How often a race of two is run: one run would seldom meet the moment.
const ROUNDS: usize = 20;

/// A friend whose rewards are held back, as those of the one before.
async fn held(scene: &Scene) -> Person {
    scene.friend("ben", Seen::device("tablet")).await;
    scene.buys_in_time("ben").await;
    let cid = scene.friend("cid", Seen::device("tablet")).await;
    scene.buys_in_time("cid").await;
    assert_eq!(scene.risk("cid").await.1, "HELD");
    cid
}

fn request(referral: Id, decision: ReviewDecision) -> ReviewReferral {
    ReviewReferral { referral, decision, reason: "looked at it".to_owned() }
}

/// Half approve and half deny. What was denied stays so: whoever approves afterwards is told, and whoever denies finds it
/// done. The money went at most one way in, and one way out.
#[test]
fn fifty_verdicts_make_one_end() {
    on_the_scene(async |scene| {
        let cid = held(scene).await;
        let results = at_once(CROWD, |number| {
            let host = scene.host.clone();
            let decision = if number % 2 == 0 { ReviewDecision::Approve } else { ReviewDecision::Deny };
            async move { (decision, host.review(request(cid.id, decision)).await) }
        })
        .await;
        let mut approved = 0;
        for (decision, result) in results {
            match (decision, result) {
                (ReviewDecision::Deny, result) => {
                    assert_eq!(result.expect("a deny is done or was").status, ReferralStatus::Rejected);
                }
                (ReviewDecision::Approve, Ok(_)) => approved += 1,
                (ReviewDecision::Approve, Err(code)) => assert_eq!(code, RefusalCode::InvalidTransition),
            }
        }
        scene.harness.fold_all().await;
        assert_eq!(scene.risk("cid").await, (60, "DENIED".to_owned()));
        scene.has("cid", Purse::EMPTY).await;
        // Ben's is still held back.
        scene.has("ann", Purse { withheld: 1_000, ..Purse::EMPTY }).await;
        let decided = i64::from(approved > 0) + 1;
        let count = |table: &str| format!("SELECT count(*) AS number FROM {table}");
        let mut sql = scene.harness.sql().await;
        assert_eq!(sql.number(&count("audit_log WHERE action = 'reviewReferral'")).await, decided);
        assert_eq!(sql.number(&count("reviews WHERE status IN ('APPROVED', 'DENIED')")).await, decided);
        assert_eq!(sql.number(&count("reward_moves WHERE to_status = 'REVERSED'")).await, 2, "each reward goes once");
        assert_eq!(scene.counted(scene.ann.id).await, 1);
    });
}

/// Whichever comes first: taken back before the claim, or claimed and owed. Never both, never neither.
#[test]
fn a_claim_and_a_deny_meet() {
    on_the_scene(async |scene| {
        let mut claimed = 0;
        for round in 0..ROUNDS {
            let referrer = scene.sign_up(&format!("referrer-{round}"), None, Seen::NOTHING).await;
            let friend = scene.sign_up(&format!("friend-{round}"), Some(&referrer), Seen::NOTHING).await;
            scene.buys_in_time(&friend.external_id).await;
            let (claim, deny) = at_once_both(
                {
                    let host = scene.host.clone();
                    async move { host.claim(referrer.id, "everything").await }
                },
                {
                    let host = scene.host.clone();
                    async move { host.review(request(friend.id, ReviewDecision::Deny)).await }
                },
            )
            .await;
            assert_eq!(deny.unwrap().status, ReferralStatus::Rejected, "round {round}");
            let left = match claim {
                Ok(claims) => {
                    claimed += claims[0].amount;
                    Purse { claimed: 1_000, debt: 1_000, ..Purse::EMPTY }
                }
                Err(code) => {
                    assert_eq!(code, RefusalCode::NothingToClaim, "round {round}");
                    Purse::EMPTY
                }
            };
            scene.has(&referrer.external_id, left).await;
            scene.has(&friend.external_id, Purse::EMPTY).await;
        }
        let given = 1_500 * i64::try_from(ROUNDS).unwrap();
        Books::of(&scene.harness).await.say(&[
            ("ISSUER > AVAILABLE", given),
            ("AVAILABLE > CLAIMED", claimed),
            ("DEBT > ISSUER", claimed),
            ("AVAILABLE > ISSUER", given - claimed),
        ]);
    });
}

/// Two deeds of different kinds, let go at the same moment.
async fn at_once_both<A, B>(
    one: impl Future<Output = A> + Send + 'static,
    other: impl Future<Output = B> + Send + 'static,
) -> (A, B)
where
    A: Send + 'static,
    B: Send + 'static,
{
    let gate = Arc::new(Barrier::new(2));
    let (here, there) = (Arc::clone(&gate), gate);
    let one = tokio::spawn(async move {
        here.wait().await;
        one.await
    });
    let other = tokio::spawn(async move {
        there.wait().await;
        other.await
    });
    (one.await.expect("a task ends"), other.await.expect("a task ends"))
}
