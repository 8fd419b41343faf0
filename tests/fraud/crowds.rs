//! Crowds in which it is known who cheats. Figures for 20,000 people are printed by `banyan fraud-trial`.

use banyan::engine::demo::{CrowdSpec, Kind, try_policy};

/// People of each crowd here.
const PEOPLE: usize = 4_000;

#[test]
fn no_honest_household_is_rejected_unseen_and_most_cheats_are_found() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for spec in [CrowdSpec::first(PEOPLE), CrowdSpec::second(PEOPLE)] {
        let detection = runtime.block_on(try_policy(&spec)).unwrap();
        eprintln!("crowd {}:\n{detection}", spec.seed);
        for (kind, outcome) in &detection.kinds {
            assert!(kind.is_fraud() || outcome.blocked == 0, "{kind:?}: {outcome:?}");
        }
        let households = detection.kinds[&Kind::Household];
        assert!(households.held < households.referrals / 5, "few have one computer: {households:?}");
        assert!(detection.kinds[&Kind::Ring].flagged() * 100 >= detection.kinds[&Kind::Ring].referrals * 95);
        assert!(detection.kinds[&Kind::AliasFarm].flagged() * 100 >= detection.kinds[&Kind::AliasFarm].referrals * 95);
        assert!(detection.precision() > 0.7 && detection.recall() > 0.8, "{detection}");
    }
}

/// Nothing was tuned to this crowd, in which families use one mailbox and cheats leave nothing to see: only what is plain
/// is asked for.
#[test]
fn of_a_crowd_that_the_policy_was_not_made_with_most_cheats_are_found_too() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let detection = runtime.block_on(try_policy(&CrowdSpec::third(PEOPLE / 2))).unwrap();
    eprintln!("third crowd:\n{detection}");
    for (kind, outcome) in &detection.kinds {
        assert!(kind.is_fraud() || outcome.blocked * 50 <= outcome.referrals, "{kind:?}: {outcome:?}");
    }
    for kind in [Kind::Ring, Kind::AliasFarm] {
        let outcome = detection.kinds[&kind];
        assert!(outcome.flagged() * 100 >= outcome.referrals * 80, "{kind:?}: {outcome:?}");
    }
}
