//! Every refusal, and who may not even ask.

use banyan::domain::id::Noun;
use serde_json::{Value, json};

use crate::{
    lists::{ADD, REMOVE},
    scene::{REVIEW, Scene, Seen, on_the_scene},
};

fn refused(payload: &Value) -> (&str, &str) {
    let error = &payload["userErrors"][0];
    (error["code"].as_str().unwrap_or("nothing"), error["field"][0].as_str().unwrap_or("nothing"))
}

#[test]
fn reviews_that_cannot_be() {
    on_the_scene(async |scene| {
        let ben = scene.friend("ben", Seen::NOTHING).await;
        let referral = ben.id.typed(Noun::Referral);
        let nobody = scene.ann.id.typed(Noun::Referral);
        for (id, decision, reason, expected) in [
            (nobody.as_str(), "DENY", "why", ("REFERRAL_NOT_FOUND", "referralId")),
            ("user_01h455vb4pex5vsknk084sn02q", "DENY", "why", ("REFERRAL_NOT_FOUND", "referralId")),
            ("nonsense", "DENY", "why", ("REFERRAL_NOT_FOUND", "referralId")),
            (&referral, "DENY", " ", ("INVALID_INPUT", "reason")),
            (&referral, "DENY", &"x".repeat(501), ("INVALID_INPUT", "reason")),
            (&referral, "APPROVE", "why", ("INVALID_TRANSITION", "decision")),
        ] {
            assert_eq!(refused(&scene.review_as(id, decision, reason).await), expected, "{id} {decision}");
        }
        assert_eq!(scene.review(&ben, "DENY").await["userErrors"], json!([]));
        assert_eq!(scene.review(&ben, "DENY").await["userErrors"], json!([]), "the same again changes nothing");
        assert_eq!(refused(&scene.review(&ben, "APPROVE").await), ("INVALID_TRANSITION", "decision"));
        let blocked =
            scene.sign_up("bob", Some(&scene.ann), Seen { email: Some("z+1@example.com"), ..Seen::device("d") }).await;
        scene.friend("bib", Seen { email: Some("z+2@example.com"), ..Seen::device("d") }).await;
        for decision in ["DENY", "APPROVE"] {
            assert_eq!(refused(&scene.review(&blocked, decision).await), ("INVALID_TRANSITION", "decision"));
        }
    });
}

#[test]
fn listings_that_cannot_be() {
    on_the_scene(async |scene| {
        let long = "x".repeat(600);
        for (subject, value, reason, field) in [
            ("IP", "here", "why", "value"),
            ("NETWORK", "192.0.2.0/24", "why", "value"),
            ("DEVICE", "", "why", "value"),
            ("DEVICE", &long, "why", "value"),
            ("EMAIL", "nobody", "why", "value"),
            ("EMAIL_DOMAIN", "localhost", "why", "value"),
            ("REFERRER", " ", "why", "value"),
            ("DEVICE", "d", "", "reason"),
        ] {
            let input = json!({"effect": "BLOCK", "subject": subject, "value": value, "reason": reason});
            let payload = scene.admin().run(ADD, json!({"input": input})).await["addListing"].take();
            assert_eq!(refused(&payload), ("INVALID_INPUT", field), "{subject} {value}");
        }
        let past = json!({"effect": "BLOCK", "subject": "DEVICE", "value": "d", "reason": "why",
            "expiresAt": "2020-01-01T00:00:00Z"});
        let payload = scene.admin().run(ADD, json!({"input": past})).await["addListing"].take();
        assert_eq!(refused(&payload), ("INVALID_INPUT", "expiresAt"));
        for id in ["listing_01h455vb4pex5vsknk084sn02q", "user_01h455vb4pex5vsknk084sn02q"] {
            let input = json!({"listingId": id, "reason": "why"});
            let payload = scene.admin().run(REMOVE, json!({"input": input})).await["removeListing"].take();
            assert_eq!(refused(&payload), ("LISTING_NOT_FOUND", "listingId"));
        }
    });
}

#[test]
fn policies_that_cannot_be() {
    on_the_scene(async |scene| {
        let signal = |change: Value| json!({"fraud": {"signals": [change]}});
        for (change, path) in [
            (json!({"fraud": {"holdAt": 0}}), json!(["fraud", "holdAt"])),
            (json!({"fraud": {"holdAt": 60, "blockAt": 50}}), json!(["fraud", "holdAt"])),
            (json!({"fraud": {"lookbackDays": 366}}), json!(["fraud", "lookbackDays"])),
            (signal(json!({"signal": "RING", "threshold": 1})), json!(["fraud", "signals", "0", "threshold"])),
            (signal(json!({"signal": "SAME_IP", "weight": -1})), json!(["fraud", "signals", "0", "weight"])),
            (signal(json!({"signal": "BLOCK_LISTED", "weight": 1})), json!(["fraud", "signals", "0", "signal"])),
            (
                signal(json!({"signal": "TOO_FAST", "windowSeconds": 86_401})),
                json!(["fraud", "signals", "0", "windowSeconds"]),
            ),
        ] {
            let changed = scene.promise(change).await;
            assert_eq!(changed["userErrors"], json!([{"code": "INVALID_INPUT", "field": path}]));
        }
        let changed = scene.promise(json!({"fraud": {"holdAt": 40}})).await;
        let policy = json!({"holdAt": 40, "blockAt": 100, "missingEvidence": "ACCEPT"});
        assert_eq!(changed["program"], json!({"version": 2, "fraud": policy}));
    });
}

#[test]
fn only_operators_decide_and_members_see_no_rules() {
    on_the_scene(async |scene: &Scene| {
        let ben = scene.friend("ben", Seen::device("tablet")).await;
        scene.friend("cid", Seen::device("tablet")).await;
        let review = json!({"input": {"referralId": ben.id.typed(Noun::Referral), "decision": "DENY", "reason": "x"}});
        let listing = json!({"input": {"effect": "BLOCK", "subject": "DEVICE", "value": "x", "reason": "x"}});
        let removal = json!({"input": {"listingId": "listing_01h455vb4pex5vsknk084sn02q", "reason": "x"}});
        for actor in [scene.harness.server(), scene.harness.member("ann")] {
            for (document, variables) in [
                (REVIEW, review.clone()),
                (ADD, listing.clone()),
                (REMOVE, removal.clone()),
                ("{ reviews { nodes { id } } }", json!({})),
                ("{ reviewGroups { signal } }", json!({})),
                ("{ listings { nodes { id } } }", json!({})),
            ] {
                assert_eq!(actor.error_code(document, variables).await, "FORBIDDEN", "{document}");
            }
        }
        let groups = scene.admin().error_code("{ reviewGroups(first: 101) { signal } }", json!({})).await;
        assert_eq!(groups, "BAD_USER_INPUT");
        const OWN: &str = "{ viewer { referrals { nodes { status risk { score } program { fraud { holdAt } \
            versions { fraud { holdAt } } } } } } }";
        let seen = scene.harness.member("ann").run(OWN, json!({})).await;
        let hidden =
            json!({"status": "PENDING", "risk": null, "program": {"fraud": null, "versions": [{"fraud": null}]}});
        assert_eq!(seen["viewer"]["referrals"]["nodes"], json!([hidden, hidden]));
        let server = scene.harness.server();
        let of = "query($id: ID!) { user(by: {id: $id}) { referral { risk { score standing policyVersion } } } }";
        let risk = server.run(of, json!({"id": ben.id.typed(Noun::User)})).await["user"]["referral"]["risk"].take();
        assert_eq!(risk, json!({"score": 60, "standing": "HELD", "policyVersion": 1}));
    });
}
