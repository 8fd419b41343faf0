//! Making codes and switching them off (rule 1): one key for every way of writing a code, never used again.

use super::{Engine, Error, Refusal, RefusalCode, audit::Deed};
use crate::{
    domain::{
        code::{self, CodeKey},
        id::Id,
        time::Timestamp,
        vanity::{Vanity, VanityError},
        words::{CodeKind, CodeStatus, UserStatus},
    },
    store::{StoreError, Tx, models, run},
};

/// How many random codes are tried before giving up; the first is free for all but one in billions.
const CODE_ATTEMPTS: usize = 8;
/// Most codes of one user.
const CODES_MAX: usize = 50;

/// A code to make.
#[derive(Clone, Debug)]
pub struct CreateReferralCode {
    /// Whose.
    pub user: Id,
    /// Of which program; the default one unless told.
    pub program: Option<Id>,
    /// What it is; made up unless told.
    pub code: Option<String>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

impl Engine {
    /// Makes one more code of a user.
    pub async fn create_referral_code(&self, request: CreateReferralCode) -> Result<models::Code, Error> {
        let now = self.context.now();
        if request.expires_at.is_some_and(|at| at <= now) {
            let message = "the code would be expired already";
            return Err(Refusal::new(RefusalCode::InvalidInput, "expiresAt", message).into());
        }
        let vanity = request.code.as_deref().map(chosen).transpose()?;
        self.store.write(async |tx: &mut Tx| self.create_code_in(tx, (&request, vanity.as_ref()), now).await).await
    }

    /// Switches a code off for good: from now on it brings nobody in, and neither do clicks on its link.
    pub async fn disable_referral_code(&self, typed: &str, actor: &str) -> Result<models::Code, Error> {
        let unknown = || Refusal::new(RefusalCode::CodeNotFound, "code", "there is no such code");
        let key = CodeKey::fold(typed).ok_or_else(unknown)?;
        let now = self.context.now();
        let disabled = self.store.write(async |tx: &mut Tx| {
            let changed = run!(tx, codes::disable(key.as_str()))?;
            let Some(code) = run!(tx, codes::by_key(key.as_str()))? else { return Ok::<_, Error>(None) };
            if changed {
                let deed = Deed { actor, action: "disableReferralCode", at: now };
                run!(tx, audit::insert(deed.to(code.shown.clone())))?;
            }
            Ok(Some(code))
        });
        disabled.await?.ok_or_else(|| unknown().into())
    }

    async fn create_code_in(
        &self,
        tx: &mut Tx,
        (request, vanity): (&CreateReferralCode, Option<&Vanity>),
        now: Timestamp,
    ) -> Result<models::Code, Error> {
        // Requests for codes of one user come one after the other, or together they would pass the limit.
        run!(tx, users::lock(vec![request.user]))?;
        let user = run!(tx, users::by_id(request.user))?.filter(|user| user.status != UserStatus::Erased);
        let user = user.ok_or_else(|| Refusal::new(RefusalCode::UserNotFound, "userId", "there is no such user"))?;
        let program = match request.program {
            Some(id) => run!(tx, programs::by_ids(&[id]))?.pop(),
            None => Some(self.default_program(tx).await?),
        };
        let unknown = || Refusal::new(RefusalCode::ProgramNotFound, "programId", "there is no such program");
        let program = program.ok_or_else(unknown)?;
        let own = run!(tx, codes::of_users(&[user.id]))?;
        // Asked for again, as after an answer that was lost: the same code.
        if let Some(code) = own.iter().find(|code| vanity.is_some_and(|vanity| vanity.key.as_str() == code.key))
            && (code.program_id, code.expires_at, code.status) == (program.id, request.expires_at, CodeStatus::Active)
        {
            return Ok(code.clone());
        }
        if own.len() >= CODES_MAX {
            let message = format!("a user has at most {CODES_MAX} codes");
            return Err(Refusal::new(RefusalCode::InvalidInput, "userId", message).into());
        }
        match vanity {
            None => self.insert_generated_code(tx, (user.id, program.id), (now, request.expires_at)).await,
            Some(vanity) => {
                if !self.retired_among(tx, &[vanity.key.as_str().to_owned()]).await?.is_empty() {
                    return Err(taken().into());
                }
                insert_vanity(tx, vanity, (user.id, program.id), (now, request.expires_at)).await
            }
        }
    }

    /// Adds a random code that nobody has.
    pub(super) async fn insert_generated_code(
        &self,
        tx: &mut Tx,
        (user, program): (Id, Id),
        (created_at, expires_at): (Timestamp, Option<Timestamp>),
    ) -> Result<models::Code, Error> {
        for _ in 0..CODE_ATTEMPTS {
            let shown = code::generate(u64::from_be_bytes(self.context.random()));
            let row = models::Code {
                key: shown.clone(),
                shown,
                user_id: user,
                program_id: program,
                kind: CodeKind::Generated,
                status: CodeStatus::Active,
                expires_at,
                created_at,
            };
            if run!(tx, codes::insert(row.clone()))? {
                return Ok(row);
            }
        }
        Err(StoreError::Corrupt("found no free code".to_owned()).into())
    }
}

fn chosen(typed: &str) -> Result<Vanity, Refusal> {
    Vanity::choose(typed).map_err(|error| {
        let code = match error {
            VanityError::Form => RefusalCode::InvalidInput,
            VanityError::Reserved | VanityError::Offensive => RefusalCode::CodeNotAllowed,
        };
        Refusal::new(code, "code", error.to_string())
    })
}

/// Adds a code that somebody chose, unless anybody has it, or had it once.
async fn insert_vanity(
    tx: &mut Tx,
    vanity: &Vanity,
    (user, program): (Id, Id),
    (created_at, expires_at): (Timestamp, Option<Timestamp>),
) -> Result<models::Code, Error> {
    let row = models::Code {
        key: vanity.key.as_str().to_owned(),
        shown: vanity.shown.clone(),
        user_id: user,
        program_id: program,
        kind: CodeKind::Vanity,
        status: CodeStatus::Active,
        expires_at,
        created_at,
    };
    if run!(tx, codes::insert(row.clone()))? {
        return Ok(row);
    }
    Err(taken().into())
}

fn taken() -> Refusal {
    Refusal::new(RefusalCode::CodeTaken, "code", "this code is taken, or was once")
}
