//! Moves at the same moment as each other and as everything else: never a circle, and every count exact.

use std::sync::Arc;

use banyan::engine::{RefusalCode, sign_up::SignUp};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use crate::{
    family::{circles, is_right},
    support::{Harness, Host, Person, at_once, each_backend, newcomer, recount},
};

/// How often two moves that close a circle are tried.
const ROUNDS: usize = 60;
/// Storms on each database, unless `BANYAN_MOVE_STORMS` says otherwise.
const STORMS: u64 = 200;
/// Tasks of a storm.
const TASKS: usize = 8;

#[test]
fn of_two_moves_that_close_a_circle_one_is_made() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        for round in 0..ROUNDS {
            let pair = [0, 1].map(|number| format!("{round}-{number}"));
            let (one, other) = (newcomer(&harness, &pair[0], None).await, newcomer(&harness, &pair[1], None).await);
            let below = newcomer(&harness, &format!("{round}-2"), Some(&other)).await;
            let moves = [(one.id, below.id), (other.id, one.id)];
            let results = at_once(2, |number| {
                let (host, (moved, to)) = (host.clone(), moves[number]);
                async move { host.move_user(moved, to).await.map(drop) }
            })
            .await;
            let made = results.iter().filter(|result| result.is_ok()).count();
            assert_eq!(made, 1, "round {round}: {results:?}");
            assert!(results.contains(&Err(RefusalCode::WouldMakeCycle)), "round {round}: {results:?}");
        }
        assert_eq!(circles(&harness).await, 0);
        is_right(&harness, "in the end").await;
        harness.finish().await;
    });
}

#[test]
fn of_moves_around_a_ring_one_is_refused() {
    each_backend(async |harness| {
        let host = Host::of(&harness);
        for round in 0..ROUNDS / 4 {
            let mut ring: Vec<Person> = Vec::new();
            for number in 0..6 {
                ring.push(newcomer(&harness, &format!("{round}-{number}"), None).await);
            }
            let ids: Vec<_> = ring.iter().map(|person| person.id).collect();
            let results = at_once(ids.len(), |number| {
                let (host, moved, to) = (host.clone(), ids[number], ids[(number + 1) % ids.len()]);
                async move { host.move_user(moved, to).await.map(drop) }
            })
            .await;
            assert_eq!(results.iter().filter(|result| result.is_ok()).count(), ids.len() - 1, "{results:?}");
        }
        assert_eq!(circles(&harness).await, 0);
        is_right(&harness, "in the end").await;
        harness.finish().await;
    });
}

/// What one task of a storm does.
#[derive(Clone, Debug)]
enum Deed {
    Move(Person, Person),
    SignUp(String, Person),
    Buy(Person, String),
    Refund(String),
    Fold,
}

struct Storms {
    random: StdRng,
    people: Vec<Person>,
    orders: Vec<String>,
}

impl Storms {
    fn anybody(&mut self) -> Person {
        self.people[self.random.random_range(0..self.people.len())].clone()
    }

    fn deed(&mut self, storm: u64, task: usize) -> Deed {
        let name = format!("{storm}-{task}");
        match self.random.random_range(0..10) {
            0..5 => Deed::Move(self.anybody(), self.anybody()),
            5 => Deed::SignUp(name, self.anybody()),
            6 | 7 => {
                self.orders.push(name.clone());
                Deed::Buy(self.anybody(), name)
            }
            8 if !self.orders.is_empty() => {
                Deed::Refund(self.orders[self.random.random_range(0..self.orders.len())].clone())
            }
            _ => Deed::Fold,
        }
    }
}

async fn does(host: Host, deed: Deed) -> Option<RefusalCode> {
    match deed {
        Deed::Move(moved, to) => host.move_user(moved.id, to.id).await.err(),
        Deed::SignUp(name, above) => {
            let request = SignUp { external_id: name, code: Some(above.code), ..SignUp::default() };
            host.sign_up(request).await.err()
        }
        Deed::Buy(who, order) => host.buy(&who.external_id, &order, "30.00").await.err(),
        Deed::Refund(order) => {
            // Twice the same is the same; a refund may come before its order.
            host.refund(&order, &format!("{order}-refund"), Some("30.00")).await.err()
        }
        Deed::Fold => {
            host.fold().await;
            None
        }
    }
}

async fn people(harness: &Harness) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    for number in 0..24 {
        let above = (number % 6 != 0).then(|| &people[number - 1]);
        people.push(newcomer(harness, &format!("person-{number}"), above).await);
    }
    people
}

#[test]
fn storms_make_no_circle_and_lose_no_count() {
    let storms = std::env::var("BANYAN_MOVE_STORMS").map_or(STORMS, |text| text.parse().unwrap());
    each_backend(async |harness| {
        let host = Host::of(&harness);
        let mut state =
            Storms { random: StdRng::seed_from_u64(20), people: people(&harness).await, orders: Vec::new() };
        let (mut made, mut circular) = (0, 0);
        for storm in 0..storms {
            let deeds: Arc<Vec<Deed>> = Arc::new((0..TASKS).map(|task| state.deed(storm, task)).collect());
            let results = at_once(TASKS, |task| does(host.clone(), deeds[task].clone())).await;
            for (deed, result) in deeds.iter().zip(results) {
                match (deed, result) {
                    (Deed::Move(..), None) => made += 1,
                    (Deed::Move(..), Some(RefusalCode::WouldMakeCycle)) => circular += 1,
                    (Deed::Move(..), Some(RefusalCode::ReferrerUnchanged)) | (_, None) => {}
                    (Deed::Refund(_), Some(RefusalCode::RefundExceedsEvent)) => {}
                    (deed, Some(refusal)) => panic!("storm {storm}: {deed:?} was refused: {refusal:?}"),
                }
            }
            assert_eq!(circles(&harness).await, 0, "storm {storm}");
            harness.fold_all().await;
            let differences = recount(&mut harness.sql().await).await;
            assert!(differences.is_empty(), "storm {storm}:\n{}\n{deeds:#?}", differences.join("\n"));
            if storm % 20 == 0 {
                is_right(&harness, &format!("storm {storm}")).await;
            }
        }
        eprintln!("{storms} storms: {made} moves made, {circular} refused as circles");
        assert!(made > storms && circular > 0, "storms were storms: {made} moves, {circular} circles");
        is_right(&harness, "in the end").await;
        harness.finish().await;
    });
}
