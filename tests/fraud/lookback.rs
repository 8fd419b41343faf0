//! How far back a policy looks: who came before is not weighed again, and a mailbox is taken for good all the same.

use serde_json::json;

use crate::{
    scene::{Seen, on_the_scene, request},
    signals::{BLOCKED, CLEAR, HELD, shows},
};

const TABLET: Seen = Seen::device("tablet");

#[test]
fn an_old_mailbox_tells_on_who_comes_with_it_and_not_on_who_had_it() {
    on_the_scene(async |scene| {
        let seen = Seen { ip: Some("192.0.2.1"), ..TABLET };
        scene.friend("ben", Seen { email: Some("x+1@example.com"), ..seen }).await;
        scene.harness.clock().pass_days(60);
        scene.friend("cid", Seen { email: Some("x+2@example.com"), ..seen }).await;
        shows(scene, "ben", &[], (0, CLEAR)).await;
        shows(scene, "cid", &["ALIAS_EMAIL"], (60, HELD)).await;
        // Of those within thirty days both are weighed.
        scene.harness.clock().pass_days(29);
        scene.friend("dan", Seen::email("x+3@example.com")).await;
        scene.friend("eve", TABLET).await;
        shows(scene, "ben", &[], (0, CLEAR)).await;
        shows(scene, "cid", &["ALIAS_EMAIL", "SAME_DEVICE"], (120, BLOCKED)).await;
        shows(scene, "dan", &["ALIAS_EMAIL"], (60, HELD)).await;
        shows(scene, "eve", &["SAME_DEVICE"], (60, HELD)).await;
    });
}

#[test]
fn each_program_looks_back_as_far_as_it_says() {
    on_the_scene(async |scene| {
        let short = scene.program("short", json!({"lookbackDays": 5})).await;
        let short = scene.sharing(&scene.ann, &short).await;
        let phone = Seen::device("phone");
        scene.friend("ben", TABLET).await;
        scene.sign_up("cid", Some(&short), phone).await;
        scene.harness.clock().pass_days(10);
        scene.sign_up("dan", Some(&short), TABLET).await;
        scene.friend("eve", phone).await;
        for name in ["ben", "eve"] {
            shows(scene, name, &["SAME_DEVICE"], (60, HELD)).await;
        }
        for name in ["cid", "dan"] {
            shows(scene, name, &[], (0, CLEAR)).await;
        }
    });
}

#[test]
fn who_comes_at_once_by_two_programs_is_compared_as_far_back_as_each_says() {
    on_the_scene(async |scene| {
        let short = scene.program("short", json!({"lookbackDays": 5})).await;
        let short = scene.sharing(&scene.ann, &short).await;
        scene.friend("ben", TABLET).await;
        scene.harness.clock().pass_days(10);
        scene.sign_up_together(&[("cid", &scene.ann, TABLET), ("dan", &short, TABLET)]).await;
        for name in ["ben", "cid"] {
            shows(scene, name, &["RING", "SAME_DEVICE"], (60, HELD)).await;
        }
        shows(scene, "dan", &["SAME_DEVICE"], (60, HELD)).await;
    });
}

#[test]
fn who_waited_longer_than_a_policy_looks_back_is_compared_all_the_same() {
    on_the_scene(async |scene| {
        scene.policy(json!({"lookbackDays": 1})).await;
        scene.friend("ben", TABLET).await;
        scene.harness.clock().pass_seconds(12 * 3_600);
        let waiting = scene.host.sign_up(request("cid", Some(&scene.ann), TABLET)).await.unwrap();
        assert!(waiting.created);
        scene.harness.clock().pass_days(3);
        scene.harness.fold_all().await;
        for name in ["ben", "cid"] {
            shows(scene, name, &["SAME_DEVICE"], (60, HELD)).await;
        }
    });
}
