//! `import events`: what people did, accepted as if it had been told when it happened.

use std::{
    collections::{HashMap, HashSet},
    io::Read,
    time::{Duration, Instant},
};

use super::{
    event_row::{EVENT_COLUMNS, EventRow},
    report::{ImportError, Progress, Reporter, Summary},
    table::{Line, Lines, shown},
};
use crate::{
    domain::{id::Id, keyed_hash::KeyedHash, time::Timestamp, words::UserStatus},
    engine::{
        Engine, Error,
        pace::Pace,
        record_event::{check_currency, fingerprint},
        sign_up::is_active,
    },
    live::Hint,
    store::{StoreError, Tx, models, run},
};

/// How long one chunk should hold SQLite's write lock.
const CHUNK_TARGET: Duration = Duration::from_millis(25);

/// Whether imported events may pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payment {
    /// They pay as if they had been recorded when they happened.
    AsRecorded,
    /// They count for what comes later and pay nothing: `--no-rewards`.
    Nothing,
}

/// What becomes of a row.
enum Fate {
    Imported,
    AlreadyThere,
    Bad(String),
}

/// What the database knows about a chunk.
struct Known {
    users: HashMap<String, Id>,
    /// The programs of the users' referrals.
    programs: HashMap<Id, models::Program>,
    fingerprints: HashMap<String, KeyedHash>,
}

impl Engine {
    /// Imports events from a CSV file with the columns [`EVENT_COLUMNS`].
    ///
    /// Each is accepted as of the time it happened, in the order of the file; the worker decides them as it decides all
    /// others. A key that is there already with the same event is left alone, with another one it makes a bad row.
    pub async fn import_events(
        &self,
        source: impl Read + Send + 'static,
        payment: Payment,
        progress: &dyn Progress,
    ) -> Result<Summary, ImportError> {
        let started = Instant::now();
        let (mut reporter, now) = (Reporter::new(progress), self.context.now());
        let mut lines = Lines::read(source, &EVENT_COLUMNS, move |cells| EventRow::parse(cells, now));
        let mut pace = Pace::importing(self.store.kind(), CHUNK_TARGET);
        loop {
            let chunk = gather(&mut lines, pace.rows(), &mut reporter).await?;
            if chunk.is_empty() {
                break;
            }
            let write = async |tx: &mut Tx| {
                let locked_at = Instant::now();
                Ok::<_, Error>((self.import_event_chunk(tx, payment, &chunk).await?, locked_at))
            };
            let (fates, locked_at) = self.store.write_long(write).await?;
            pace.learn(chunk.len(), locked_at.elapsed());
            for (line, fate) in chunk.iter().zip(fates) {
                match fate {
                    Fate::Imported => reporter.tally.imported += 1,
                    Fate::AlreadyThere => reporter.tally.already_there += 1,
                    Fate::Bad(reason) => reporter.bad(line.number, reason),
                }
            }
            self.live.publish(vec![Hint::workers()]);
            reporter.tell();
            pace.rest().await;
        }
        Ok(Summary { tally: reporter.tally, took: started.elapsed() })
    }

    /// Writes one chunk: its events, and one outbox row for each person.
    async fn import_event_chunk(
        &self,
        tx: &mut Tx,
        payment: Payment,
        lines: &[Line<EventRow>],
    ) -> Result<Vec<Fate>, Error> {
        let mut known = look_up(tx, lines).await?;
        let mut accepted = Vec::new();
        let fates = lines.iter().map(|line| known.decide(&line.row, &mut accepted)).collect();
        if accepted.is_empty() {
            return Ok(fates);
        }
        // An outbox row of its own would give each event its place in the insert sequence, and all but one of each
        // person's would be deleted again at once: the places are reserved instead.
        let seqs = run!(tx, load::reserve_seqs(accepted.len()))?;
        let now = self.context.now();
        let mut events: Vec<models::Event> = accepted
            .into_iter()
            .zip(seqs)
            .map(|((row, user), seq)| {
                let program = known.programs.get(&user);
                let fingerprint = fingerprint(&row.request, &row.checked, user);
                self.event(Accepted { row, user, seq, fingerprint, payment }, program)
            })
            .collect();
        let people: HashSet<Id> = events.iter().map(|event| event.user_id).collect();
        // Two imports that meet wait for each other's keys in one order.
        events.sort_unstable_by(|one, other| one.key.cmp(&other.key));
        run!(tx, events::insert_new(events)).map_err(run_again_if_taken)?;
        let row = |user| models::NewOutbox { user_id: Some(user), event_key: None, created_at: now };
        run!(tx, outbox::insert_new(people.into_iter().map(row).collect()))?;
        Ok(fates)
    }

