//! The newest changes of one key, shared by all who follow it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

use super::source::{Reading, Rest};
use super::{Change, Changes};

/// Changes a log keeps for subscribers that are a little late; the newest page is kept whole.
const LOG_LENGTH: usize = 64;

/// The newest changes of a key.
pub(super) struct Log<T> {
    entries: VecDeque<Change<T>>,
    /// The newest version that is no longer in the log as a whole.
    floor: Option<i64>,
    /// The newest version read; 0 when the first read found nothing.
    pub(super) last: Option<i64>,
}

/// What a log has for a subscriber.
pub(super) enum Found<T> {
    Entries(VecDeque<Change<T>>),
    /// It does not reach back far enough.
    Gap,
}

impl<T> Log<T> {
    /// Adds what is newer than the log, drops what is too old, and says the newest version.
    pub(super) fn append(&mut self, items: Vec<Change<T>>) -> i64 {
        let known = self.last;
        let fresh: Vec<_> =
            items.into_iter().filter(|change| known.is_none_or(|known| change.version > known)).collect();
        let keep = LOG_LENGTH.max(fresh.len());
        self.entries.extend(fresh);
        let excess = self.entries.len().saturating_sub(keep);
        self.floor = self.entries.drain(..excess).next_back().map(|change| change.version).or(self.floor);
        let newest = self.entries.back().map_or(0, |change| change.version);
        let last = known.map_or(newest, |known| known.max(newest));
        self.last = Some(last);
        last
    }

    /// For a newcomer the items of the newest version, for others what they have not seen.
    pub(super) fn after(&self, seen: Option<i64>) -> Found<T> {
        let entries = |from: &dyn Fn(i64) -> bool| {
            Found::Entries(self.entries.iter().filter(|change| from(change.version)).cloned().collect())
        };
        match seen {
            None => entries(&|version| Some(version) == self.last),
            Some(seen) if self.floor.is_some_and(|floor| floor > seen) => Found::Gap,
            Some(seen) => entries(&|version| version > seen),
        }
    }
}

impl<T> Default for Log<T> {
    fn default() -> Log<T> {
        Log { entries: VecDeque::new(), floor: None, last: None }
    }
}

impl<T> Clone for Log<T> {
    fn clone(&self) -> Log<T> {
        Log { entries: self.entries.clone(), floor: self.floor, last: self.last }
    }
}

/// Makes of "read what is newer than" a reader of logs that remembers where it stands.
pub(super) fn log_reader<T, E, R, F>(read: Arc<R>) -> impl Fn() -> BoxFuture<'static, Result<Reading<Log<T>>, E>>
where
    T: Send + Sync + 'static,
    E: Send + 'static,
    R: Fn(Option<i64>) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Changes<T>, E>> + Send + 'static,
{
    let kept = Arc::new(Mutex::new(Log::default()));
    move || {
        let kept = kept.clone();
        let since = kept.lock().unwrap_or_else(PoisonError::into_inner).last;
        let page = read(since);
        Box::pin(async move {
            let page = page.await?;
            let mut log = kept.lock().unwrap_or_else(PoisonError::into_inner);
            let version = log.append(page.items);
            let rest = if since == Some(version) { Rest::Nothing } else { page.rest };
            Ok(Reading { version, value: log.clone(), rest })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(versions: impl IntoIterator<Item = i64>) -> Vec<Change<i64>> {
        versions.into_iter().map(|version| Change::new(version, version * 10)).collect()
    }

    fn versions(found: Found<i64>) -> Option<Vec<i64>> {
        match found {
            Found::Entries(entries) => Some(entries.iter().map(|change| change.version).collect()),
            Found::Gap => None,
        }
    }

    #[test]
    fn an_empty_list_has_version_zero() {
        let mut log = Log::default();
        assert_eq!(log.append(changes([])), 0);
        assert_eq!(versions(log.after(None)), Some(vec![]));
        assert_eq!(log.append(changes([1])), 1);
        assert_eq!(versions(log.after(Some(0))), Some(vec![1]));
    }

    #[test]
    fn a_newcomer_gets_the_newest_version_and_others_what_they_missed() {
        let mut log = Log::default();
        log.append(changes([3, 4, 4]));
        assert_eq!(versions(log.after(None)), Some(vec![4, 4]));
        assert_eq!(log.append(changes([2, 4, 5])), 5, "what is not newer is not added again");
        assert_eq!(versions(log.after(Some(3))), Some(vec![4, 4, 5]));
        assert_eq!(versions(log.after(Some(5))), Some(vec![]));
    }

    #[test]
    fn who_is_too_late_is_told_so() {
        let mut log = Log::default();
        let long = LOG_LENGTH as i64;
        log.append(changes(1..=long));
        assert_eq!(versions(log.after(Some(0))).map(|all| all.len()), Some(LOG_LENGTH));
        log.append(changes([long + 1, long + 2]));
        assert_eq!(versions(log.after(Some(1))), None, "versions 1 and 2 are gone");
        assert_eq!(versions(log.after(Some(2))).map(|all| all.len()), Some(LOG_LENGTH));
        log.append(changes(1_000..1_000 + 2 * long));
        assert_eq!(versions(log.after(Some(999))).map(|all| all.len()), Some(2 * LOG_LENGTH), "a page is kept whole");
    }
}
