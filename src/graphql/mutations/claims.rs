//! Claiming rewards and settling claims.

use std::sync::Arc;

use async_graphql::{ID, InputObject, SimpleObject};

use super::user_error::{UserError, halves, named, settled};
use crate::{
    domain::id::{self, Id, Noun},
    engine::{RefusalCode, claim_rewards::ClaimRewards, settle_claim::SettleClaim},
    graphql::{
        caller::{Claimant, Operator, Sight},
        errors::ApiError,
        scope::Scope,
        types::{claim::Claim, words::SettlementOutcome},
    },
    store::models,
};

/// Most rewards that one claim can name.
const MAX_REWARDS: usize = 100;

/// Whose rewards, and which.
#[derive(InputObject, Clone, Debug)]
pub struct ClaimRewardsInput {
    /// Whose rewards; members claim their own and may leave it out.
    pub user_id: Option<ID>,
    /// Which rewards, at most 100; all that are available unless told.
    pub reward_ids: Option<Vec<ID>>,
    /// Your key of the claim, 1 to 255 characters, unique per user: the same key and claim again is made once.
    pub idempotency_key: String,
}

/// What came of claiming.
#[derive(SimpleObject)]
pub struct ClaimRewardsPayload {
    /// The claims, one per currency; empty when there was nothing to claim or the claim was refused. A currency in which
    /// more is owed than can be claimed, or less can be claimed than the smallest claim, is left out as long as another
    /// one can be claimed, unless its rewards were named.
    pub claims: Vec<Claim>,
    /// Why nothing was claimed; empty when something was. When several currencies cannot be claimed, the reason is that of
    /// the first in alphabetical order.
    pub user_errors: Vec<UserError>,
}

impl ClaimRewardsInput {
    fn rewards(&self) -> Result<Option<Vec<Id>>, UserError> {
        let refused = |code, message: String| UserError::new(code, "rewardIds", message);
        let Some(ids) = &self.reward_ids else { return Ok(None) };
        if ids.len() > MAX_REWARDS {
            return Err(refused(RefusalCode::InvalidInput, format!("at most {MAX_REWARDS} rewards at once")));
        }
        let parse = |id: &ID| {
            id::parse_as(Noun::Reward, id).map_err(|error| refused(RefusalCode::RewardNotAvailable, error.to_string()))
        };
        ids.iter().map(parse).collect::<Result<_, _>>().map(Some)
    }
}

/// Whose rewards are meant, if the caller may claim them: what is not theirs is not there.
async fn owner(
    scope: &Scope,
    claimant: Claimant,
    named: Option<&ID>,
) -> Result<Result<(Id, Sight), UserError>, ApiError> {
    let not_found = |message: &str| Ok(Err(UserError::new(RefusalCode::UserNotFound, "userId", message)));
    let user = match named {
        Some(id) => id::parse_as(Noun::User, id),
        None if claimant == Claimant::Host => {
            return Ok(Err(UserError::new(RefusalCode::InvalidInput, "userId", "say whose rewards are claimed")));
        }
        None => match scope.me().await? {
            Some(me) => Ok(me),
            None => return not_found("sign up first"),
        },
    };
    match user {
        Err(error) => not_found(&error.to_string()),
        Ok(user) if claimant == Claimant::Host => Ok(Ok((user, scope.sight_of_written()))),
        Ok(user) if scope.me().await? != Some(user) => not_found("there is no such user"),
        Ok(user) => Ok(Ok((user, Sight::Own))),
    }
}

/// Claims rewards.
pub(super) async fn claim_rewards(scope: &Scope, input: ClaimRewardsInput) -> Result<ClaimRewardsPayload, ApiError> {
    let claimant = scope.caller_as::<Claimant>()?;
    let refused = |error| ClaimRewardsPayload { claims: Vec::new(), user_errors: vec![error] };
    let owner = owner(scope, claimant, input.user_id.as_ref()).await?;
    let (user, sight, rewards) = match (owner, input.rewards()) {
        (Ok((user, sight)), Ok(rewards)) => (user, sight, rewards),
        (Err(error), _) | (_, Err(error)) => return Ok(refused(error)),
    };
    let request = ClaimRewards { user, rewards, key: input.idempotency_key };
    let show = |row: models::Claim| Claim { row: Arc::new(row), sight };
    Ok(match settled(scope.engine.claim_rewards(request).await)? {
        Ok(rows) => ClaimRewardsPayload { claims: rows.into_iter().map(show).collect(), user_errors: Vec::new() },
        Err(error) => refused(error),
    })
}

/// Which claim, and how it ended.
#[derive(InputObject, Clone, Debug)]
pub struct SettleClaimInput {
    /// The claim.
    pub claim_id: ID,
    /// Whether the money was sent.
    pub outcome: SettlementOutcome,
    /// The payout's own reference, unique over all claims.
    pub reference: Option<String>,
}

/// What came of settling.
#[derive(SimpleObject)]
pub struct SettleClaimPayload {
    /// The claim as it is now; null when settling was refused.
    pub claim: Option<Claim>,
    /// Why settling was refused; empty when it was not.
    pub user_errors: Vec<UserError>,
}

/// Settles a claim.
pub(super) async fn settle_claim(scope: &Scope, input: SettleClaimInput) -> Result<SettleClaimPayload, ApiError> {
    let by = scope.caller_as::<Operator<'_>>()?;
    let SettleClaimInput { claim_id, outcome, reference } = input;
    let settling = async {
        let claim = named(Noun::Claim, "claimId", &claim_id)?;
        scope.engine.settle_claim(SettleClaim { claim, outcome: outcome.into(), reference }, by.key).await
    };
    let shown = |row| Claim { row: Arc::new(row), sight: Sight::Staff };
    let (claim, user_errors) = halves(settling.await, shown)?;
    Ok(SettleClaimPayload { claim, user_errors })
}
