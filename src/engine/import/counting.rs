//! Imported referrals enter counters and boards.
//!
//! An import marks the referrals it makes as uncounted. A slice of them is counted in one transaction that also removes
//! the marks: each is counted exactly once, whoever counts, and however often it is interrupted. Slices only add, so
//! they pass the fold gate together with the folding of live traffic; nobody waits for a recount.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use super::report::Reporter;
use crate::{
    domain::{
        id::Id,
        period::Calendar,
        time::{SECOND_MICROS, Timestamp},
        words::{Metric, Period, ReferralStatus},
    },
    engine::{Engine, Error, pace::Pace},
    live::{Hint, Topic},
    store::{
        StoreError, Tx,
        changes::{NETWORK_LEVELS, TotalsChange},
        models::{self, NewBoardDelta},
        run,
    },
};

/// How long one slice should hold SQLite's write lock: the longer, the more of what changes again and again (counters of
/// those high up, pages of indexes) is written once instead of often.
const SLICE_TARGET: Duration = Duration::from_millis(50);
/// Users of one slice whose watchers are told at once; the others' see it when they look again by themselves.
const HINTS_MAX: usize = 500;
/// Pause before looking again at referrals that somebody else is counting, or while the fold gate is wanted.
const BUSY_PAUSE: Duration = Duration::from_millis(50);

/// `(start, ancestor, level)`, level 1 being the direct referrer.
type Step = (Id, Id, i32);

/// What a slice came to.
#[derive(Debug, Default)]
struct Slice {
    counted: usize,
    /// Users whose totals changed, with their new versions.
    versions: Vec<(Id, i64)>,
}

impl Engine {
    /// Counts at most `limit` imported referrals in one transaction and says how many it counted: none when none wait,
    /// when others are counting them, or while somebody wants the fold gate alone.
    pub async fn count_imported(&self, limit: usize) -> Result<usize, Error> {
        self.count_some(limit).await.map(|(counted, _)| counted)
    }

    /// The same, and since when it held its locks.
    async fn count_some(&self, limit: usize) -> Result<(usize, Instant), Error> {
        let count = async |tx: &mut Tx| {
            let locked_at = Instant::now();
            Ok::<_, Error>((self.count_slice(tx, limit).await?, locked_at))
        };
        let (slice, locked_at) = self.store.write_long(count).await?;
        if slice.counted > 0 {
            let users = slice.versions.iter().take(HINTS_MAX);
            let hints = users.map(|(user, version)| Hint::new(Topic::User(user.uuid()), *version));
            self.live.publish(hints.chain([Hint::workers()]).collect());
        }
        Ok((slice.counted, locked_at))
    }

    /// Counts until nothing waits any more, with pauses in which others can write.
    pub(super) async fn count_all_imported(&self, reporter: &mut Reporter<'_>) -> Result<(), Error> {
        let mut pace = Pace::importing(self.store.kind(), SLICE_TARGET);
        loop {
            let (counted, locked_at) = self.count_some(pace.rows()).await?;
            if counted > 0 {
                pace.learn(counted, locked_at.elapsed());
                reporter.tally.counted += counted as u64;
                reporter.tell();
                pace.rest().await;
                continue;
            }
            let any = async |tx: &mut Tx| run!(tx, referrals::any_uncounted()).map_err(Error::from);
            if !self.store.look(any).await? {
                return Ok(());
            }
            tokio::time::sleep(BUSY_PAUSE).await;
        }
    }

    async fn count_slice(&self, tx: &mut Tx, limit: usize) -> Result<Slice, Error> {
        if run!(tx, gate::wanted_until())? > self.context.now().micros() / SECOND_MICROS {
            return Ok(Slice::default());
        }
        run!(tx, gate::share())?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let marked = run!(tx, referrals::claim_uncounted(limit))?;
        if marked.is_empty() {
            return Ok(Slice::default());
        }
        let marked = run!(tx, referrals::of_referred(&marked))?;
        let edges: Vec<_> = marked.iter().filter(|edge| edge.status != ReferralStatus::Rejected).cloned().collect();
        let starts: Vec<Id> = edges.iter().map(|edge| edge.referred_id).collect();
        let steps = run!(tx, load::ancestors(starts, NETWORK_LEVELS as i32))?;
        let changes = totals_changes(&edges, &steps);
        let versions = run!(tx, totals::lock(changes.iter().map(|change| change.user).collect()))?;
        run!(tx, bulk::add_totals(changes))?;
        let calendars = calendars(tx, &edges).await?;
        run!(tx, boards::insert_deltas(board_deltas(&edges, &calendars, self.context.now())))?;
        let counted = run!(tx, load::mark_counted(&marked))?;
        Ok(Slice { counted, versions: versions.into_iter().map(|(user, version)| (user, version + 1)).collect() })
    }
}

