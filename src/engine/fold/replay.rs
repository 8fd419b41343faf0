//! Deciding everything once more, in the order in which it was decided, and comparing with the rewards that are stored.

use std::collections::{BTreeMap, HashMap};

use super::people::{Definitions, definitions, past_event};
use crate::{
    domain::{
        history::{Decision, Effect, Grant, History, Item, Referral, World},
        id::{Id, Noun},
        time::Timestamp,
        words::ReferralStatus,
    },
    engine::{Engine, Error},
    store::{Tx, models, run},
};

/// A reward by its key: event, rule, level.
type Key = (Id, String, i32);

/// What a reward is worth: whose, granted, net.
type Worth = (Id, i64, i64);

impl Engine {
    /// Replays the decisions about these people and names the rewards, refunds and referrals that differ.
    pub(crate) async fn replay(&self, tx: &mut Tx, users: Vec<Id>) -> Result<Vec<String>, Error> {
        let events = run!(tx, events::of_users(users.clone()))?;
        let keys = events.iter().filter(|event| event.amount.is_some()).map(|event| event.key.clone()).collect();
        let refunds = run!(tx, events::refunds_of(keys))?;
        let ids: Vec<Id> = events.iter().map(|event| event.id).collect();
        let rewards = if ids.is_empty() { Vec::new() } else { run!(tx, rewards::of_events(&ids))? };
        let referrals = run!(tx, referrals::of_referred(&users))?;
        let definitions = definitions(tx, &events).await?;
        let mut differences = Vec::new();
        for user in users {
            let mut replay = Replay::of(referrals.iter().find(|referral| referral.referred_id == user));
            let own: Vec<_> = events.iter().filter(|event| event.user_id == user).cloned().collect();
            let items = items(own, &refunds, &definitions)?;
            replay.run(user, items);
            let stored = rewards.iter().filter(|reward| reward.referred_id == user);
            replay.compare(stored, &mut differences);
            replay.compare_referral(referrals.iter().find(|referral| referral.referred_id == user), &mut differences);
        }
        Ok(differences)
    }
}

/// One item with what is stored about it.
struct Stored {
    item: Item,
    /// What was decided for an event then.
    decisions: BTreeMap<String, Decision>,
    /// What a refund took then.
    applied: Option<i64>,
}

/// Decided events and refunds of one person, undecided as they were, in the order of decisions.
fn items(
    events: Vec<models::Event>,
    refunds: &[models::Refund],
    definitions: &Definitions,
) -> Result<Vec<Stored>, Error> {
    let mut items = Vec::new();
    for event in events {
        let Some(number) = event.decided_no else { continue };
        let (id, amount) = (event.id, event.amount);
        for refund in refunds.iter().filter(|refund| refund.event_key == event.key) {
            let Some(number) = refund.decided_no else { continue };
            let comparable = refund.currency.is_none() || refund.currency == event.currency;
            let amount = if comparable { refund.amount } else { Some(0) };
            let item = Item::Refund { refund: refund.id, event: id, amount };
            items.push((number, Stored { item, decisions: BTreeMap::new(), applied: refund.applied }));
        }
        let mut past = past_event(event, definitions)?;
        past.remaining = amount;
        let decisions = std::mem::take(&mut past.decisions);
        items.push((number, Stored { item: Item::Event(past), decisions, applied: None }));
    }
    items.sort_by_key(|(number, _)| *number);
    Ok(items.into_iter().map(|(_, stored)| stored).collect())
}

struct Replay {
    history: History,
    world: Then,
    /// Rewards as they should be.
    worth: BTreeMap<Key, Worth>,
    /// Keys of rewards by their ids in this replay.
    keys: HashMap<Id, Key>,
    /// What was decided then, by event.
    decisions: HashMap<Id, BTreeMap<String, Decision>>,
    differences: Vec<String>,
}

/// Everybody could earn; who could not is taken from what was decided then.
struct Then {
    next: u128,
}

impl World for Then {
    fn can_earn(&self, _user: Id) -> bool {
        true
    }

