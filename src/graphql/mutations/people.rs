//! Signing up and changing users.

use std::sync::Arc;

use async_graphql::{ID, InputObject, MaybeUndefined, SimpleObject};

use super::user_error::{UserError, halves, named, settled};
use crate::{
    domain::{caller::Caller, id::Noun, visitor::Visitor},
    engine::{
        sign_up::{SignUp, SignedUp},
        update_user::UpdateUser,
    },
    graphql::{
        caller::{Registrar, Sight, UserWriter},
        errors::ApiError,
        scope::Scope,
        types::{attribution::Attribution, user::User},
    },
    store::models,
};

/// Who signs up, and what brought them.
#[derive(InputObject, Clone, Debug)]
pub struct SignUpInput {
    /// The host's own id of the user, 1 to 255 characters. For members: the `sub` of their token.
    pub external_id: String,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// The referral code that was typed. It goes before all clicks, and decides alone, even when it is wrong.
    pub code: Option<String>,
    /// The click that came before, as the referral link passed it on (`click_id`). The clicks that came before it in the
    /// same browser are known with it. Members may leave it out: their browser's cookie is looked at.
    pub click_id: Option<String>,
    /// E-mail address. Kept as a keyed hash only, to recognise people who refer themselves.
    pub email: Option<String>,
    /// Phone number with country code. Kept as a keyed hash only.
    pub phone: Option<String>,
    /// Address that the user signs up from, as the host saw it. Kept as keyed hashes only. When members sign up themselves it
    /// is ignored, and the address that they really come from is taken.
    pub ip_address: Option<String>,
    /// Device that the user signs up on. Kept as a keyed hash only. Ignored when members sign up themselves.
    pub device_id: Option<String>,
    /// Browser that the user signs up with. Kept as a keyed hash only. Ignored when members sign up themselves.
    pub user_agent: Option<String>,
}

/// What came of a signup.
#[derive(SimpleObject)]
pub struct SignUpPayload {
    /// The user, new or not; null when the signup was refused.
    pub user: Option<User>,
    /// Whether the user is new; null when the signup was refused.
    pub created: Option<bool>,
    /// What brought the user; of a known user, what was found then.
    pub attribution: Option<Attribution>,
    /// Why the signup was refused; empty when it was not.
    pub user_errors: Vec<UserError>,
}

impl SignUpInput {
    /// What the engine is asked for. What members say of themselves is no evidence; what their own browser remembers counts
    /// for nobody else.
    fn of(self, caller: &Caller, visitor: Visitor) -> SignUp {
        let SignUpInput { external_id, display_name, code, click_id, email, phone, .. } = self;
        let seen = |value: Option<String>| match caller {
            Caller::Anonymous | Caller::Member { .. } => None,
            Caller::Server { .. } | Caller::Admin { .. } => value,
        };
        let (device_id, user_agent) = (seen(self.device_id), seen(self.user_agent));
        // Of a member's own request we have seen ourselves where it came from.
        let (cookie, ip_address) = match caller {
            Caller::Member { .. } => (visitor.cookie, visitor.address.map(|address| address.to_string())),
            Caller::Anonymous => (None, None),
            Caller::Server { .. } | Caller::Admin { .. } => (None, self.ip_address),
        };
        SignUp { external_id, display_name, code, click_id, cookie, email, phone, ip_address, device_id, user_agent }
    }
}

impl SignUpPayload {
    fn done(signed_up: SignedUp, sight: Sight) -> Self {
        let SignedUp { user, created, findings, referral } = signed_up;
        let attribution = Attribution::of(findings, referral, sight);
        let user = User { row: Arc::new(user), sight };
        Self { user: Some(user), created: Some(created), attribution: Some(attribution), user_errors: Vec::new() }
    }
}

/// Signs a user up; members only themselves.
pub(super) async fn sign_up(scope: &Scope, visitor: Visitor, input: SignUpInput) -> Result<SignUpPayload, ApiError> {
    let sight = match scope.caller_as::<Registrar<'_>>()? {
        Registrar::Member { external_id } if external_id != input.external_id => return Err(ApiError::Forbidden),
        Registrar::Member { .. } => Sight::Own,
        Registrar::Host => scope.sight_of_written(),
    };
    Ok(match settled(scope.engine.sign_up(input.of(&scope.caller, visitor)).await)? {
        Ok(signed_up) => SignUpPayload::done(signed_up, sight),
        Err(refused) => SignUpPayload { user: None, created: None, attribution: None, user_errors: vec![refused] },
    })
}

/// Whom to change, and what; what is left out stays as it is, null clears.
#[derive(InputObject, Clone, Debug)]
pub struct UpdateUserInput {
    /// The user.
    pub user_id: ID,
    /// The name shown to others.
    pub display_name: MaybeUndefined<String>,
    /// E-mail address. Kept as a keyed hash only.
    pub email: MaybeUndefined<String>,
    /// Phone number with country code. Kept as a keyed hash only.
    pub phone: MaybeUndefined<String>,
}

/// What came of a change.
#[derive(SimpleObject)]
pub struct UpdateUserPayload {
    /// The user as it is now; null when the change was refused.
    pub user: Option<User>,
    /// Why the change was refused; empty when it was not.
    pub user_errors: Vec<UserError>,
}

/// Changes a user.
pub(super) async fn update_user(scope: &Scope, input: UpdateUserInput) -> Result<UpdateUserPayload, ApiError> {
    scope.caller_as::<UserWriter<'_>>()?;
    let change = |value: MaybeUndefined<String>| value.as_opt_ref().map(|value| value.cloned());
    let (display_name, email, phone) = (change(input.display_name), change(input.email), change(input.phone));
    let updating = async {
        let user = named(Noun::User, "userId", &input.user_id)?;
        scope.engine.update_user(UpdateUser { user, display_name, email, phone }).await
    };
    let shown = |row: models::User| User { row: Arc::new(row), sight: scope.sight_of_written() };
    let (user, user_errors) = halves(updating.await, shown)?;
    Ok(UpdateUserPayload { user, user_errors })
}
