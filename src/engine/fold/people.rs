//! What a fold reads: everything about the people of a batch that decisions need, in a handful of statements.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    judge::Judged,
    risk::{RiskState, Verdict},
    terms::{Needs, Terms},
};
use crate::{
    domain::{
        explanation::Explanation,
        history,
        id::Id,
        money::Currency,
        period::Calendar,
        program::Definition,
        words::{ReferralStatus, UserStatus},
    },
    engine::{Engine, Error, boards::calendar_of},
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
    /// Completed referrals and caps.
    pub(super) terms: Terms,
    /// Signs of fraud that were found.
    pub(super) judged: Judged,
}

/// What of a program is written with a reward.
pub(super) struct ProgramFacts {
    pub(super) currency: Currency,
    pub(super) calendar: Calendar,
}

/// One person.
pub(super) struct Person {
    pub(super) id: Id,
    pub(super) referral: Option<models::Referral>,
    pub(super) history: history::History,
    /// Places of the decided events in the order of decisions.
    pub(super) decided_nos: HashMap<Id, i64>,
    /// What is undecided, in the order of the insert sequence.
    pub(super) undecided: Vec<Undecided>,
    /// What is known of fraud on their referral, and what becomes of it.
    pub(super) risk: RiskState,
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
    pub(super) async fn load_people(
        &self,
        tx: &mut Tx,
        users: Vec<Id>,
        verdict: Option<&Verdict>,
    ) -> Result<People, Error> {
        let locked = run!(tx, users::lock(users.clone()))?;
        let referrals = run!(tx, referrals::of_referred(&users))?;
        let events = run!(tx, events::of_users(users.clone()))?;
        let keys = events.iter().filter(|event| event.amount.is_some()).map(|event| event.key.clone()).collect();
        let refunds = run!(tx, events::refunds_of(keys))?;
        let decided: Vec<Id> = events.iter().filter(|event| event.decided_no.is_some()).map(|event| event.id).collect();
        let rewards = if decided.is_empty() { Vec::new() } else { run!(tx, rewards::of_events(&decided))? };
        let definitions = definitions(tx, &events).await?;
        let needs = Needs::of(&definitions);
        let levels = if needs.compress { history::COMPRESS_LEVELS } else { NETWORK_LEVELS };
        let mut steps = run!(tx, load::ancestors(users.clone(), levels as i32))?;
        steps.sort_by_key(|(_, _, level)| *level);
        let mut payees: Vec<Id> = referrals.iter().map(|referral| referral.referrer_id).collect();
        if needs.upline {
            payees.extend(steps.iter().map(|(_, ancestor, _)| *ancestor));
        }
        payees.sort_unstable();
        payees.dedup();
        let statuses = run!(tx, users::statuses(payees))?;
        let inactive = locked.into_iter().chain(statuses).filter(|(_, status)| *status != UserStatus::Active);
        let inactive = inactive.map(|(user, _)| user).collect();
        let programs = programs(tx, &referrals).await?;
        let mut assembly = Assembly::new(referrals, steps, &rewards)?;
        assembly.take_events(events, refunds, &definitions)?;
        let mut people = assembly.into_people(users);
        // Before the totals are locked, which is what loading terms may do.
        let judged = self.judge(tx, &mut people, verdict).await?;
        let terms = Terms::load(tx, needs, &people, (&programs, &rewards)).await?;
        Ok(People { people, inactive, programs, rewards, terms, judged })
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
    let facts = |row: models::Program| {
        let calendar = calendar_of(&row)?;
        Ok((row.id, ProgramFacts { currency: Currency::stored(row.currency), calendar }))
    };
    rows.into_iter().map(facts).collect()
}

/// Puts rows together by person.
struct Assembly {
    referrals: HashMap<Id, models::Referral>,
    uplines: HashMap<Id, Vec<Id>>,
    granted: HashMap<Id, Vec<history::Granted>>,
    decided: HashMap<Id, Vec<(i64, history::Event)>>,
    undecided: HashMap<Id, Vec<(i64, Undecided)>>,
}

impl Assembly {
    fn new(
        referrals: Vec<models::Referral>,
        steps: Vec<(Id, Id, i32)>,
        rewards: &[models::Reward],
    ) -> Result<Self, StoreError> {
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
                pay: explanation(reward)?.pay,
                amount: reward.amount,
                net: reward.net,
            });
        }
        let referrals = referrals.into_iter().map(|referral| (referral.referred_id, referral)).collect();
        Ok(Self { referrals, uplines, granted, decided: HashMap::new(), undecided: HashMap::new() })
    }

    /// Undecided events and refunds stand at their own places of the insert sequence; a refund that came before its event
    /// comes with it.
    fn take_events(
        &mut self,
        events: Vec<models::Event>,
        refunds: Vec<models::Refund>,
        definitions: &Definitions,
    ) -> Result<(), Error> {
        let mut waiting: HashMap<String, Vec<models::Refund>> = HashMap::new();
        for refund in refunds.into_iter().filter(|refund| refund.decided_no.is_none()) {
            waiting.entry(refund.event_key.clone()).or_default().push(refund);
        }
        for row in events {
            let mut refunds = waiting.remove(&row.key).unwrap_or_default();
            refunds.sort_by_key(|refund| refund.seq);
            let (early, later): (Vec<_>, Vec<_>) =
                refunds.into_iter().partition(|refund| row.decided_no.is_none() && refund.seq < row.seq);
            let amount = |refund: &models::Refund| refunded(refund, row.currency.as_ref());
            let undecided = self.undecided.entry(row.user_id).or_default();
            for refund in later {
                let item = history::Item::Refund { refund: refund.id, event: row.id, amount: amount(&refund) };
                undecided.push((refund.seq, Undecided { item, is_signup: false }));
            }
            let early = early.iter().map(|refund| history::EarlyRefund { refund: refund.id, amount: amount(refund) });
            let early = early.collect();
            let is_signup = row.key == crate::engine::sign_up::signup_key(row.user_id);
            let (user, seq, decided_no) = (row.user_id, row.seq, row.decided_no);
            let event = past_event(row, definitions)?;
            match decided_no {
                Some(number) => self.decided.entry(user).or_default().push((number, event)),
                None => {
                    let item = history::Item::Event { event, early };
                    undecided.push((seq, Undecided { item, is_signup }));
                }
            }
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
        undecided.sort_by_key(|(seq, _)| *seq);
        let decided_nos = decided.iter().map(|(number, event)| (event.id, *number)).collect();
        let history = history::History {
            referral: referral.as_ref().map(|referral| history::Referral {
                program: referral.program_id,
                referrer: referral.referrer_id,
                status: referral.status,
                completed_at: referral.completed_at.filter(|_| referral.status == ReferralStatus::Completed),
            }),
            upline: self.uplines.remove(&id).unwrap_or_default(),
            events: decided.into_iter().map(|(_, event)| event).collect(),
            rewards: self.granted.remove(&id).unwrap_or_default(),
        };
        let undecided = undecided.into_iter().map(|(_, undecided)| undecided).collect();
        Person { id, referral, history, decided_nos, undecided, risk: RiskState::default() }
    }
}

/// What a refund takes from an event of this currency: nothing when it is in another one.
pub(in crate::engine) fn refunded(refund: &models::Refund, currency: Option<&String>) -> Option<i64> {
    let comparable = refund.currency.is_none() || refund.currency.as_ref() == currency;
    if comparable { refund.amount } else { Some(0) }
}

/// How a stored reward came about.
pub(super) fn explanation(reward: &models::Reward) -> Result<Explanation, StoreError> {
    let unreadable = |error| StoreError::Corrupt(format!("reward {}: {error}", reward.id));
    Explanation::stored(&reward.explanation).map_err(unreadable)
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
