//! One chunk of people: which of them are new, whose referrer is there, and the transaction that writes them.

use std::collections::{HashMap, HashSet};

use super::{
    table::{Line, shown},
    user_row::UserRow,
};
use crate::{
    domain::{
        code,
        id::Id,
        words::{CodeKind, CodeStatus, ReferralStatus, UserStatus, Via},
    },
    engine::{Engine, Error},
    store::{StoreError, Tx, models, run},
};

/// What becomes of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// A new person.
    Imported,
    /// The person is known; nothing is changed.
    AlreadyThere,
    /// The referrer is not there yet.
    Waits,
    /// The row is refused.
    Bad(String),
}

/// What becomes of each row of a chunk, and the new ones in an order in which referrers come first.
#[derive(Debug)]
struct Plan {
    fates: Vec<Fate>,
    accepted: Vec<usize>,
}

/// What the database knows about a chunk.
#[derive(Debug, Default)]
struct Known {
    users: HashMap<String, Id>,
    taken_codes: HashSet<String>,
}

impl Engine {
    /// Writes one chunk inside a transaction. Everything is looked up inside it, so that it can be run again.
    pub(super) async fn import_people(
        &self,
        tx: &mut Tx,
        program: Id,
        lines: &[Line<UserRow>],
    ) -> Result<Vec<Fate>, Error> {
        let mut known = self.look_up(tx, lines).await?;
        let Plan { mut fates, accepted } = decide(lines, &known);
        let users = self.new_users(accepted.iter().map(|place| &lines[*place].row));
        let added: HashSet<Id> = run!(tx, load::insert_users(users.clone()))?.into_iter().collect();
        known.users.extend(users.iter().map(|user| (user.external_id.clone(), user.id)));
        if added.len() < users.len() {
            // Somebody else imported or signed up the same people in this very moment, and was first.
            let late = users.iter().filter(|user| !added.contains(&user.id)).map(|user| user.external_id.clone());
            known.users.extend(run!(tx, users::ids_by_external_ids(late.collect()))?);
        }
        let mut belongings = Belongings::default();
        let users: HashMap<Id, models::User> = users.into_iter().map(|user| (user.id, user)).collect();
        for place in accepted {
            let row = &lines[place].row;
            let user = known.users.get(&row.external_id).and_then(|id| users.get(id).filter(|_| added.contains(id)));
            match user {
                None => fates[place] = Fate::AlreadyThere,
                Some(user) => {
                    belongings.codes.push(self.code_of(user, row, program));
                    belongings.totals.push(user.id);
                    let referrer = row.referrer.as_ref().and_then(|referrer| known.users.get(referrer));
                    belongings.referrals.extend(referrer.map(|referrer| referral(user, *referrer, program)));
                }
            }
        }
        belongings.insert(tx).await?;
        Ok(fates)
    }

    async fn look_up(&self, tx: &mut Tx, lines: &[Line<UserRow>]) -> Result<Known, Error> {
        let ids = lines.iter().flat_map(|line| std::iter::once(&line.row.external_id).chain(&line.row.referrer));
        let ids: HashSet<&String> = ids.collect();
        let users = run!(tx, users::ids_by_external_ids(ids.into_iter().cloned().collect()))?;
        let keys: Vec<String> = lines.iter().filter_map(|line| Some(line.row.code.as_ref()?.key.clone())).collect();
        let mut taken = self.retired_among(tx, &keys).await?;
        if !keys.is_empty() {
            taken.extend(run!(tx, codes::taken(keys))?);
        }
        Ok(Known { users: users.into_iter().collect(), taken_codes: taken.into_iter().collect() })
    }

    /// Users for these rows, in the order of their external ids: two imports that meet lock rows in one order.
    fn new_users<'a>(&self, rows: impl Iterator<Item = &'a UserRow>) -> Vec<models::User> {
        let now = self.context.now();
        let user = |row: &UserRow| {
            let created_at = row.created_at.unwrap_or(now);
            models::User {
                id: self.context.new_id_at(created_at),
                external_id: row.external_id.clone(),
                display_name: row.display_name.clone(),
                status: UserStatus::Active,
                email_hash: None,
                phone_hash: None,
                created_at,
            }
        };
        let mut users: Vec<models::User> = rows.map(user).collect();
        users.sort_unstable_by(|one, other| one.external_id.cmp(&other.external_id));
        users
    }

    /// The code that the row gives, or a new one.
    fn code_of(&self, user: &models::User, row: &UserRow, program_id: Id) -> models::Code {
        let (kind, key, shown) = match &row.code {
            Some(given) => (CodeKind::Vanity, given.key.clone(), given.shown.clone()),
            None => {
                let made = code::generate(u64::from_be_bytes(self.context.random()));
                (CodeKind::Generated, made.clone(), made)
            }
        };
        let created_at = user.created_at;
        let status = CodeStatus::Active;
        models::Code { key, shown, user_id: user.id, program_id, kind, status, expires_at: None, created_at }
    }
}

fn referral(user: &models::User, referrer_id: Id, program_id: Id) -> models::Referral {
    models::Referral {
        referred_id: user.id,
        referrer_id,
        program_id,
        status: ReferralStatus::Pending,
        via: Via::Import,
        code: None,
        click_id: None,
        risk_score: 0,
        created_at: user.created_at,
        completed_at: None,
        rejected_at: None,
    }
}