    fn new_reward_id(&mut self) -> Id {
        self.next += 1;
        Id::from_uuid(uuid::Uuid::from_u128(self.next))
    }
}

impl Replay {
    fn of(referral: Option<&models::Referral>) -> Self {
        let referral = referral.map(|row| Referral {
            program: row.program_id,
            referrer: row.referrer_id,
            status: if row.status == ReferralStatus::Rejected { row.status } else { ReferralStatus::Pending },
            completed_at: None,
        });
        Self {
            history: History { referral, events: Vec::new(), rewards: Vec::new() },
            world: Then { next: 0 },
            worth: BTreeMap::new(),
            keys: HashMap::new(),
            decisions: HashMap::new(),
            differences: Vec::new(),
        }
    }

    fn run(&mut self, person: Id, items: Vec<Stored>) {
        for stored in items {
            if let Item::Event(event) = &stored.item {
                self.decisions.insert(event.id, stored.decisions);
            }
            for effect in self.history.decide(person, stored.item, &mut self.world) {
                self.take(effect, stored.applied);
            }
        }
    }

    fn take(&mut self, effect: Effect, stored_applied: Option<i64>) {
        match effect {
            Effect::Grant(grant) => self.grant(grant),
            Effect::Reverse { reward, amount } => {
                let worth = self.keys.get(&reward).and_then(|key| self.worth.get_mut(key));
                if let Some((_, _, net)) = worth {
                    *net -= amount;
                }
            }
            Effect::Refunded { refund, applied } if stored_applied != Some(applied) => {
                let refund = refund.typed(Noun::Refund);
                self.differences.push(format!("{refund}: took {stored_applied:?}, should have taken {applied}"));
            }
            Effect::Refunded { .. } | Effect::Complete(_) | Effect::Reopen(_) => {}
        }
    }

    /// A grant counts unless whoever would have been paid could not earn then.
    fn grant(&mut self, grant: Grant) {
        let then = self.decisions.get(&grant.event).and_then(|decisions| decisions.get(&grant.rule_key));
        if then == Some(&Decision::BeneficiaryInactive) {
            return;
        }
        let key = (grant.event, grant.rule_key, grant.level);
        self.keys.insert(grant.reward, key.clone());
        self.worth.insert(key, (grant.user, grant.amount, grant.amount));
    }

    fn compare<'a>(&mut self, stored: impl Iterator<Item = &'a models::Reward>, differences: &mut Vec<String>) {
        differences.append(&mut self.differences);
        for reward in stored {
            let key = (reward.event_id, reward.rule_key.clone(), reward.level);
            let (name, is) = (reward.id.typed(Noun::Reward), (reward.user_id, reward.amount, reward.net));
            match self.worth.remove(&key) {
                None => differences.push(format!("{name}: should not have been granted")),
                Some(should) if should != is => differences.push(format!(
                    "{name}: {} minor units, net {}, for {}; should be {}, net {}, for {}",
                    is.1,
                    is.2,
                    is.0.typed(Noun::User),
                    should.1,
                    should.2,
                    should.0.typed(Noun::User)
                )),
                Some(_) => {}
            }
        }
        for ((event, rule, level), (user, amount, _)) in std::mem::take(&mut self.worth) {
            let (event, user) = (event.typed(Noun::Event), user.typed(Noun::User));
            differences
                .push(format!("{event} rule `{rule}` level {level}: {amount} minor units for {user} are missing"));
        }
    }

    fn compare_referral(&self, stored: Option<&models::Referral>, differences: &mut Vec<String>) {
        let (Some(stored), Some(should)) = (stored, &self.history.referral) else { return };
        let at = |at: Option<Timestamp>| at.map_or("not".to_owned(), |at| at.to_string());
        if stored.completed_at != should.completed_at {
            differences.push(format!(
                "{}: completed {}, should be completed {}",
                stored.referred_id.typed(Noun::Referral),
                at(stored.completed_at),
                at(should.completed_at)
            ));
        }
    }
}
