//! A demonstration that stays alive: now and then somebody signs up with a code of a demo person, or buys something.

use std::time::Duration;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{names::name, seed::PREFIX};
use crate::{
    domain::{decimal::Decimal, id::Id},
    engine::{
        Engine, Error,
        record_event::{RecordEvent, UserRef},
        sign_up::SignUp,
    },
    store::{Tx, run},
};

/// Shortest and longest time between two things that happen, in milliseconds.
const PAUSE_MILLIS: std::ops::Range<u64> = 300..1_500;
/// The share of signups that come through the first person.
const TO_THE_FIRST: f64 = 0.3;
/// The share of things that happen that are purchases.
const PURCHASES: f64 = 0.3;
/// Newcomers who may still buy something.
const NEWCOMERS_MAX: usize = 200;

impl Engine {
    /// Lets things happen among the first `people` people of the demonstration until `stop` completes.
    /// What fails is logged, and tried no more.
    pub async fn demo_activity(&self, people: u32, stop: impl Future<Output = ()> + Send) {
        let mut rng = StdRng::seed_from_u64(u64::from_be_bytes(self.context.random()));
        let mut newcomers = Vec::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let pause = Duration::from_millis(rng.random_range(PAUSE_MILLIS));
            tokio::select! {
                () = &mut stop => return,
                () = tokio::time::sleep(pause) => {}
            }
            if let Err(error) = self.let_something_happen(people, &mut newcomers, &mut rng).await {
                tracing::warn!(%error, "the demonstration stumbled");
            }
        }
    }

    async fn let_something_happen(&self, people: u32, newcomers: &mut Vec<Id>, rng: &mut StdRng) -> Result<(), Error> {
        if !newcomers.is_empty() && rng.random::<f64>() < PURCHASES {
            let buyer = newcomers.swap_remove(rng.random_range(0..newcomers.len()));
            return self.let_buy(buyer, rng.random_range(500..20_000)).await;
        }
        let number: u32 = rng.random();
        let request = SignUp {
            external_id: format!("{PREFIX}guest-{number:08x}"),
            display_name: Some(name(number % 1_600)),
            code: self.code_of_somebody(people, rng).await?,
            ..SignUp::default()
        };
        let signed_up = self.sign_up(request).await?;
        if newcomers.len() < NEWCOMERS_MAX {
            newcomers.push(signed_up.user.id);
        }
        Ok(())
    }

    async fn let_buy(&self, buyer: Id, minor: u32) -> Result<(), Error> {
        let request = RecordEvent {
            user: UserRef::Id(buyer),
            event_type: "purchase".to_owned(),
            amount: Some((Decimal::new(i128::from(minor), 2), "USD".to_owned())),
            key: format!("demo-purchase-{}", self.context.new_id()),
            occurred_at: None,
            metadata: None,
        };
        self.record_event(request).await.map(drop)
    }

    /// The code of a demo person: often of the first, else rather of an early one.
    async fn code_of_somebody(&self, people: u32, rng: &mut StdRng) -> Result<Option<String>, Error> {
        let early = rng.random::<f64>().powi(3) * f64::from(people);
        let person = if rng.random::<f64>() < TO_THE_FIRST { 1 } else { early as u32 + 1 };
        let external_id = format!("{PREFIX}{person}");
        let find = async |tx: &mut Tx| {
            let Some(owner) = run!(tx, users::by_external_id(&external_id))? else { return Ok(None) };
            let codes = run!(tx, codes::of_users(&[owner.id]))?;
            Ok::<_, Error>(codes.into_iter().next().map(|code| code.shown))
        };
        self.store.read(find).await
    }
}
