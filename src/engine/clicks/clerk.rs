//! The task that takes clicks together.
//!
//! A batch costs one look-up of all its codes, one more when browsers brought clicks along, and one transaction when
//! anything is to be recorded. All its clicks bear the same time.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use tokio::{sync::mpsc, time::sleep};

use super::{
    Busy, Purpose, Visit, Waiting, Way,
    desk::{Behind, Decision, Desk},
};
use crate::{
    domain::{code::CodeKey, id::Id, keyed_hash::KeyedHash, landing::Landing, touches::Touches},
    engine::{Engine, Error},
    store::{Tx, models::Click, run},
};

/// Most clicks of one transaction.
const TOGETHER_MAX: usize = 500;
/// How long the first click of a batch waits for others.
const GATHER: Duration = Duration::from_millis(2);

/// Takes clicks until nobody can bring any more.
pub(super) async fn attend(engine: Engine, landing: Arc<Landing>, mut waiting: mpsc::Receiver<Waiting>) {
    let mut batch = Vec::with_capacity(TOGETHER_MAX);
    while waiting.recv_many(&mut batch, TOGETHER_MAX).await > 0 {
        if batch.len() < TOGETHER_MAX {
            sleep(GATHER).await;
            let more = std::iter::from_fn(|| waiting.try_recv().ok()).take(TOGETHER_MAX - batch.len());
            batch.extend(more.collect::<Vec<_>>());
        }
        answer(&engine, &landing, std::mem::take(&mut batch)).await;
    }
}

/// Records a batch and answers everybody in it, also when recording fails, or panics.
async fn answer(engine: &Engine, landing: &Landing, batch: Vec<Waiting>) {
    let (visits, answers): (Vec<_>, Vec<_>) = batch.into_iter().map(|one| (one.visit, one.answer)).unzip();
    let recording = AssertUnwindSafe(record(engine, landing, &visits)).catch_unwind().await;
    let ways = match recording {
        Ok(Ok(ways)) => ways.into_iter().map(Ok).collect(),
        Ok(Err(error)) => failed(visits.len(), &error),
        Err(_) => failed(visits.len(), &"a panic"),
    };
    for (answer, way) in answers.into_iter().zip(ways) {
        // A visitor who is gone already needs no answer; the click stays.
        let _gone = answer.send(way);
    }
}

fn failed(clicks: usize, cause: &dyn std::fmt::Display) -> Vec<Result<Way, Busy>> {
    tracing::error!(clicks, %cause, "clicks could not be recorded");
    vec![Err(Busy); clicks]
}

async fn record(engine: &Engine, landing: &Landing, visits: &[Visit]) -> Result<Vec<Way>, Error> {
    let now = engine.context.now();
    let key = &engine.context.hash_key;
    let cookies: Vec<Touches> = visits.iter().map(|visit| cookie_of(visit, engine)).collect();
    let codes = look_up(engine, visits).await?;
    let touches = remembered(engine, &cookies).await?;
    let desk = Desk { landing, key, now, codes, touches };
    let missed: Vec<_> = visits.iter().filter(|visit| !desk.knows(visit)).map(|visit| visit.address).collect();
    engine.live.misses().missed(&missed, now).await;
    let decide = |(visit, cookie)| desk.decide(visit, cookie, || engine.context.new_id_at(now));
    let decisions: Vec<Decision> = visits.iter().zip(cookies).map(decide).collect();
    let recorded = insert(engine, decisions.iter().filter_map(Decision::row).cloned().collect()).await?;
    Ok(decisions.into_iter().zip(visits).map(|(decision, visit)| desk.way(decision, visit, &recorded)).collect())
}

fn cookie_of(visit: &Visit, engine: &Engine) -> Touches {
    let verified = |cookie: &String| Touches::verified(cookie, &engine.context.hash_key);
    match visit.purpose {
        Purpose::Follow => visit.cookie.as_ref().and_then(verified).unwrap_or_default(),
        Purpose::Look => Touches::default(),
    }
}

/// What is behind the codes of a batch.
async fn look_up(engine: &Engine, visits: &[Visit]) -> Result<HashMap<String, Behind>, Error> {
    let mut keys: Vec<String> =
        visits.iter().filter_map(|visit| CodeKey::fold(&visit.code)).map(|key| key.as_str().to_owned()).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return Ok(HashMap::new());
    }
    let links = engine.store.look(async |tx: &mut Tx| run!(tx, codes::links(keys.clone()))).await?;
    links.into_iter().map(|link| Ok((link.0.key.clone(), Behind::of(link)?))).collect()
}

/// The clicks that browsers brought along, each with the window of its program in days.
async fn remembered(engine: &Engine, cookies: &[Touches]) -> Result<HashMap<Id, (Click, u32)>, Error> {
    let mut ids: Vec<Id> = cookies.iter().flat_map(|touches| touches.ids().iter().copied()).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let found = engine.store.look(async |tx: &mut Tx| run!(tx, clicks::with_links(ids.clone()))).await?;
    found.into_iter().map(|(click, link)| Ok((click.id, (click, Behind::of(link)?.window_days)))).collect()
}

/// Adds clicks and gives the click of each visit: of one that was there already, the first.
async fn insert(engine: &Engine, mut rows: Vec<Click>) -> Result<HashMap<KeyedHash, Id>, Error> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    let visits: Vec<KeyedHash> = rows.iter().filter_map(|row| row.visit_key).collect();
    // In one order, so that two servers that record the same visits never wait for each other in a circle.
    rows.sort_unstable_by_key(|row| row.visit_key.map(|visit| visit.0));
    let recorded = engine.store.write(async |tx: &mut Tx| {
        run!(tx, clicks::insert(rows.clone()))?;
        run!(tx, clicks::of_visits(visits.clone())).map_err(Error::from)
    });
    Ok(recorded.await?.into_iter().filter_map(|click| Some((click.visit_key?, click.id))).collect())
}
