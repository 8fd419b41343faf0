//! What a program would have paid: its rules over the events that were recorded, in the order in which they were decided,
//! without writing anything.
//!
//! Everything from the first event on is decided, so that counts and caps stand as they would; events accepted within the
//! asked time are told. People, the chains above them and who takes part are taken as they are now.

mod tally;
mod world;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

pub use self::tally::{Earner, RuleTotals, Simulation, Sum};
use self::{tally::Tally, world::Imagined};
use super::{Engine, Error, Refusal, RefusalCode, boards::calendar_of, fold::refunded};
use crate::{
    domain::{
        history::{COMPRESS_LEVELS, Decisions, EarlyRefund, Event, History, InForce, Item, Referral},
        id::Id,
        money::Currency,
        pay::Payee,
        plan::Plan,
        program::{Definition, Rule},
        time::Timestamp,
        words::ReferralStatus,
    },
    engine::programs::definition_of,
    store::{StoreError, Tx, changes::NETWORK_LEVELS, models, run},
};

/// Places in the order of decisions that are read at once.
const SLICE: i64 = 10_000;
/// Most places that one simulation walks over; memory grows with them, a few hundred bytes each.
const PLACES_MAX: i64 = 2_000_000;

/// What to simulate.
#[derive(Clone, Debug)]
pub struct Simulate {
    /// Over whose events and referrals; the default program's unless told.
    pub program: Option<Id>,
    /// What it would promise; what is left out is as in its present version.
    pub plan: Plan,
    /// Events accepted from here on are told.
    pub from: Timestamp,
    /// Until before here.
    pub to: Timestamp,
}

/// What it came to; or everything that is wrong with the plan.
pub type Simulated = Result<Simulation, Vec<Refusal>>;

impl Engine {
    /// Evaluates a program over recorded events without writing anything.
    pub async fn simulate_program(&self, request: Simulate) -> Result<Simulated, Error> {
        if request.to <= request.from {
            return Ok(Err(vec![Refusal::new(RefusalCode::InvalidInput, "to", "the time ends after it begins")]));
        }
        let found = self.store.look(async |tx: &mut Tx| self.simulated_program(tx, request.program).await).await?;
        let Some((program, before)) = found else {
            let message = "there is no such program";
            return Ok(Err(vec![Refusal::new(RefusalCode::ProgramNotFound, "programId", message)]));
        };
        let currency = Currency::stored(&program.currency);
        let definition = match request.plan.check(before, &currency) {
            Ok(sound) => sound.definition,
            Err(problems) => return Ok(Err(problems.into_iter().map(super::programs::refused).collect())),
        };
        let last = self.store.look(async |tx: &mut Tx| run!(tx, simulation::last_decided())).await?;
        if last > PLACES_MAX {
            let message = format!("more than {PLACES_MAX} events and refunds were recorded: too many to walk over");
            return Ok(Err(vec![Refusal::new(RefusalCode::InvalidInput, "to", message)]));
        }
        let inactive = self.store.look(async |tx: &mut Tx| run!(tx, simulation::inactive_users())).await?;
        let (id, span) = (program.id, (request.from, request.to));
        let calendar = calendar_of(&program)?;
        let mut run = Run {
            engine: self,
            program: id,
            levels: levels_read(&definition),
            definition: Arc::new(definition),
            people: HashMap::new(),
            owners: HashMap::new(),
            early: HashMap::new(),
            world: Imagined::new(inactive.into_iter().collect(), calendar),
            tally: Tally::new(span),
        };
        let mut next = 1;
        while next <= last {
            run.slice(next..=(next + SLICE - 1).min(last), request.to).await?;
            next += SLICE;
        }
        let paid = self.store.look(async |tx: &mut Tx| run!(tx, simulation::paid_by_rule(id, span))).await?;
        Ok(Ok(run.tally.finish(program, paid)))
    }

    async fn simulated_program(
        &self,
        tx: &mut Tx,
        id: Option<Id>,
    ) -> Result<Option<(models::Program, Definition)>, Error> {
        let program = match id {
            Some(id) => run!(tx, programs::by_ids(&[id]))?.pop(),
            None => Some(self.default_program(tx).await?),
        };
        let Some(program) = program else { return Ok(None) };
        let version = run!(tx, programs::versions(program.id, vec![program.version]))?.pop();
        let missing = || StoreError::Corrupt(format!("program {} has no version", program.id));
        let definition = definition_of(&version.ok_or_else(missing)?)?;
        Ok(Some((program, definition)))
    }
}

