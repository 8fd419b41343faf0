//! What waits to be folded: nobody is forgotten, whatever the order in which rows come.
#![expect(clippy::expect_used, reason = "in a test, what fails should fail loudly")]

mod support;

use std::time::Duration;

use banyan::engine::fold::Folded;
use support::{Harness, Host, Person, each_backend, newcomer};

/// Longer than rows are looked for below those that were taken already without looking at everything.
const MOMENT: Duration = Duration::from_millis(2_200);

async fn friends_of_ann(harness: &Harness) -> [Person; 3] {
    let ann = newcomer(harness, "ann", None).await;
    let mut friends = Vec::new();
    for friend in ["ben", "cid", "dan"] {
        friends.push(newcomer(harness, friend, Some(&ann)).await);
    }
    harness.fold_all().await;
    friends.try_into().expect("three friends")
}

async fn fold(harness: &Harness, rows: i64) -> Folded {
    harness.engine().fold(rows).await.expect("folds")
}

async fn available(harness: &Harness, external_id: &str) -> i64 {
    let text = format!(
        "SELECT CAST(coalesce(sum(available), 0) AS bigint) AS number FROM accounts \
         JOIN users ON users.id = accounts.user_id WHERE external_id = '{external_id}'"
    );
    harness.sql().await.number(&text).await
}

#[test]
fn all_that_waits_for_somebody_is_folded_together() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        friends_of_ann(&harness).await;
        for (friend, order) in [("ben", "order-1"), ("cid", "order-2"), ("ben", "order-3"), ("ben", "order-4")] {
            host.buy(friend, order, "100.00").await.expect("buys");
        }
        assert_eq!(fold(&harness, 1).await, Folded::Rows(3), "every row of ben, who was first");
        assert_eq!((available(&harness, "ben").await, available(&harness, "cid").await), (500, 0));
        assert_eq!(fold(&harness, 1).await, Folded::Rows(1));
        assert_eq!(fold(&harness, 1).await, Folded::Nothing);
        assert_eq!(available(&harness, "ann").await, 2_000);
        harness.finish().await;
    });
}

/// A transaction takes its place in the sequence first and commits later: what comes below rows that are gone already is
/// found all the same.
#[test]
fn a_row_that_comes_late_is_found() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        let [ben, ..] = friends_of_ann(&harness).await;
        host.buy("ben", "order-1", "100.00").await.expect("buys");
        let mut sql = harness.sql().await;
        let seq = sql.number("SELECT seq AS number FROM outbox").await;
        sql.execute("DELETE FROM outbox").await;
        for (friend, order) in [("cid", "order-2"), ("dan", "order-3")] {
            host.buy(friend, order, "100.00").await.expect("buys");
            assert_eq!(fold(&harness, 10).await, Folded::Rows(1));
            tokio::time::sleep(MOMENT).await;
        }
        host.buy("cid", "order-4", "100.00").await.expect("buys");
        assert_eq!(fold(&harness, 10).await, Folded::Rows(1));
        let text = "INSERT INTO outbox (seq, user_id, created_at) SELECT";
        sql.execute(&format!("{text} {seq}, id, created_at FROM users WHERE external_id = '{}'", ben.external_id))
            .await;
        assert_eq!(fold(&harness, 10).await, Folded::Rows(1));
        assert_eq!(available(&harness, "ben").await, 500);
        harness.finish().await;
    });
}

/// What is stored of Ben cannot be read any more. Everybody else is folded; his rows are parked after ten attempts, those
/// that name one of his events among them, `verify` names them, and once his row is sound again nothing is lost.
#[test]
fn who_cannot_be_folded_holds_up_nobody_and_is_not_forgotten() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        friends_of_ann(&harness).await;
        host.buy("ben", "order-1", "100.00").await.expect("buys");
        harness.fold_all().await;
        let mut sql = harness.sql().await;
        sql.execute("UPDATE events SET decisions = '{' || decisions WHERE key = 'order-1'").await;
        host.refund("order-2", "refund-1", Some("100.00")).await.expect("refunds early");
        host.buy("ben", "order-2", "100.00").await.expect("buys");
        host.buy("cid", "order-3", "100.00").await.expect("buys");
        assert_eq!(fold(&harness, 10).await, Folded::Rows(1), "Cid's");
        assert_eq!(available(&harness, "cid").await, 500);
        let mut failures = 1;
        while harness.engine().fold(10).await.is_err() {
            failures += 1;
            assert!(failures <= 10, "tried for ever");
        }
        assert_eq!(failures, 10);
        let parked = "SELECT count(*) AS number FROM outbox WHERE parked";
        assert_eq!(sql.number(parked).await, 2, "the purchase and the refund, which names only the purchase");
        assert_eq!(harness.engine().release_parked().await.expect("releases"), 2);
        assert!(harness.engine().fold(10).await.is_err(), "one more attempt");
        assert_eq!(fold(&harness, 10).await, Folded::Nothing, "and no further one");
        sql.execute("UPDATE events SET decisions = substr(decisions, 2) WHERE key = 'order-1'").await;
        let named = harness.engine().verify().await.expect("can be verified");
        assert!(named.len() == 2 && named[0].contains("not folded after 11 attempts: stored value"), "{named:?}");
        assert_eq!(harness.engine().release_parked().await.expect("releases"), 2);
        assert_eq!(fold(&harness, 10).await, Folded::Rows(2));
        assert_eq!(sql.number("SELECT count(*) AS number FROM events WHERE decided_no IS NULL").await, 0);
        assert_eq!(harness.engine().release_parked().await.expect("releases"), 0);
        harness.finish().await;
    });
}
