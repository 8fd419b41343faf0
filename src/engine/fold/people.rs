//! What a fold reads: everything about the people of a batch that decisions need, in a handful of statements.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use crate::{
    domain::{
        history,
        id::Id,
        money::Currency,
        program::Definition,
        words::{ReferralStatus, UserStatus},
    },
    engine::{Engine, Error},
    store::{StoreError, Tx, changes::NETWORK_LEVELS, models, run},
};

/// The people of one batch.
pub(super) struct People {
    /// Each with what is undecided about them.
    pub(super) people: Vec<Person>,
    /// Who cannot be paid: suspended or erased.
    pub(super) inactive: HashSet<Id>,
    /// Currency and name of each program that comes up.
    pub(super) programs: HashMap<Id, ProgramFacts>,
    /// Rewards that these people's events brought so far.
    pub(super) rewards: Vec<models::Reward>,
}

/// What of a program is written with a reward.
pub(super) struct ProgramFacts {
    pub(super) key: String,
    pub(super) currency: Currency,
}

/// One person.
pub(super) struct Person {
    pub(super) id: Id,
    pub(super) referral: Option<models::Referral>,
    /// Ancestors by level, nearest first.
    pub(super) upline: Vec<Id>,
    pub(super) history: history::History,
    /// Places of the decided events in the order of decisions.
    pub(super) decided_nos: HashMap<Id, i64>,
    /// What is undecided, in the order of the insert sequence.
    pub(super) undecided: Vec<Undecided>,
}

/// Something to decide.
pub(super) struct Undecided {
    pub(super) item: history::Item,
    /// Whether this is the event that a signup recorded, by which the referral is counted.
    pub(super) is_signup: bool,
}

/// Definitions of program versions.
pub(super) type Definitions = HashMap<(Id, i32), Arc<Definition>>;

impl Engine {
    pub(super) async fn load_people(&self, tx: &mut Tx, users: Vec<Id>) -> Result<People, Error> {
        let locked = run!(tx, users::lock(users.clone()))?;
        let referrals = run!(tx, referrals::of_referred(&users))?;
        let steps = run!(tx, tree::uplines(users.clone(), NETWORK_LEVELS as i32))?;
        let events = run!(tx, events::of_users(users.clone()))?;
        let keys = events.iter().filter(|event| event.amount.is_some()).map(|event| event.key.clone()).collect();
        let refunds = run!(tx, events::refunds_of(keys))?;
        let decided: Vec<Id> = events.iter().filter(|event| event.decided_no.is_some()).map(|event| event.id).collect();
        let rewards = if decided.is_empty() { Vec::new() } else { run!(tx, rewards::of_events(&decided))? };
        let referrers: Vec<Id> = referrals.iter().map(|referral| referral.referrer_id).collect();
        let statuses = run!(tx, users::statuses(referrers))?;
        let inactive = locked.into_iter().chain(statuses).filter(|(_, status)| *status != UserStatus::Active);
        let inactive = inactive.map(|(user, _)| user).collect();
        let definitions = definitions(tx, &events).await?;
        let programs = programs(tx, &referrals).await?;
        let mut assembly = Assembly::new(referrals, steps, &rewards);
        assembly.take_events(events, refunds, &definitions)?;
        Ok(People { people: assembly.into_people(users), inactive, programs, rewards })
    }
}

pub(super) async fn definitions(tx: &mut Tx, events: &[models::Event]) -> Result<Definitions, Error> {
    let mut wanted: HashMap<Id, Vec<i32>> = HashMap::new();
    for (program, version) in events.iter().filter_map(|event| event.program_id.zip(event.program_version)) {
        let versions = wanted.entry(program).or_default();
        if !versions.contains(&version) {
            versions.push(version);
        }
    }
    let mut definitions = Definitions::new();
    for (program, versions) in wanted {
        for row in run!(tx, programs::versions(program, versions))? {
            let definition = serde_json::from_str(&row.definition);
            let definition = definition.map_err(|error| StoreError::Corrupt(format!("program {program}: {error}")))?;
            definitions.insert((program, row.version), Arc::new(definition));
        }
    }
    Ok(definitions)
}

