//! Who brought a newcomer in (rules 2 and 3): a code that was given, else the click that counts, else nobody.
//!
//! A code or a click that does not help never blocks a signup. A code that was given decides alone: clicks are not looked
//! at when it turns out to be wrong, since whoever gave it meant it.

mod findings;
mod touches;

pub use findings::{ClickSeen, Findings, LostClick};

use super::{
    Engine, Error,
    sign_up::{Newcomer, is_active},
};
use crate::{
    domain::{
        code::CodeKey,
        id::Id,
        keyed_hash::KeyedHash,
        program::DEFAULT_KEY,
        words::{CodeStatus, Outcome, UserStatus, Via},
    },
    store::{StoreError, Tx, models, run},
};
use touches::Known;
pub(in crate::engine) use touches::definition_of;

/// What an attribution came to.
pub(super) struct Attribution {
    /// What is told and kept of it.
    pub(super) findings: Findings,
    /// The edge to be made.
    pub(super) edge: Option<Edge>,
    /// Whose codes these two may name.
    owners: Vec<Id>,
}

/// From whom, and in which program.
pub(super) struct Edge {
    /// The code's owner.
    pub(super) referrer: Id,
    /// The code's program.
    pub(super) program: models::Program,
    /// The code as it is shown.
    pub(super) shown_code: String,
    /// By a code or by a click.
    pub(super) via: Via,
    /// The click; also of a code that was given, if it was followed before.
    pub(super) click: Option<Id>,
}

impl Engine {
    /// Looks at what a newcomer brought. Until the transaction ends nobody is erased whose code is named in what was found:
    /// an erasure that came later would find the signup, and one that came first took the code away.
    pub(super) async fn attribute(&self, tx: &mut Tx, newcomer: &Newcomer) -> Result<Attribution, Error> {
        let seen = self.look_at(tx, newcomer).await?;
        if seen.owners.is_empty() {
            return Ok(seen);
        }
        let held = run!(tx, users::hold_all(seen.owners.clone()))?;
        match held.iter().any(|(_, status)| *status == UserStatus::Erased) {
            // Perhaps only since they were looked at, so what was seen may still name what they had chosen.
            true => self.look_at(tx, newcomer).await,
            false => Ok(seen),
        }
    }

    async fn look_at(&self, tx: &mut Tx, newcomer: &Newcomer) -> Result<Attribution, Error> {
        let known = self.known_clicks(tx, newcomer).await?;
        match newcomer.code.as_deref().filter(|typed| !typed.trim().is_empty()) {
            Some(typed) => self.by_code(tx, (newcomer, typed), &known).await,
            None => Ok(by_click(newcomer, known)),
        }
    }

    async fn by_code(
        &self,
        tx: &mut Tx,
        (newcomer, typed): (&Newcomer, &str),
        known: &Known,
    ) -> Result<Attribution, Error> {
        let key = CodeKey::fold(typed);
        let link = match &key {
            Some(key) => run!(tx, codes::links(vec![key.as_str().to_owned()]))?.pop(),
            None => None,
        };
        let Some((code, owner, program, _)) = link else {
            let findings = Findings::without_code(Outcome::CodeUnknown, known.lost_to_code(None));
            return Ok(Attribution { findings, edge: None, owners: known.owners() });
        };
        let owners = known.owners().into_iter().chain([owner.id]).collect();
        let expired = code.expires_at.is_some_and(|expires_at| expires_at <= newcomer.user.created_at);
        let refusal = refusal(&code, &owner, &program, newcomer);
        // In the order of the rules: what was switched off says so, whether or not its time is over too.
        let refusal = match refusal {
            Some(Outcome::CodeDisabled) => refusal,
            _ if expired => Some(Outcome::CodeExpired),
            other => other,
        };
        let followed = known.usable_of(&code.key);
        let findings = Findings {
            outcome: refusal.unwrap_or(Outcome::Attributed),
            code: Some(code.shown.clone()),
            click: followed.clone(),
            lost: known.lost_to_code(followed.as_ref().map(|click| click.id)),
        };
        let click = followed.map(|click| click.id);
        let edge = Edge { referrer: owner.id, program, shown_code: code.shown, via: Via::Code, click };
        Ok(Attribution { findings, edge: refusal.is_none().then_some(edge), owners })
    }

    /// A program that must be there.
    pub(super) async fn program(&self, tx: &mut Tx, id: Id) -> Result<models::Program, Error> {
        let program = run!(tx, programs::by_ids(&[id]))?.pop();
        program.ok_or_else(|| StoreError::Corrupt(format!("program {id} is missing")).into())
    }

    /// The program that every database holds.
    pub(super) async fn default_program(&self, tx: &mut Tx) -> Result<models::Program, Error> {
        let program = run!(tx, programs::by_key(DEFAULT_KEY))?;
        program.ok_or_else(|| StoreError::Corrupt("the default program is missing".to_owned()).into())
    }
}

fn by_click(newcomer: &Newcomer, known: Known) -> Attribution {
    let choice = known.choose();
    let Some(place) = choice.place else {
        let outcome = if newcomer.click_id.is_some() { Outcome::ClickUnknown } else { Outcome::None };
        return Attribution { findings: Findings::without_code(outcome, Vec::new()), edge: None, owners: Vec::new() };
    };
    let (click, link) = known.at(place);
    let findings = Findings {
        outcome: choice.outcome,
        code: Some(click.code.clone()),
        click: Some(click.clone()),
        lost: known.lost_to_click(place),
    };
    let edge = || Edge {
        referrer: link.1.id,
        program: link.2.clone(),
        shown_code: click.code.clone(),
        via: Via::Link,
        click: Some(click.id),
    };
    let edge = (choice.outcome == Outcome::Attributed).then(edge);
    Attribution { findings, edge, owners: known.owners() }
}

/// Why a code that exists, and whose time is not over, cannot be used by a newcomer.
fn refusal(
    code: &models::Code,
    owner: &models::User,
    program: &models::Program,
    newcomer: &Newcomer,
) -> Option<Outcome> {
    if code.status == CodeStatus::Disabled || owner.status != UserStatus::Active {
        Some(Outcome::CodeDisabled)
    } else if is_one_person(owner, newcomer) {
        Some(Outcome::SelfReferral)
    } else if !is_active(program, newcomer.user.created_at) {
        Some(Outcome::ProgramInactive)
    } else {
        None
    }
}

/// Whether a newcomer has the e-mail or the phone of somebody who is known, whose row may be from before a change of keys.
fn is_one_person(known: &models::User, newcomer: &Newcomer) -> bool {
    let is = |known: Option<KeyedHash>, theirs: [Option<KeyedHash>; 2]| known.is_some() && theirs.contains(&known);
    is(known.email_hash, [newcomer.user.email_hash, newcomer.former_email_hash])
        || is(known.phone_hash, [newcomer.user.phone_hash, newcomer.former_phone_hash])
}
