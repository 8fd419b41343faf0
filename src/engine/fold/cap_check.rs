//! What was used of caps, counted again from the rewards that they let through (rule 14).
//!
//! A cap is used by what was granted; what is taken back later does not come back to it. A reward counts for the caps that
//! its rule had in the version that granted it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::terms::{CapKey, EVERYBODY};
use crate::{
    domain::{
        id::{Id, Noun},
        pay::{Cap, Used},
        period::Calendar,
    },
    engine::{Engine, Error, boards::calendar_of, programs::definition_of},
    store::{
        Tx,
        requests::{CountedReward, UserRange},
        run,
    },
};

/// People whose caps are counted at once.
const SLICE: i64 = 200;
/// What scopes begin with: the periods of caps.
const PERIODS: [&str; 4] = ["DAY", "WEEK", "MONTH", "EVER"];

/// How the caps of a person, or of everybody, are named: one for each period.
pub(in crate::engine) fn cap_scopes(whose: &str) -> [String; 4] {
    PERIODS.map(|period| format!("{period} {whose}"))
}

/// What was used, by cap.
type Uses = BTreeMap<CapKey, Used>;

impl Engine {
    /// Names the caps of which more or less was used than their rewards say. All of it is read from one state of the
    /// database: what is shared by everybody is never seen half-way.
    pub(in crate::engine) async fn verify_caps(&self) -> Result<Vec<String>, Error> {
        self.store.read_long(async |tx: &mut Tx| check(tx).await).await
    }
}

async fn check(tx: &mut Tx) -> Result<Vec<String>, Error> {
    let capped = Capped::load(tx).await?;
    if capped.caps.is_empty() {
        return Ok(Vec::new());
    }
    let (mut after, mut differences, mut shared) = (None, Vec::new(), Uses::new());
    loop {
        let users: Vec<Id> = run!(tx, totals::page(after, SLICE))?.iter().map(|row| row.user_id).collect();
        let Some(range) = UserRange::of(&users) else { break };
        let mut own = Uses::new();
        for reward in run!(tx, caps::counted(range, capped.rules()))? {
            capped.count(&reward, &mut own, &mut shared);
        }
        let whose = users.iter().map(|user| user.typed(Noun::User));
        let stored = capped.stored(tx, whose.collect()).await?;
        compare(&stored, &own, &mut differences);
        after = Some(range.last);
    }
    let stored = capped.stored(tx, vec![EVERYBODY.to_owned()]).await?;
    compare(&stored, &shared, &mut differences);
    Ok(differences)
}

/// Rules that have or had caps.
struct Capped {
    /// By program, version and rule.
    caps: HashMap<(Id, i32, String), Cap>,
    calendars: HashMap<Id, Calendar>,
}

impl Capped {
    async fn load(tx: &mut Tx) -> Result<Self, Error> {
        let mut calendars = HashMap::new();
        for program in run!(tx, programs::all())? {
            calendars.insert(program.id, calendar_of(&program)?);
        }
        let mut caps = HashMap::new();
        for row in run!(tx, programs::all_versions())? {
            let rules = definition_of(&row)?.rules.into_iter();
            let of = |rule: crate::domain::program::Rule| Some(((row.program_id, row.version, rule.key), rule.cap?));
            caps.extend(rules.filter_map(of));
        }
        Ok(Self { caps, calendars })
    }

    fn rules(&self) -> Vec<String> {
        self.caps.keys().map(|(_, _, rule)| rule.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }

    fn count(&self, reward: &CountedReward, own: &mut Uses, shared: &mut Uses) {
        let CountedReward { user_id, program_id, program_version, rule_key, amount, received_at } = reward;
        let cap = self.caps.get(&(*program_id, *program_version, rule_key.clone()));
        let Some((cap, calendar)) = cap.zip(self.calendars.get(program_id)) else { return };
        let key = |whose| CapKey::new((*program_id, rule_key, whose), (cap, *received_at, calendar));
        let add = |uses: &mut Uses, whose: String| {
            let used = uses.entry(key(whose)).or_default();
            used.count += 1;
            used.amount += amount;
        };
        if cap.is_personal() {
            add(own, user_id.typed(Noun::User));
        }
        if cap.budget.is_some() {
            add(shared, EVERYBODY.to_owned());
        }
    }

    async fn stored(&self, tx: &mut Tx, whose: Vec<String>) -> Result<Uses, Error> {
        let programs = self.caps.keys().map(|(program, _, _)| *program).collect::<BTreeSet<_>>().into_iter().collect();
        let scopes = whose.iter().flat_map(|whose| cap_scopes(whose)).collect();
        let rows = run!(tx, caps::of_scopes((programs, self.rules()), scopes))?;
        let used = |row: &crate::store::models::Cap| Used { count: row.used_count, amount: row.used_amount };
        Ok(rows.into_iter().map(|row| (CapKey::of(row.clone()), used(&row))).collect())
    }
}

fn compare(stored: &Uses, counted: &Uses, differences: &mut Vec<String>) {
    let keys: BTreeSet<&CapKey> = stored.keys().chain(counted.keys()).collect();
    for key in keys {
        let of = |uses: &Uses| uses.get(key).copied().unwrap_or_default();
        let (has, should) = (of(stored), of(counted));
        if has != should {
            differences.push(format!(
                "{key}: {} rewards and {} minor units are used, the rewards say {} and {}",
                has.count, has.amount, should.count, should.amount
            ));
        }
    }
}
