//! From undecided items to everything that has to be written, without touching the database.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::{
    judge::Judged,
    people::{People, Person, ProgramFacts},
    risk::{RiskChange, Shrunk},
    terms::Terms,
};
use crate::{
    domain::{
        history::{CapTaken, Effect, Grant, Item, World},
        id::Id,
        reward::{AccountKind, RewardStatus, taken_back_from},
        time::Timestamp,
        words::{Metric, ReferralStatus, Standing},
    },
    engine::{Context, ledger::Ledger},
    store::{
        changes::{CapChange, NETWORK_LEVELS, TotalsChange},
        models,
        requests::StatusChange,
    },
};

/// Who is named as the actor of what folding does.
pub(in crate::engine) const ACTOR: &str = "banyan";

/// Everything that a batch changes.
#[derive(Default)]
pub(super) struct Decided {
    /// What was decided, in order; each takes the next place in the order of decisions.
    pub(super) order: Vec<Ordered>,
    /// Events decided earlier of which more is known now, with their places.
    pub(super) revised: Vec<(i64, EventState)>,
    /// Referrals that were completed or reopened.
    pub(super) referrals: Vec<StatusChange>,
    /// New rewards.
    pub(super) granted: Vec<models::Reward>,
    /// Rewards that changed, with their states before.
    pub(super) changed: Vec<(RewardStatus, models::Reward)>,
    /// What was used of caps.
    pub(super) caps: Vec<CapChange>,
    /// Money that moved.
    pub(super) ledger: Ledger,
    /// Counters that changed, by user; also names everybody whose rewards changed.
    pub(super) totals: BTreeMap<Id, TotalsChange>,
    /// What boards have to take in.
    pub(super) deltas: Vec<models::NewBoardDelta>,
    /// Signs of fraud that were found.
    pub(super) judged: Judged,
    /// What signs and reviews came to.
    pub(super) risks: Vec<RiskChange>,
    /// Networks that lost somebody.
    pub(super) shrunk: Vec<Shrunk>,
}

/// What a board has to take in of one person: program, metric, who, and when what is counted happened.
type DeltaKey = (Id, Metric, Id, Timestamp);

/// One decided item.
pub(super) enum Ordered {
    Event(EventState),
    Refund {
        refund: Id,
        event: Id,
        applied: i64,
    },
    /// A step in what becomes of a referral that may be fraud.
    Risk(Id),
}

/// What is known of an event after the batch.
pub(super) struct EventState {
    pub(super) id: Id,
    pub(super) remaining: Option<i64>,
    pub(super) decisions: String,
}

/// Decides everything that is undecided.
pub(super) fn decide(people: People, context: &Context, now: Timestamp) -> Decided {
    let world = House { inactive: people.inactive, terms: people.terms, programs: people.programs, context, now };
    let rewards = people
        .rewards
        .into_iter()
        .map(|row| (row.id, RewardState { before: Some(row.status), changed: false, row }))
        .collect();
    let decided = Decided { judged: people.judged, ..Decided::default() };
    let mut desk = Desk { world, rewards, deltas: BTreeMap::new(), decided, now };
    for person in people.people {
        desk.decide_person(person);
    }
    desk.finish()
}

/// What decisions may ask about the rest of the world, as the deciding transaction sees it.
pub(super) struct House<'a> {
    inactive: HashSet<Id>,
    terms: Terms,
    programs: HashMap<Id, ProgramFacts>,
    context: &'a Context,
    now: Timestamp,
}

impl World for House<'_> {
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
        // Programs of referrals were loaded with them; without its calendar nothing is granted.
        self.programs.get(&from.program).map_or(0, |facts| self.terms.take(from, &facts.calendar))
    }

    fn new_reward_id(&mut self) -> Id {
        self.context.new_id_at(self.now)
    }
}

/// A reward, the state that it is stored in (none when it is new), and whether the batch changes it.
pub(super) struct RewardState {
    before: Option<RewardStatus>,
    pub(super) changed: bool,
    pub(super) row: models::Reward,
}

/// What was decided, before the last word on its event is known.
enum Subject {
    Event(Id),
    Refund { refund: Id, event: Id, applied: i64 },
}

pub(super) struct Desk<'a> {
    pub(super) world: House<'a>,
    pub(super) rewards: HashMap<Id, RewardState>,
    /// Changes of boards: what a batch adds for one person at one instant is one change.
    deltas: BTreeMap<DeltaKey, i64>,
    pub(super) decided: Decided,
    pub(super) now: Timestamp,
}

