//! Making and changing programs.

use std::sync::Arc;

use async_graphql::{ID, InputObject, MaybeUndefined, SimpleObject};

use super::{
    fraud_policy_input::FraudPolicyInput,
    plan_input::{RewardRuleInput, TriggerInput, planned},
    user_error::UserError,
};
use crate::{
    domain::{
        id::{self, Id, Noun},
        landing::{CLICK_PARAMETER, REF_PARAMETER},
        plan::Plan,
    },
    engine::{
        Refusal, RefusalCode,
        program_links::LinkChange,
        programs::{CreateProgram, Saved, UpdateProgram},
    },
    graphql::{
        caller::Operator,
        errors::ApiError,
        scalars::{DateTime, Decimal},
        scope::Scope,
        types::{
            program::Program,
            words::{AttributionModel, ProgramStatus},
        },
    },
};

/// A new program.
#[derive(InputObject, Clone, Debug)]
pub struct CreateProgramInput {
    /// A short unique name for programs to use: 1 to 64 of `a-z 0-9 _ -`.
    pub key: String,
    /// A name for people.
    pub name: String,
    /// The currency of every amount: a code of ISO 4217, or a unit of your own such as `POINTS`.
    pub currency_code: String,
    /// The time zone in which days, weeks and months begin: an IANA name.
    #[graphql(default_with = "\"UTC\".to_owned()")]
    pub time_zone: String,
    /// When it begins; at once unless told.
    pub starts_at: Option<DateTime>,
    /// When it ends; never unless told.
    pub ends_at: Option<DateTime>,
    /// How long a click on a referral link counts, in days.
    #[graphql(default = 7)]
    pub attribution_window_days: i32,
    /// Which click counts when there were several.
    #[graphql(default_with = "AttributionModel::LastTouch")]
    pub attribution: AttributionModel,
    /// Where this program's referral links lead; the landing page of the installation unless told.
    pub landing_url: Option<String>,
    /// Name of the parameter by which a link passes the code on.
    #[graphql(default_with = "REF_PARAMETER.to_owned()")]
    pub ref_parameter: String,
    /// Name of the parameter by which a link passes the click on, to be given as `clickId` to `signUp`.
    #[graphql(default_with = "CLICK_PARAMETER.to_owned()")]
    pub click_id_parameter: String,
    /// What completes a referral; the first `purchase` unless told.
    pub qualifying: Option<TriggerInput>,
    /// Who is paid what for what.
    pub rules: Vec<RewardRuleInput>,
    /// The smallest claim, in major units; any amount unless told.
    pub minimum_claim: Option<Decimal>,
    /// What is made of signs of fraud; the usual unless told.
    pub fraud: Option<FraudPolicyInput>,
    /// Whether it runs at once, instead of being a draft.
    #[graphql(default = false)]
    pub activate: bool,
}

/// What to change of a program; what is left out stays.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateProgramInput {
    /// Which program.
    pub program_id: ID,
    /// A name for people.
    pub name: Option<String>,
    /// The currency; fixed once the program was active. Takes new `rules`.
    pub currency_code: Option<String>,
    /// The time zone; fixed once the program was active.
    pub time_zone: Option<String>,
    /// When it begins; null: at once.
    pub starts_at: MaybeUndefined<DateTime>,
    /// When it ends; null: never.
    pub ends_at: MaybeUndefined<DateTime>,
    /// How long a click on a referral link counts, in days.
    pub attribution_window_days: Option<i32>,
    /// Which click counts when there were several.
    pub attribution: Option<AttributionModel>,
    /// Where referral links lead; null: to the landing page of the installation.
    pub landing_url: MaybeUndefined<String>,
    /// Name of the parameter by which a link passes the code on.
    pub ref_parameter: Option<String>,
    /// Name of the parameter by which a link passes the click on.
    pub click_id_parameter: Option<String>,
    /// What completes a referral.
    pub qualifying: Option<TriggerInput>,
    /// Who is paid what for what: all the rules, not only those that change.
    pub rules: Option<Vec<RewardRuleInput>>,
    /// The smallest claim, in major units; null: any amount.
    pub minimum_claim: MaybeUndefined<Decimal>,
    /// What is made of signs of fraud; what is left out stays.
    pub fraud: Option<FraudPolicyInput>,
}

/// Which program, and what it is to be.
#[derive(InputObject, Clone, Debug)]
pub struct SetProgramStatusInput {
    /// Which program.
    pub program_id: ID,
    /// Its new state. A draft is started once; a program that ended stays so.
    pub status: ProgramStatus,
}

