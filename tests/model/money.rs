//! Claims, payouts and what is owed: rules 17 and 18.

use crate::{
    calendar::DAY,
    model::Model,
    operation::{Answer, ClaimName, Person, Refusal, RewardName},
    state::{Claim, ClaimRequest, ClaimStatus, Status},
};

impl Model {
    /// What rewards of a state come to.
    pub(crate) fn sum_of_net(&self, person: Person, currency: &str, status: Status) -> i64 {
        let mine = self.rewards.iter().filter(|reward| reward.beneficiary == person && reward.currency == currency);
        mine.filter(|reward| reward.status == status).map(|reward| reward.net).sum()
    }

    /// What claims of a state pay.
    pub(crate) fn sum_of_claims(&self, person: Person, currency: &str, status: ClaimStatus) -> i64 {
        let mine = self.claims.iter().filter(|claim| claim.name.person == person && claim.name.currency == currency);
        mine.filter(|claim| claim.status == status).map(|claim| claim.amount).sum()
    }

    /// Rule 17: what was taken and no longer stands, less what later claims netted.
    pub fn debt(&self, person: Person, currency: &str) -> i64 {
        let mine = self.rewards.iter().filter(|reward| reward.beneficiary == person && reward.currency == currency);
        let owed: i64 = mine.filter_map(|reward| reward.taken.as_ref().map(|(_, taken)| taken - reward.net)).sum();
        let claims = self.claims.iter().filter(|claim| claim.name.person == person && claim.name.currency == currency);
        let netted: i64 = claims.filter(|claim| claim.status != ClaimStatus::Failed).map(|claim| claim.netted).sum();
        owed - netted
    }

    /// Rule 18: one claim per currency, or a refusal that changes nothing.
    pub(crate) fn claim(&mut self, person: Person, key: &str, rewards: Option<&[RewardName]>) -> Answer {
        if !self.takes_part(person) {
            return Answer::NotPlayed;
        }
        if let Some(old) = self.requests.iter().find(|old| old.person == person && old.key == key) {
            let same = old.rewards.as_deref() == rewards;
            return if same { Answer::Repeated } else { Answer::Refused(Refusal::Conflict) };
        }
        let chosen = match rewards {
            None => self.available(person),
            Some(names) => match self.named(person, names) {
                None => return Answer::NotPlayed,
                Some(places) if places.iter().any(|place| self.rewards[*place].status != Status::Available) => {
                    return Answer::Refused(Refusal::RewardNotAvailable);
                }
                Some(places) => places,
            },
        };
        let claims = self.claims_for(person, key, &chosen);
        let refusals: Vec<Refusal> = claims.iter().filter_map(|claim| claim.as_ref().err().copied()).collect();
        match refusals.first() {
            _ if claims.is_empty() => Answer::Refused(Refusal::NothingToClaim),
            None => self.make(person, key, rewards, &chosen, claims.into_iter().flatten().collect()),
            Some(first) if refusals.len() == claims.len() && refusals.iter().all(|other| other == first) => {
                Answer::Refused(*first)
            }
            // One currency could be claimed and another one could not.
            Some(_) => Answer::NotPlayed,
        }
    }

    fn available(&self, person: Person) -> Vec<usize> {
        let mine = |place: &usize| {
            let reward = &self.rewards[*place];
            reward.beneficiary == person && reward.status == Status::Available
        };
        (0..self.rewards.len()).filter(mine).collect()
    }

    /// Where somebody's rewards are; nothing when one of them is not there, or none was named.
    fn named(&self, person: Person, names: &[RewardName]) -> Option<Vec<usize>> {
        let place = |name: &RewardName| {
            self.rewards.iter().position(|reward| reward.name == *name && reward.beneficiary == person)
        };
        names.iter().map(place).collect::<Option<Vec<usize>>>().filter(|places| !places.is_empty())
    }

    fn claims_for(&self, person: Person, key: &str, chosen: &[usize]) -> Vec<Result<Claim, Refusal>> {
        let mut currencies: Vec<&'static str> = chosen.iter().map(|place| self.rewards[*place].currency).collect();
        currencies.sort_unstable();
        currencies.dedup();
        let claim = |currency: &'static str| {
            let name = ClaimName { person, key: key.to_owned(), currency };
            let of_currency = chosen.iter().map(|place| &self.rewards[*place]);
            let taken: Vec<_> = of_currency.filter(|reward| reward.currency == currency).collect();
            let minimum =
                taken.iter().filter_map(|reward| self.programs[reward.program].versions.last()?.minimum_claim);
            let minimum = minimum.max().unwrap_or(0);
            let netted = self.debt(person, currency);
            let amount = taken.iter().map(|reward| reward.net).sum::<i64>() - netted;
            match amount {
                ..=0 => Err(Refusal::DebtOutstanding),
                amount if amount < minimum => Err(Refusal::BelowMinimum),
                amount => Ok(Claim { name, amount, netted, status: ClaimStatus::Requested }),
            }
        };
        currencies.into_iter().map(claim).collect()
    }

    fn make(
        &mut self,
        person: Person,
        key: &str,
        rewards: Option<&[RewardName]>,
        chosen: &[usize],
        claims: Vec<Claim>,
    ) -> Answer {
        let rewards = rewards.map(<[RewardName]>::to_vec);
        self.requests.push(ClaimRequest { person, key: key.to_owned(), rewards });
        for place in chosen {
            let reward = &mut self.rewards[*place];
            let name = ClaimName { person, key: key.to_owned(), currency: reward.currency };
            reward.status = Status::Claimed;
            reward.taken = Some((name, reward.net));
        }
        self.claims.extend(claims);
        Answer::Done
    }

    /// Rule 18: a payout ends one way. A failed one gives everything back.
    pub(crate) fn settle(&mut self, name: &ClaimName, paid: bool) -> Answer {
        let Some(place) = self.claims.iter().position(|claim| claim.name == *name) else { return Answer::NotPlayed };
        let outcome = if paid { ClaimStatus::Paid } else { ClaimStatus::Failed };
        match self.claims[place].status {
            ClaimStatus::Requested => {}
            old if old == outcome => return Answer::Repeated,
            _ => return Answer::Refused(Refusal::AlreadySettled),
        }
        let before = self.clone();
        self.claims[place].status = outcome;
        for reward in 0..self.rewards.len() {
            if self.rewards[reward].taken.as_ref().is_some_and(|(claim, _)| claim == name) {
                self.end(reward, paid);
            }
        }
        // What this claim's rewards owed was netted by a later claim: the rules do not say who gives it back.
        if self.debt(name.person, name.currency) < 0 {
            *self = before;
            return Answer::NotPlayed;
        }
        Answer::Done
    }

    /// What a settlement means for one reward.
    fn end(&mut self, place: usize, paid: bool) {
        let reward = &mut self.rewards[place];
        if paid {
            reward.status = Status::Paid;
            return;
        }
        reward.status = Status::Available;
        reward.taken = None;
        reward.expires_at = reward.expires_at.map(|at| at.max(self.now + DAY));
        // Of what was taken back meanwhile nothing can be claimed again.
        let net = reward.net;
        self.lower(place, net);
    }
}
