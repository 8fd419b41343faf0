//! Boards against the rows that they stand for.

use std::collections::{BTreeMap, BTreeSet};

use super::{board_time, calendar_of};
use crate::{
    domain::{
        board::{self, Span},
        id::{Id, Noun},
        period::Calendar,
        time::Timestamp,
        words::Metric,
    },
    engine::{Engine, Error},
    store::{
        StoreError, Tx,
        boards::{BoardPeriod, CountedIn, Direction, Place, Ranking, Stretch},
        models::{BoardDelta, Program},
        run,
    },
};

/// Most users of one period of a board, and waiting changes, that are compared.
const COMPARED_MAX: i64 = 5_000_000;
/// Most differences that are named for one period of a board.
const NAMED_MAX: usize = 100;

impl Engine {
    /// Names the differences between boards, with the changes that wait for them, and a recount of the rows; one state of
    /// the database for each board, so that it may run beside live traffic.
    pub async fn verify_boards(&self) -> Result<Vec<String>, Error> {
        let programs = self.store.look(async |tx: &mut Tx| run!(tx, programs::all())).await?;
        let mut differences = Vec::new();
        for program in &programs {
            for metric in Metric::STORED {
                let check = Check { program, metric, calendar: calendar_of(program)?, now: self.context.now() };
                differences.extend(self.store.read_long(async |tx: &mut Tx| check.run(tx).await).await?);
            }
        }
        Ok(differences)
    }
}

struct Check<'p> {
    program: &'p Program,
    metric: Metric,
    calendar: Calendar,
    now: Timestamp,
}

impl Check<'_> {
    async fn run(&self, tx: &mut Tx) -> Result<Vec<String>, StoreError> {
        let board = run!(tx, boards::board(self.program.id, self.metric))?;
        let waiting = run!(tx, boards::deltas((self.program.id, self.metric), i64::MIN, COMPARED_MAX))?;
        let mut differences = Vec::new();
        for span in board::kept(&self.calendar, board_time(self.now, board.as_ref())) {
            differences.extend(self.compare(tx, &span, &waiting).await?);
        }
        Ok(differences)
    }

    async fn compare(&self, tx: &mut Tx, span: &Span, waiting: &[BoardDelta]) -> Result<Vec<String>, StoreError> {
        let (program, metric) = (self.program.id, self.metric);
        let of = BoardPeriod { program, metric, period: span.period, starts_at: span.starts_at };
        let all = Stretch::Scores { below: None, above: None };
        let stored = run!(tx, ranking::walk(Ranking::Board(of), (all, Direction::Down), COMPARED_MAX))?;
        let in_time = CountedIn { program, metric, from: span.starts_at, to: span.ends_at };
        let counted = run!(tx, recount::places(in_time, COMPARED_MAX))?;
        let buckets = run!(tx, ranking::histogram(of))?;
        let mut changes: BTreeMap<Id, i64> = BTreeMap::new();
        for delta in waiting.iter().filter(|delta| span.holds(delta.at)) {
            *changes.entry(delta.user_id).or_default() += delta.amount;
        }
        let board = format!("board {} {} from {}", metric.word(), span.period.word(), span.starts_at);
        let mut found = differing_places(&stored, &counted, &changes);
        found.extend(differing_buckets(&buckets, &histogram(metric, &stored)));
        let key = &self.program.key;
        Ok(found.into_iter().map(|difference| format!("program {key}, {board}: {difference}")).collect())
    }
}

/// The users whose stored place, with what waits for it, is not the counted one.
fn differing_places(stored: &[Place], counted: &[Place], changes: &BTreeMap<Id, i64>) -> Vec<String> {
    let by_user = |places: &[Place]| places.iter().map(|place| (place.user, *place)).collect::<BTreeMap<Id, Place>>();
    let (stored, counted) = (by_user(stored), by_user(counted));
    let users: BTreeSet<Id> = stored.keys().chain(counted.keys()).chain(changes.keys()).copied().collect();
    let differs = |user: Id| {
        let (has, should) = (stored.get(&user), counted.get(&user));
        let change = changes.get(&user);
        let score = has.map_or(0, |place| place.score) + change.unwrap_or(&0);
        let counted = should.map_or(0, |place| place.score);
        if score != counted {
            return Some(format!("{} has {score}, the rows say {counted}", user.typed(Noun::User)));
        }
        let (reached, newest) = (has.map(|place| place.reached_at), should.map(|place| place.reached_at));
        (change.is_none() && reached != newest)
            .then(|| format!("{} did not get there when the rows say", user.typed(Noun::User)))
    };
    users.into_iter().filter_map(differs).take(NAMED_MAX).collect()
}

/// The buckets of a histogram that do not hold as many users as the scores say.
fn differing_buckets(stored: &[(i64, i64)], counted: &[(i64, i64)]) -> Vec<String> {
    let (stored, counted): (BTreeMap<i64, i64>, BTreeMap<i64, i64>) =
        (stored.iter().copied().collect(), counted.iter().copied().collect());
    let buckets: BTreeSet<i64> = stored.keys().chain(counted.keys()).copied().collect();
    let of = |users: &BTreeMap<i64, i64>, bucket| users.get(&bucket).copied().unwrap_or(0);
    let differs = |bucket: i64| {
        let (has, should) = (of(&stored, bucket), of(&counted, bucket));
        (has != should).then(|| format!("bucket {bucket} of the histogram holds {has} people, the scores say {should}"))
    };
    buckets.into_iter().filter_map(differs).take(NAMED_MAX).collect()
}

fn histogram(metric: Metric, places: &[Place]) -> Vec<(i64, i64)> {
    let mut users: BTreeMap<i64, i64> = BTreeMap::new();
    for place in places {
        *users.entry(board::bucket(metric, place.score)).or_default() += 1;
    }
    users.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(user: u128, score: i64, micros: i64) -> Place {
        Place { score, reached_at: Timestamp::from_micros(micros), user: Id::from_uuid(uuid::Uuid::from_u128(user)) }
    }

    #[test]
    fn what_waits_belongs_to_a_score() {
        let stored = [place(1, 3, 7), place(2, 1, 5)];
        let counted = [place(1, 4, 8), place(3, 1, 9)];
        let changes = BTreeMap::from([(place(1, 0, 0).user, 1), (place(2, 0, 0).user, -1), (place(3, 0, 0).user, 1)]);
        assert!(differing_places(&stored, &counted, &changes).is_empty());
        assert_eq!(differing_places(&stored, &counted, &BTreeMap::new()).len(), 3);
    }

    #[test]
    fn a_wrong_instant_is_a_difference() {
        let found = differing_places(&[place(1, 3, 7)], &[place(1, 3, 8)], &BTreeMap::new());
        assert!(found[0].ends_with("did not get there when the rows say"), "{found:?}");
    }
}
