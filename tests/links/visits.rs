//! Whose click is whose: one visitor, several behind one address, and many at once.

use serde_json::{Value, json};

use crate::{
    attribution::{clicks, code_in},
    site::{Browser, Site, person, sign_up},
    support::each_backend,
};

#[test]
fn two_behind_one_address_do_not_share_what_one_of_them_clicked_before() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (ann_id, _) = person(&site, "ann", Value::Null).await;
        let (bob_id, _) = person(&site, "bob", Value::Null).await;
        let ann = code_in(&site, "FIRST_TOUCH", &ann_id).await;
        let bob = code_in(&site, "FIRST_TOUCH", &bob_id).await;
        let (mut one, mut other) = (Browser::new(1), Browser::new(1));
        one.follow(&site, &ann).await;
        harness.clock().pass_seconds(60);
        let clicks = (one.follow(&site, &bob).await.click(), other.follow(&site, &bob).await.click());
        assert_ne!(clicks.0, clicks.1);
        for (name, click, code) in [("cleo", clicks.0, ann), ("dan", clicks.1, bob)] {
            let attribution = sign_up(&site, name, json!({"clickId": click})).await;
            assert_eq!(attribution["code"], json!(code), "{name}: {attribution:#}");
        }
        harness.finish().await;
    });
}

#[test]
fn a_visit_is_recorded_once_an_hour() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &["--trusted-proxies", "192.0.2.50"]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        let (_, other) = person(&site, "bob", Value::Null).await;
        // The half hour, so that no hour ends in between.
        harness.clock().pass_seconds(1_800);
        let mut browser = Browser::new(1);
        let first = browser.follow(&site, &code).await.click();
        let mut forgetful = Browser::new(1);
        assert_eq!(forgetful.follow(&site, &code).await.click(), first, "without the cookie");
        let mut moved = browser.clone();
        moved.address = Browser::new(2).address;
        assert_eq!(moved.follow(&site, &code).await.click(), first, "at another address");
        assert_ne!(Browser::new(3).follow(&site, &code).await.click(), first, "somebody else");
        assert_ne!(browser.follow(&site, &other).await.click(), first, "somebody else's link");
        let behind = [("x-forwarded-for", "203.0.113.9, 192.0.2.1")];
        assert_eq!(Browser::new(50).get(&site, &format!("/r/{code}"), &behind).await.click(), first, "past the proxy");
        assert_ne!(
            Browser::new(51).get(&site, &format!("/r/{code}"), &behind).await.click(),
            first,
            "no proxy of ours"
        );
        assert_eq!(clicks(&harness).await, 4);
        harness.clock().pass_seconds(3_700);
        assert_ne!(browser.follow(&site, &code).await.click(), first, "an hour later");
        harness.finish().await;
    });
}

#[test]
fn many_who_click_at_once_are_recorded_together() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        let tasks = crate::support::at_once(100, |number| {
            let (site, code) = (site.clone(), code.clone());
            async move { Browser::new(u8::try_from(number).unwrap()).follow(&site, &code).await.click() }
        });
        let ids: std::collections::BTreeSet<String> = tasks.await.into_iter().collect();
        assert_eq!((ids.len(), clicks(&harness).await), (100, 100));
        let batches = harness.sql().await.number("SELECT count(DISTINCT created_at) AS number FROM clicks").await;
        assert!(batches <= 50, "{batches} transactions for 100 clicks");
        harness.finish().await;
    });
}
