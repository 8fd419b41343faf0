//! The model against what the rules say of every moment, over many random histories; and that these are nasty enough.

use std::collections::BTreeMap;

use crate::{
    history::history,
    model::Model,
    operation::{Answer, Operation},
    state::{ClaimStatus, Outcome, Reward, Status},
};

const HISTORIES: u64 = 500;

/// Rule 17: what somebody has less what they owe is what the rules grant, expired rewards aside, and no number is
/// negative.
fn is_sound(model: &Model) {
    for known in &model.people {
        for (currency, balance) in model.see(known.person).balances {
            let mine = model.rewards.iter().filter(|reward| reward.beneficiary == known.person);
            let mine = mine.filter(|reward| reward.currency == currency && reward.status != Status::Expired);
            let granted: i64 = mine.map(|reward| reward.net).sum();
            let parts = [balance.pending, balance.available, balance.claimed, balance.paid];
            assert_eq!(parts.iter().sum::<i64>() - balance.debt, granted);
            assert!(parts.iter().chain([&balance.debt]).all(|part| *part >= 0), "{balance:?}");
        }
    }
    for claim in &model.claims {
        assert!(claim.amount > 0 && claim.netted >= 0 && claim.credited >= 0, "{claim:?}");
        assert!(claim.netted == 0 || claim.credited == 0, "{claim:?}");
    }
    for reward in &model.rewards {
        assert!((0..=reward.amount).contains(&reward.net) && reward.amount > 0);
        let same = model.rewards.iter().filter(|other| other.name == reward.name).count();
        assert_eq!(same, 1, "{:?}", reward.name);
    }
}

#[test]
fn every_moment_of_every_history_is_sound() {
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for seed in 0..HISTORIES {
        let history = history(seed);
        let mut model = Model::new(&history.plans);
        for step in &history.steps {
            let answer = model.play(step);
            assert_ne!(answer, Answer::NotPlayed, "{seed}: {step:?}");
            let kind = format!("{:?}", step.operation);
            let kind = kind.split([' ', '(']).next().unwrap_or_default().to_owned();
            *met.entry(format!("{kind} {answer:?}")).or_default() += 1;
            is_sound(&model);
        }
        *met.entry("steps".to_owned()).or_default() += history.steps.len();
        let was_referrer = |reward: &&Reward| {
            reward.name.level == 1 && model.referrer(model.events[reward.event].person) != Some(reward.beneficiary)
        };
        let moved: Vec<&Reward> = model.rewards.iter().filter(was_referrer).collect();
        *met.entry("rewards of somebody else's friends".to_owned()).or_default() += moved.len();
        let taken = moved.iter().filter(|reward| reward.net < reward.amount).count();
        *met.entry("of these, taken back".to_owned()).or_default() += taken;
        for decision in &model.decisions {
            *met.entry(format!("decided {:?}", decision.outcome)).or_default() += 1;
        }
        for reward in &model.rewards {
            *met.entry(format!("reward {:?}", reward.status)).or_default() += 1;
        }
        assert!(model.people.len() <= 8 && model.people.iter().all(|known| model.see(known.person).rewards.len() < 95));
        assert!(model.people.iter().all(|known| model.see(known.person).claims.len() < 20));
        let debts = model.people.iter().any(|known| model.see(known.person).balances.values().any(|has| has.debt > 0));
        *met.entry("histories that end with a debt".to_owned()).or_default() += usize::from(debts);
        let netted = model.claims.iter().filter(|claim| claim.netted > 0 && claim.status != ClaimStatus::Requested);
        *met.entry("claims that netted".to_owned()).or_default() += netted.count();
        let credited = model.claims.iter().filter(|claim| claim.credited > 0);
        *met.entry("claims that gave back".to_owned()).or_default() += credited.clone().count();
        let settled = credited.filter(|claim| claim.status != ClaimStatus::Requested);
        *met.entry("settled claims that gave back".to_owned()).or_default() += settled.count();
        let keys: BTreeMap<_, usize> = model.claims.iter().fold(BTreeMap::new(), |mut keys, claim| {
            *keys.entry((claim.name.person, &claim.name.key)).or_default() += 1;
            keys
        });
        *met.entry("claims of several currencies".to_owned()).or_default() +=
            keys.values().filter(|claims| **claims > 1).count();
    }
    let lines: Vec<String> = met.iter().map(|(what, times)| format!("{what}: {times}")).collect();
    let few = |what: &str| met.get(what).copied().unwrap_or(0) < 5;
    let wanted = [
        "RecordEvent Refused(Conflict)",
        "RecordEvent Refused(UserNotFound)",
        "RecordRefund Refused(RefundExceeds)",
        "Claim Refused(DebtOutstanding)",
        "Claim Refused(BelowMinimum)",
        "Claim Refused(NothingToClaim)",
        "Claim Refused(RewardNotAvailable)",
        "Settle Refused(AlreadySettled)",
        "rewards of somebody else's friends",
        "of these, taken back",
        "Move Done",
        "Move Refused(Cycle)",
        "Move Refused(SameReferrer)",
        "claims that netted",
        "claims that gave back",
        "settled claims that gave back",
        "claims of several currencies",
        "histories that end with a debt",
        "reward Expired",
        "reward Pending",
        "reward Reversed",
    ];
    let outcomes =
        [Outcome::Paused, Outcome::Nobody, Outcome::Zero, Outcome::CapUsed].map(|it| format!("decided {it:?}"));
    let rare: Vec<&str> =
        wanted.into_iter().chain(outcomes.iter().map(String::as_str)).filter(|what| few(what)).collect();
    assert!(rare.is_empty(), "hardly ever: {rare:?}\n{}", lines.join("\n"));
    if std::env::var("BANYAN_MODEL_TELL").is_ok() {
        panic!("{}", lines.join("\n"));
    }
}

#[test]
fn a_seed_is_a_history() {
    let (one, again) = (history(7), history(7));
    assert_eq!((one.plans, &one.steps), (again.plans, &again.steps));
    assert!(one.steps.iter().any(|step| matches!(step.operation, Operation::RecordEvent { .. })));
}