/// What each ancestor's counters gain, in the order of their ids.
fn totals_changes(edges: &[models::Referral], steps: &[Step]) -> Vec<TotalsChange> {
    let created: HashMap<Id, Timestamp> = edges.iter().map(|edge| (edge.referred_id, edge.created_at)).collect();
    let mut changes: BTreeMap<Id, TotalsChange> = BTreeMap::new();
    for (start, ancestor, level) in steps {
        let change = changes.entry(*ancestor).or_insert_with(|| TotalsChange::none(*ancestor));
        let place = usize::try_from(level - 1).ok();
        if let Some(signups) = place.and_then(|place| change.signups.get_mut(place)) {
            *signups += 1;
            change.newest = change.newest.max(created.get(start).copied());
        }
    }
    changes.into_values().collect()
}

/// The calendars of the programs that these referrals belong to.
async fn calendars(tx: &mut Tx, edges: &[models::Referral]) -> Result<HashMap<Id, Calendar>, Error> {
    let mut ids: Vec<Id> = edges.iter().map(|edge| edge.program_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let programs = run!(tx, programs::by_ids(&ids))?;
    let calendar = |program: models::Program| {
        let calendar = Calendar::named(&program.time_zone);
        let calendar = calendar.ok_or_else(|| StoreError::Corrupt(format!("time zone `{}`", program.time_zone)))?;
        Ok((program.id, calendar))
    };
    programs.into_iter().map(calendar).collect()
}

/// What the boards of direct signups gain. Changes of one day are one, and so is everything before the first period that
/// boards still keep: for all time only the sum matters, and when it was reached.
fn board_deltas(edges: &[models::Referral], calendars: &HashMap<Id, Calendar>, now: Timestamp) -> Vec<NewBoardDelta> {
    let mut sums: BTreeMap<(Id, Id, Timestamp), (i64, Timestamp)> = BTreeMap::new();
    let kept: HashMap<Id, Timestamp> =
        calendars.iter().map(|(program, calendar)| (*program, kept_since(calendar, now))).collect();
    for edge in edges {
        let (Some(calendar), Some(kept)) = (calendars.get(&edge.program_id), kept.get(&edge.program_id)) else {
            continue;
        };
        let at = edge.created_at;
        let day = if at < *kept { Timestamp::EPOCH } else { calendar.start(Period::Day, at) };
        let (amount, newest) = sums.entry((edge.program_id, edge.referrer_id, day)).or_insert((0, at));
        *amount += 1;
        *newest = at.max(*newest);
    }
    let delta = |((program_id, user_id, _), (amount, at))| NewBoardDelta {
        program_id,
        metric: Metric::Signups,
        user_id,
        amount,
        at,
    };
    sums.into_iter().map(delta).collect()
}

/// The first instant of the oldest period that boards keep rows of.
fn kept_since(calendar: &Calendar, now: Timestamp) -> Timestamp {
    let starts = [Period::Day, Period::Week, Period::Month].map(|period| calendar.previous_start(period, now));
    starts.into_iter().min().unwrap_or(Timestamp::EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::words::Via;

    fn id(number: u128) -> Id {
        Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn edge(referred: u128, referrer: u128, at: &str) -> models::Referral {
        models::Referral {
            referred_id: id(referred),
            referrer_id: id(referrer),
            program_id: id(99),
            status: ReferralStatus::Pending,
            via: Via::Import,
            code: None,
            click_id: None,
            risk_score: 0,
            created_at: Timestamp::parse(at).unwrap(),
            completed_at: None,
            rejected_at: None,
        }
    }

    #[test]
    fn counts_by_level_and_remembers_the_newest() {
        let edges = [edge(2, 1, "2026-01-02"), edge(3, 2, "2026-01-01")];
        let steps = [(id(2), id(1), 1), (id(3), id(2), 1), (id(3), id(1), 2)];
        let changes = totals_changes(&edges, &steps);
        let told: Vec<_> = changes.iter().map(|change| (change.user, change.signups[0], change.signups[1])).collect();
        assert_eq!(told, [(id(1), 1, 1), (id(2), 1, 0)]);
        assert_eq!(changes[0].newest, Timestamp::parse("2026-01-02"));
    }

    #[test]
    fn what_is_long_past_is_one_delta_and_what_is_kept_is_one_a_day() {
        let edges = [
            edge(2, 1, "2020-05-05"),
            edge(3, 1, "2024-05-05"),
            edge(4, 1, "2026-10-01T00:00:00Z"),
            edge(5, 1, "2026-10-01T23:59:59Z"),
            edge(6, 1, "2026-10-02"),
            edge(7, 8, "2020-05-05"),
        ];
        let calendars = HashMap::from([(id(99), Calendar::utc())]);
        let deltas = board_deltas(&edges, &calendars, Timestamp::parse("2026-11-22").unwrap());
        let told: Vec<_> = deltas.iter().map(|delta| (delta.user_id, delta.amount, delta.at.to_string())).collect();
        assert_eq!(
            told,
            [
                (id(1), 2, "2024-05-05T00:00:00Z".to_owned()),
                (id(1), 2, "2026-10-01T23:59:59Z".to_owned()),
                (id(1), 1, "2026-10-02T00:00:00Z".to_owned()),
                (id(8), 1, "2020-05-05T00:00:00Z".to_owned()),
            ]
        );
    }
}
