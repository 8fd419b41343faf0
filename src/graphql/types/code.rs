//! Referral codes.

use std::sync::Arc;

use async_graphql::{Context, Object, SimpleObject};

use super::{
    program::Program,
    words::{AttributionOutcome, ReferralCodeKind, ReferralCodeStatus},
};
use crate::{
    domain::{
        time::Timestamp,
        words::{CodeStatus, Outcome, UserStatus},
    },
    engine::sign_up::is_active,
    graphql::{
        caller::masked,
        errors::{ApiError, Nullable},
        scalars::DateTime,
        scope::Scope,
    },
    store::models,
};

/// A code, as its owner and the host see it.
#[derive(Clone)]
pub struct ReferralCode(pub Arc<models::Code>);

impl ReferralCode {
    /// The code that a user shares: the oldest one that is in use.
    pub fn main(codes: &[Arc<models::Code>], now: Timestamp) -> Option<&Arc<models::Code>> {
        let in_time = |code: &models::Code| code.expires_at.is_none_or(|expires_at| now < expires_at);
        codes.iter().find(|code| code.status == CodeStatus::Active && in_time(code))
    }
}

/// What a user shares, to be named by whom they bring in.
#[Object]
impl ReferralCode {
    /// The code as it is shown. Case and hyphens do not matter where it is typed, nor does O for 0 or I and L for 1.
    async fn code(&self) -> &str {
        &self.0.shown
    }

    /// The link to share: it leads to the host's site and notes the click.
    async fn link(&self, ctx: &Context<'_>) -> Nullable<String> {
        Some(Scope::of(ctx).map(|scope| scope.settings.link(&self.0.shown)))
    }

    /// Address of a picture of the link, to be printed or shown: a QR code as SVG.
    async fn qr_code_url(&self, ctx: &Context<'_>) -> Nullable<String> {
        Some(Scope::of(ctx).map(|scope| scope.settings.qr_code(&self.0.shown)))
    }

    /// How the code came about.
    async fn kind(&self) -> ReferralCodeKind {
        self.0.kind.into()
    }

    /// Whether the code can be used.
    async fn status(&self) -> ReferralCodeStatus {
        self.0.status.into()
    }

    /// The program that referrals by this code belong to.
    async fn program(&self, ctx: &Context<'_>) -> Nullable<Program> {
        Program::find(ctx, self.0.program_id).await.transpose()
    }

    /// When the code stops working; null when it never does by itself.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }

    /// When the code was made.
    async fn created_at(&self) -> DateTime {
        self.0.created_at.into()
    }
}

/// What anybody may know of a code before signing up with it.
#[derive(SimpleObject, Clone, Debug)]
pub struct ReferralCodePreview {
    /// The code as it is shown.
    pub code: String,
    /// Whether a signup with this code, now, makes a referral.
    pub usable: bool,
    /// What the attribution of a signup with this code would come to, now.
    pub outcome: AttributionOutcome,
    /// The masked name of whoever shares the code, such as `A*** L***`.
    pub owner_name: Option<String>,
    /// The name of the program that the code belongs to.
    pub program_name: Option<String>,
}

impl ReferralCodePreview {
    /// Looks at a code as a signup would.
    pub async fn of(scope: &Scope, code: models::Code) -> Result<Self, ApiError> {
        let set = scope.loaders.set();
        let owner = set.users().load(code.user_id).await?.ok_or_else(|| ApiError::missing("a code's owner"))?;
        let program = set.programs().load(code.program_id).await?.ok_or_else(|| ApiError::missing("a program"))?;
        let now = scope.engine.context.now();
        let outcome = if code.status == CodeStatus::Disabled || owner.status != UserStatus::Active {
            Outcome::CodeDisabled
        } else if code.expires_at.is_some_and(|expires_at| expires_at <= now) {
            Outcome::CodeExpired
        } else if is_active(&program, now) {
            Outcome::Attributed
        } else {
            Outcome::ProgramInactive
        };
        Ok(Self {
            code: code.shown,
            usable: outcome == Outcome::Attributed,
            outcome: outcome.into(),
            owner_name: owner.display_name.as_deref().map(masked),
            program_name: Some(program.name.clone()),
        })
    }
}
