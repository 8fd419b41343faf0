//! Each sign by itself: what raises it, what it weighs, and what does not raise it.

use serde_json::json;

use crate::scene::{Scene, Seen, on_the_scene};

pub const CLEAR: &str = "CLEAR";
pub const HELD: &str = "HELD";
pub const BLOCKED: &str = "BLOCKED";

/// Has to be found of fraud on somebody's referral: these signs, this score and this standing.
pub async fn shows(scene: &Scene, name: &str, signals: &[&str], risk: (i32, &str)) {
    assert_eq!(scene.signals(name).await, signals, "signs on {name}");
    assert_eq!(scene.risk(name).await, (risk.0, risk.1.to_owned()), "risk of {name}");
}

#[test]
fn strangers_show_nothing() {
    on_the_scene(async |scene| {
        let seen = |ip, device, email| Seen { ip: Some(ip), device: Some(device), email: Some(email), phone: None };
        scene.friend("ben", seen("192.0.2.1", "phone of ben", "ben@example.com")).await;
        scene.friend("cid", seen("198.51.100.1", "phone of cid", "cid@example.com")).await;
        scene.friend("dan", Seen::NOTHING).await;
        for name in ["ben", "cid", "dan"] {
            shows(scene, name, &[], (0, CLEAR)).await;
        }
    });
}

#[test]
fn one_address_is_no_reason_to_hold_and_its_network_still_less() {
    on_the_scene(async |scene| {
        scene.friend("ben", Seen::ip("192.0.2.1")).await;
        shows(scene, "ben", &[], (0, CLEAR)).await;
        scene.friend("cid", Seen::ip("192.0.2.1")).await;
        // Whoever came first is weighed again.
        shows(scene, "ben", &["SAME_IP"], (30, CLEAR)).await;
        shows(scene, "cid", &["SAME_IP"], (30, CLEAR)).await;
        scene.friend("dan", Seen::ip("192.0.2.77")).await;
        shows(scene, "dan", &["SAME_NETWORK"], (10, CLEAR)).await;
        shows(scene, "ben", &["SAME_IP", "SAME_NETWORK"], (30, CLEAR)).await;
        scene.friend("eve", Seen::ip("2001:db8::1")).await;
        scene.friend("fay", Seen::ip("2001:db8:0:ff::1")).await;
        shows(scene, "fay", &["SAME_NETWORK"], (10, CLEAR)).await;
    });
}

#[test]
fn what_strangers_share_says_nothing() {
    on_the_scene(async |scene| {
        let bea = scene.sign_up("bea", None, Seen::NOTHING).await;
        scene.friend("ben", Seen::ip("192.0.2.1")).await;
        scene.sign_up("cid", Some(&bea), Seen::ip("192.0.2.1")).await;
        shows(scene, "ben", &[], (0, CLEAR)).await;
        shows(scene, "cid", &[], (0, CLEAR)).await;
    });
}

#[test]
fn the_referrers_own_device_and_address_count() {
    on_the_scene(async |scene| {
        let seen = Seen { device: Some("laptop"), ..Seen::ip("192.0.2.1") };
        let bea = scene.sign_up("bea", None, seen).await;
        scene.sign_up("ben", Some(&bea), Seen::device("laptop")).await;
        shows(scene, "ben", &["SAME_DEVICE"], (60, HELD)).await;
        scene.sign_up("cid", Some(&bea), Seen::ip("192.0.2.1")).await;
        shows(scene, "cid", &["SAME_IP"], (30, CLEAR)).await;
    });
}

#[test]
fn three_on_one_device_are_a_ring_and_weigh_no_more_than_two() {
    on_the_scene(async |scene| {
        scene.friend("ben", Seen::device("tablet")).await;
        shows(scene, "ben", &[], (0, CLEAR)).await;
        scene.friend("cid", Seen::device("tablet")).await;
        for name in ["ben", "cid"] {
            shows(scene, name, &["SAME_DEVICE"], (60, HELD)).await;
        }
        scene.friend("dan", Seen::device("tablet")).await;
        for name in ["ben", "cid", "dan"] {
            shows(scene, name, &["RING", "SAME_DEVICE"], (60, HELD)).await;
        }
    });
}

#[test]
fn a_chain_on_one_device_is_a_ring_too() {
    on_the_scene(async |scene| {
        let ben = scene.friend("ben", Seen::device("phone")).await;
        let cid = scene.sign_up("cid", Some(&ben), Seen::device("phone")).await;
        scene.sign_up("dan", Some(&cid), Seen::device("phone")).await;
        for name in ["cid", "dan"] {
            shows(scene, name, &["RING", "SAME_DEVICE"], (60, HELD)).await;
        }
        shows(scene, "ben", &["RING"], (60, HELD)).await;
    });
}

