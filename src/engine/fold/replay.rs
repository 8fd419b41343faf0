//! Deciding everything once more, in the order in which it was decided, and comparing with the rewards that are stored.
//!
//! Facts of the moment (who stood at a level and could be paid, how many referrals were completed, what a cap had room
//! for) are taken from what was recorded then; everything that follows from them and from the rules is computed again.

use std::collections::{BTreeMap, HashMap};

use super::people::{Definitions, definitions, explanation, past_event, refunded};
use crate::{
    domain::{
        history::{
            CapTaken, Decision, Decisions, EarlyRefund, Effect, Grant, History, Item, Recorded, Referral, World,
        },
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
        let rejections = run!(tx, risks::of_referrals(&users))?;
        let rejections: HashMap<Id, i64> =
            rejections.into_iter().filter_map(|risk| Some((risk.referred_id, risk.rejected_no?))).collect();
        let mut differences = Vec::new();
        for user in users {
            let stored: Vec<_> = rewards.iter().filter(|reward| reward.referred_id == user).collect();
            let mut replay = Replay::of(referrals.iter().find(|referral| referral.referred_id == user), &stored)?;
            let own: Vec<_> = events.iter().filter(|event| event.user_id == user).cloned().collect();
            let items = items(own, &refunds, &definitions)?;
            replay.run(user, items, rejections.get(&user).copied());
            replay.compare(&stored, &mut differences);
            replay.compare_events(events.iter().filter(|event| event.user_id == user), &mut differences);
            replay.compare_referral(referrals.iter().find(|referral| referral.referred_id == user), &mut differences);
        }
        Ok(differences)
    }
}

fn key_of(reward: &models::Reward) -> Key {
    (reward.event_id, reward.rule_key.clone(), reward.level)
}

/// One item with what is stored about it.
struct Stored {
    /// Its place in the order of decisions.
    number: i64,
    item: Item,
    /// What was decided for an event then.
    decisions: Decisions,
    /// What refunds took then.
    applied: HashMap<Id, Option<i64>>,
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
        let decided = refunds.iter().filter(|refund| refund.event_key == event.key && refund.decided_no.is_some());
        let (mut early, mut taken) = (Vec::new(), HashMap::new());
        let mut ordered: Vec<_> = decided.collect();
        ordered.sort_by_key(|refund| refund.decided_no);
        for refund in ordered {
            let amount = refunded(refund, event.currency.as_ref());
            if refund.decided_no < event.decided_no {
                early.push(EarlyRefund { refund: refund.id, amount });
                taken.insert(refund.id, refund.applied);
                continue;
            }
            let Some(number) = refund.decided_no else { continue };
            let item = Item::Refund { refund: refund.id, event: id, amount };
            let applied = HashMap::from([(refund.id, refund.applied)]);
            items.push(Stored { number, item, decisions: Decisions::none(), applied });
        }
        let mut past = past_event(event, definitions)?;
        past.remaining = amount;
        let decisions = std::mem::take(&mut past.decisions);
        items.push(Stored { number, item: Item::Event { event: past, early }, decisions, applied: taken });
    }
    items.sort_by_key(|stored| stored.number);
    Ok(items)
}

struct Replay {
    history: History,
    world: Then,
    /// Rewards as they should be.
    worth: BTreeMap<Key, Worth>,
    /// Keys of rewards by their ids in this replay.
    keys: HashMap<Id, Key>,
    differences: Vec<String>,
}

/// The world as it was recorded. What is not on record is decided as if everybody could earn and caps had room.
struct Then {
    next: u128,
    /// What was decided then, by event.
    decisions: HashMap<Id, Decisions>,
    /// The facts of what was granted then.
    granted: BTreeMap<Key, Recorded>,
}

impl World for Then {
    fn can_earn(&self, _user: Id) -> bool {
        true
    }

    fn completed(&self, _user: Id, _program: Id) -> u32 {
        0
    }

    fn completes(&mut self, _referrer: Id, _program: Id, _step: i32) {}

    fn take(&mut self, from: CapTaken<'_>) -> i64 {
        from.wanted
    }

    fn new_reward_id(&mut self) -> Id {
        self.next += 1;
        Id::from_uuid(uuid::Uuid::from_u128(self.next))
    }

    fn recorded(&self, event: Id, rule_key: &str, level: i32) -> Option<Recorded> {
        match self.decisions.get(&event)?.at(rule_key, level)? {
            Decision::Granted => self.granted.get(&(event, rule_key.to_owned(), level)).copied(),
            reason => Some(Recorded::Refused(reason)),
        }
    }
}

