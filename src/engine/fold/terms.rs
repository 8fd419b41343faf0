//! What decisions depend on besides the people themselves: completed referrals that choose a tier, and what was used of
//! caps.
//!
//! Both are read under the locks of the totals of everybody who may be paid, so that what one transaction decides is
//! seen by the next; what a rule may pay to everybody together has a row of its own, which is locked too. Where no rule
//! has tiers or caps, nothing is read and nothing more is locked.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::people::{Definitions, Person, ProgramFacts};
use crate::{
    domain::{
        history::{CapTaken, Event, Item},
        id::{Id, Noun},
        pay::{Cap, CapPeriod, Payee, Used},
        period::Calendar,
        program::{Definition, Rule},
        time::Timestamp,
        words::Period,
    },
    store::{StoreError, Tx, changes::CapChange, models, run},
};

/// The scope of what a rule may pay to everybody together.
pub(super) const EVERYBODY: &str = "*";

/// Completed referrals and caps as they stand.
#[derive(Default)]
pub(in crate::engine) struct Terms {
    completed: HashMap<(Id, Id), u32>,
    /// Above this, numbers of completed referrals choose the same tier and are not told apart.
    enough: Option<u32>,
    caps: BTreeMap<CapKey, CapState>,
}

/// Which cap: a rule of a program, one person or everybody, and a period.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CapKey {
    program: Id,
    rule_key: String,
    /// The period's word and whose it is, so that another period of the same rule begins anew.
    scope: String,
    starts_at: Timestamp,
}

#[derive(Clone, Copy, Default)]
struct CapState {
    used: Used,
    changed: bool,
}

/// What the rules of a batch ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    /// The highest number of completed referrals that any tier begins with.
    tiers: Option<u32>,
    caps: bool,
    /// Some rule pays the chain above.
    pub(super) upline: bool,
    /// Some rule looks further up, past those who cannot be paid.
    pub(super) compress: bool,
}

impl Needs {
    pub(super) fn of(definitions: &Definitions) -> Self {
        let mut needs = Self::default();
        for rule in definitions.values().flat_map(|definition: &std::sync::Arc<Definition>| &definition.rules) {
            needs.caps |= rule.cap.is_some();
            let highest = rule.to.tiers().and_then(|tiers| tiers.iter().map(|tier| tier.from_referrals).max());
            needs.tiers = needs.tiers.max(highest);
            if let Payee::Upline { compress, .. } = rule.to {
                needs.upline = true;
                needs.compress |= compress;
            }
        }
        needs
    }

    fn nothing(self) -> bool {
        self.tiers.is_none() && !self.caps
    }
}

impl Terms {
    /// Reads, under locks, what decisions about these people may ask for.
    pub(super) async fn load(
        tx: &mut Tx,
        needs: Needs,
        people: &[Person],
        (programs, rewards): (&HashMap<Id, ProgramFacts>, &[models::Reward]),
    ) -> Result<Self, StoreError> {
        let mut terms = Self::default();
        if needs.nothing() {
            return Ok(terms);
        }
        let chain = people.iter().flat_map(|person| person.history.upline.iter().copied().chain([person.id]));
        let touched: BTreeSet<Id> = chain.chain(rewards.iter().map(|reward| reward.user_id)).collect();
        run!(tx, totals::lock(touched.into_iter().collect()))?;
        if let Some(most) = needs.tiers {
            let asked: BTreeSet<(Id, Id)> = people.iter().flat_map(who_completes).collect();
            let enough = most.saturating_add(1);
            terms.enough = Some(enough);
            // Each person of the batch may take one away before another one is decided.
            let limit = i64::from(enough) + people.len() as i64;
            let counted = run!(tx, referrals::completed(asked.into_iter().collect(), limit))?;
            terms.completed =
                counted.into_iter().map(|row| ((row.referrer_id, row.program_id), row.completed())).collect();
        }
        if needs.caps {
            let keys: BTreeSet<CapKey> = people.iter().flat_map(|person| cap_keys(person, programs)).collect();
            terms.load_caps(tx, keys).await?;
        }
        Ok(terms)
    }