/// Declares what a mutation of a program answers.
macro_rules! payload {
    ($(#[$about:meta])* $name:ident) => {
        $(#[$about])*
        #[derive(SimpleObject)]
        pub struct $name {
            /// The program as it is now; null when nothing was done.
            pub program: Option<Program>,
            /// What is allowed but may not be wise.
            pub warnings: Vec<UserError>,
            /// Everything that is wrong, each with its path in the input; empty when it was done.
            pub user_errors: Vec<UserError>,
        }

        impl From<Saved> for $name {
            fn from(saved: Saved) -> Self {
                let shown = |refusals: Vec<_>| refusals.into_iter().map(UserError::from).collect();
                match saved {
                    Ok((program, warnings)) => {
                        let program = Some(Program(Arc::new(program)));
                        Self { program, warnings: shown(warnings), user_errors: Vec::new() }
                    }
                    Err(wrong) => Self { program: None, warnings: Vec::new(), user_errors: shown(wrong) },
                }
            }
        }
    };
}

payload! {
    /// What came of making a program.
    CreateProgramPayload
}

payload! {
    /// What came of changing a program.
    UpdateProgramPayload
}

payload! {
    /// What came of starting, pausing or ending a program.
    SetProgramStatusPayload
}

/// Makes a program.
pub(super) async fn create_program(scope: &Scope, input: CreateProgramInput) -> Result<CreateProgramPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let plan = Plan {
        attribution_window_days: Some(input.attribution_window_days.into()),
        attribution: Some(input.attribution.into()),
        qualifying: input.qualifying.map(Into::into),
        rules: Some(planned(input.rules)),
        minimum_claim: Some(input.minimum_claim.map(|least| least.0)),
        fraud: input.fraud.map(Into::into),
    };
    let request = CreateProgram {
        key: input.key,
        name: input.name,
        currency: input.currency_code,
        time_zone: input.time_zone,
        starts_at: input.starts_at.map(|at| at.0),
        ends_at: input.ends_at.map(|at| at.0),
        plan,
        links: LinkChange {
            landing_url: Some(input.landing_url),
            ref_parameter: Some(input.ref_parameter),
            click_parameter: Some(input.click_id_parameter),
        },
        activate: input.activate,
    };
    Ok(scope.engine.create_program(request, by.key).await?.into())
}

/// Changes a program.
pub(super) async fn update_program(scope: &Scope, input: UpdateProgramInput) -> Result<UpdateProgramPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let id = match program_id(&input.program_id) {
        Ok(id) => id,
        Err(refusal) => return Ok(Err(vec![refusal]).into()),
    };
    let plan = Plan {
        attribution_window_days: input.attribution_window_days.map(Into::into),
        attribution: input.attribution.map(Into::into),
        qualifying: input.qualifying.map(Into::into),
        rules: input.rules.map(planned),
        minimum_claim: told(input.minimum_claim).map(|least| least.map(|least| least.0)),
        fraud: input.fraud.map(Into::into),
    };
    let request = UpdateProgram {
        name: input.name,
        currency: input.currency_code,
        time_zone: input.time_zone,
        starts_at: told(input.starts_at).map(|at| at.map(|at| at.0)),
        ends_at: told(input.ends_at).map(|at| at.map(|at| at.0)),
        plan,
        links: LinkChange {
            landing_url: told(input.landing_url),
            ref_parameter: input.ref_parameter,
            click_parameter: input.click_id_parameter,
        },
    };
    Ok(scope.engine.update_program(id, request, by.key).await?.into())
}

/// Starts, pauses or ends a program.
pub(super) async fn set_program_status(
    scope: &Scope,
    input: SetProgramStatusInput,
) -> Result<SetProgramStatusPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    match program_id(&input.program_id) {
        Ok(id) => Ok(scope.engine.set_program_status(id, input.status.into(), by.key).await?.into()),
        Err(refusal) => Ok(Err(vec![refusal]).into()),
    }
}

fn program_id(id: &ID) -> Result<Id, Refusal> {
    let unknown = |error: id::IdError| Refusal::new(RefusalCode::ProgramNotFound, "programId", error.to_string());
    id::parse_as(Noun::Program, id).map_err(unknown)
}

/// Nothing when a field was left out; an inner nothing when it was null.
fn told<T>(field: MaybeUndefined<T>) -> Option<Option<T>> {
    match field {
        MaybeUndefined::Undefined => None,
        MaybeUndefined::Null => Some(None),
        MaybeUndefined::Value(value) => Some(Some(value)),
    }
}