impl Replay {
    fn of(referral: Option<&models::Referral>, stored: &[&models::Reward]) -> Result<Self, Error> {
        let referral = referral.map(|row| Referral {
            program: row.program_id,
            referrer: row.referrer_id,
            status: ReferralStatus::Pending,
            completed_at: None,
        });
        let mut granted = BTreeMap::new();
        for reward in stored {
            let completed = explanation(reward)?.completed;
            let facts = Recorded::Granted { user: reward.user_id, completed, amount: reward.amount };
            granted.insert(key_of(reward), facts);
        }
        Ok(Self {
            history: History { referral, upline: Vec::new(), events: Vec::new(), rewards: Vec::new() },
            world: Then { next: 0, decisions: HashMap::new(), granted },
            worth: BTreeMap::new(),
            keys: HashMap::new(),
            differences: Vec::new(),
        })
    }

    /// Decides everything again; a rejection stands at its own place in the order.
    fn run(&mut self, person: Id, items: Vec<Stored>, rejected_no: Option<i64>) {
        let mut rejected_no = rejected_no;
        for stored in items {
            if rejected_no.take_if(|number| *number < stored.number).is_some() {
                self.reject();
            }
            if let Item::Event { event, .. } = &stored.item {
                self.world.decisions.insert(event.id, stored.decisions);
            }
            let subject = match &stored.item {
                Item::Event { event, .. } => event.id,
                Item::Refund { event, .. } => *event,
            };
            for effect in self.history.decide(person, stored.item, &mut self.world) {
                self.take(effect, (subject, &stored.applied));
            }
        }
        if rejected_no.is_some() {
            self.reject();
        }
    }

    fn reject(&mut self) {
        for effect in self.history.reject(&mut self.world) {
            if let Effect::Reverse { reward, amount } = effect {
                self.take_back(reward, amount);
            }
        }
    }

    fn take_back(&mut self, reward: Id, amount: i64) {
        let worth = self.keys.get(&reward).and_then(|key| self.worth.get_mut(key));
        if let Some((_, _, net)) = worth {
            *net -= amount;
        }
    }

    fn take(&mut self, effect: Effect, (event, stored): (Id, &HashMap<Id, Option<i64>>)) {
        match effect {
            Effect::Grant(grant) => self.grant(grant),
            Effect::Reverse { reward, amount } => self.take_back(reward, amount),
            Effect::Refunded { refund, applied } if stored.get(&refund) != Some(&Some(applied)) => {
                let took = stored.get(&refund).copied().flatten().unwrap_or(0);
                let (refund, event) = (refund.typed(Noun::Refund), event.typed(Noun::Event));
                let difference = format!("{refund}: took {took} minor units of {event}, should have taken {applied}");
                self.differences.push(difference);
            }
            Effect::Refunded { .. } | Effect::Complete(_) | Effect::Reopen(_) => {}
        }
    }

    fn grant(&mut self, grant: Grant) {
        let key = (grant.event, grant.rule_key, grant.level);
        self.keys.insert(grant.reward, key.clone());
        self.worth.insert(key, (grant.user, grant.amount, grant.amount));
    }

    /// Grants on record of which there is no reward.
    fn lost(&self) -> Vec<String> {
        let mut lost = Vec::new();
        for (event, decisions) in &self.world.decisions {
            for (rule, level, _) in decisions.iter().filter(|(_, _, decision)| *decision == Decision::Granted) {
                if !self.world.granted.contains_key(&(*event, rule.to_owned(), level)) {
                    lost.push(format!(
                        "{} rule `{rule}` level {level}: the reward is missing",
                        event.typed(Noun::Event)
                    ));
                }
            }
        }
        lost
    }

    fn compare(&mut self, stored: &[&models::Reward], differences: &mut Vec<String>) {
        differences.append(&mut self.differences);
        differences.extend(self.lost());
        for reward in stored {
            let key = key_of(reward);
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

    /// What is left of events after their refunds.
    fn compare_events<'a>(&self, stored: impl Iterator<Item = &'a models::Event>, differences: &mut Vec<String>) {
        let left: HashMap<Id, Option<i64>> = self.history.events.iter().map(|past| (past.id, past.remaining)).collect();
        for event in stored {
            let Some(should) = left.get(&event.id).filter(|left| **left != event.remaining) else { continue };
            let shown = |minor: Option<i64>| minor.map_or("no amount".to_owned(), |minor| minor.to_string());
            differences.push(format!(
                "{}: {} of {} minor units are left, should be {}",
                event.id.typed(Noun::Event),
                shown(event.remaining),
                shown(event.amount),
                shown(*should)
            ));
        }
    }

    fn compare_referral(&self, stored: Option<&models::Referral>, differences: &mut Vec<String>) {
        let (Some(stored), Some(should)) = (stored, &self.history.referral) else { return };
        let at = |at: Option<Timestamp>| at.map_or("not".to_owned(), |at| at.to_string());
        let (is, must) = (stored.status == ReferralStatus::Rejected, should.status == ReferralStatus::Rejected);
        if is != must {
            let referral = stored.referred_id.typed(Noun::Referral);
            let word = |rejected: bool| if rejected { "rejected" } else { "not rejected" };
            differences.push(format!("{referral}: is {}, should be {}", word(is), word(must)));
        }
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
