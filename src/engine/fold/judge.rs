//! Weighing the referrals of a batch before anything about their people is decided (rules 20 and 21).
//!
//! Newcomers are weighed under the lock of their referrer's fraud row, together with everybody of that referrer who shares
//! something with them. Each is weighed by the policy of the program in which they were referred themselves, by whatever
//! programs the others came. What is found on somebody outside the batch is stored and that person folded again: the rows
//! of a person are only ever changed by their own fold.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{
    people::{Person, Undecided},
    risk::Verdict,
    suspects::Suspects,
};
use crate::{
    domain::{
        fraud::{self, Finding, Policy, Sign, Signal, WINDOW_MAX_SECONDS, Weighed, Why},
        history::Item,
        id::Id,
        time::{SECOND_MICROS, Timestamp},
        words::{ReferralStatus, Via},
    },
    engine::{Engine, Error, programs::definition_of},
    store::{StoreError, Tx, fraud::FoundSignal, models::NewOutbox, run},
};

/// Signs that were found in a batch, and who has to be folded again because of them.
#[derive(Default)]
pub(super) struct Judged {
    signals: Vec<FoundSignal>,
    again: BTreeSet<Id>,
}

impl Judged {
    /// Writes the signs and wakes whom they concern.
    pub(super) async fn write(self, tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
        run!(tx, risks::insert_signals(self.signals))?;
        let row = |user| NewOutbox { user_id: Some(user), event_key: None, created_at: now };
        run!(tx, outbox::insert_new(self.again.into_iter().map(row).collect())).map_err(Error::from)
    }
}

/// The policy in force of each program, with its version.
pub(super) type Policies = HashMap<Id, (i32, Policy)>;

impl Engine {
    /// Weighs the referrals of these people and says what their scores make of them.
    pub(super) async fn judge(
        &self,
        tx: &mut Tx,
        people: &mut [Person],
        verdict: Option<&Verdict>,
    ) -> Result<Judged, Error> {
        let referred: Vec<Id> = people.iter().filter(|person| is_open(person)).map(|person| person.id).collect();
        if referred.is_empty() {
            return Ok(Judged::default());
        }
        let newcomers: Vec<&Person> = people.iter().filter(|person| is_newcomer(person)).collect();
        let rushing: Vec<&Person> = people.iter().filter(|person| may_be_rushing(person)).collect();
        let referrers: BTreeSet<Id> = newcomers.iter().chain(&rushing).filter_map(|person| referrer(person)).collect();
        if !referrers.is_empty() {
            run!(tx, risks::lock(referrers.into_iter().collect()))?;
        }
        let mut weighing = Weighing::load(tx, &referred).await?;
        let is_idle = newcomers.is_empty() && rushing.is_empty() && verdict.is_none() && !weighing.is_behind();
        let mut judged = Judged::default();
        if !is_idle {
            let policies = policies(tx).await?;
            let mut found = Suspects::load(self, tx, &newcomers, &policies).await?.findings(&newcomers, &policies);
            found.extend(rushing.iter().filter_map(|person| too_fast(person, &policies)));
            judged = weighing.take(tx, found, (&policies, self.context.now())).await?;
            judged.again.retain(|account| people.iter().all(|person| person.id != *account));
            for person in people.iter_mut() {
                weighing.rule(person, &policies);
                // Whoever decides has seen what there is: the score does not decide beside them.
                person.risk.ruling = person.risk.ruling.filter(|_| verdict.is_none());
                person.risk.verdict = verdict.cloned();
            }
        } else {
            for person in people.iter_mut() {
                weighing.stand(person);
            }
        }
        Ok(judged)
    }
}

/// The people's referrals, as far as they are not rejected.
fn is_open(person: &Person) -> bool {
    person.referral.as_ref().is_some_and(|referral| referral.status != ReferralStatus::Rejected)
}

fn referrer(person: &Person) -> Option<Id> {
    person.referral.as_ref().map(|referral| referral.referrer_id)
}

/// Whether a person was brought in by somebody, rather than imported or moved.
fn was_brought_in(person: &Person) -> bool {
    let via = person.referral.as_ref().map(|referral| referral.via);
    is_open(person) && matches!(via, Some(Via::Code | Via::Link))
}

fn is_newcomer(person: &Person) -> bool {
    was_brought_in(person) && person.undecided.iter().any(|undecided| undecided.is_signup)
}

/// Whether something undecided came so soon after the signup that some policy could call it too fast.
fn may_be_rushing(person: &Person) -> bool {
    let Some(referral) = person.referral.as_ref().filter(|_| was_brought_in(person)) else { return false };
    let until = referral.created_at.plus_micros(i64::from(WINDOW_MAX_SECONDS) * SECOND_MICROS);
    let soon = |undecided: &Undecided| match &undecided.item {
        Item::Event { event, .. } => !undecided.is_signup && event.received_at < until,
        Item::Refund { .. } => false,
    };
    referral.completed_at.is_none() && person.undecided.iter().any(soon)
}

