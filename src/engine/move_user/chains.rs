//! Who stands above a user before and after a move.

use super::MoveUser;
use crate::{
    domain::id::Id,
    store::{StoreError, Tx, changes::NETWORK_LEVELS, run},
};

/// The chains above a user who is moved, nearest first, as far up as networks are counted.
#[derive(Debug)]
pub(super) struct Chains {
    pub(super) user: Id,
    pub(super) before: Vec<Id>,
    pub(super) after: Vec<Id>,
    /// Who stands right above the last of `after`.
    above_after: Option<Id>,
}

impl Chains {
    pub(super) async fn load(tx: &mut Tx, request: &MoveUser) -> Result<Self, StoreError> {
        let MoveUser { user, referrer, .. } = *request;
        let steps = run!(tx, tree::uplines(vec![user, referrer], NETWORK_LEVELS as i32))?;
        let above = |start: Id| steps.iter().filter(move |(from, ..)| *from == start).map(|(_, ancestor, _)| *ancestor);
        let after = std::iter::once(referrer).chain(above(referrer)).collect();
        Ok(Self::new(user, above(user).collect(), after))
    }

    /// Chains of which the one afterwards may be a level longer than networks are counted.
    pub(super) fn new(user: Id, before: Vec<Id>, mut after: Vec<Id>) -> Self {
        let above_after = after.get(NETWORK_LEVELS).copied();
        after.truncate(NETWORK_LEVELS);
        Self { user, before, after, above_after }
    }

    /// Everybody whose counters may change, and the user; some of them twice.
    pub(super) fn people(&self) -> impl Iterator<Item = Id> + '_ {
        std::iter::once(self.user).chain(self.before.iter().chain(&self.after).copied())
    }

    /// Everybody above, each once, and after those of their direct referrals who are among them.
    ///
    /// Who stands in both chains comes with the second one, in its order. Which chain is the second follows from how they
    /// can meet: either somebody of the old chain stands right above the end of the new one, or the new one goes past
    /// whatever of the old one it meets.
    pub(super) fn upwards(&self) -> impl Iterator<Item = Id> + '_ {
        let ends_below = self.above_after.is_some_and(|above| self.before.contains(&above));
        let (first, second) = if ends_below { (&self.after, &self.before) } else { (&self.before, &self.after) };
        first.iter().filter(|user| !second.contains(user)).chain(second).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(numbers: impl IntoIterator<Item = u128>) -> Vec<Id> {
        numbers.into_iter().map(|number| Id::from_uuid(uuid::Uuid::from_u128(number))).collect()
    }

    /// People stand in one line, 1 at the top. Whoever is below comes first.
    fn is_upwards(before: Vec<Id>, after: Vec<Id>) {
        let chains = Chains::new(ids([99])[0], before, after);
        let order: Vec<Id> = chains.upwards().collect();
        let mut sorted = order.clone();
        sorted.sort_unstable_by(|one, other| other.cmp(one));
        assert_eq!(order, sorted);
    }

    #[test]
    fn who_stands_below_comes_first() {
        // Down the line, up the line, by two levels and by five where the chains end, and up past the end of the old chain.
        is_upwards(ids((1..=5).rev()), ids((1..=9).rev()));
        is_upwards(ids((1..=9).rev()), ids((1..=5).rev()));
        is_upwards(ids((11..=20).rev()), ids((12..=22).rev()));
        is_upwards(ids((11..=20).rev()), ids((5..=15).rev()));
        is_upwards(ids((5..=14).rev()), ids((1..=4).rev()));
    }
}
