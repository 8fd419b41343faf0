//! Making codes (rule 1): one key for every way of writing a code, never used again.

use super::{Engine, Error, Refusal, RefusalCode};
use crate::{
    domain::{
        code,
        id::Id,
        time::Timestamp,
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
        self.store.write(async |tx: &mut Tx| self.create_code_in(tx, &request, now).await).await
    }

    async fn create_code_in(
        &self,
        tx: &mut Tx,
        request: &CreateReferralCode,
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
        if run!(tx, codes::of_users(&[user.id]))?.len() >= CODES_MAX {
            let message = format!("a user has at most {CODES_MAX} codes");
            return Err(Refusal::new(RefusalCode::InvalidInput, "userId", message).into());
        }
        self.insert_generated_code(tx, (user.id, program.id), (now, request.expires_at)).await
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