#[test]
fn a_ring_below_several_friends_shows_on_all_of_its_members() {
    on_the_scene(async |scene| {
        let bea = scene.sign_up("bea", None, Seen::NOTHING).await;
        scene.sign_up("cousin", Some(&bea), Seen::device("farm")).await;
        for (friend, member) in [("ben", "m1"), ("cid", "m2"), ("dan", "m3")] {
            let friend = scene.friend(friend, Seen::NOTHING).await;
            scene.sign_up(member, Some(&friend), Seen::device("farm")).await;
            scene.buys_in_time(member).await;
        }
        for name in ["m1", "m2", "m3"] {
            shows(scene, name, &["RING"], (60, HELD)).await;
            scene.has(name, crate::support::Purse { withheld: 500, ..Default::default() }).await;
        }
        for name in ["ben", "cid", "dan", "cousin"] {
            shows(scene, name, &[], (0, CLEAR)).await;
        }
    });
}

#[test]
fn a_burst_that_is_spread_over_a_tree_is_one_all_the_same() {
    on_the_scene(async |scene| {
        scene.policy(json!({"signals": [{"signal": "NETWORK_BURST", "threshold": 3}]})).await;
        let bea = scene.sign_up("bea", None, Seen::NOTHING).await;
        scene.sign_up("cousin", Some(&bea), Seen::ip("192.0.2.9")).await;
        for (friend, member, ip) in [("ben", "m1", "192.0.2.1"), ("cid", "m2", "192.0.2.2"), ("dan", "m3", "192.0.2.3")]
        {
            let friend = scene.friend(friend, Seen::NOTHING).await;
            scene.sign_up(member, Some(&friend), Seen::ip(ip)).await;
        }
        for name in ["m1", "m2", "m3"] {
            shows(scene, name, &[], (0, CLEAR)).await;
        }
        let eve = scene.friend("eve", Seen::NOTHING).await;
        scene.sign_up("m4", Some(&eve), Seen::ip("192.0.2.4")).await;
        for name in ["m1", "m2", "m3", "m4"] {
            shows(scene, name, &["NETWORK_BURST"], (30, CLEAR)).await;
        }
        shows(scene, "cousin", &[], (0, CLEAR)).await;
        scene.harness.clock().pass_seconds(3_600);
        scene.sign_up("late", Some(&eve), Seen::ip("192.0.2.5")).await;
        shows(scene, "late", &["SAME_NETWORK"], (10, CLEAR)).await;
    });
}

#[test]
fn people_of_a_trusted_referrer_are_in_no_ring() {
    on_the_scene(async |scene| {
        let [ben, cid, dan] = [
            scene.friend("ben", Seen::NOTHING).await,
            scene.friend("cid", Seen::NOTHING).await,
            scene.friend("dan", Seen::NOTHING).await,
        ];
        const TRUST: &str = "mutation($input: AddListingInput!) { addListing(input: $input) { userErrors { code } } }";
        let input = json!({"effect": "ALLOW", "subject": "REFERRER", "value": "ben", "reason": "runs a library"});
        let listed = scene.admin().run(TRUST, json!({"input": input})).await;
        assert_eq!(listed["addListing"]["userErrors"], json!([]));
        for (friend, member) in [(&ben, "m1"), (&cid, "m2"), (&dan, "m3")] {
            scene.sign_up(member, Some(friend), Seen::device("library")).await;
        }
        shows(scene, "m1", &[], (0, CLEAR)).await;
        for name in ["m2", "m3"] {
            shows(scene, name, &["RING"], (60, HELD)).await;
        }
    });
}

#[test]
fn who_is_moved_is_compared_with_the_people_of_the_new_referrer() {
    on_the_scene(async |scene| {
        let bea = scene.sign_up("bea", None, Seen::NOTHING).await;
        let ben = scene.friend("ben", Seen::device("phone")).await;
        scene.host.move_user(ben.id, bea.id).await.unwrap();
        scene.friend("cid", Seen::device("phone")).await;
        shows(scene, "cid", &[], (0, CLEAR)).await;
        scene.sign_up("dan", Some(&bea), Seen::device("phone")).await;
        shows(scene, "dan", &["SAME_DEVICE"], (60, HELD)).await;
    });
}

#[test]
fn throw_away_mailboxes_and_spellings_of_one_mailbox() {
    on_the_scene(async |scene| {
        scene.friend("ben", Seen::email("ben@mailinator.com")).await;
        shows(scene, "ben", &["DISPOSABLE_EMAIL"], (30, CLEAR)).await;
        // Somebody who has nothing to do with Ann was there first.
        scene.sign_up("cid", None, Seen::email("cid.lee@gmail.com")).await;
        scene.friend("dan", Seen::email("c.i.d.lee+shop@googlemail.com")).await;
        shows(scene, "dan", &["ALIAS_EMAIL"], (60, HELD)).await;
        scene.friend("eve", Seen::email("eve+1@mailinator.com")).await;
        scene.friend("fay", Seen::email("eve+2@mailinator.com")).await;
        for name in ["eve", "fay"] {
            shows(scene, name, &["ALIAS_EMAIL", "DISPOSABLE_EMAIL"], (90, HELD)).await;
        }
    });
}

