//! What is kept, for how long, and under which key.

use banyan::{
    domain::{keyed_hash::HashKey, words::Outcome},
    engine::{Engine, sign_up::SignUp},
};
use serde_json::json;

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

#[test]
fn a_members_own_address_counts_and_what_a_member_says_does_not() {
    on_the_scene(async |scene| {
        const SIGN_UP: &str =
            "mutation($input: SignUpInput!) { signUp(input: $input) { created userErrors { code } } }";
        for (name, address) in [("ben", "192.0.2.1"), ("cid", "192.0.2.1"), ("dan", "198.51.100.1")] {
            let said =
                json!({"externalId": name, "code": scene.ann.code, "ipAddress": "203.0.113.1", "deviceId": "said"});
            let member = scene.harness.member(name).at(address);
            assert_eq!(member.run(SIGN_UP, json!({"input": said})).await["signUp"]["created"], true);
        }
        // A back end's own address is nobody's; what it says of its user counts.
        for (name, address) in [("eve", "203.0.113.7"), ("fay", "203.0.113.8")] {
            let input = json!({"externalId": name, "code": scene.ann.code, "ipAddress": address});
            let server = scene.harness.server().at("192.0.2.1");
            assert_eq!(server.run(SIGN_UP, json!({"input": input})).await["signUp"]["created"], true);
        }
        scene.harness.fold_all().await;
        for (name, signals) in
            [("ben", "SAME_IP"), ("cid", "SAME_IP"), ("eve", "SAME_NETWORK"), ("fay", "SAME_NETWORK")]
        {
            assert_eq!(scene.signals(name).await, [signals], "{name}");
        }
        assert_eq!(scene.signals("dan").await, Vec::<String>::new());
    });
}

#[test]
fn the_address_of_a_click_counts_where_the_signup_shows_none() {
    on_the_scene(async |scene| {
        let mut sql = scene.harness.sql().await;
        for (number, name, network) in [(1, "ben", "aa"), (2, "cid", "aa"), (3, "dan", "bb")] {
            let click = banyan::domain::id::Id::from_uuid(uuid::Uuid::from_u128(number));
            let blob = |hex: &str| match scene.harness.kind() {
                banyan::store::BackendKind::Postgres => format!("'\\x{hex}'"),
                banyan::store::BackendKind::Sqlite => format!("x'{hex}'"),
            };
            let (ip, network) = (blob(&format!("{number:02x}").repeat(32)), blob(&network.repeat(32)));
            let id = match scene.harness.kind() {
                banyan::store::BackendKind::Postgres => format!("'{click}'"),
                banyan::store::BackendKind::Sqlite => format!("x'{}'", click.uuid().simple()),
            };
            sql.execute(&format!(
                "INSERT INTO clicks (id, code_key, program_id, user_id, ip_hash, network_hash, created_at) \
                 SELECT {id}, codes.key, codes.program_id, codes.user_id, {ip}, {network}, codes.created_at \
                 FROM codes WHERE shown = '{}'",
                scene.ann.code
            ))
            .await;
            let click_id = Some(click.typed(banyan::domain::id::Noun::Click));
            scene.host.sign_up(SignUp { click_id, code: None, ..request(name, None, Seen::NOTHING) }).await.unwrap();
        }
        scene.harness.fold_all().await;
        for name in ["ben", "cid"] {
            assert_eq!(scene.signals(name).await, ["SAME_NETWORK"], "{name}");
        }
        assert_eq!(scene.signals("dan").await, Vec::<String>::new());
        scene.harness.clock().pass_days(91);
        assert_eq!(scene.harness.engine().purge().await.unwrap(), 6, "what came with three signups and three clicks");
        assert_eq!(sql.number("SELECT count(*) AS number FROM clicks WHERE ip_hash IS NULL").await, 3);
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

/// Whoever signed up under the old key and comes again under the new one does not bring themselves in.
#[test]
fn a_new_key_knows_who_brings_themselves_in() {
    on_the_scene(async |scene| {
        let told = Seen { email: Some("Gil@example.com"), phone: Some("+49 30 1234567"), ..Seen::NOTHING };
        let gil = scene.sign_up("gil", None, told).await;
        let engine = with_new_key(scene);
        let by_email = Seen::email("gil@example.com");
        let by_phone = Seen { phone: Some("+49301234567"), ..Seen::NOTHING };
        for (name, seen) in [("gil 2", by_email), ("gil 3", by_phone)] {
            let signed_up = engine.sign_up(request(name, Some(&gil), seen)).await.unwrap();
            assert_eq!(signed_up.findings.outcome, Outcome::SelfReferral, "{name}");
            assert!(signed_up.referral.is_none(), "{name}");
        }
        // So it is for who told theirs under the new key, and others are others still.
        let hal = engine.sign_up(request("hal", Some(&gil), Seen::email("hal@example.com"))).await.unwrap();
        assert_eq!(hal.findings.outcome, Outcome::Attributed);
        let again = SignUp { code: hal_code(scene).await, ..request("hal 2", None, Seen::email("hal@example.com")) };
        assert_eq!(engine.sign_up(again).await.unwrap().findings.outcome, Outcome::SelfReferral);
    });
}

async fn hal_code(scene: &Scene) -> Option<String> {
    const CODE: &str =
        "SELECT shown AS line FROM codes JOIN users ON users.id = codes.user_id WHERE external_id = 'hal'";
    scene.lines(CODE).await.pop()
}
