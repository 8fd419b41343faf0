//! What a move changes in counters and on boards: pure.

use std::collections::BTreeMap;

use super::{Edges, chains::Chains};
use crate::{
    domain::{id::Id, time::Timestamp, words::Metric},
    store::{
        changes::{NETWORK_LEVELS, TotalsChange},
        models::{NewBoardDelta, Referral, Totals},
    },
};

/// The part of the tree that is moved, as far as it is counted: the user and the nine levels below.
pub(super) struct Shift<'a> {
    edges: &'a Edges,
    signups: [i32; NETWORK_LEVELS],
    completed: [i32; NETWORK_LEVELS],
    /// When the newest of it came, or of the level below; nothing when nothing of it is counted.
    newest: Option<Timestamp>,
}

impl<'a> Shift<'a> {
    /// What the counters of the user and their own referral say.
    pub(super) fn of(own: &Totals, edges: &'a Edges) -> Self {
        let counted = Some(&edges.after).filter(|_| edges.is_counted);
        let is_completed = counted.is_some_and(|edge| edge.completed_at.is_some());
        let below = |own: bool, levels: [i32; NETWORK_LEVELS]| {
            std::array::from_fn(|depth| depth.checked_sub(1).map_or(i32::from(own), |level| levels[level]))
        };
        Self {
            edges,
            signups: below(counted.is_some(), own.signups()),
            completed: below(is_completed, own.completed()),
            newest: counted.map(|edge| edge.created_at).max(own.network_at),
        }
    }

    /// What the counters of both chains gain and lose, in the order of their ids. Versions of the user and of both referrers
    /// rise in any case.
    pub(super) fn totals_changes(&self, chains: &Chains) -> Vec<TotalsChange> {
        let mut changes: BTreeMap<Id, TotalsChange> = BTreeMap::new();
        for (chain, step) in [(&chains.before, -1), (&chains.after, 1)] {
            for (above, ancestor) in chain.iter().enumerate() {
                let change = changes.entry(*ancestor).or_insert_with(|| TotalsChange::none(*ancestor));
                self.add_to(change, above, step);
            }
        }
        let always = [Some(&chains.user), chains.before.first(), chains.after.first()];
        changes.retain(|user, change| !is_nothing(change) || always.contains(&Some(user)));
        changes.entry(chains.user).or_insert_with(|| TotalsChange::none(chains.user));
        changes.into_values().collect()
    }

    /// Adds the part to the counters of an ancestor with so many others between.
    fn add_to(&self, change: &mut TotalsChange, between: usize, step: i32) {
        for level in between..NETWORK_LEVELS {
            change.signups[level] += step * self.signups[level - between];
            change.completed[level] += step * self.completed[level - between];
        }
        if step > 0 {
            change.newest = self.newest;
        }
    }

    /// Whether the newest of somebody's network may have come or gone with the part.
    pub(super) fn may_hold_newest_of(&self, before: &Totals) -> bool {
        self.newest.is_some() && before.user_id != self.edges.after.referred_id && before.network_at <= self.newest
    }

    /// The referral leaves the boards of one referrer and enters the other's, in the periods of its own dates.
    pub(super) fn board_deltas(&self) -> Vec<NewBoardDelta> {
        if !self.edges.is_counted {
            return Vec::new();
        }
        let leaves = self.edges.before.iter().flat_map(|edge| deltas_of(edge, -1));
        leaves.chain(deltas_of(&self.edges.after, 1)).collect()
    }
}

fn is_nothing(change: &TotalsChange) -> bool {
    change.signups.iter().chain(&change.completed).all(|step| *step == 0)
}

