//! The root of mutations. Refusals are data (`userErrors`); what a caller may not do, and what breaks, is an error.

mod claims;
mod codes;
mod erase_user;
mod events;
mod fraud_policy_input;
mod keys;
mod move_user;
mod people;
mod plan_input;
mod programs;
mod reviews;
mod standing;
mod user_error;

use async_graphql::{Context, Object};

pub use claims::{ClaimRewardsInput, ClaimRewardsPayload, SettleClaimInput, SettleClaimPayload};
pub use codes::{
    CreateReferralCodeInput, CreateReferralCodePayload, DisableReferralCodeInput, DisableReferralCodePayload,
};
pub use erase_user::{EraseUserInput, EraseUserPayload};
pub use events::{RecordEventInput, RecordEventPayload, RecordRefundInput, RecordRefundPayload};
pub use fraud_policy_input::{FraudPolicyInput, FraudSignalInput};
pub use keys::{CreateApiKeyInput, CreateApiKeyPayload, RevokeApiKeyInput, RevokeApiKeyPayload};
pub use move_user::{MoveUserInput, MoveUserPayload};
pub use people::{SignUpInput, SignUpPayload, UpdateUserInput, UpdateUserPayload};
pub use plan_input::{CapInput, FlatPayInput, LevelInput, PayInput, RewardRuleInput, TierInput, TriggerInput, planned};
pub use programs::{
    CreateProgramInput, CreateProgramPayload, SetProgramStatusInput, SetProgramStatusPayload, UpdateProgramInput,
    UpdateProgramPayload,
};
pub use reviews::{
    AddListingInput, AddListingPayload, RemoveListingInput, RemoveListingPayload, ReviewReferralInput,
    ReviewReferralPayload,
};
pub use standing::{ReinstateUserInput, ReinstateUserPayload, SuspendUserInput, SuspendUserPayload};
pub use user_error::UserError;

use super::{errors::ApiError, scope::Scope};

/// Everything that can be changed. The fields of one document run one after the other.
#[derive(Default)]
pub struct Mutation;

/// Everything that can be changed. The fields of one document run one after the other.
#[Object]
impl Mutation {
    /// Signs a user up, once per `externalId`: the same one again gives the same user and changes nothing. A code that
    /// cannot be used never blocks the signup; `attribution.outcome` says why. Members sign up themselves.
    async fn sign_up(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who signs up, and what brought them.")] input: SignUpInput,
    ) -> Result<SignUpPayload, ApiError> {
        people::sign_up(fresh(ctx)?, Scope::visitor(ctx), input).await
    }

