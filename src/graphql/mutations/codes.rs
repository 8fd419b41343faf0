//! More codes for users, and switching codes off.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, settled};
use crate::{
    domain::id::{self, IdError, Noun},
    engine::{Refusal, RefusalCode, referral_codes::CreateReferralCode},
    graphql::{caller::UserWriter, errors::ApiError, scalars::DateTime, scope::Scope, types::code::ReferralCode},
    store::models,
};

/// Whose code, and of which program.
#[derive(InputObject, Clone, Debug)]
pub struct CreateReferralCodeInput {
    /// The user.
    pub user_id: ID,
    /// The program that a referral by this code belongs to; the default program unless told.
    pub program_id: Option<ID>,
    /// The code, if somebody chose it: 3 to 32 of `A-Z 0-9 -`. It is shown as it is written here. Made up unless told.
    /// The same one again, as after an answer that was lost, gives the code that is there.
    pub code: Option<String>,
    /// When the code stops working; never unless told.
    pub expires_at: Option<DateTime>,
}

/// What came of making a code.
#[derive(SimpleObject)]
pub struct CreateReferralCodePayload {
    /// The code; null when it was refused.
    pub code: Option<ReferralCode>,
    /// Why the code was refused; empty when it was not.
    pub user_errors: Vec<UserError>,
}

/// Which code.
#[derive(InputObject, Clone, Debug)]
pub struct DisableReferralCodeInput {
    /// The code, however it is written.
    pub code: String,
}

/// What came of switching a code off.
#[derive(SimpleObject)]
pub struct DisableReferralCodePayload {
    /// The code as it is now; null when there is none.
    pub code: Option<ReferralCode>,
    /// Why nothing was done; empty when it was, or had been before.
    pub user_errors: Vec<UserError>,
}

/// Makes a code.
pub(super) async fn create_referral_code(
    scope: &Scope,
    input: CreateReferralCodeInput,
) -> Result<CreateReferralCodePayload, ApiError> {
    scope.caller_as::<UserWriter<'_>>()?;
    let refused = |error: UserError| CreateReferralCodePayload { code: None, user_errors: vec![error] };
    let user = id::parse_as(Noun::User, &input.user_id).map_err(unknown(RefusalCode::UserNotFound, "userId"));
    let program = input.program_id.map(|id| id::parse_as(Noun::Program, &id)).transpose();
    let program = program.map_err(unknown(RefusalCode::ProgramNotFound, "programId"));
    let (user, program) = match (user, program) {
        (Ok(user), Ok(program)) => (user, program),
        (Err(refusal), _) | (_, Err(refusal)) => return Ok(refused(refusal.into())),
    };
    let request = CreateReferralCode { user, program, code: input.code, expires_at: input.expires_at.map(|at| at.0) };
    Ok(match settled(scope.engine.create_referral_code(request).await)? {
        Ok(row) => CreateReferralCodePayload { code: Some(shown(row)), user_errors: Vec::new() },
        Err(error) => refused(error),
    })
}

/// Switches a code off.
pub(super) async fn disable_referral_code(
    scope: &Scope,
    input: DisableReferralCodeInput,
) -> Result<DisableReferralCodePayload, ApiError> {
    let by = scope.caller_as::<UserWriter<'_>>()?;
    Ok(match settled(scope.engine.disable_referral_code(&input.code, by.key).await)? {
        Ok(row) => DisableReferralCodePayload { code: Some(shown(row)), user_errors: Vec::new() },
        Err(error) => DisableReferralCodePayload { code: None, user_errors: vec![error] },
    })
}

fn shown(row: models::Code) -> ReferralCode {
    ReferralCode(Arc::new(row))
}

fn unknown(code: RefusalCode, field: &'static str) -> impl Fn(IdError) -> Refusal {
    move |error| Refusal::new(code, field, error.to_string())
}
