//! Time of the pieces that every request or every fold goes through: `cargo bench --bench hot_paths`.
//!
//! Pure rules and the document guard first, then the engine on an embedded database of 2,000 people without a network
//! between. What a whole request costs is measured by the `load` benchmark.
#![expect(clippy::unwrap_used, reason = "what fails in a benchmark should fail loudly")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use async_graphql::Variables;
use banyan::{
    domain::{
        code::CodeKey,
        history::{CapTaken, Decisions, Event, History, InForce, Item, Referral, World},
        id::{Id, Noun, parse_as},
        money::Currency,
        program::Definition,
        time::Timestamp,
        words::{Metric, Period, ReferralStatus},
    },
    engine::{leaderboard::BoardRequest, sign_up::SignUp},
    graphql::{
        document::{DocumentGuard, Limits},
        sdl,
    },
};
use divan::{Bencher, black_box};
use serde_json::json;
use support::{Database, Harness};
use tokio::runtime::Runtime;

fn main() {
    divan::main();
}

const fn id(number: u128) -> Id {
    Id::from_uuid(uuid::Uuid::from_u128(number))
}

struct Everybody(u128);

impl World for Everybody {
    fn can_earn(&self, _: Id) -> bool {
        true
    }

    fn completed(&self, _: Id, _: Id) -> u32 {
        0
    }

    fn completes(&mut self, _: Id, _: Id, _: i32) {}

    fn take(&mut self, from: CapTaken<'_>) -> i64 {
        from.wanted
    }

    fn new_reward_id(&mut self) -> Id {
        self.0 += 1;
        id(self.0)
    }
}

/// Deciding one more purchase of somebody who has bought so often before.
#[divan::bench(args = [0, 1, 10, 100])]
fn decide_a_purchase(bencher: Bencher<'_, '_>, before: u128) {
    let definition = Arc::new(Definition::default_program());
    let purchase = |number: u128| {
        let program = InForce { program: id(3), version: 1, definition: Arc::clone(&definition), pays: true };
        let event = Event {
            id: id(number),
            event_type: "purchase".to_owned(),
            remaining: Some(2_500),
            received_at: Timestamp::from_micros(i64::try_from(number).unwrap()),
            program: Some(program),
            decisions: Decisions::none(),
        };
        Item::Event { event, early: Vec::new() }
    };
    let referral = Referral { program: id(3), referrer: id(1), status: ReferralStatus::Pending, completed_at: None };
    let mut history =
        History { referral: Some(referral), upline: vec![id(1)], events: Vec::new(), rewards: Vec::new() };
    for number in 0..before {
        history.decide(id(2), purchase(100 + number), &mut Everybody(10_000));
    }
    bencher
        .with_inputs(|| (history.clone(), purchase(100 + before)))
        .bench_values(|(mut history, item)| history.decide(id(2), item, &mut Everybody(20_000)));
}

#[divan::bench]
fn fold_a_typed_code() -> Option<CodeKey> {
    CodeKey::fold(black_box(" ann-7xK9 "))
}

#[divan::bench]
fn parse_an_id(bencher: Bencher<'_, '_>) {
    let text = id(0x0199_0000_0000_7000_8000_0000_0000_0001).typed(Noun::User);
    bencher.bench(|| parse_as(Noun::User, black_box(&text)).unwrap());
}

#[divan::bench]
fn major_to_minor_units(bencher: Bencher<'_, '_>) {
    let (currency, amount) = (Currency::parse("USD").unwrap(), "1234.56".parse().unwrap());
    bencher.bench(|| currency.to_minor(black_box(amount)).unwrap());
}

const PAGE: &str = "query($id: ID!) { user(by: {id: $id}) { id displayName referralCount \
    referrals(first: 10) { totalCount nodes { status referred { displayName } } pageInfo { hasNextPage } } \
    rewards(first: 10) { nodes { status net { amount currencyCode } } } } }";

/// A document that was seen before, and one that was not.
#[divan::bench(args = [true, false])]
fn admit_a_document(bencher: Bencher<'_, '_>, seen: bool) {
    let guard = DocumentGuard::new(&sdl(), Limits::default()).unwrap();
    let number = AtomicU32::new(0);
    bencher
        .with_inputs(|| {
            let number = if seen { 0 } else { number.fetch_add(1, Ordering::Relaxed) };
            format!("{PAGE} # {number}")
        })
        .bench_refs(|text| guard.admit(text, None, &Variables::default()).unwrap());
}

/// An engine with people on it, and the runtime that it lives on.
struct House {
    runtime: Runtime,
    harness: Option<Harness>,
}

impl House {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let database = Database::fresh(banyan::store::BackendKind::Sqlite).unwrap();
        let harness = runtime.block_on(async {
            let harness = Harness::on(database).await;
            harness.engine().seed_demo(2_000, 1).await.unwrap();
            harness.fold_all().await;
            harness
        });
        Self { runtime, harness: Some(harness) }
    }

    fn measure<T>(&self, bencher: Bencher<'_, '_>, what: impl AsyncFn(&Harness) -> T) {
        let harness = self.harness.as_ref().unwrap();
        bencher.bench_local(|| self.runtime.block_on(what(harness)));
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some(harness) = self.harness.take() {
            self.runtime.block_on(harness.finish());
        }
    }
}

/// A page of a board by the engine alone.
#[divan::bench(args = [10, 100], sample_count = 50, sample_size = 5)]
fn read_a_board(bencher: Bencher<'_, '_>, limit: usize) {
    House::new().measure(bencher, async |harness| {
        let request = BoardRequest {
            program: None,
            metric: Metric::Signups,
            period: Period::AllTime,
            at: None,
            after: None,
            before: None,
            limit,
            from_end: false,
            viewer: None,
        };
        harness.engine().leaderboard(request).await.unwrap().unwrap().entries.len()
    });
}

/// A page of GraphQL, executed in this process.
#[divan::bench(sample_count = 50, sample_size = 5)]
fn execute_a_page(bencher: Bencher<'_, '_>) {
    const DOCUMENT: &str =
        "{ leaderboard(metric: SIGNUPS, first: 10) { nodes { rank user { displayName referralCount } } } }";
    House::new().measure(bencher, async |harness| harness.admin().run(DOCUMENT, json!({})).await);
}

/// A signup, on disk.
#[divan::bench(sample_count = 50, sample_size = 5)]
fn sign_up(bencher: Bencher<'_, '_>) {
    let number = AtomicU32::new(0);
    House::new().measure(bencher, async |harness| {
        let external_id = format!("newcomer-{}", number.fetch_add(1, Ordering::Relaxed));
        harness.engine().sign_up(SignUp { external_id, ..SignUp::default() }).await.unwrap()
    });
}