fn deltas_of(edge: &Referral, amount: i64) -> impl Iterator<Item = NewBoardDelta> + use<> {
    let (program_id, user_id) = (edge.program_id, edge.referrer_id);
    let times = [(Metric::Signups, Some(edge.created_at)), (Metric::Referrals, edge.completed_at)];
    let times = times.into_iter().filter_map(|(metric, at)| Some((metric, at?)));
    times.map(move |(metric, at)| NewBoardDelta { program_id, metric, user_id, amount, at })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::words::{ReferralStatus, Via};

    fn id(number: u128) -> Id {
        Id::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn edge(referrer: u128, completed_at: Option<i64>) -> Referral {
        let status = if completed_at.is_some() { ReferralStatus::Completed } else { ReferralStatus::Pending };
        Referral {
            referred_id: id(9),
            referrer_id: id(referrer),
            program_id: id(99),
            status,
            via: Via::Code,
            code: None,
            click_id: None,
            risk_score: 0,
            created_at: at(5),
            completed_at: completed_at.map(at),
            rejected_at: None,
        }
    }

    /// User 9, with three people on level 1, one of them completed, and one person on each of levels 9 and 10.
    fn nine() -> Totals {
        Totals {
            user_id: id(9),
            version: 4,
            network: 5,
            network_at: Some(at(7)),
            signups_1: 3,
            signups_2: 0,
            signups_3: 0,
            signups_4: 0,
            signups_5: 0,
            signups_6: 0,
            signups_7: 0,
            signups_8: 0,
            signups_9: 1,
            signups_10: 1,
            completed_1: 1,
            completed_2: 0,
            completed_3: 0,
            completed_4: 0,
            completed_5: 0,
            completed_6: 0,
            completed_7: 0,
            completed_8: 0,
            completed_9: 0,
            completed_10: 0,
        }
    }

    /// Signups and completions that a level gains or loses.
    type LevelChange = (usize, i32, i32);

    fn told(changes: &[TotalsChange]) -> Vec<(Id, Vec<LevelChange>)> {
        let levels = |change: &TotalsChange| {
            let level = |level: usize| (level + 1, change.signups[level], change.completed[level]);
            (0..NETWORK_LEVELS).map(level).filter(|(_, signups, completed)| (*signups, *completed) != (0, 0)).collect()
        };
        changes.iter().map(|change| (change.user, levels(change))).collect()
    }

    #[test]
    fn a_part_goes_from_chain_to_chain_and_down_to_level_ten() {
        let edges = Edges { before: Some(edge(1, Some(6))), after: edge(2, Some(6)), is_counted: true };
        let shift = Shift::of(&nine(), &edges);
        let chains = Chains::new(id(9), vec![id(1), id(3)], vec![id(2), id(1), id(3)]);
        let changes = shift.totals_changes(&chains);
        assert_eq!(
            told(&changes),
            [
                (id(1), vec![(1, -1, -1), (2, -2, 0), (3, 3, 1), (10, -1, 0)]),
                (id(2), vec![(1, 1, 1), (2, 3, 1), (10, 1, 0)]),
                (id(3), vec![(2, -1, -1), (3, -2, 0), (4, 3, 1)]),
                (id(9), vec![]),
            ]
        );
        let deltas = shift.board_deltas();
        let told: Vec<_> = deltas.iter().map(|delta| (delta.metric, delta.user_id, delta.amount, delta.at)).collect();
        assert_eq!(
            told,
            [
                (Metric::Signups, id(1), -1, at(5)),
                (Metric::Referrals, id(1), -1, at(6)),
                (Metric::Signups, id(2), 1, at(5)),
                (Metric::Referrals, id(2), 1, at(6)),
            ]
        );
    }

    #[test]
    fn who_stays_on_a_level_above_is_left_alone() {
        let edges = Edges { before: Some(edge(1, None)), after: edge(2, None), is_counted: true };
        let chains = Chains::new(id(9), vec![id(1), id(3)], vec![id(2), id(3)]);
        let changes = Shift::of(&nine(), &edges).totals_changes(&chains);
        assert_eq!(changes.iter().map(|change| change.user).collect::<Vec<_>>(), [id(1), id(2), id(9)]);
    }

    #[test]
    fn what_is_not_counted_yet_is_not_moved() {
        let edges = Edges { before: Some(edge(1, None)), after: edge(2, None), is_counted: false };
        let shift =
            Shift::of(&Totals { signups_1: 0, completed_1: 0, signups_9: 0, network_at: None, ..nine() }, &edges);
        let chains = Chains::new(id(9), vec![id(1)], vec![id(2)]);
        assert!(shift.totals_changes(&chains).iter().all(is_nothing));
        assert!(shift.board_deltas().is_empty() && !shift.may_hold_newest_of(&nine()));
    }
}