/// The sign that a referral is completed sooner after the signup than people do.
fn too_fast(person: &Person, policies: &Policies) -> Option<(Finding, Id)> {
    let referral = person.referral.as_ref()?;
    let (_, policy) = policies.get(&referral.program_id)?;
    let events = person.undecided.iter().filter_map(|undecided| match &undecided.item {
        Item::Event { event, early } if early.is_empty() => Some(event.clone()),
        Item::Event { .. } | Item::Refund { .. } => None,
    });
    // A program that is content with the signup itself asks for nothing that could be done too fast.
    let (event_type, at) = person.history.would_complete(events)?;
    let micros = at.micros() - referral.created_at.micros();
    let limits = policy.of(Signal::TooFast);
    if event_type == "signup" || micros >= limits.window_micros() || !limits.is_wanted() {
        return None;
    }
    let why = Why { seconds: Some(micros / SECOND_MICROS), ..Why::default() };
    Some((Finding { account: person.id, signal: Signal::TooFast, why }, referral.program_id))
}

/// Of all programs: how far back to look depends also on those by which people came who are not known yet.
async fn policies(tx: &mut Tx) -> Result<Policies, Error> {
    let rows = run!(tx, programs::in_force())?;
    rows.iter().map(|row| Ok((row.program_id, (row.version, definition_of(row)?.fraud)))).collect()
}

/// Signs and scores of the referrals of a batch.
struct Weighing {
    signs: BTreeMap<Id, BTreeMap<Signal, Sign>>,
    before: HashMap<Id, (Weighed, Option<i64>, i32)>,
}

impl Weighing {
    async fn load(tx: &mut Tx, referred: &[Id]) -> Result<Self, StoreError> {
        let mut weighing = Self { signs: BTreeMap::new(), before: HashMap::new() };
        for row in run!(tx, risks::signals_of(referred))? {
            weighing.signs.entry(row.referred_id).or_default().insert(row.signal, sign(&row));
        }
        for row in run!(tx, risks::of_referrals(referred))? {
            let weighed = Weighed { standing: row.standing, score: u32::try_from(row.score).unwrap_or(0) };
            weighing.before.insert(row.referred_id, (weighed, row.rejected_no, row.program_version));
        }
        Ok(weighing)
    }

    fn before(&self, person: Id) -> (Weighed, Option<i64>, i32) {
        self.before.get(&person).copied().unwrap_or((Weighed::CLEAR, None, 0))
    }

    fn score(&self, person: Id) -> u32 {
        fraud::score(self.signs.get(&person).into_iter().flat_map(|signs| signs.values().copied()))
    }

    /// Whether signs were found since some score was computed.
    fn is_behind(&self) -> bool {
        self.signs.keys().any(|person| self.score(*person) != self.before(*person).0.score)
    }

    /// Takes in what was found, and says what of it is new.
    async fn take(
        &mut self,
        tx: &mut Tx,
        found: Vec<(Finding, Id)>,
        (policies, now): (&Policies, Timestamp),
    ) -> Result<Judged, Error> {
        let others: BTreeSet<Id> = found.iter().map(|(finding, _)| finding.account).collect();
        let others: Vec<Id> = others.into_iter().filter(|account| !self.signs.contains_key(account)).collect();
        let known = run!(tx, risks::signals_of(&others))?;
        let mut known: HashSet<(Id, Signal)> = known.iter().map(|row| (row.referred_id, row.signal)).collect();
        for (person, signs) in &self.signs {
            known.extend(signs.keys().map(|signal| (*person, *signal)));
        }
        let mut judged = Judged::default();
        for (finding, program) in found {
            let Some((version, policy)) = policies.get(&program) else { continue };
            if !known.insert((finding.account, finding.signal)) {
                continue;
            }
            let row = found_signal(&finding, (*version, policy), now);
            self.signs.entry(finding.account).or_default().insert(finding.signal, sign(&row));
            judged.signals.push(row);
            judged.again.insert(finding.account);
        }
        Ok(judged)
    }

    fn rule(&self, person: &mut Person, policies: &Policies) {
        self.stand(person);
        let Some(referral) = person.referral.as_ref().filter(|_| is_open(person)) else { return };
        let Some((version, policy)) = policies.get(&referral.program_id) else { return };
        let score = self.score(person.id).max(person.risk.before.score);
        person.risk.version = *version;
        person.risk.score = score;
        person.risk.ruling = fraud::rule(person.risk.before, score, policy);
    }

    /// How a referral stands before the batch.
    fn stand(&self, person: &mut Person) {
        let (before, rejected_no, version) = self.before(person.id);
        let risk = &mut person.risk;
        (risk.before, risk.score, risk.standing) = (before, before.score, before.standing);
        (risk.rejected_no, risk.version) = (rejected_no, version);
    }
}

fn sign(row: &FoundSignal) -> Sign {
    Sign { signal: row.signal, weight: u32::try_from(row.weight).unwrap_or(0), shadow: row.shadow }
}

fn found_signal(finding: &Finding, (version, policy): (i32, &Policy), now: Timestamp) -> FoundSignal {
    let limits = policy.of(finding.signal);
    FoundSignal {
        referred_id: finding.account,
        signal: finding.signal,
        weight: i32::try_from(limits.weight).unwrap_or(i32::MAX),
        shadow: limits.shadow,
        evidence: serde_json::to_string(&finding.why).unwrap_or_default(),
        program_version: version,
        created_at: now,
    }
}