    async fn load_caps(&mut self, tx: &mut Tx, keys: BTreeSet<CapKey>) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let shared = keys.iter().filter(|key| key.scope.ends_with(EVERYBODY));
        let shared: Vec<models::Cap> = shared.map(|key| key.row(Used::default())).collect();
        run!(tx, caps::open_and_lock(shared))?;
        let rows = run!(tx, caps::of(keys.iter().map(|key| key.row(Used::default())).collect()))?;
        self.caps = keys.into_iter().map(|key| (key, CapState::default())).collect();
        for row in rows {
            let used = Used { count: row.used_count, amount: row.used_amount };
            if let Some(state) = self.caps.get_mut(&CapKey::of(row)) {
                state.used = used;
            }
        }
        Ok(())
    }

    /// Completed direct referrals of a user in a program; exact up to one above the highest tier.
    pub(in crate::engine) fn completed(&self, user: Id, program: Id) -> u32 {
        let completed = self.completed.get(&(user, program)).copied().unwrap_or(0);
        self.enough.map_or(completed, |enough| completed.min(enough))
    }

    pub(in crate::engine) fn completes(&mut self, user: Id, program: Id, step: i32) {
        let completed = self.completed.entry((user, program)).or_default();
        *completed = completed.saturating_add_signed(step);
    }

    pub(in crate::engine) fn take(&mut self, from: CapTaken<'_>, calendar: &Calendar) -> i64 {
        let CapTaken { program, rule_key, cap, user, at, wanted } = from;
        let key = |scope: String| CapKey::new((program, rule_key, scope), (cap, at, calendar));
        let (own, shared) = (key(user.typed(Noun::User)), key(EVERYBODY.to_owned()));
        let used = |key: &CapKey| self.caps.get(key).copied().unwrap_or_default().used;
        let amount = cap.room(wanted, used(&own), used(&shared));
        if amount > 0 {
            let concerned = [(own, cap.is_personal()), (shared, cap.budget.is_some())];
            for (key, _) in concerned.into_iter().filter(|(_, concerned)| *concerned) {
                let state = self.caps.entry(key).or_default();
                state.used.count += 1;
                state.used.amount += amount;
                state.changed = true;
            }
        }
        amount
    }

    /// What was used of each cap that changed.
    pub(super) fn into_changes(self) -> Vec<CapChange> {
        let changed = self.caps.into_iter().filter(|(_, state)| state.changed);
        changed.map(|(key, state)| key.row(state.used)).collect()
    }
}

impl CapKey {
    /// The cap of a rule that an event accepted at `at` takes from: its owner's, or everybody's.
    pub(super) fn new(
        (program, rule_key, whose): (Id, &str, String),
        (cap, at, calendar): (&Cap, Timestamp, &Calendar),
    ) -> Self {
        let (word, starts_at) = match cap.period {
            CapPeriod::Day => ("DAY", calendar.start(Period::Day, at)),
            CapPeriod::Week => ("WEEK", calendar.start(Period::Week, at)),
            CapPeriod::Month => ("MONTH", calendar.start(Period::Month, at)),
            CapPeriod::Ever => ("EVER", Timestamp::EPOCH),
        };
        Self { program, rule_key: rule_key.to_owned(), scope: format!("{word} {whose}"), starts_at }
    }

    /// The key of a stored row.
    pub(super) fn of(row: models::Cap) -> Self {
        let models::Cap { program_id, rule_key, scope, starts_at, .. } = row;
        Self { program: program_id, rule_key, scope, starts_at }
    }

    fn row(&self, used: Used) -> models::Cap {
        models::Cap {
            program_id: self.program,
            rule_key: self.rule_key.clone(),
            scope: self.scope.clone(),
            starts_at: self.starts_at,
            used_count: used.count,
            used_amount: used.amount,
        }
    }
}

impl std::fmt::Display for CapKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { program, rule_key, scope, starts_at } = self;
        write!(f, "cap of rule `{rule_key}` of {}, {scope} from {starts_at}", program.typed(Noun::Program))
    }
}

/// Whose completed referrals may choose a tier, and in which program.
fn who_completes(person: &Person) -> Vec<(Id, Id)> {
    let Some(referral) = &person.referral else { return Vec::new() };
    vec![(person.id, referral.program_id), (referral.referrer_id, referral.program_id)]
}

/// Caps that decisions about a person may take from.
fn cap_keys(person: &Person, programs: &HashMap<Id, ProgramFacts>) -> Vec<CapKey> {
    let undecided = person.undecided.iter().filter_map(|undecided| match &undecided.item {
        Item::Event { event, .. } => Some(event),
        Item::Refund { .. } => None,
    });
    let events = person.history.events.iter().chain(undecided);
    events.flat_map(|event| cap_keys_of(person, event, programs)).collect()
}

fn cap_keys_of(person: &Person, event: &Event, programs: &HashMap<Id, ProgramFacts>) -> Vec<CapKey> {
    let Some(in_force) = &event.program else { return Vec::new() };
    let Some(facts) = programs.get(&in_force.program) else { return Vec::new() };
    let open = in_force.definition.rules.iter().filter(|rule| !event.decisions.has(&rule.key));
    let mut keys = Vec::new();
    for (rule, cap) in open.filter_map(|rule| rule.cap.as_ref().map(|cap| (rule, cap))) {
        let whose =
            candidates(person, rule).into_iter().filter(|_| cap.is_personal()).map(|user| user.typed(Noun::User));
        let shared = cap.budget.map(|_| EVERYBODY.to_owned());
        let key = |whose| CapKey::new((in_force.program, &rule.key, whose), (cap, event.received_at, &facts.calendar));
        keys.extend(whose.chain(shared).map(key));
    }
    keys
}

/// Who may be paid by a rule.
fn candidates(person: &Person, rule: &Rule) -> Vec<Id> {
    match rule.to {
        Payee::Referred(_) => vec![person.id],
        Payee::Referrer(_) => person.referral.iter().map(|referral| referral.referrer_id).collect(),
        Payee::Upline { .. } => person.history.upline.clone(),
    }
}
