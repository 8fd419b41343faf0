//! The world of a simulation: nobody's money is touched.

use std::collections::HashSet;

use crate::{
    domain::{
        history::{CapTaken, World},
        id::Id,
        period::Calendar,
    },
    engine::fold::Terms,
};

/// People as they are now, completed referrals and caps as the simulation goes.
pub(super) struct Imagined {
    inactive: HashSet<Id>,
    calendar: Calendar,
    terms: Terms,
    rewards: u128,
    /// Rules whose caps had less room than was wanted, since this was last looked at.
    pub(super) cap_hits: Vec<String>,
}

impl Imagined {
    pub(super) fn new(inactive: HashSet<Id>, calendar: Calendar) -> Self {
        Self { inactive, calendar, terms: Terms::default(), rewards: 0, cap_hits: Vec::new() }
    }
}

impl World for Imagined {
    fn can_earn(&self, user: Id) -> bool {
        !self.inactive.contains(&user)
    }

    fn completed(&self, user: Id, program: Id) -> u32 {
        self.terms.completed(user, program)
    }

    fn completes(&mut self, referrer: Id, program: Id, step: i32) {
        self.terms.completes(referrer, program, step);
    }

    fn take(&mut self, from: CapTaken<'_>) -> i64 {
        let taken = self.terms.take(from, &self.calendar);
        if taken < from.wanted {
            self.cap_hits.push(from.rule_key.to_owned());
        }
        taken
    }

    fn new_reward_id(&mut self) -> Id {
        self.rewards += 1;
        Id::from_uuid(uuid::Uuid::from_u128(self.rewards))
    }
}
