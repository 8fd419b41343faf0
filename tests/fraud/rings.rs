//! Rings that arrive at one moment: however signups, purchases and folds fall together, nobody slips through.

use serde_json::json;

use crate::{
    scene::{Scene, Seen, on_the_scene, request},
    support::{Purse, at_once},
};

const MEMBERS: usize = 30;
const FOLDERS: usize = 4;

/// Signs everybody up at one moment, while others fold.
async fn arrive(scene: &Scene, seen: impl Fn(usize) -> Seen + Sync) {
    let requests: Vec<_> =
        (0..MEMBERS).map(|number| request(&format!("m{number}"), Some(&scene.ann), seen(number))).collect();
    at_once(MEMBERS + FOLDERS, |task| {
        let (host, request) = (scene.host.clone(), requests.get(task).cloned());
        async move {
            match request {
                Some(request) => drop(host.sign_up(request).await.expect("a signup is never refused")),
                None => {
                    for _ in 0..10 {
                        host.fold().await;
                    }
                }
            }
        }
    })
    .await;
}

/// All of them at once, later than what would be too fast.
async fn buy(scene: &Scene) {
    scene.harness.clock().pass_seconds(60);
    at_once(MEMBERS + FOLDERS, |task| {
        let host = scene.host.clone();
        async move {
            if task < MEMBERS {
                host.buy(&format!("m{task}"), &format!("order {task}"), "100.00").await.expect("buys");
            } else {
                host.fold().await;
            }
        }
    })
    .await;
    scene.harness.fold_all().await;
}

#[test]
fn a_ring_on_one_device_is_held_to_the_last_member() {
    on_the_scene(async |scene| {
        arrive(scene, |_| Seen::device("farm")).await;
        buy(scene).await;
        for member in 0..MEMBERS {
            let name = format!("m{member}");
            assert_eq!(scene.risk(&name).await, (60, "HELD".to_owned()), "{name}");
            assert_eq!(scene.signals(&name).await, ["RING", "SAME_DEVICE"], "{name}");
            scene.has(&name, Purse { withheld: 500, ..Purse::EMPTY }).await;
        }
        scene.has("ann", Purse { withheld: 1_000 * MEMBERS as i64, ..Purse::EMPTY }).await;
    });
}

#[test]
fn a_burst_never_slips_under_its_limit() {
    on_the_scene(async |scene| {
        let limit = MEMBERS - 1;
        let burst = json!({"signal": "NETWORK_BURST", "threshold": limit, "weight": 100});
        let velocity = json!({"signal": "VELOCITY", "threshold": limit, "weight": 50, "shadow": false});
        scene.policy(json!({"signals": [burst, velocity]})).await;
        arrive(scene, |_| Seen::ip("192.0.2.1")).await;
        buy(scene).await;
        for member in 0..MEMBERS {
            let name = format!("m{member}");
            assert_eq!(scene.risk(&name).await, (180, "BLOCKED".to_owned()), "{name}");
            scene.has(&name, Purse::EMPTY).await;
        }
        scene.has("ann", Purse::EMPTY).await;
        assert_eq!(scene.counted(scene.ann.id).await, 0);
    });
}

#[test]
fn just_below_the_limit_nobody_is_bothered() {
    on_the_scene(async |scene| {
        let burst = json!({"signal": "NETWORK_BURST", "threshold": MEMBERS, "weight": 100});
        scene.policy(json!({"signals": [burst]})).await;
        arrive(scene, |_| Seen::ip("192.0.2.1")).await;
        buy(scene).await;
        scene.has("ann", Purse { available: 1_000 * MEMBERS as i64, ..Purse::EMPTY }).await;
    });
}