    fn event(&self, accepted: Accepted<'_>, program: Option<&models::Program>) -> models::Event {
        let Accepted { row, user, seq, fingerprint, payment } = accepted;
        let received_at: Timestamp = row.checked.occurred_at;
        let money = row.checked.money.as_ref();
        models::Event {
            id: self.context.new_id_at(received_at),
            user_id: user,
            seq,
            event_type: row.request.event_type.clone(),
            amount: money.map(|money| money.minor),
            currency: money.map(|money| money.currency.code().to_owned()),
            key: row.request.key.clone(),
            fingerprint,
            metadata: None,
            occurred_at: received_at,
            received_at,
            program_id: program.map(|program| program.id),
            program_version: program.map(|program| program.version),
            program_active: program.is_some_and(|program| is_active(program, received_at)),
            pays: payment == Payment::AsRecorded,
            remaining: None,
            decided_no: None,
            decisions: None,
        }
    }
}

/// An event that is to be stored.
struct Accepted<'a> {
    row: &'a EventRow,
    user: Id,
    seq: i64,
    fingerprint: KeyedHash,
    payment: Payment,
}

async fn gather(
    lines: &mut Lines<EventRow>,
    limit: usize,
    reporter: &mut Reporter<'_>,
) -> Result<Vec<Line<EventRow>>, ImportError> {
    let mut chunk = Vec::with_capacity(limit);
    while chunk.len() < limit {
        let Some(Line { number, row }) = lines.next().await? else { break };
        reporter.tally.rows += 1;
        reporter.tally.bytes = lines.bytes;
        match row {
            Ok(row) => chunk.push(Line { number, row }),
            Err(reason) => reporter.bad(number, reason),
        }
    }
    Ok(chunk)
}

async fn look_up(tx: &mut Tx, lines: &[Line<EventRow>]) -> Result<Known, Error> {
    let external_ids: HashSet<&String> = lines.iter().map(|line| &line.row.external_id).collect();
    let mut users: HashMap<String, Id> =
        run!(tx, users::ids_by_external_ids(external_ids.into_iter().cloned().collect()))?.into_iter().collect();
    let ids: Vec<Id> = users.values().copied().collect();
    let erased =
        run!(tx, users::statuses(ids.clone()))?.into_iter().filter(|(_, status)| *status == UserStatus::Erased);
    let erased: HashSet<Id> = erased.map(|(user, _)| user).collect();
    users.retain(|_, user| !erased.contains(user));
    let keys = lines.iter().map(|line| line.row.request.key.clone()).collect();
    Ok(Known {
        users,
        programs: programs_of(tx, &ids).await?,
        fingerprints: run!(tx, events::fingerprints(keys))?.into_iter().collect(),
    })
}

/// The programs of these users' referrals.
async fn programs_of(tx: &mut Tx, users: &[Id]) -> Result<HashMap<Id, models::Program>, Error> {
    let referrals = run!(tx, referrals::of_referred(users))?;
    let ids: HashSet<Id> = referrals.iter().map(|referral| referral.program_id).collect();
    let programs = run!(tx, programs::by_ids(&ids.into_iter().collect::<Vec<_>>()))?;
    let programs: HashMap<Id, models::Program> = programs.into_iter().map(|program| (program.id, program)).collect();
    let of = |referral: &models::Referral| {
        programs.get(&referral.program_id).map(|program| (referral.referred_id, program.clone()))
    };
    Ok(referrals.iter().filter_map(of).collect())
}

impl Known {
    /// What becomes of a row; those that are to be stored are added to `accepted`.
    fn decide<'a>(&mut self, row: &'a EventRow, accepted: &mut Vec<(&'a EventRow, Id)>) -> Fate {
        let Some(user) = self.users.get(&row.external_id).copied() else {
            return Fate::Bad(format!("there is no user `{}`", shown(&row.external_id)));
        };
        let fingerprint = fingerprint(&row.request, &row.checked, user);
        match self.fingerprints.get(&row.request.key) {
            Some(known) if *known == fingerprint => return Fate::AlreadyThere,
            Some(_) => return Fate::Bad(format!("the key `{}` belongs to another event", shown(&row.request.key))),
            None => {}
        }
        if let Err(refusal) = check_currency(self.programs.get(&user), row.checked.money.as_ref()) {
            return Fate::Bad(refusal.message);
        }
        self.fingerprints.insert(row.request.key.clone(), fingerprint);
        accepted.push((row, user));
        Fate::Imported
    }
}

/// A key that was free a moment ago: run again, the chunk finds it taken.
fn run_again_if_taken(error: StoreError) -> StoreError {
    if error.is_duplicate_of("events.key") {
        return StoreError::Transient("an event was recorded meanwhile".to_owned());
    }
    error
}