impl Desk<'_> {
    fn decide_person(&mut self, mut person: Person) {
        let known: HashMap<Id, (Option<i64>, usize)> =
            person.history.events.iter().map(|event| (event.id, (event.remaining, event.decisions.rules()))).collect();
        let mut order = Vec::new();
        let undecided = std::mem::take(&mut person.undecided);
        let is_counted = !undecided.iter().any(|undecided| undecided.is_signup);
        self.carry_out(&mut person, is_counted);
        for undecided in undecided {
            if undecided.is_signup {
                self.count_signup(&person);
            }
            let (event, is_new) = match &undecided.item {
                Item::Event { event, .. } => (event.id, true),
                Item::Refund { event, .. } => (*event, false),
            };
            let effects = person.history.decide(person.id, undecided.item, &mut self.world);
            for (refund, applied) in self.take_effects(&person, effects) {
                order.push(Subject::Refund { refund, event, applied });
            }
            // After the refunds that came before it: that is how a replay tells them from later ones.
            if is_new {
                order.push(Subject::Event(event));
            }
        }
        self.note_events(&person, &known, order);
        self.review(&mut person);
        self.note_referral(&person);
        self.decided.risks.extend(person.risk.change(person.id));
    }

    /// Carries effects out and says how much each refund took.
    pub(super) fn take_effects(&mut self, person: &Person, effects: Vec<Effect>) -> Vec<(Id, i64)> {
        let mut taken = Vec::new();
        for effect in effects {
            match effect {
                Effect::Grant(grant) => self.grant(person, grant),
                Effect::Reverse { reward, amount } => self.reverse(reward, amount),
                Effect::Complete(at) => self.count_completion(person, at, 1),
                Effect::Reopen(at) => self.count_completion(person, at, -1),
                Effect::Refunded { refund, applied } => taken.push((refund, applied)),
            }
        }
        taken
    }

    /// States of all events that are new or changed: the last word on each, since later items may add to it.
    fn note_events(&mut self, person: &Person, known: &HashMap<Id, (Option<i64>, usize)>, order: Vec<Subject>) {
        let mut states: HashMap<Id, EventState> = HashMap::new();
        for event in &person.history.events {
            let before = known.get(&event.id);
            if before != Some(&(event.remaining, event.decisions.rules())) {
                let decisions = serde_json::to_string(&event.decisions).unwrap_or_default();
                states.insert(event.id, EventState { id: event.id, remaining: event.remaining, decisions });
            }
        }
        for subject in order {
            match subject {
                Subject::Refund { refund, event, applied } => {
                    self.decided.order.push(Ordered::Refund { refund, event, applied });
                }
                Subject::Event(event) => self.decided.order.extend(states.remove(&event).map(Ordered::Event)),
            }
        }
        let revised = states.into_values().filter_map(|state| Some((*person.decided_nos.get(&state.id)?, state)));
        self.decided.revised.extend(revised);
    }

    fn note_referral(&mut self, person: &Person) {
        let (Some(before), Some(after)) = (&person.referral, &person.history.referral) else { return };
        if before.status != after.status || before.completed_at != after.completed_at {
            self.decided.referrals.push(StatusChange {
                referred_id: person.id,
                from: before.status,
                to: after.status,
                completed_at: after.completed_at,
                rejected_at: (after.status == ReferralStatus::Rejected).then_some(self.now),
            });
        }
    }

    /// A referral enters the counters of everybody within ten levels above, and its referrer's board.
    fn count_signup(&mut self, person: &Person) {
        let stands = |referral: &crate::domain::history::Referral| referral.status != ReferralStatus::Rejected;
        if person.history.referral.as_ref().is_some_and(stands)
            && let Some(referral) = &person.referral
        {
            self.count(person, referral, 1);
        }
    }

    pub(super) fn count(&mut self, person: &Person, referral: &models::Referral, step: i32) {
        for (level, ancestor) in person.history.upline.iter().take(NETWORK_LEVELS).enumerate() {
            let totals = self.totals(*ancestor);
            totals.signups[level] += step;
            if step > 0 {
                totals.newest = totals.newest.max(Some(referral.created_at));
            }
        }
        self.board(referral, Metric::Signups, referral.referrer_id, step.into(), referral.created_at);
    }

    fn count_completion(&mut self, person: &Person, at: Timestamp, step: i32) {
        let Some(referral) = &person.referral else { return };
        for (level, ancestor) in person.history.upline.iter().take(NETWORK_LEVELS).enumerate() {
            self.totals(*ancestor).completed[level] += step;
        }
        self.board(referral, Metric::Referrals, referral.referrer_id, i64::from(step), at);
    }

    fn grant(&mut self, person: &Person, grant: Grant) {
        let Some(facts) = self.world.programs.get(&grant.program) else { return };
        let status = match person.risk.standing {
            Standing::Held => RewardStatus::Withheld,
            Standing::Clear | Standing::Approved | Standing::Blocked | Standing::Denied
                if grant.available_at <= self.now =>
            {
                RewardStatus::Available
            }
            Standing::Clear | Standing::Approved | Standing::Blocked | Standing::Denied => RewardStatus::Pending,
        };
        let explanation = serde_json::to_string(&grant.explanation).unwrap_or_default();
        let row = models::Reward {
            id: grant.reward,
            user_id: grant.user,
            event_id: grant.event,
            referred_id: person.id,
            program_id: grant.program,
            program_version: grant.version,
            rule_key: grant.rule_key,
            kind: grant.kind,
            level: grant.level,
            currency: facts.currency.code().to_owned(),
            amount: grant.amount,
            net: grant.amount,
            taken: 0,
            status,
            explanation,
            available_at: grant.available_at,
            expires_at: grant.expires_at,
            claim_id: None,
            changed_version: 0,
            created_at: self.now,
        };
        self.decided.ledger.of_reward(&row, (AccountKind::Issuer, status.account()), row.amount, "granted", self.now);
        self.rank_reward(&row, row.amount);
        self.totals(row.user_id);
        self.rewards.insert(row.id, RewardState { before: None, changed: true, row });
    }

    /// Takes a reward back: before it is claimed it is reversed, afterwards it leaves a debt (rule 17).
    ///
    /// What time did to it comes first, whether or not the sweep has noticed: what had lapsed stays lapsed.
    fn reverse(&mut self, reward: Id, amount: i64) {
        let Some(state) = self.rewards.get_mut(&reward) else { return };
        self.decided.ledger.let_time_tell(&mut state.row, self.now);
        let from = taken_back_from(state.row.status);
        state.row.net -= amount;
        state.changed = true;
        if let Some(status) = state.row.status.after_taking_back().filter(|_| state.row.net == 0) {
            self.decided.ledger.moved(&state.row, status, ACTOR, "nothing is left of it", self.now);
            state.row.status = status;
        }
        let row = state.row.clone();
        if from != AccountKind::Issuer {
            self.decided.ledger.of_reward(&row, (from, AccountKind::Issuer), amount, "taken back", self.now);
        }
        self.rank_reward(&row, -amount);
        self.totals(row.user_id);
    }

    fn rank_reward(&mut self, row: &models::Reward, amount: i64) {
        self.add_delta((row.program_id, Metric::Rewards, row.user_id, row.created_at), amount);
    }

    fn board(&mut self, referral: &models::Referral, metric: Metric, user_id: Id, amount: i64, at: Timestamp) {
        self.add_delta((referral.program_id, metric, user_id, at), amount);
    }

    fn add_delta(&mut self, key: DeltaKey, amount: i64) {
        *self.deltas.entry(key).or_default() += amount;
    }

    pub(super) fn totals(&mut self, user: Id) -> &mut TotalsChange {
        self.decided.totals.entry(user).or_insert_with(|| TotalsChange::none(user))
    }

    fn finish(mut self) -> Decided {
        for state in self.rewards.into_values().filter(|state| state.changed) {
            match state.before {
                None => self.decided.granted.push(state.row),
                Some(before) => self.decided.changed.push((before, state.row)),
            }
        }
        self.decided.granted.sort_by_key(|row| row.id);
        self.decided.caps = self.world.terms.into_changes();
        let delta = |((program_id, metric, user_id, at), amount)| models::NewBoardDelta {
            program_id,
            metric,
            user_id,
            amount,
            at,
        };
        self.decided.deltas = self.deltas.into_iter().filter(|(_, amount)| *amount != 0).map(delta).collect();
        self.decided
    }
}
