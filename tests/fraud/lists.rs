//! The allow list and the block list.

use serde_json::{Value, json};

use crate::scene::{Scene, Seen, on_the_scene};

pub const ADD: &str = "mutation($input: AddListingInput!) { addListing(input: $input) { \
    listing { id effect subject reason expiresAt } userErrors { code field } } }";
pub const REMOVE: &str = "mutation($input: RemoveListingInput!) { removeListing(input: $input) { \
    listing { subject } userErrors { code field } } }";

async fn list(scene: &Scene, effect: &str, subject: &str, value: &str) -> Value {
    let input = json!({"effect": effect, "subject": subject, "value": value, "reason": "known"});
    let mut payload = scene.admin().run(ADD, json!({"input": input})).await["addListing"].take();
    assert_eq!(payload["userErrors"], json!([]));
    payload["listing"].take()
}

#[test]
fn whatever_is_block_listed_is_rejected() {
    on_the_scene(async |scene| {
        let seen = Seen { device: Some("farm"), email: Some("z@spam.example"), ..Seen::ip("203.0.113.9") };
        for (subject, value, seen) in [
            ("IP", "203.0.113.9", Seen::ip("203.0.113.9")),
            ("NETWORK", "198.51.100.0", Seen::ip("198.51.100.77")),
            ("DEVICE", "farm", Seen::device("farm")),
            ("EMAIL", "Bad.Guy@gmail.com", Seen::email("badguy+1@gmail.com")),
            ("EMAIL_DOMAIN", "spam.example", Seen::email("x@spam.example")),
        ] {
            list(scene, "BLOCK", subject, value).await;
            let name = format!("u {subject}");
            scene.friend(&name, seen).await;
            assert_eq!(scene.signals(&name).await, ["BLOCK_LISTED"], "{subject}");
            assert_eq!(scene.risk(&name).await, (100, "BLOCKED".to_owned()), "{subject}");
        }
        list(scene, "BLOCK", "REFERRER", "ann").await;
        scene.friend("last", Seen::NOTHING).await;
        assert_eq!(scene.risk("last").await.1, "BLOCKED");
        assert_eq!(scene.counted(scene.ann.id).await, 0);
        // Who comes without a referrer is nobody's referral.
        scene.sign_up("free", None, seen).await;
    });
}

#[test]
fn what_is_allowed_is_no_sign_and_only_while_it_is() {
    on_the_scene(async |scene| {
        let allowed = list(scene, "ALLOW", "DEVICE", "kiosk").await;
        scene.friend("ben", Seen::device("kiosk")).await;
        scene.friend("cid", Seen::device("kiosk")).await;
        assert_eq!(scene.risk("cid").await, (0, "CLEAR".to_owned()));
        // Listed again, it keeps its id and takes what is new.
        let input = json!({"effect": "ALLOW", "subject": "DEVICE", "value": "kiosk", "reason": "for a day",
            "expiresAt": "2026-03-05T12:00:00Z"});
        let again = scene.admin().run(ADD, json!({"input": input})).await["addListing"]["listing"].take();
        assert_eq!((&again["id"], &again["reason"]), (&allowed["id"], &json!("for a day")));
        scene.harness.clock().pass_days(2);
        scene.friend("dan", Seen::device("kiosk")).await;
        assert_eq!(scene.signals("dan").await, ["RING", "SAME_DEVICE"]);
        let trusted = list(scene, "ALLOW", "REFERRER", "ann").await;
        scene.friend("eve", Seen::device("kiosk")).await;
        assert_eq!(scene.signals("eve").await, Vec::<String>::new());
        let input = json!({"listingId": trusted["id"], "reason": "no longer"});
        let removed = scene.admin().run(REMOVE, json!({"input": input})).await["removeListing"].take();
        assert_eq!(removed["listing"]["subject"], "REFERRER");
        scene.friend("fay", Seen::device("kiosk")).await;
        assert_eq!(scene.risk("fay").await, (60, "HELD".to_owned()));
        let shown = scene.admin().run("{ listings(effect: ALLOW) { nodes { id reason } } }", json!({})).await;
        assert_eq!(shown["listings"]["nodes"], json!([{"id": allowed["id"], "reason": "for a day"}]));
        let text = "SELECT action AS line FROM audit_log WHERE subject LIKE 'listing%' ORDER BY id";
        assert_eq!(scene.lines(text).await, ["addListing", "addListing", "addListing", "removeListing"]);
    });
}

#[test]
fn entries_that_ended_are_kept_as_long_as_other_evidence() {
    on_the_scene(async |scene| {
        let blocked = list(scene, "BLOCK", "DEVICE", "farm").await;
        let input = json!({"effect": "ALLOW", "subject": "DEVICE", "value": "kiosk", "reason": "for a day",
            "expiresAt": "2026-03-05T12:00:00Z"});
        assert_eq!(scene.admin().run(ADD, json!({"input": input})).await["addListing"]["userErrors"], json!([]));
        scene.harness.clock().pass_days(90);
        assert_eq!(scene.harness.engine().purge().await.unwrap(), 0, "it ended 89 days ago");
        scene.harness.clock().pass_days(2);
        assert_eq!(scene.harness.engine().purge().await.unwrap(), 1);
        let left = scene.admin().run("{ listings { nodes { id } } }", json!({})).await;
        assert_eq!(left["listings"]["nodes"], json!([{"id": blocked["id"]}]), "what has no end stays");
        // That somebody listed it stays on record.
        assert_eq!(scene.lines("SELECT action AS line FROM audit_log").await, ["addListing", "addListing"]);
    });
}
