//! Several workers at once, and what a recount leaves to the fold.

use banyan::domain::words::Metric;
use banyan::store::{Tx, models};

use crate::world::{World, at, on};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_workers_end_exact() {
    let Some(world) = World::postgres().await else { return };
    let referrers = world.add_users(9).await;
    let newcomers = world.add_users(400).await;
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let engine = world.engine.clone();
            tokio::spawn(async move {
                for _ in 0..150 {
                    engine.sum_boards().await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let now = at("2026-11-22T09:00:00Z");
    for (number, newcomer) in newcomers.iter().enumerate() {
        let when = now.plus_micros(i64::try_from(number / 3).unwrap());
        let mut edge = world.refer(referrers[number * number % 9], *newcomer, when).await;
        match number % 4 {
            0 => world.reject(&mut edge).await,
            1 => world.complete(&mut edge, Some(when)).await,
            2 => {
                world.complete(&mut edge, Some(when)).await;
                world.complete(&mut edge, None).await;
            }
            _ => {
                let mut grant = world.grant((edge.referrer, edge.referred), (1_500, when)).await;
                world.lower(&mut grant, 700).await;
            }
        }
    }
    for worker in workers {
        worker.await.unwrap();
    }
    world.sum().await;
    for metric in Metric::STORED {
        assert!(world.check(metric, &referrers).await > 0);
    }
    world.close().await;
}

/// A signup whose event is not folded yet, and an import that is not counted yet, come to the board later: a recount
/// that took them in would count them twice.
async fn a_recount_leaves_the_rest_to_the_fold(world: &World) {
    let users = world.add_users(4).await;
    let now = at("2026-11-22T09:00:00Z");
    for newcomer in &users[1..] {
        world.refer(users[0], *newcomer, now).await;
    }
    let signup = world.event(users[2], ("signup", format!("signup:{}", users[2])), now);
    let row = models::NewOutbox { user_id: Some(users[2]), event_key: None, created_at: now };
    let store = &world.engine.store;
    let appended = store.write(async |tx: &mut Tx| {
        on!(tx, outbox::insert(row.clone()))?;
        on!(tx, events::insert(signup.clone()))
    });
    appended.await.unwrap();
    world
        .run(&format!(
            "INSERT INTO uncounted (referrer_id, user_id) VALUES ({}, {})",
            world.id(users[0]),
            world.id(users[3])
        ))
        .await;
    world.engine.rebuild_boards(&|_| {}).await.unwrap();
    let request = crate::expected::request(Metric::Signups, banyan::domain::words::Period::Day, (now, 10));
    let page = world.engine.leaderboard(request).await.unwrap().unwrap();
    assert_eq!(page.entries.iter().map(|entry| entry.score).collect::<Vec<_>>(), [1]);
    assert!(!world.engine.sum_boards().await.unwrap(), "the changes that waited are counted and gone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_recount_counts_nothing_twice() {
    let world = World::sqlite().await;
    a_recount_leaves_the_rest_to_the_fold(&world).await;
    if let Some(world) = World::postgres().await {
        a_recount_leaves_the_rest_to_the_fold(&world).await;
        world.close().await;
    }
}
