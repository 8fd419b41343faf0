//! More clicks than can be recorded.

use std::net::{Ipv4Addr, SocketAddr};

use banyan::store::BackendKind;
use serde_json::Value;

use crate::{
    site::{Browser, Site, person},
    support::{at_once, each_backend},
};

/// More than wait at most (4,096) and are taken together (500).
const CLICKS: usize = 4_800;

#[test]
fn when_too_many_clicks_wait_the_next_are_asked_to_come_again() {
    each_backend(async |harness| {
        let site = Site::of(&harness, &[]).await;
        let (_, code) = person(&site, "ann", Value::Null).await;
        // Somebody else keeps the table for themselves.
        let mut other = harness.sql().await;
        other
            .execute(match harness.kind() {
                BackendKind::Sqlite => "BEGIN IMMEDIATE",
                BackendKind::Postgres => "BEGIN; LOCK TABLE clicks IN EXCLUSIVE MODE",
            })
            .await;
        let follow = at_once(CLICKS, |number| {
            let (site, code) = (site.clone(), code.clone());
            let address = Ipv4Addr::from_bits(0x0b00_0000 + u32::try_from(number).unwrap());
            let mut browser = Browser { address: SocketAddr::from((address, 1)), ..Browser::new(0) };
            async move { browser.follow(&site, &code).await }
        });
        let release = async {
            tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
            other.execute("COMMIT").await;
        };
        let (answers, ()) = tokio::join!(follow, release);
        let (led_on, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 302);
        assert!(refused.len() >= 100, "{} refused", refused.len());
        for answer in refused {
            assert_eq!(
                (answer.status, &answer.headers["retry-after"], &answer.cookie),
                (503, &"1".parse().unwrap(), &None)
            );
        }
        let kept = harness.sql().await.number("SELECT count(*) AS number FROM clicks").await;
        assert_eq!(usize::try_from(kept).unwrap(), led_on.len(), "answered means recorded");
        assert_eq!(Browser::new(9).follow(&site, &code).await.status, 302, "and then there is room again");
        harness.finish().await;
    });
}
