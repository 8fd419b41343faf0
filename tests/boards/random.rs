//! Random histories against the recount.

use banyan::domain::{
    id::Id,
    time::Timestamp,
    words::{Metric, Period},
};
use banyan::store::sql_types::{Int8, Text, Timestamptz, Uuid};
use diesel::QueryableByName;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use crate::book::{Edge, Grant};
use crate::expected::PERIODS;
use crate::world::{World, at};

const REFERRERS: usize = 14;
const STEPS: usize = 600;

/// Instants at both edges of every period and within: few enough for many ties.
fn instants() -> Vec<Timestamp> {
    let bounded = PERIODS.iter().filter(|(period, ..)| *period != Period::AllTime);
    let mut instants: Vec<Timestamp> = bounded
        .flat_map(|(_, within, from, to)| [at(within), at(from), at(to).plus_micros(-1)])
        .filter(|instant| *instant <= at("2026-11-22T10:00:00Z"))
        .collect();
    instants.push(at("2024-02-29T12:00:00Z"));
    instants
}

struct Story<'w> {
    world: &'w World,
    rng: StdRng,
    referrers: Vec<Id>,
    newcomers: Vec<Id>,
    instants: Vec<Timestamp>,
    edges: Vec<Edge>,
    grants: Vec<Grant>,
}

impl<'w> Story<'w> {
    async fn begin(world: &'w World, seed: u64) -> Self {
        let referrers = world.add_users(REFERRERS).await;
        let newcomers = world.add_users(STEPS).await;
        let rng = StdRng::seed_from_u64(seed);
        Self { world, rng, referrers, newcomers, instants: instants(), edges: Vec::new(), grants: Vec::new() }
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> Option<T> {
        if from.is_empty() { None } else { Some(from[self.rng.random_range(0..from.len())].clone()) }
    }

    fn place<T>(&mut self, list: &[T], fits: impl Fn(&T) -> bool) -> Option<usize> {
        let fitting: Vec<usize> = (0..list.len()).filter(|place| fits(&list[*place])).collect();
        self.pick(&fitting)
    }

    async fn step(&mut self) {
        let instants = self.instants.clone();
        let when = self.pick(&instants).unwrap();
        let (edges, grants) = (self.edges.clone(), self.grants.clone());
        match self.rng.random_range(0..100) {
            0..40 => self.refer(when).await,
            40..60 => {
                if let Some(place) = self.place(&edges, |edge| !edge.rejected && edge.completed_at.is_none()) {
                    self.world.complete(&mut self.edges[place], Some(when)).await;
                }
            }
            60..67 => {
                if let Some(place) = self.place(&edges, |edge| edge.completed_at.is_some()) {
                    self.world.complete(&mut self.edges[place], None).await;
                }
            }
            67..72 => {
                if let Some(place) = self.place(&edges, |edge| !edge.rejected) {
                    self.world.reject(&mut self.edges[place]).await;
                }
            }
            72..87 => self.grant(when).await,
            87..94 => {
                if let Some(place) = self.place(&grants, |grant| grant.net > 0) {
                    let net = self.pick(&[0, 0, grants[place].net / 2]).unwrap();
                    self.world.lower(&mut self.grants[place], net).await;
                }
            }
            _ => drop(self.world.engine.sum_boards().await.unwrap()),
        }
    }

    async fn refer(&mut self, when: Timestamp) {
        let referrers = self.referrers.clone();
        if let (Some(referrer), Some(referred)) = (self.pick(&referrers), self.newcomers.pop()) {
            self.edges.push(self.world.refer(referrer, referred, when).await);
        }
    }

    async fn grant(&mut self, when: Timestamp) {
        let edges = self.edges.clone();
        let amount = self.pick(&[500, 500, 1_000, 1_001, 70_000, 70_001, 1_234_567_890]).unwrap();
        if let Some(edge) = self.pick(&edges) {
            let beneficiary = self.pick(&[edge.referrer, edge.referrer, edge.referred]).unwrap();
            self.grants.push(self.world.grant((beneficiary, edge.referred), (amount, when)).await);
        }
    }
}

#[derive(Debug, PartialEq, QueryableByName)]
struct Score {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Timestamptz)]
    starts_at: Timestamp,
    #[diesel(sql_type = Uuid)]
    user_id: Id,
    #[diesel(sql_type = Int8)]
    score: i64,
    #[diesel(sql_type = Timestamptz)]
    reached_at: Timestamp,
}

#[derive(Debug, PartialEq, QueryableByName)]
struct Bucket {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Timestamptz)]
    starts_at: Timestamp,
    #[diesel(sql_type = Int8)]
    bucket: i64,
    #[diesel(sql_type = Int8)]
    users: i64,
}

async fn stored(world: &World) -> (Vec<Score>, Vec<Bucket>) {
    let scores = "SELECT metric || period AS name, starts_at, user_id, score, reached_at FROM board_scores \
        ORDER BY metric, period, starts_at, user_id";
    let buckets = "SELECT metric || period AS name, starts_at, bucket, users FROM board_histogram WHERE users > 0 \
        ORDER BY metric, period, starts_at, bucket";
    (world.rows(scores).await, world.rows(buckets).await)
}

async fn is_always_what_the_rows_say(world: &World, seed: u64) {
    let mut story = Story::begin(world, seed).await;
    for _ in 0..STEPS {
        story.step().await;
    }
    assert_eq!(world.engine.verify_boards().await.unwrap(), Vec::<String>::new(), "with what waits, all is well");
    world.sum().await;
    assert_eq!(world.engine.verify_boards().await.unwrap(), Vec::<String>::new());
    let mut entries = 0;
    for metric in Metric::STORED {
        entries += world.check(metric, &story.referrers).await;
    }
    assert!(entries > 200, "only {entries} entries: the story is too short to say anything");

    let summed = stored(world).await;
    story.world.engine.rebuild_boards(&|_| {}).await.unwrap();
    assert_eq!(stored(world).await, summed, "a rebuild gives what summing gave");
    world.run("UPDATE board_scores SET score = score + 1 WHERE metric = 'REWARDS' AND period = 'ALL_TIME'").await;
    assert!(!world.engine.verify_boards().await.unwrap().is_empty(), "a wrong score is found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_on_sqlite() {
    for seed in [1, 2] {
        let world = World::sqlite().await;
        is_always_what_the_rows_say(&world, seed).await;
        world.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_histories_on_postgres() {
    for seed in [3, 4] {
        let Some(world) = World::postgres().await else { return };
        is_always_what_the_rows_say(&world, seed).await;
        world.close().await;
    }
}

/// Networks are read from the totals, with ties.
async fn networks_are_ranked(world: &World) {
    let users = world.add_users(40).await;
    for (number, user) in users.iter().enumerate() {
        let newest = at("2026-11-01").plus_micros(i64::try_from(number % 5).unwrap());
        let text = format!(
            "UPDATE user_totals SET network = {}, network_at = {} WHERE user_id = {}",
            number % 7,
            world.at(newest),
            world.id(*user)
        );
        world.run(&text).await;
    }
    assert_eq!(world.check(Metric::Network, &users).await, 34, "those without a network are not on the board");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn networks() {
    let world = World::sqlite().await;
    networks_are_ranked(&world).await;
    if let Some(world) = World::postgres().await {
        networks_are_ranked(&world).await;
        world.close().await;
    }
}
