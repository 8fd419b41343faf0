//! More codes for users, and switching codes off.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, halves, named};
use crate::{
    domain::id::Noun,
    engine::referral_codes::CreateReferralCode,
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
    let CreateReferralCodeInput { user_id, program_id, code, expires_at } = input;
    let making = async {
        let user = named(Noun::User, "userId", &user_id)?;
        let program = program_id.map(|id| named(Noun::Program, "programId", &id)).transpose()?;
        let expires_at = expires_at.map(|at| at.0);
        scope.engine.create_referral_code(CreateReferralCode { user, program, code, expires_at }).await
    };
    let (code, user_errors) = halves(making.await, shown)?;
    Ok(CreateReferralCodePayload { code, user_errors })
}

/// Switches a code off.
pub(super) async fn disable_referral_code(
    scope: &Scope,
    input: DisableReferralCodeInput,
) -> Result<DisableReferralCodePayload, ApiError> {
    let by = scope.caller_as::<UserWriter<'_>>()?;
    let (code, user_errors) = halves(scope.engine.disable_referral_code(&input.code, by.key).await, shown)?;
    Ok(DisableReferralCodePayload { code, user_errors })
}

fn shown(row: models::Code) -> ReferralCode {
    ReferralCode(Arc::new(row))
}
