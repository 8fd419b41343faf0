//! From where to look for rows of a queue.
//!
//! Rows that were taken stay in PostgreSQL's tables and indexes until nobody can see them any more. While somebody holds
//! a snapshot open, each look from the beginning steps over everything that was taken since: the queue becomes slower
//! with each row. So a look begins where looks of a moment ago have found their first row. A row below that, which was
//! committed late or given back, is found by looks at everything: one a second or less, and one whenever there seems to be
//! nothing, before that is believed.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Numbers are given before rows are committed: for so long a row may come below those that were seen already and be
/// found at once.
const LAG: Duration = Duration::from_secs(2);
/// Between two marks there is at least this much time, so that there are few of them.
const MARK_EVERY: Duration = Duration::from_millis(100);
/// Everything is looked at this often, even if there is enough to do above the floor.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Looks at everything while there is enough to do take at most one part in so many of the time.
const SHARE: u32 = 20;

/// The floor of one queue, shared by all who take from it in this process.
#[derive(Clone, Debug, Default)]
pub struct Floor(Arc<Mutex<Marks>>);

/// What was seen, and when.
#[derive(Debug, Default)]
struct Marks {
    /// First rows that looks found, the oldest mark first: where the next look begins.
    first_rows: VecDeque<(Instant, i64)>,
    looked_at_all: Option<Instant>,
    took: Duration,
}

/// From where one look goes.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    from: Option<i64>,
    begun: Instant,
}

impl Look {
    /// A look at everything, after one that found nothing above the floor.
    pub fn at_everything() -> Self {
        Self { from: None, begun: Instant::now() }
    }

    /// The lowest number to look at.
    pub fn from(&self) -> i64 {
        self.from.unwrap_or(i64::MIN)
    }

    /// Whether this was a look at everything.
    pub const fn at_all(&self) -> bool {
        self.from.is_none()
    }
}

impl Floor {
    /// Where to look now.
    pub fn look(&self) -> Look {
        let now = Instant::now();
        let marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Look { from: marks.floor(now).filter(|_| !marks.is_due(now)), begun: now }
    }

    /// Notes how long a look took, now that it is over.
    pub fn over(&self, look: Look) {
        if look.at_all() {
            let now = Instant::now();
            let mut marks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            marks.looked_at_all = Some(now);
            marks.took = now.duration_since(look.begun);
        }
    }

    /// Notes the first row that a look found.
    pub fn mark(&self, look: Look, first: Option<i64>) {
        if let Some(first) = first {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).mark(look, first);
        }
    }
}

impl Marks {
    /// The newest mark that is old enough.
    fn floor(&self, now: Instant) -> Option<i64> {
        let old = self.first_rows.iter().take_while(|(at, _)| now.duration_since(*at) >= LAG);
        old.last().map(|(_, first)| *first)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.since_all(now).is_none_or(|time| time >= LOOK_EVERY.max(self.took * SHARE))
    }

    fn since_all(&self, now: Instant) -> Option<Duration> {
        self.looked_at_all.map(|at| now.duration_since(at))
    }

    fn mark(&mut self, look: Look, first: i64) {
        if self.first_rows.back().is_some_and(|(at, _)| look.begun.saturating_duration_since(*at) < MARK_EVERY) {
            return;
        }
        self.first_rows.push_back((look.begun, first));
        // Of those that are old enough only the newest is of use.
        while self.first_rows.get(1).is_some_and(|(at, _)| look.begun.saturating_duration_since(*at) >= LAG) {
            self.first_rows.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(begun: Instant, millis: u64) -> Instant {
        begun + Duration::from_millis(millis)
    }

    fn marks(begun: Instant) -> Marks {
        let mut marks = Marks { looked_at_all: Some(begun), ..Marks::default() };
        for (millis, first) in [(0, 10), (50, 11), (500, 20), (1_000, 30), (3_000, 40)] {
            marks.mark(Look { from: None, begun: at(begun, millis) }, first);
        }
        marks
    }

    #[test]
    fn stands_where_looks_of_a_moment_ago_began() {
        let begun = Instant::now();
        let marks = marks(begun);
        assert_eq!(marks.floor(at(begun, 3_100)), Some(30), "the newest of those that are old enough");
        assert_eq!(marks.floor(at(begun, 5_100)), Some(40));
        assert_eq!(marks.first_rows.len(), 2, "older ones are forgotten");
        assert_eq!(Marks::default().floor(begun), None, "nothing was seen yet");
    }

    #[test]
    fn looks_at_everything_as_often_as_that_is_cheap() {
        let begun = Instant::now();
        let mut marks = marks(begun);
        assert!(!marks.is_due(at(begun, 999)) && marks.is_due(at(begun, 1_000)));
        marks.took = Duration::from_millis(100);
        assert!(!marks.is_due(at(begun, 1_999)) && marks.is_due(at(begun, 2_000)));
        assert!(Marks::default().is_due(begun), "nobody looked yet");
    }
}
