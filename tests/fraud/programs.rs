//! Several programs: each referral is weighed by the policy of its own, by whatever programs the others came.

use serde_json::{Value, json};

use crate::{
    scene::{Scene, Seen, on_the_scene},
    signals::{CLEAR, HELD, shows},
    support::Person,
};

const TABLET: Seen = Seen::device("tablet");

/// Ann as she brings others to a program of families, which makes this of some signs.
async fn family(scene: &Scene, signals: Value) -> Person {
    let program = scene.program("family", json!({"signals": signals})).await;
    scene.sharing(&scene.ann, &program).await
}

/// Versions of programs whose policies were applied to somebody's referral: to each of its signs, and to their sum.
async fn versions(scene: &Scene, name: &str) -> Vec<String> {
    let of = |table| {
        format!(
            "SELECT CAST(program_version AS text) AS line FROM {table} JOIN users ON users.id = referred_id \
             WHERE external_id = '{name}'"
        )
    };
    let mut versions = scene.lines(&of("signals")).await;
    versions.extend(scene.lines(&of("risks")).await);
    versions
}

#[test]
fn who_was_there_first_is_not_weighed_by_the_program_of_who_comes() {
    on_the_scene(async |scene| {
        let families = family(scene, json!([{"signal": "SAME_DEVICE", "weight": 0}])).await;
        scene.sign_up("ben", Some(&families), TABLET).await;
        scene.friend("cid", TABLET).await;
        shows(scene, "ben", &[], (0, CLEAR)).await;
        shows(scene, "cid", &["SAME_DEVICE"], (60, HELD)).await;
    });
}

#[test]
fn who_comes_by_a_lax_program_does_not_cover_who_was_there_first() {
    on_the_scene(async |scene| {
        let families = family(scene, json!([{"signal": "SAME_DEVICE", "weight": 0}])).await;
        scene.friend("ben", TABLET).await;
        scene.sign_up("cid", Some(&families), TABLET).await;
        shows(scene, "ben", &["SAME_DEVICE"], (60, HELD)).await;
        shows(scene, "cid", &[], (0, CLEAR)).await;
    });
}

#[test]
fn a_sign_bears_the_version_of_the_policy_that_weighed_it() {
    on_the_scene(async |scene| {
        let families = family(scene, json!([{"signal": "SAME_DEVICE", "weight": 20}])).await;
        scene.policy(json!({"holdAt": 55})).await;
        scene.policy(json!({"holdAt": 60})).await;
        scene.sign_up("ben", Some(&families), TABLET).await;
        scene.friend("cid", TABLET).await;
        shows(scene, "ben", &["SAME_DEVICE"], (20, CLEAR)).await;
        shows(scene, "cid", &["SAME_DEVICE"], (60, HELD)).await;
        assert_eq!(versions(scene, "ben").await, ["1", "1"]);
        assert_eq!(versions(scene, "cid").await, ["3", "3"]);
    });
}

#[test]
fn who_comes_at_once_by_two_programs_is_weighed_by_one_each() {
    on_the_scene(async |scene| {
        let phone = Seen::device("phone");
        let families = family(scene, json!([{"signal": "SAME_DEVICE", "weight": 20}])).await;
        scene.friend("abe", TABLET).await;
        scene.sign_up("ben", Some(&families), phone).await;
        // Crosswise: whom each of them throws a light on came by the other program.
        scene.sign_up_together(&[("cid", &scene.ann, phone), ("dan", &families, TABLET)]).await;
        for name in ["abe", "cid"] {
            shows(scene, name, &["SAME_DEVICE"], (60, HELD)).await;
        }
        for name in ["ben", "dan"] {
            shows(scene, name, &["SAME_DEVICE"], (20, CLEAR)).await;
        }
    });
}

#[test]
fn a_ring_of_several_programs_shows_where_it_is_looked_for() {
    on_the_scene(async |scene| {
        let program = scene.program("family", json!({"signals": [{"signal": "RING", "weight": 70}]})).await;
        scene.policy(json!({"signals": [{"signal": "RING", "weight": 0}]})).await;
        let ben = scene.friend("ben", Seen::NOTHING).await;
        scene.sign_up("m1", Some(&scene.sharing(&ben, &program).await), TABLET).await;
        for (friend, member) in [("cid", "m2"), ("dan", "m3")] {
            let friend = scene.friend(friend, Seen::NOTHING).await;
            scene.sign_up(member, Some(&friend), TABLET).await;
        }
        shows(scene, "m1", &["RING"], (70, HELD)).await;
        for name in ["m2", "m3"] {
            shows(scene, name, &[], (0, CLEAR)).await;
        }
    });
}

#[test]
fn too_many_an_hour_are_too_many_only_for_the_program_that_says_so() {
    on_the_scene(async |scene| {
        let hasty = json!({"signal": "VELOCITY", "threshold": 2, "weight": 70, "shadow": false});
        let families = family(scene, json!([hasty])).await;
        scene.policy(json!({"signals": [{"signal": "VELOCITY", "weight": 0}]})).await;
        scene.sign_up("ben", Some(&families), Seen::NOTHING).await;
        for name in ["cid", "dan"] {
            shows(scene, "ben", &[], (0, CLEAR)).await;
            scene.friend(name, Seen::NOTHING).await;
        }
        shows(scene, "ben", &["VELOCITY"], (70, HELD)).await;
        for name in ["cid", "dan"] {
            shows(scene, name, &[], (0, CLEAR)).await;
        }
    });
}