#[test]
fn signs_of_different_facts_add_up_to_a_rejection() {
    on_the_scene(async |scene| {
        let seen = Seen { email: Some("x+1@example.com"), ..Seen::device("farm") };
        scene.friend("ben", seen).await;
        scene.buys_in_time("ben").await;
        assert_eq!(scene.counted(scene.ann.id).await, 1);
        scene.has("ann", crate::support::Purse { available: 1_000, ..Default::default() }).await;
        scene.friend("cid", Seen { email: Some("x+2@example.com"), ..seen }).await;
        // The one who came first had been paid for: all of it is taken back.
        for name in ["ben", "cid"] {
            shows(scene, name, &["ALIAS_EMAIL", "SAME_DEVICE"], (120, BLOCKED)).await;
        }
        // Nobody was asked, and operators see it all the same.
        let denied = "{ reviews(status: DENIED) { nodes { actor reason score } } }";
        let review = json!({"actor": "banyan", "reason": "the score reached 120", "score": 120});
        let reviews = scene.admin().run(denied, json!({})).await["reviews"]["nodes"].take();
        assert_eq!(reviews, json!([review, review]));
        scene.buys_in_time("cid").await;
        for name in ["ann", "ben", "cid"] {
            scene.has(name, Default::default()).await;
        }
        assert_eq!(scene.counted(scene.ann.id).await, 0);
    });
}

#[test]
fn one_person_twice_is_rejected_whatever_the_weights() {
    on_the_scene(async |scene| {
        let bea = scene.sign_up("bea", None, Seen::email("bea-1@yahoo.com")).await;
        // Another spelling than rule 2 sees through: the referral is made, and rejected.
        scene.sign_up("ben", Some(&bea), Seen::email("bea-2@yahoo.com")).await;
        shows(scene, "ben", &["ALIAS_EMAIL", "SELF_REFERRAL"], (160, BLOCKED)).await;
        scene.buys("ben").await;
        scene.has("bea", Default::default()).await;
        scene.has("ben", Default::default()).await;
        assert_eq!(scene.counted(bea.id).await, 0);
    });
}

#[test]
fn too_many_an_hour_from_one_network_are_held() {
    on_the_scene(async |scene| {
        scene.policy(json!({"signals": [{"signal": "NETWORK_BURST", "threshold": 3}]})).await;
        let ips = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
        let names = ["ben", "cid", "dan", "eve"];
        for (name, ip) in names.into_iter().zip(ips) {
            scene.friend(name, Seen::ip(ip)).await;
        }
        for name in names {
            shows(scene, name, &["NETWORK_BURST", "SAME_NETWORK"], (40, CLEAR)).await;
        }
        scene.harness.clock().pass_seconds(3_600);
        scene.friend("fay", Seen::ip("192.0.2.5")).await;
        shows(scene, "fay", &["SAME_NETWORK"], (10, CLEAR)).await;
    });
}

#[test]
fn velocity_and_haste_are_only_reported_unless_the_policy_says_so() {
    on_the_scene(async |scene| {
        scene.policy(json!({"signals": [{"signal": "VELOCITY", "threshold": 2}]})).await;
        for name in ["ben", "cid", "dan"] {
            scene.friend(name, Seen::NOTHING).await;
        }
        shows(scene, "dan", &["(VELOCITY)"], (0, CLEAR)).await;
        scene.buys("dan").await;
        shows(scene, "dan", &["(TOO_FAST)", "(VELOCITY)"], (0, CLEAR)).await;
        scene.harness.clock().pass_seconds(60);
        scene.buys("cid").await;
        shows(scene, "cid", &["(VELOCITY)"], (0, CLEAR)).await;
        scene.policy(json!({"holdAt": 15, "signals": [{"signal": "TOO_FAST", "shadow": false}]})).await;
        scene.harness.clock().pass_days(1);
        scene.friend("eve", Seen::NOTHING).await;
        scene.buys("eve").await;
        // Found before the purchase was paid for.
        shows(scene, "eve", &["TOO_FAST"], (20, HELD)).await;
        scene.has("eve", crate::support::Purse { withheld: 500, ..Default::default() }).await;
    });
}

#[test]
fn missing_evidence_holds_only_where_the_policy_says_so() {
    on_the_scene(async |scene| {
        scene.friend("ben", Seen::NOTHING).await;
        shows(scene, "ben", &[], (0, CLEAR)).await;
        scene.policy(json!({"missingEvidence": "HOLD"})).await;
        scene.friend("cid", Seen::email("cid@example.com")).await;
        shows(scene, "cid", &["MISSING_EVIDENCE"], (50, HELD)).await;
        scene.friend("dan", Seen::ip("192.0.2.1")).await;
        shows(scene, "dan", &[], (0, CLEAR)).await;
    });
}
