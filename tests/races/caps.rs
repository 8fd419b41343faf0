//! Caps under a crowd: used to the last cent and no further.

use serde_json::{Value, json};

use crate::{
    CROWD,
    support::{Books, Harness, Host, Purse, at_once, each_backend, member, program},
};

/// What a cap lets through: cents of each reward, smallest first.
type Paid = Vec<i64>;

/// A program whose one rule pays 3.00 for every purchase, under a cap.
async fn capped(harness: &Harness, to: &str, cap: Value) -> String {
    let rules = json!([{
        "key": "capped", "on": {"event": "purchase", "every": true}, "to": to, "pay": {"fixed": "3.00"}, "cap": cap,
    }]);
    program(harness, "p", rules).await
}

/// All friends buy at the same moment, while several fold.
async fn everybody_buys(harness: &Harness) {
    let host = Host::of(harness);
    at_once(CROWD, |number| {
        let host = host.clone();
        async move {
            host.buy(&format!("friend-{number}"), &format!("order-{number}"), "10.00").await.unwrap();
            host.fold().await;
        }
    })
    .await;
    harness.fold_all().await;
}

/// Fails unless exactly these rewards were granted, all other purchases were told why not, and the cap's rows say so too.
async fn paid(harness: &Harness, expected: &Paid) {
    let mut sql = harness.sql().await;
    let sum = expected.iter().sum();
    for (place, cents) in expected.iter().enumerate() {
        let text = format!("SELECT amount AS number FROM rewards ORDER BY amount LIMIT 1 OFFSET {place}");
        assert_eq!(sql.number(&text).await, *cents, "reward {place}");
    }
    let granted = i64::try_from(expected.len()).unwrap();
    assert_eq!(sql.number("SELECT count(*) AS number FROM rewards").await, granted);
    let refused = "SELECT count(*) AS number FROM events WHERE decisions LIKE '%CAP_REACHED%'";
    assert_eq!(sql.number(refused).await, i64::try_from(CROWD).unwrap() - granted);
    for (column, used) in [("used_count", granted), ("used_amount", sum)] {
        let text = format!("SELECT CAST(sum({column}) AS bigint) AS number FROM caps");
        assert_eq!(sql.number(&text).await, used, "{column}");
    }
    let books = Books::of(harness).await;
    books.say(&[("ISSUER > AVAILABLE", sum)]);
    assert_eq!(books.held, Purse { available: sum, ..Purse::EMPTY });
    assert_eq!(harness.engine().verify().await.unwrap(), [] as [String; 0]);
}

/// Fifty friends of one person.
async fn one_person_under(harness: Harness, cap: Value, expected: Paid) {
    let id = capped(&harness, "REFERRER", cap).await;
    let ann = member(&harness, "ann", &id, None).await;
    for number in 0..CROWD {
        member(&harness, &format!("friend-{number}"), &id, Some(&ann)).await;
    }
    everybody_buys(&harness).await;
    paid(&harness, &expected).await;
    assert_eq!(Purse::of(&harness, "ann").await, Purse { available: expected.iter().sum(), ..Purse::EMPTY });
    harness.finish().await;
}

#[test]
fn a_cap_of_seven_pays_seven() {
    each_backend(async |harness| one_person_under(harness, json!({"perUserCount": 7}), vec![300; 7]).await);
}

#[test]
fn an_amount_cap_pays_the_remainder() {
    let expected = || [vec![200], vec![300; 6]].concat();
    each_backend(async |harness| one_person_under(harness, json!({"perUserAmount": "20.00"}), expected()).await);
}

#[test]
fn a_budget_is_used_to_the_last_cent() {
    let expected = || [vec![100], vec![300; 10]].concat();
    let cap = json!({"budget": "31.00", "period": "MONTH"});
    each_backend(async |harness| one_person_under(harness, cap.clone(), expected()).await);
}

/// The budget is for all: fifty people who are paid themselves share it.
#[test]
fn a_budget_is_shared_by_fifty() {
    each_backend(async |harness| {
        let id = capped(&harness, "REFERRED", json!({"budget": "31.00"})).await;
        let ann = member(&harness, "ann", &id, None).await;
        for number in 0..CROWD {
            member(&harness, &format!("friend-{number}"), &id, Some(&ann)).await;
        }
        everybody_buys(&harness).await;
        paid(&harness, &[vec![100], vec![300; 10]].concat()).await;
        harness.finish().await;
    });
}
