//! What a request can claim in one currency.

use std::collections::BTreeMap;

use super::ClaimRewards;
use crate::{
    domain::{
        claim::{NotPayable, Payable, credit},
        id::Id,
        money::Currency,
        time::Timestamp,
        words::ClaimStatus,
    },
    engine::{Error, Refusal, RefusalCode, programs::definition_of},
    store::{Tx, models, run},
};

/// Rewards of one currency, and the balance of its debt.
pub(super) struct Portion {
    currency: Currency,
    debt: i64,
    /// What is claimed; nothing when there is only a credit.
    pub(super) rewards: Vec<models::Reward>,
}

/// What can be claimed, by currency in alphabetical order. Whoever asks for all is also given what is owed to them in
/// currencies without a reward.
pub(super) fn portions(
    rewards: Vec<models::Reward>,
    accounts: &[models::Account],
    request: &ClaimRewards,
) -> Vec<Portion> {
    let mut sorted: BTreeMap<String, Vec<models::Reward>> = BTreeMap::new();
    for reward in rewards {
        sorted.entry(reward.currency.clone()).or_default().push(reward);
    }
    if request.rewards.is_none() {
        for account in accounts.iter().filter(|account| credit(account.debt) > 0) {
            sorted.entry(account.currency.clone()).or_default();
        }
    }
    let debt = |currency: &str| accounts.iter().find(|account| account.currency == currency).map_or(0, |it| it.debt);
    let portion = |(currency, rewards): (String, Vec<models::Reward>)| Portion {
        debt: debt(&currency),
        currency: Currency::stored(currency),
        rewards,
    };
    sorted.into_iter().map(portion).collect()
}

impl Portion {
    /// The claim of all this, or why there can be none.
    pub(super) async fn claim(
        &self,
        tx: &mut Tx,
        request: &ClaimRewards,
        (id, now): (Id, Timestamp),
    ) -> Result<Result<models::Claim, Refusal>, Error> {
        let worth: i64 = self.rewards.iter().map(|reward| reward.net).sum();
        let least = minimum(tx, &self.rewards).await?;
        let claim = |payable: Payable| models::Claim {
            id,
            user_id: request.user,
            request_key: request.key.clone(),
            currency: self.currency.code().to_owned(),
            amount: payable.amount,
            netted: payable.netted,
            credited: payable.credited,
            status: ClaimStatus::Requested,
            reference: None,
            created_at: now,
            settled_at: None,
        };
        Ok(Payable::of(worth, self.debt, least).map(claim).map_err(|why| refusal(&self.currency, why)))
    }
}

/// The smallest claim that the programs of these rewards take, in minor units: the largest of theirs. A credit alone
/// belongs to no program, and has none.
async fn minimum(tx: &mut Tx, rewards: &[models::Reward]) -> Result<i64, Error> {
    let mut ids: Vec<Id> = rewards.iter().map(|reward| reward.program_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut most = 0;
    for program in run!(tx, programs::by_ids(&ids))? {
        for version in run!(tx, programs::versions(program.id, vec![program.version]))? {
            most = most.max(definition_of(&version)?.minimum_claim.unwrap_or(0));
        }
    }
    Ok(most)
}

fn refusal(currency: &Currency, why: NotPayable) -> Refusal {
    let major = |minor| currency.to_major(minor);
    let (code, message) = match why {
        NotPayable::DebtOutstanding { worth, owed } => (
            RefusalCode::DebtOutstanding,
            format!("{} of rewards do not cover the {} {currency} that are owed", major(worth), major(owed)),
        ),
        NotPayable::BelowMinimum { amount, least } => (
            RefusalCode::BelowMinimumClaim,
            format!("{} {currency} can be claimed, and claims begin at {} {currency}", major(amount), major(least)),
        ),
    };
    Refusal::new(code, "userId", message)
}
