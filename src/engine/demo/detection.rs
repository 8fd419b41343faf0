//! How well a fraud policy tells cheats from honest people: a made-up crowd signs up, and what becomes of each referral is
//! compared with what is known of it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use super::crowd::{Arrival, CrowdSpec, Kind, generate_crowd};
use crate::{
    domain::{
        id::Id,
        keyed_hash::HashKey,
        time::{SECOND_MICROS, Timestamp},
        words::{Outcome as Attributed, Standing},
    },
    engine::{Clock, Context, Engine, Error, SystemRandomness, fold::Folded, setup, sign_up::SignUp},
    live::{Live, LiveSettings},
    store::{PoolSettings, Store, StoreError, Tx, run},
};

/// When the crowd begins to arrive: 2026-01-01T00:00:00Z.
const BEGIN: Timestamp = Timestamp::from_micros(1_767_225_600 * SECOND_MICROS);
/// Signups between two folds.
const FOLD_EVERY: usize = 50;
/// Outbox rows of one fold.
const BATCH: i64 = 500;
/// Referrals that are looked up at once.
const SLICE: usize = 1_000;

/// What became of the referrals of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How many came by somebody's code.
    pub referrals: usize,
    /// How many of them were taken for the owner of the code, so that there is no referral (rule 2).
    pub own: usize,
    /// How many are held for review.
    pub held: usize,
    /// How many are rejected.
    pub blocked: usize,
}

impl Outcome {
    /// Paid nothing, or nothing before somebody has looked.
    pub const fn flagged(self) -> usize {
        self.own + self.held + self.blocked
    }
}

/// How well a policy did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detection {
    /// What became of each kind.
    pub kinds: BTreeMap<Kind, Outcome>,
}

impl Detection {
    fn flagged(&self, is_fraud: bool) -> usize {
        self.kinds.iter().filter(|(kind, _)| kind.is_fraud() == is_fraud).map(|(_, outcome)| outcome.flagged()).sum()
    }

    /// The share of flagged referrals that are fraud; 1 when none is flagged.
    pub fn precision(&self) -> f64 {
        share(self.flagged(true), self.flagged(true) + self.flagged(false))
    }

    /// The share of fraudulent referrals that are flagged; 1 when there are none.
    pub fn recall(&self) -> f64 {
        let fraud = self.kinds.iter().filter(|(kind, _)| kind.is_fraud()).map(|(_, outcome)| outcome.referrals).sum();
        share(self.flagged(true), fraud)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

impl fmt::Display for Detection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<16} {:>9} {:>8} {:>7} {:>8}", "", "by a code", "own code", "held", "rejected")?;
        for (kind, outcome) in &self.kinds {
            let Outcome { referrals, own, held, blocked } = outcome;
            writeln!(f, "{:<16} {referrals:>9} {own:>8} {held:>7} {blocked:>8}", kind.word())?;
        }
        write!(f, "precision {:.4}, recall {:.4}", self.precision(), self.recall())
    }
}

/// A clock that shows when the crowd arrives.
struct CrowdClock(AtomicI64);

impl Clock for CrowdClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::Relaxed))
    }
}

/// A database of its own that is removed in the end.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(%error, folder = %self.0.display(), "a folder of a trial stays");
        }
    }
}

/// Lets a crowd sign up with an engine on a fresh SQLite database in the folder for temporary files, under the usual
/// policy, and says what became of its referrals.
///
/// # Errors
/// Whatever breaks: no room for the file, no randomness.
pub async fn try_policy(spec: &CrowdSpec) -> Result<Detection, Error> {
    let broken = |cause: String| Error::from(StoreError::Unavailable(cause));
    let folder = std::env::temp_dir().join(format!("banyan-trial-{}-{}", std::process::id(), spec.seed));
    let url = format!("sqlite://{}", folder.join("banyan.db").display());
    let store = Store::open(&url, &PoolSettings::default())?;
    let _scratch = Scratch(folder);
    let clock = Arc::new(CrowdClock(AtomicI64::new(BEGIN.micros())));
    setup::prepare(&store, &*clock).await?;
    let randomness = Arc::new(SystemRandomness::new().map_err(broken)?);
    let hash_key = HashKey::from_secret("a trial");
    let context = Context { clock: Arc::clone(&clock) as _, randomness, hash_key };
    let engine = Engine::new(store, Live::in_process(LiveSettings::new("trial", spec.seed)), context);
    let crowd = generate_crowd(spec);
    let arrived = arrive(&engine, &clock, &crowd).await?;
    let standings = standings(&engine, arrived.values().map(|(id, _)| *id).collect()).await?;
    let mut detection = Detection::default();
    for arrival in crowd.iter().filter(|arrival| arrival.referrer.is_some()) {
        let Some((id, attribution)) = arrived.get(&arrival.number) else { continue };
        let outcome = detection.kinds.entry(arrival.kind).or_default();
        let standing = standings.get(id);
        outcome.referrals += 1;
        outcome.own += usize::from(*attribution == Attributed::SelfReferral);
        outcome.held += usize::from(standing == Some(&Standing::Held));
        outcome.blocked += usize::from(standing == Some(&Standing::Blocked));
    }
    Ok(detection)
}

async fn arrive(
    engine: &Engine,
    clock: &CrowdClock,
    crowd: &[Arrival],
) -> Result<HashMap<usize, (Id, Attributed)>, Error> {
    let (mut arrived, mut codes) = (HashMap::new(), HashMap::<usize, String>::new());
    for (place, arrival) in crowd.iter().enumerate() {
        clock.0.store(BEGIN.plus_micros(arrival.second * SECOND_MICROS).micros(), Ordering::Relaxed);
        let request = SignUp {
            external_id: format!("p{}", arrival.number),
            code: arrival.referrer.and_then(|referrer| codes.get(&referrer).cloned()),
            ip_address: arrival.ip.clone(),
            device_id: arrival.device.clone(),
            email: arrival.email.clone(),
            ..SignUp::default()
        };
        let signed_up = engine.sign_up(request).await?;
        let user = signed_up.user.id;
        arrived.insert(arrival.number, (user, signed_up.findings.outcome));
        let code = engine.store.look(async |tx: &mut Tx| run!(tx, codes::of_users(&[user]))).await?;
        codes.extend(code.into_iter().map(|code| (arrival.number, code.shown)));
        if place % FOLD_EVERY == 0 {
            engine.fold(BATCH).await?;
        }
    }
    while engine.fold(BATCH).await? != Folded::Nothing {}
    Ok(arrived)
}

async fn standings(engine: &Engine, ids: Vec<Id>) -> Result<HashMap<Id, Standing>, Error> {
    let mut standings = HashMap::new();
    for slice in ids.chunks(SLICE) {
        let rows = engine.store.look(async |tx: &mut Tx| run!(tx, risks::of_referrals(slice))).await;
        let rows = rows.map_err(|failure: StoreError| Error::from(failure))?;
        standings.extend(rows.into_iter().map(|row| (row.referred_id, row.standing)));
    }
    Ok(standings)
}