/// What comes with new users.
#[derive(Default)]
struct Belongings {
    codes: Vec<models::Code>,
    totals: Vec<Id>,
    referrals: Vec<models::Referral>,
}

impl Belongings {
    async fn insert(self, tx: &mut Tx) -> Result<(), Error> {
        if self.totals.is_empty() {
            return Ok(());
        }
        // A code that was free a moment ago: run again, the chunk finds it taken, or makes others up.
        run!(tx, load::insert_codes(self.codes)).map_err(|error| match error {
            StoreError::Duplicate { constraint } if constraint.starts_with("codes.") => {
                StoreError::Transient("a code was taken meanwhile".to_owned())
            }
            other => other,
        })?;
        run!(tx, load::insert_totals(self.totals))?;
        if !self.referrals.is_empty() {
            run!(tx, load::insert_referrals(self.referrals))?;
        }
        Ok(())
    }
}

/// Decides what becomes of each row. Rows may come in any order: one that is accepted calls those that wait for it.
fn decide(lines: &[Line<UserRow>], known: &Known) -> Plan {
    let mut present: HashSet<&str> = known.users.keys().map(String::as_str).collect();
    let mut taken: HashSet<&str> = known.taken_codes.iter().map(String::as_str).collect();
    let mut waiting: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut plan = Plan { fates: vec![Fate::Waits; lines.len()], accepted: Vec::new() };
    for first in 0..lines.len() {
        let mut due = vec![first];
        while let Some(place) = due.pop() {
            let row = &lines[place].row;
            plan.fates[place] = fate(row, &present, &taken);
            match (&plan.fates[place], row.referrer.as_deref()) {
                (Fate::Waits, Some(referrer)) => waiting.entry(referrer).or_default().push(place),
                (Fate::Imported, _) => {
                    present.insert(&row.external_id);
                    taken.extend(row.code.as_ref().map(|code| code.key.as_str()));
                    due.extend(waiting.remove(row.external_id.as_str()).unwrap_or_default());
                    plan.accepted.push(place);
                }
                _ => {}
            }
        }
    }
    plan
}

fn fate(row: &UserRow, present: &HashSet<&str>, taken: &HashSet<&str>) -> Fate {
    if present.contains(row.external_id.as_str()) {
        return Fate::AlreadyThere;
    }
    match (&row.code, &row.referrer) {
        (Some(code), _) if taken.contains(code.key.as_str()) => {
            Fate::Bad(format!("the code `{}` is taken", shown(&code.shown)))
        }
        (_, Some(referrer)) if !present.contains(referrer.as_str()) => Fate::Waits,
        _ => Fate::Imported,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::user_row::GivenCode, *};

    /// `id`, `id<referrer`, `id=CODE`, `id<referrer=CODE`
    fn lines(rows: &[&str]) -> Vec<Line<UserRow>> {
        let row = |text: &str| {
            let (person, code) = text.split_once('=').map_or((text, None), |(person, code)| (person, Some(code)));
            let (id, referrer) = person.split_once('<').map_or((person, None), |(id, above)| (id, Some(above)));
            UserRow {
                external_id: id.to_owned(),
                referrer: referrer.map(str::to_owned),
                code: code.map(|code| GivenCode { key: code.to_owned(), shown: code.to_owned() }),
                display_name: None,
                created_at: None,
            }
        };
        (2..).zip(rows).map(|(number, text)| Line { number, row: row(text) }).collect()
    }

    fn fates(rows: &[&str], known: &Known) -> String {
        let plan = decide(&lines(rows), known);
        let letter = |fate: &Fate| match fate {
            Fate::Imported => '+',
            Fate::AlreadyThere => '=',
            Fate::Waits => '?',
            Fate::Bad(_) => '-',
        };
        plan.fates.iter().map(letter).collect()
    }

    #[test]
    fn referrers_may_come_later() {
        let known = Known::default();
        assert_eq!(fates(&["c<b", "b<a", "a"], &known), "+++");
        let plan = decide(&lines(&["c<b", "b<a", "x<y", "a"]), &known);
        assert_eq!(plan.accepted, [3, 1, 0], "referrers are written first");
        assert_eq!(fates(&["a<b", "b<a", "c<a"], &known), "???", "a ring never starts");
    }

    #[test]
    fn the_first_row_of_a_person_and_of_a_code_counts() {
        let known = Known {
            users: HashMap::from([("old".to_owned(), Id::from_uuid(uuid::Uuid::nil()))]),
            taken_codes: HashSet::from(["MINE".to_owned()]),
        };
        assert_eq!(fates(&["a", "a", "old=MINE", "b<old"], &known), "+==+");
        assert_eq!(fates(&["a=ONE", "b=ONE", "c=MINE", "d<c"], &known), "+--?");
        assert_eq!(fates(&["a<b", "a", "b"], &known), "=++", "the row that waited came too late");
    }

    #[test]
    fn a_long_chain_the_wrong_way_round_is_no_recursion() {
        let rows: Vec<String> = (0..5_000).rev().map(|place| format!("{place}<{}", place - 1)).collect();
        let mut rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        rows.push("-1");
        assert_eq!(fates(&rows, &Known::default()), "+".repeat(5_001));
    }
}