    /// Changes what a user is called and how they are reached. For the host and operators.
    async fn update_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and what to change; what is left out stays.")] input: UpdateUserInput,
    ) -> Result<UpdateUserPayload, ApiError> {
        people::update_user(fresh(ctx)?, input).await
    }

    /// Records something a user did. What it pays is decided shortly afterwards. For the host and operators.
    async fn record_event(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Who did what.")] input: RecordEventInput,
    ) -> Result<RecordEventPayload, ApiError> {
        events::record_event(fresh(ctx)?, input).await
    }

    /// Records that an event, or a part of it, was taken back: rewards follow. For the host and operators.
    async fn record_refund(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Of which event, and how much.")] input: RecordRefundInput,
    ) -> Result<RecordRefundPayload, ApiError> {
        events::record_refund(fresh(ctx)?, input).await
    }

    /// Claims a user's available rewards: one claim per currency, less what is owed. Members claim their own.
    async fn claim_rewards(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose rewards, and which.")] input: ClaimRewardsInput,
    ) -> Result<ClaimRewardsPayload, ApiError> {
        claims::claim_rewards(fresh(ctx)?, input).await
    }

    /// Tells that a claim was paid, or that its payout failed. For operators.
    async fn settle_claim(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which claim, and how it ended.")] input: SettleClaimInput,
    ) -> Result<SettleClaimPayload, ApiError> {
        claims::settle_claim(fresh(ctx)?, input).await
    }

    /// Makes a program: who is paid what for what. For operators.
    async fn create_program(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the program is called and promises.")] input: CreateProgramInput,
    ) -> Result<CreateProgramPayload, ApiError> {
        programs::create_program(fresh(ctx)?, input).await
    }

    /// Changes a program. What it promises changes as a new version, for events that come from now on. For operators.
    async fn update_program(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which program, and what to change; what is left out stays.")] input: UpdateProgramInput,
    ) -> Result<UpdateProgramPayload, ApiError> {
        programs::update_program(fresh(ctx)?, input).await
    }

    /// Starts, pauses or ends a program. While it does not run it attributes nobody, and events pay nothing. For operators.
    async fn set_program_status(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which program, and its new state.")] input: SetProgramStatusInput,
    ) -> Result<SetProgramStatusPayload, ApiError> {
        programs::set_program_status(fresh(ctx)?, input).await
    }

    /// Makes one more code for a user, of any program: one that is made up, or one that was chosen. For the host and operators.
    async fn create_referral_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whose, and of which program.")] input: CreateReferralCodeInput,
    ) -> Result<CreateReferralCodePayload, ApiError> {
        codes::create_referral_code(fresh(ctx)?, input).await
    }

    /// Switches a code off for good: it brings nobody in any more, and neither does its link. It is never given out again.
    /// For the host and operators.
    async fn disable_referral_code(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which code.")] input: DisableReferralCodeInput,
    ) -> Result<DisableReferralCodePayload, ApiError> {
        codes::disable_referral_code(fresh(ctx)?, input).await
    }

    /// Suspends a user: from now on they earn nothing and their codes bring nobody in. What they have stays theirs. For
    /// operators.
    async fn suspend_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and why.")] input: SuspendUserInput,
    ) -> Result<SuspendUserPayload, ApiError> {
        standing::suspend_user(fresh(ctx)?, input).await
    }

    /// Takes a suspended user back. For operators.
    async fn reinstate_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and why.")] input: ReinstateUserInput,
    ) -> Result<ReinstateUserPayload, ApiError> {
        standing::reinstate_user(fresh(ctx)?, input).await
    }

    /// Moves a user to another referrer, with everybody below. Counts, networks and boards move along; what was granted
    /// before stays whose it is. The referral keeps its program; somebody who had no referrer gets a referral in the default
    /// program. For operators.
    async fn move_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, where, and why.")] input: MoveUserInput,
    ) -> Result<MoveUserPayload, ApiError> {
        move_user::move_user(fresh(ctx)?, input).await
    }

    /// Forgets a person for good: names, hashes of contacts and devices, what was kept with their events, what was written
    /// about them. Their place in the tree, the counts and the ledger stay; they earn nothing any more, cannot claim, and
    /// their codes stop working and are never given out again. Whoever signs up with the same `externalId` later is a new
    /// person. For operators.
    async fn erase_user(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Whom, and why.")] input: EraseUserInput,
    ) -> Result<EraseUserPayload, ApiError> {
        erase_user::erase_user(fresh(ctx)?, input).await
    }

    /// Decides about a referral that looks like fraud: what passes is paid, what is denied is taken back on every level.
    /// For operators.
    async fn review_referral(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which referral, and what was decided.")] input: ReviewReferralInput,
    ) -> Result<ReviewReferralPayload, ApiError> {
        reviews::review_referral(fresh(ctx)?, input).await
    }

    /// Puts something on the allow list or the block list, for signups that come from now on. For operators.
    async fn add_listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What, and on which list.")] input: AddListingInput,
    ) -> Result<AddListingPayload, ApiError> {
        reviews::add_listing(fresh(ctx)?, input).await
    }

    /// Takes an entry off its list. For operators.
    async fn remove_listing(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which entry, and why.")] input: RemoveListingInput,
    ) -> Result<RemoveListingPayload, ApiError> {
        reviews::remove_listing(fresh(ctx)?, input).await
    }

    /// Makes an API key. Its secret is in the answer, and nowhere else ever after. For operators.
    async fn create_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What the key is called and may do.")] input: CreateApiKeyInput,
    ) -> Result<CreateApiKeyPayload, ApiError> {
        keys::create_api_key(fresh(ctx)?, input).await
    }

    /// Revokes an API key for good. For operators.
    async fn revoke_api_key(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Which key.")] input: RevokeApiKeyInput,
    ) -> Result<RevokeApiKeyPayload, ApiError> {
        keys::revoke_api_key(fresh(ctx)?, input).await
    }
}

/// The scope, with loaders that do not remember what an earlier field of the document may have changed.
fn fresh<'a>(ctx: &Context<'a>) -> Result<&'a Scope, ApiError> {
    let scope = Scope::of(ctx)?;
    scope.loaders.renew();
    Ok(scope)
}
