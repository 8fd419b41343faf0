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

    /// Rule 17: what was taken and no longer stands, less what later claims netted, plus what they gave back. Below zero it
    /// is a credit: more was netted than there is to owe, because a payout failed meanwhile.
    pub fn balance_of_debt(&self, person: Person, currency: &str) -> i64 {
        let mine = self.rewards.iter().filter(|reward| reward.beneficiary == person && reward.currency == currency);
        let owed: i64 = mine.filter_map(|reward| reward.taken.as_ref().map(|(_, taken)| taken - reward.net)).sum();
        let claims = self.claims.iter().filter(|claim| claim.name.person == person && claim.name.currency == currency);
        let claims = claims.filter(|claim| claim.status != ClaimStatus::Failed);
        owed - claims.map(|claim| claim.netted - claim.credited).sum::<i64>()
    }

    /// What somebody owes.
    pub fn debt(&self, person: Person, currency: &str) -> i64 {
        self.balance_of_debt(person, currency).max(0)
    }

    /// What is owed to somebody.
    pub fn credit(&self, person: Person, currency: &str) -> i64 {
        (-self.balance_of_debt(person, currency)).max(0)
    }

    /// Currencies in which something is owed to somebody.
    fn credited(&self, person: Person) -> Vec<&'static str> {
        let mine = self.claims.iter().filter(|claim| claim.name.person == person).map(|claim| claim.name.currency);
        mine.filter(|currency| self.credit(person, currency) > 0).collect()
    }

    /// Rule 18: one claim per currency that can be claimed; a refusal that changes nothing when none can, or when one of
    /// those of the named rewards cannot. Whoever names none is also given what is owed to them.
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
        let currencies = if rewards.is_none() { self.credited(person) } else { Vec::new() };
        let claims = self.claims_for(person, key, &chosen, currencies);
        let refusals: Vec<Refusal> = claims.iter().filter_map(|claim| claim.as_ref().err().copied()).collect();
        match refusals.first() {
            _ if claims.is_empty() => Answer::Refused(Refusal::NothingToClaim),
            Some(first) if rewards.is_some() || refusals.len() == claims.len() => Answer::Refused(*first),
            _ => self.make(person, key, rewards, &chosen, claims.into_iter().flatten().collect()),
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

    /// What becomes of each currency, in the order of their codes: a claim, or a refusal.
    fn claims_for(
        &self,
        person: Person,
        key: &str,
        chosen: &[usize],
        mut currencies: Vec<&'static str>,
    ) -> Vec<Result<Claim, Refusal>> {
        currencies.extend(chosen.iter().map(|place| self.rewards[*place].currency));
        currencies.sort_unstable();
        currencies.dedup();
        let claim = |currency: &'static str| {
            let name = ClaimName { person, key: key.to_owned(), currency };
            let of_currency = chosen.iter().map(|place| &self.rewards[*place]);
            let taken: Vec<_> = of_currency.filter(|reward| reward.currency == currency).collect();
            let minimum =
                taken.iter().filter_map(|reward| self.programs[reward.program].versions.last()?.minimum_claim);
            let minimum = minimum.max().unwrap_or(0);
            let (netted, credited) = (self.debt(person, currency), self.credit(person, currency));
            let amount = taken.iter().map(|reward| reward.net).sum::<i64>() - netted + credited;
            match amount {
                ..=0 => Err(Refusal::DebtOutstanding),
                amount if amount < minimum => Err(Refusal::BelowMinimum),
                amount => Ok(Claim { name, amount, netted, credited, status: ClaimStatus::Requested }),
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
            if !claims.iter().any(|claim| claim.name == name) {
                continue;
            }
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
        self.claims[place].status = outcome;
        for reward in 0..self.rewards.len() {
            if self.rewards[reward].taken.as_ref().is_some_and(|(claim, _)| claim == name) {
                self.end(reward, paid);
            }
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
