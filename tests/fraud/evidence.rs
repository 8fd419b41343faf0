//! What is kept, for how long, and under which key.

use banyan::{domain::keyed_hash::HashKey, engine::Engine};

use crate::scene::{Scene, Seen, on_the_scene, request};

const EVIDENCE: &str = "SELECT count(*) AS number FROM evidence";

#[test]
fn only_hashes_are_kept_and_not_for_ever() {
    on_the_scene(async |scene| {
        let seen =
            Seen { device: Some("canary-device"), email: Some("canary@example.com"), ..Seen::ip("203.0.113.77") };
        scene.friend("ben", seen).await;
        let mut sql = scene.harness.sql().await;
        assert_eq!(sql.number(EVIDENCE).await, 1);
        assert_eq!(scene.harness.engine().purge().await.unwrap(), 0);
        scene.harness.clock().pass_days(89);
        scene.friend("cid", Seen::device("another")).await;
        scene.harness.clock().pass_days(2);
        assert_eq!(scene.harness.engine().purge().await.unwrap(), 1);
        assert_eq!(sql.number(EVIDENCE).await, 1);
        // What was decided on it stays, in words that name nothing of it.
        let canaries =
            "SELECT evidence AS line FROM signals WHERE evidence LIKE '%canary%' OR evidence LIKE '%203.0.%'";
        assert_eq!(scene.lines(canaries).await, Vec::<String>::new());
    });
}

/// The same house with another key, and the one before it still known.
fn with_new_key(scene: &Scene) -> Engine {
    let mut engine = scene.harness.engine().clone();
    engine.context.hash_key = HashKey::from_secret("a new key").with_former("the key of the stories");
    engine
}

#[test]
fn a_new_key_recognises_what_came_in_under_the_old_one() {
    on_the_scene(async |scene| {
        let seen = Seen { email: Some("x.y@gmail.com"), ..Seen::device("tablet") };
        scene.friend("ben", Seen { ip: Some("192.0.2.1"), ..seen }).await;
        let engine = with_new_key(scene);
        for name in ["cid", "dan"] {
            engine.sign_up(request(name, Some(&scene.ann), Seen::device("tablet"))).await.unwrap();
        }
        scene.harness.fold_all().await;
        for name in ["ben", "cid", "dan"] {
            assert_eq!(scene.signals(name).await, ["RING", "SAME_DEVICE"], "{name}");
        }
        engine.sign_up(request("eve", Some(&scene.ann), Seen::email("xy+1@gmail.com"))).await.unwrap();
        engine.sign_up(request("fay", Some(&scene.ann), Seen::ip("192.0.2.9"))).await.unwrap();
        scene.harness.fold_all().await;
        assert_eq!(scene.signals("eve").await, ["ALIAS_EMAIL"]);
        assert_eq!(scene.signals("fay").await, ["SAME_NETWORK"]);
        // Without the old key the new one does not know what came in before.
        let mut forgetful = engine.clone();
        forgetful.context.hash_key = HashKey::from_secret("a third key");
        forgetful.sign_up(request("gus", Some(&scene.ann), Seen::device("tablet"))).await.unwrap();
        scene.harness.fold_all().await;
        assert_eq!(scene.signals("gus").await, Vec::<String>::new());
    });
}
