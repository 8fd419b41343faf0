//! The first two months of a demonstration: people, purchases, refunds, rewards and claims.

use std::io::Cursor;

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    file::{UsersSpec, write_users},
    forest::Shape,
};
use crate::{
    domain::{
        time::{DAY_MICROS, Timestamp},
        words::ClaimStatus,
    },
    engine::{
        Engine, Error,
        claim_rewards::ClaimRewards,
        fold::Folded,
        import::{ImportError, Payment, Silent},
        record_refund::RecordRefund,
        settle_claim::SettleClaim,
    },
    store::{Tx, run},
};

/// What external ids of the demonstration begin with.
pub(super) const PREFIX: &str = "demo-";
/// Setting: the instant at which the demonstration was made, in microseconds.
const STARTED: &str = "demo_started_at";
/// Setting: that all of it is there.
const FINISHED: &str = "demo_finished";
/// Days over which the people have signed up.
const DAYS: i64 = 60;
/// The share of people who bought something.
const BUYERS: f64 = 0.4;
/// The share of purchases that are taken back.
const REFUNDED: f64 = 0.05;
/// People, from the first on, who claim what they have.
const CLAIMANTS: u32 = 40;
/// Outbox rows that are folded at once.
const FOLD_ROWS: i64 = 200;

/// What became of the demonstration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seeded {
    /// It was made now.
    Made,
    /// It was there already, or somebody of its name was; nothing was changed.
    AlreadyThere,
}

/// One purchase of the demonstration.
struct Purchase {
    external_id: String,
    key: String,
    minor: u32,
    at: Timestamp,
}

impl Engine {
    /// Fills a database with `people` made-up people, `demo-1`, `demo-2` and so on, who signed up over the last 60 days,
    /// bought, brought back, and claimed. A database that has them is left alone; an interrupted seeding is finished.
    pub async fn seed_demo(&self, people: u32, seed: u64) -> Result<Seeded, ImportError> {
        let Some(started_at) = self.start_demo().await? else { return Ok(Seeded::AlreadyThere) };
        let spec = UsersSpec {
            people,
            shape: Shape::Recruiters,
            seed,
            prefix: PREFIX.to_owned(),
            since: Timestamp::from_micros(started_at.micros() - DAYS * DAY_MICROS),
            until: started_at,
        };
        let mut users = Vec::new();
        write_users(&mut users, &spec).map_err(|error| ImportError::Unreadable(error.to_string()))?;
        self.import_users(Cursor::new(users), &Silent).await?;
        let mut rng = StdRng::seed_from_u64(seed);
        let purchases = purchases(&spec, &mut rng);
        self.import_events(Cursor::new(events_file(&purchases)?), Payment::AsRecorded, &Silent).await?;
        for purchase in &purchases {
            if rng.random::<f64>() < REFUNDED {
                let key = format!("refund-of-{}", purchase.key);
                self.record_refund(RecordRefund { event_key: purchase.key.clone(), amount: None, key }).await?;
            }
        }
        while matches!(self.fold(FOLD_ROWS).await?, Folded::Rows(rows) if rows > 0) {}
        self.claim_for_some(people, &mut rng).await?;
        self.store.write(async |tx: &mut Tx| run!(tx, settings::keep(FINISHED, "yes")).map_err(Error::from)).await?;
        Ok(Seeded::Made)
    }

    /// When the demonstration began: now, or when a seeding that was interrupted did, so that the same files come out.
    /// Nothing when there is nothing to be done.
    async fn start_demo(&self) -> Result<Option<Timestamp>, Error> {
        let (now, first) = (self.context.now(), format!("{PREFIX}1"));
        self.store
            .write(async |tx: &mut Tx| {
                let started = run!(tx, settings::get(STARTED))?;
                let finished = run!(tx, settings::get(FINISHED))?.is_some();
                let strangers = started.is_none() && run!(tx, users::by_external_id(&first))?.is_some();
                if finished || strangers {
                    return Ok(None);
                }
                let kept = run!(tx, settings::keep(STARTED, &now.micros().to_string()))?;
                Ok(Some(kept.parse().map_or(now, Timestamp::from_micros)))
            })
            .await
    }

    /// Lets the first people claim; every second claim is paid already.
    async fn claim_for_some(&self, people: u32, rng: &mut StdRng) -> Result<(), Error> {
        for person in 1..=people.min(CLAIMANTS) {
            let external_id = format!("{PREFIX}{person}");
            let find = async |tx: &mut Tx| run!(tx, users::by_external_id(&external_id)).map_err(Error::from);
            let Some(user) = self.store.look(find).await? else { continue };
            let request = ClaimRewards { user: user.id, rewards: None, key: format!("first-claim-of-{external_id}") };
            let claims = match self.claim_rewards(request).await {
                Ok(claims) => claims,
                // Most people have nothing to claim.
                Err(Error::Refused(_)) => continue,
                Err(error) => return Err(error),
            };
            for claim in claims.into_iter().filter(|_| rng.random::<bool>()) {
                let reference = Some(format!("payout-of-{external_id}"));
                self.settle_claim(SettleClaim { claim: claim.id, outcome: ClaimStatus::Paid, reference }, "demo")
                    .await?;
            }
        }
        Ok(())
    }
}

/// What the people bought, in the order of time.
fn purchases(spec: &UsersSpec, rng: &mut StdRng) -> Vec<Purchase> {
    let mut purchases = Vec::new();
    for person in 0..spec.people {
        let mut at = spec.signed_up_at(person);
        let mut chance = BUYERS;
        for nth in 1.. {
            at = at.plus_micros((rng.random::<f64>() * 6.0 * DAY_MICROS as f64) as i64);
            if rng.random::<f64>() >= chance || at > spec.until {
                break;
            }
            let external_id = spec.external_id(person);
            let key = format!("purchase-{nth}-of-{external_id}");
            purchases.push(Purchase { external_id, key, minor: rng.random_range(500..20_000), at });
            chance /= 2.0;
        }
    }
    purchases.sort_by_key(|purchase| purchase.at);
    purchases
}

fn events_file(purchases: &[Purchase]) -> Result<Vec<u8>, ImportError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let unreadable = |error: csv::Error| ImportError::Unreadable(error.to_string());
    let header = ["external_id", "type", "amount", "currency", "idempotency_key", "occurred_at"];
    writer.write_record(header).map_err(unreadable)?;
    for Purchase { external_id, key, minor, at } in purchases {
        let amount = format!("{}.{:02}", minor / 100, minor % 100);
        let row = [external_id.as_str(), "purchase", &amount, "USD", key, &at.to_string()];
        writer.write_record(row).map_err(unreadable)?;
    }
    writer.into_inner().map_err(|error| ImportError::Unreadable(error.to_string()))
}
