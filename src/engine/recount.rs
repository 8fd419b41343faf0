//! Counters of networks computed again from the referrals, slice by slice.

use std::collections::HashMap;

use super::{Engine, Error};
use crate::{
    domain::{
        id::{Id, Noun},
        time::Timestamp,
    },
    live::{Hint, Topic},
    store::{
        Tx,
        changes::{NETWORK_LEVELS, TotalsChange},
        models::Totals,
        requests::{LevelCount, UserRange},
        run,
    },
};

/// Users of one slice.
const SLICE: i64 = 1_000;

/// What one user's counters should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    signups: [i32; NETWORK_LEVELS],
    completed: [i32; NETWORK_LEVELS],
    newest: Option<Timestamp>,
}

/// A user whose counters are not what they should be.
struct Wrong {
    stored: Totals,
    counted: Counted,
}

/// What to do with wrong counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Correct,
    Report,
}

impl Engine {
    /// Computes all counters and boards again and says how many people's counters were wrong. Folding pauses while a slice
    /// is counted; requests do not.
    pub async fn rebuild(&self) -> Result<u64, Error> {
        let wrong = self.recount(Mode::Correct).await?;
        self.rebuild_boards(&|_| ()).await?;
        Ok(wrong.len() as u64)
    }

    /// Names the users whose counters are not what the referrals say.
    pub async fn verify_counters(&self) -> Result<Vec<String>, Error> {
        self.recount(Mode::Report).await
    }

    async fn recount(&self, mode: Mode) -> Result<Vec<String>, Error> {
        let wrong = self.recount_slices(mode).await;
        self.resume_folding(wrong).await
    }

    async fn recount_slices(&self, mode: Mode) -> Result<Vec<String>, Error> {
        let (mut after, mut found) = (None, Vec::new());
        loop {
            self.pause_folding().await?;
            let slice = self.store.write_long(async |tx: &mut Tx| recount_slice(tx, after, mode).await).await?;
            found.extend(slice.wrong.iter().map(Wrong::to_string));
            if mode == Mode::Correct {
                let hint =
                    |wrong: &Wrong| Hint::new(Topic::User(wrong.stored.user_id.uuid()), wrong.stored.version + 1);
                self.live.publish(slice.wrong.iter().map(hint).collect());
            }
            match slice.last {
                Some(last) => after = Some(last),
                None => return Ok(found),
            }
        }
    }
}

struct Slice {
    /// The last user that was looked at; none when there were no more.
    last: Option<Id>,
    wrong: Vec<Wrong>,
}

async fn recount_slice(tx: &mut Tx, after: Option<Id>, mode: Mode) -> Result<Slice, Error> {
    run!(tx, gate::take())?;
    let stored = run!(tx, totals::page(after, SLICE))?;
    let (Some(first), Some(last)) = (stored.first(), stored.last()) else {
        return Ok(Slice { last: None, wrong: Vec::new() });
    };
    let range = UserRange { first: first.user_id, last: last.user_id };
    let last = Some(range.last);
    let counted = by_user(run!(tx, network::levels(range, NETWORK_LEVELS as i32))?);
    let wrong: Vec<Wrong> = stored.into_iter().filter_map(|stored| compare(stored, &counted)).collect();
    if mode == Mode::Correct && !wrong.is_empty() {
        run!(tx, totals::lock(wrong.iter().map(|wrong| wrong.stored.user_id).collect()))?;
        run!(tx, bulk::add_totals(wrong.iter().map(Wrong::correction).collect()))?;
        for wrong in &wrong {
            let Counted { signups, newest, .. } = wrong.counted;
            run!(tx, totals::set_network(wrong.stored.user_id, signups.iter().sum(), newest))?;
        }
    }
    Ok(Slice { last, wrong })
}

fn by_user(levels: Vec<LevelCount>) -> HashMap<Id, Counted> {
    let mut counted: HashMap<Id, Counted> = HashMap::new();
    for row in levels {
        let user = counted.entry(row.root_id).or_default();
        if let Some(place) = usize::try_from(row.level - 1).ok().filter(|place| *place < NETWORK_LEVELS) {
            user.signups[place] = row.signups;
            user.completed[place] = row.completed;
        }
        user.newest = user.newest.max(row.newest);
    }
    counted
}

fn compare(stored: Totals, counted: &HashMap<Id, Counted>) -> Option<Wrong> {
    let counted = counted.get(&stored.user_id).copied().unwrap_or_default();
    let right = stored.signups() == counted.signups
        && stored.completed() == counted.completed
        && stored.network == counted.signups.iter().sum::<i32>()
        && stored.network_at == counted.newest;
    (!right).then_some(Wrong { stored, counted })
}

impl Wrong {
    /// What has to be added to the stored counters.
    fn correction(&self) -> TotalsChange {
        let (signups, completed) = (self.stored.signups(), self.stored.completed());
        TotalsChange {
            signups: std::array::from_fn(|level| self.counted.signups[level] - signups[level]),
            completed: std::array::from_fn(|level| self.counted.completed[level] - completed[level]),
            ..TotalsChange::none(self.stored.user_id)
        }
    }
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let user = self.stored.user_id.typed(Noun::User);
        let (stored, counted) = (&self.stored, &self.counted);
        write!(
            f,
            "{user} network: stored {:?} completed {:?} newest {:?}, counted {:?} completed {:?} newest {:?}",
            stored.signups(),
            stored.completed(),
            stored.network_at.map(|at| at.to_string()),
            counted.signups,
            counted.completed,
            counted.newest.map(|at| at.to_string())
        )
    }
}