async fn programs(tx: &mut Tx, referrals: &[models::Referral]) -> Result<HashMap<Id, ProgramFacts>, Error> {
    let mut ids: Vec<Id> = referrals.iter().map(|referral| referral.program_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = run!(tx, programs::by_ids(&ids))?;
    let facts =
        |row: models::Program| (row.id, ProgramFacts { key: row.key, currency: Currency::stored(row.currency) });
    Ok(rows.into_iter().map(facts).collect())
}

/// Puts rows together by person.
struct Assembly {
    referrals: HashMap<Id, models::Referral>,
    uplines: HashMap<Id, Vec<Id>>,
    granted: HashMap<Id, Vec<history::Granted>>,
    decided: HashMap<Id, Vec<(i64, history::Event)>>,
    undecided: HashMap<Id, Vec<(i64, i64, Undecided)>>,
}

impl Assembly {
    fn new(referrals: Vec<models::Referral>, steps: Vec<(Id, Id, i32)>, rewards: &[models::Reward]) -> Self {
        let mut uplines: HashMap<Id, Vec<Id>> = HashMap::new();
        for (start, ancestor, _) in steps {
            uplines.entry(start).or_default().push(ancestor);
        }
        let mut granted: HashMap<Id, Vec<history::Granted>> = HashMap::new();
        for reward in rewards {
            granted.entry(reward.referred_id).or_default().push(history::Granted {
                reward: reward.id,
                event: reward.event_id,
                rule_key: reward.rule_key.clone(),
                net: reward.net,
            });
        }
        let referrals = referrals.into_iter().map(|referral| (referral.referred_id, referral)).collect();
        Self { referrals, uplines, granted, decided: HashMap::new(), undecided: HashMap::new() }
    }

    /// An undecided event stands at its own place of the insert sequence; a refund at its own, or right after its event
    /// when it came before it.
    fn take_events(
        &mut self,
        events: Vec<models::Event>,
        refunds: Vec<models::Refund>,
        definitions: &Definitions,
    ) -> Result<(), Error> {
        let mut by_key: HashMap<String, (Id, Id, i64, Option<String>)> = HashMap::new();
        for event in events {
            by_key.insert(event.key.clone(), (event.user_id, event.id, event.seq, event.currency.clone()));
            let is_signup = event.key == crate::engine::sign_up::signup_key(event.user_id);
            let (user, seq, decided_no) = (event.user_id, event.seq, event.decided_no);
            let event = past_event(event, definitions)?;
            match decided_no {
                Some(number) => self.decided.entry(user).or_default().push((number, event)),
                None => {
                    let undecided = Undecided { item: history::Item::Event(event), is_signup };
                    self.undecided.entry(user).or_default().push((seq, seq, undecided));
                }
            }
        }
        for refund in refunds.into_iter().filter(|refund| refund.decided_no.is_none()) {
            let Some((user, event, event_seq, currency)) = by_key.get(&refund.event_key) else { continue };
            let comparable = refund.currency.is_none() || refund.currency == *currency;
            let amount = if comparable { refund.amount } else { Some(0) };
            let item = history::Item::Refund { refund: refund.id, event: *event, amount };
            let place = refund.seq.max(*event_seq);
            self.undecided.entry(*user).or_default().push((place, refund.seq, Undecided { item, is_signup: false }));
        }
        Ok(())
    }

    fn into_people(mut self, users: Vec<Id>) -> Vec<Person> {
        users.into_iter().map(|user| self.person(user)).collect()
    }

    fn person(&mut self, id: Id) -> Person {
        let referral = self.referrals.remove(&id);
        let mut decided = self.decided.remove(&id).unwrap_or_default();
        decided.sort_by_key(|(number, _)| *number);
        let mut undecided = self.undecided.remove(&id).unwrap_or_default();
        // At one place the event comes before the refund that waited for it.
        undecided.sort_by_key(|(place, seq, undecided)| {
            (*place, matches!(undecided.item, history::Item::Refund { .. }), *seq)
        });
        let decided_nos = decided.iter().map(|(number, event)| (event.id, *number)).collect();
        let history = history::History {
            referral: referral.as_ref().map(|referral| history::Referral {
                program: referral.program_id,
                referrer: referral.referrer_id,
                status: referral.status,
                completed_at: referral.completed_at.filter(|_| referral.status == ReferralStatus::Completed),
            }),
            events: decided.into_iter().map(|(_, event)| event).collect(),
            rewards: self.granted.remove(&id).unwrap_or_default(),
        };
        let upline = self.uplines.remove(&id).unwrap_or_default();
        let undecided = undecided.into_iter().map(|(_, _, undecided)| undecided).collect();
        Person { id, referral, upline, history, decided_nos, undecided }
    }
}

pub(super) fn past_event(event: models::Event, definitions: &Definitions) -> Result<history::Event, Error> {
    let program = match event.program_id.zip(event.program_version) {
        None => None,
        Some((program, version)) => {
            let missing = || StoreError::Corrupt(format!("program {program} has no version {version}"));
            let definition = definitions.get(&(program, version)).cloned().ok_or_else(missing)?;
            let pays = event.program_active && event.pays;
            Some(history::InForce { program, version, definition, pays })
        }
    };
    let decisions = event.decisions.as_deref().map(serde_json::from_str).transpose();
    Ok(history::Event {
        id: event.id,
        event_type: event.event_type,
        remaining: if event.decided_no.is_some() { event.remaining } else { event.amount },
        received_at: event.received_at,
        program,
        decisions: decisions
            .map_err(|error| StoreError::Corrupt(format!("event {}: {error}", event.id)))?
            .unwrap_or_default(),
    })
}
