//! Writes referrals and rewards as the fold does: rows and deltas in one transaction.

use banyan::domain::{
    id::Id,
    keyed_hash::KeyedHash,
    reward::RewardStatus,
    time::Timestamp,
    words::{Metric, ReferralStatus, Via},
};
use banyan::store::{Tx, models, requests::StatusChange};

use crate::world::{World, execute, on};

/// A referral as the test remembers it.
#[derive(Clone, Debug)]
pub struct Edge {
    pub referred: Id,
    pub referrer: Id,
    pub created_at: Timestamp,
    pub completed_at: Option<Timestamp>,
    pub rejected: bool,
}

/// A reward as the test remembers it.
#[derive(Clone, Debug)]
pub struct Grant {
    pub id: Id,
    pub user: Id,
    pub net: i64,
    pub created_at: Timestamp,
}

impl World {
    fn delta(&self, metric: Metric, user_id: Id, (amount, at): (i64, Timestamp)) -> models::NewBoardDelta {
        models::NewBoardDelta { program_id: self.program, metric, user_id, amount, at }
    }

    /// Somebody signs up with a referrer's code.
    pub async fn refer(&self, referrer: Id, referred: Id, created_at: Timestamp) -> Edge {
        let row = models::Referral {
            referred_id: referred,
            referrer_id: referrer,
            program_id: self.program,
            status: ReferralStatus::Pending,
            via: Via::Code,
            code: None,
            click_id: None,
            risk_score: 0,
            created_at,
            completed_at: None,
            rejected_at: None,
        };
        let delta = self.delta(Metric::Signups, referrer, (1, created_at));
        let done = self.engine.store.write(async |tx: &mut Tx| {
            on!(tx, referrals::insert(row.clone()))?;
            on!(tx, boards::insert_deltas(vec![delta.clone()]))
        });
        done.await.unwrap();
        Edge { referred, referrer, created_at, completed_at: None, rejected: false }
    }

    /// Completes a referral, or takes its completion back.
    pub async fn complete(&self, edge: &mut Edge, completed_at: Option<Timestamp>) {
        let (from, to, amount) = match completed_at {
            Some(_) => (ReferralStatus::Pending, ReferralStatus::Completed, 1),
            None => (ReferralStatus::Completed, ReferralStatus::Pending, -1),
        };
        let at = completed_at.or(edge.completed_at).unwrap();
        let change = StatusChange { referred_id: edge.referred, from, to, completed_at, rejected_at: None };
        let delta = self.delta(Metric::Referrals, edge.referrer, (amount, at));
        let done = self.engine.store.write(async |tx: &mut Tx| {
            assert_eq!(on!(tx, bulk::change_referrals(vec![change.clone()]))?, 1);
            on!(tx, boards::insert_deltas(vec![delta.clone()]))
        });
        done.await.unwrap();
        edge.completed_at = completed_at;
    }

    /// Rejects a referral as fraud.
    pub async fn reject(&self, edge: &mut Edge) {
        let text = format!(
            "UPDATE referrals SET status = 'REJECTED', completed_at = NULL, rejected_at = {} WHERE referred_id = {}",
            self.at(edge.created_at),
            self.id(edge.referred)
        );
        let mut deltas = vec![self.delta(Metric::Signups, edge.referrer, (-1, edge.created_at))];
        deltas.extend(edge.completed_at.map(|at| self.delta(Metric::Referrals, edge.referrer, (-1, at))));
        let done = self.engine.store.write(async |tx: &mut Tx| {
            execute(tx, &text).await?;
            on!(tx, boards::insert_deltas(deltas.clone()))
        });
        done.await.unwrap();
        (edge.completed_at, edge.rejected) = (None, true);
    }

    /// Grants a reward for an event of the referred user.
    pub async fn grant(&self, (user, referred): (Id, Id), (amount, created_at): (i64, Timestamp)) -> Grant {
        let id = self.engine.context.new_id();
        let event = self.event(referred, ("purchase", format!("purchase-{id}")), created_at);
        let reward = models::Reward {
            id,
            user_id: user,
            event_id: event.id,
            referred_id: referred,
            program_id: self.program,
            program_version: 1,
            rule_key: "bonus".to_owned(),
            kind: "referral_bonus".to_owned(),
            level: 1,
            currency: "EUR".to_owned(),
            amount,
            net: amount,
            taken: 0,
            status: RewardStatus::Available,
            explanation: "{}".to_owned(),
            available_at: created_at,
            expires_at: None,
            claim_id: None,
            changed_version: 1,
            created_at,
        };
        let delta = self.delta(Metric::Rewards, user, (amount, created_at));
        let done = self.engine.store.write(async |tx: &mut Tx| {
            on!(tx, events::insert(event.clone()))?;
            on!(tx, rewards::insert(vec![reward.clone()]))?;
            on!(tx, boards::insert_deltas(vec![delta.clone()]))
        });
        done.await.unwrap();
        Grant { id, user, net: amount, created_at }
    }

    /// Lowers what a reward is worth, down to nothing.
    pub async fn lower(&self, grant: &mut Grant, net: i64) {
        let text = format!("UPDATE rewards SET net = {net} WHERE id = {}", self.id(grant.id));
        let delta = self.delta(Metric::Rewards, grant.user, (net - grant.net, grant.created_at));
        let done = self.engine.store.write(async |tx: &mut Tx| {
            execute(tx, &text).await?;
            on!(tx, boards::insert_deltas(vec![delta.clone()]))
        });
        done.await.unwrap();
        grant.net = net;
    }

    /// An undecided event.
    pub fn event(&self, user_id: Id, (event_type, key): (&str, String), received_at: Timestamp) -> models::Event {
        let id = self.engine.context.new_id();
        models::Event {
            id,
            user_id,
            seq: i64::from_be_bytes(id.uuid().as_bytes()[8..].try_into().unwrap()),
            event_type: event_type.to_owned(),
            amount: None,
            currency: None,
            key,
            fingerprint: KeyedHash([0; 32]),
            metadata: None,
            occurred_at: received_at,
            received_at,
            program_id: None,
            program_version: None,
            program_active: true,
            pays: true,
            remaining: None,
            decided_no: None,
            decisions: None,
        }
    }
}