/// How far up the rules look.
fn levels_read(definition: &Definition) -> usize {
    let of = |rule: &Rule| match &rule.to {
        Payee::Upline { compress: true, .. } => COMPRESS_LEVELS,
        Payee::Upline { compress: false, .. } => NETWORK_LEVELS,
        Payee::Referred(_) | Payee::Referrer(_) => 0,
    };
    definition.rules.iter().map(of).max().unwrap_or(0)
}

struct Run<'a> {
    engine: &'a Engine,
    program: Id,
    /// Levels of the chain above that are read of each person; none where no rule pays them.
    levels: usize,
    definition: Arc<Definition>,
    people: HashMap<Id, History>,
    /// Whose each event is, and its currency.
    owners: HashMap<Id, (Id, Option<String>)>,
    /// Refunds that came before their events.
    early: HashMap<Id, Vec<models::Refund>>,
    world: Imagined,
    tally: Tally,
}

impl Run<'_> {
    /// Decides what stands at these places.
    async fn slice(&mut self, places: std::ops::RangeInclusive<i64>, to: Timestamp) -> Result<(), Error> {
        let (program, range) = (self.program, &places);
        let read = async |tx: &mut Tx| {
            let events = run!(tx, simulation::events_at(program, range.clone(), to))?;
            let refunds = run!(tx, simulation::refunds_at(range.clone()))?;
            Ok::<_, StoreError>((events, refunds))
        };
        let (events, refunds) = self.engine.store.read(read).await?;
        self.meet(&events).await?;
        let mut refunds = refunds.into_iter().peekable();
        for event in events {
            while let Some(refund) = refunds.next_if(|refund| refund.decided_no < event.decided_no) {
                self.refund(refund);
            }
            self.event(event);
        }
        refunds.for_each(|refund| self.refund(refund));
        Ok(())
    }

    /// Gets to know the people whose events come up for the first time.
    async fn meet(&mut self, events: &[models::Event]) -> Result<(), Error> {
        let unknown = events.iter().map(|event| event.user_id).filter(|user| !self.people.contains_key(user));
        let users: Vec<Id> = unknown.collect::<HashSet<_>>().into_iter().collect();
        for some in users.chunks(1_000) {
            let read = async |tx: &mut Tx| {
                let referrals = run!(tx, referrals::of_referred(some))?;
                let uplines = match self.levels {
                    0 => Vec::new(),
                    levels => run!(tx, tree::uplines(some.to_vec(), levels as i32))?,
                };
                Ok::<_, StoreError>((referrals, uplines))
            };
            let (referrals, uplines) = self.engine.store.read(read).await?;
            for row in referrals.into_iter().filter(|row| row.program_id == self.program) {
                let status = match row.status {
                    ReferralStatus::Rejected => ReferralStatus::Rejected,
                    ReferralStatus::Pending | ReferralStatus::Completed => ReferralStatus::Pending,
                };
                let referral =
                    Referral { program: row.program_id, referrer: row.referrer_id, status, completed_at: None };
                let referral = Some(referral);
                let history = History { referral, upline: Vec::new(), events: Vec::new(), rewards: Vec::new() };
                self.people.insert(row.referred_id, history);
            }
            for (user, ancestor, _) in uplines {
                if let Some(history) = self.people.get_mut(&user) {
                    history.upline.push(ancestor);
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, row: models::Event) {
        let Some(history) = self.people.get_mut(&row.user_id) else { return };
        let early = self.early.remove(&row.id).unwrap_or_default();
        let early = early
            .iter()
            .map(|refund| EarlyRefund { refund: refund.id, amount: refunded(refund, row.currency.as_ref()) });
        let early = early.collect();
        let (user, received_at) = (row.user_id, row.received_at);
        let pays = row.program_active && row.pays;
        let program = InForce { program: self.program, version: 0, definition: Arc::clone(&self.definition), pays };
        let event = Event {
            id: row.id,
            event_type: row.event_type,
            remaining: row.amount,
            received_at,
            program: Some(program),
            decisions: Decisions::none(),
        };
        let id = row.id;
        self.owners.insert(id, (user, row.currency));
        self.tally.meets(row.id, received_at);
        let effects = history.decide(user, Item::Event { event, early }, &mut self.world);
        self.tally.take(effects);
        self.tally.capped(id, std::mem::take(&mut self.world.cap_hits));
    }

    fn refund(&mut self, row: models::Refund) {
        let Some(event) = row.event_id else { return };
        let Some((user, currency)) = self.owners.get(&event) else {
            self.early.entry(event).or_default().push(row);
            return;
        };
        let Some(history) = self.people.get_mut(user) else { return };
        let amount = refunded(&row, currency.as_ref());
        let effects = history.decide(*user, Item::Refund { refund: row.id, event, amount }, &mut self.world);
        self.tally.take(effects);
        self.tally.capped(event, std::mem::take(&mut self.world.cap_hits));
    }
}
