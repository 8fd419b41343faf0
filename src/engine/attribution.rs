//! Who brought a newcomer in (rules 2 and 3). A code that does not help never blocks a signup.

use super::{
    Engine, Error,
    sign_up::{Newcomer, is_active},
};
use crate::{
    domain::{
        code::CodeKey,
        id::Id,
        program::DEFAULT_KEY,
        words::{CodeStatus, Outcome, UserStatus},
    },
    store::{StoreError, Tx, models, run},
};

/// What an attribution came to.
pub(super) struct Attribution {
    /// In one word.
    pub(super) outcome: Outcome,
    /// The edge to be made.
    pub(super) edge: Option<Edge>,
}

/// From whom, and in which program.
pub(super) struct Edge {
    /// The code's owner.
    pub(super) referrer: Id,
    /// The code's program.
    pub(super) program: models::Program,
    /// The code as it is shown.
    pub(super) shown_code: String,
}

impl Engine {
    /// Looks at the code that a newcomer brought.
    pub(super) async fn attribute(&self, tx: &mut Tx, newcomer: &Newcomer) -> Result<Attribution, Error> {
        let nobody = |outcome| Ok(Attribution { outcome, edge: None });
        let Some(typed) = newcomer.code.as_deref().filter(|typed| !typed.trim().is_empty()) else {
            return nobody(Outcome::None);
        };
        let Some(key) = CodeKey::fold(typed) else { return nobody(Outcome::CodeUnknown) };
        let Some(code) = run!(tx, codes::by_key(key.as_str()))? else { return nobody(Outcome::CodeUnknown) };
        let owner = run!(tx, users::by_id(code.user_id))?;
        let owner = owner.ok_or_else(|| StoreError::Corrupt(format!("code {} has no owner", code.key)))?;
        let program = self.program(tx, code.program_id).await?;
        match refusal(&code, &owner, &program, &newcomer.user) {
            Some(outcome) => nobody(outcome),
            None => {
                let edge = Edge { referrer: owner.id, program, shown_code: code.shown };
                Ok(Attribution { outcome: Outcome::Attributed, edge: Some(edge) })
            }
        }
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

/// Why a code that exists cannot be used by a newcomer.
fn refusal(
    code: &models::Code,
    owner: &models::User,
    program: &models::Program,
    newcomer: &models::User,
) -> Option<Outcome> {
    let now = newcomer.created_at;
    let same = |ours: &Option<_>, theirs: &Option<_>| ours.is_some() && ours == theirs;
    if code.status == CodeStatus::Disabled || owner.status != UserStatus::Active {
        Some(Outcome::CodeDisabled)
    } else if code.expires_at.is_some_and(|expires_at| expires_at <= now) {
        Some(Outcome::CodeExpired)
    } else if same(&owner.email_hash, &newcomer.email_hash) || same(&owner.phone_hash, &newcomer.phone_hash) {
        Some(Outcome::SelfReferral)
    } else if !is_active(program, now) {
        Some(Outcome::ProgramInactive)
    } else {
        None
    }
}
