//! Following links.

use std::net::IpAddr;

use banyan::{
    domain::landing::Landing,
    engine::clicks::{Clicks, Purpose, Visit},
};

use crate::support::Harness;

/// Somebody at an address of their own follows the link of a code; gives the click as the host passes it on.
pub async fn follow(harness: &Harness, code: &str, visitor: u8) -> String {
    let landing = Landing::new("https://shop.example/", &[]).unwrap();
    let clicks = Clicks::begin(harness.engine().clone(), landing);
    let visit = Visit {
        code: code.to_owned(),
        purpose: Purpose::Follow,
        address: Some(IpAddr::from([198, 51, 100, visitor])),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0".to_owned()),
        campaign: vec![("utm_source", "spring".to_owned())],
        page: None,
        cookie: None,
    };
    let way = clicks.follow(visit).await.unwrap();
    way.page.split_once("click_id=").unwrap().1.to_owned()
}
