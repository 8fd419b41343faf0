//! What can be wrong with a fraud policy.

use super::{PlannedPolicy, PlannedSignal, Problem};
use crate::domain::fraud::{Policy, Signal, SignalPolicy, WINDOW_MAX_SECONDS};

/// Highest weight and score.
const SCORE_MAX: i64 = 10_000;
/// Highest threshold of a sign.
const THRESHOLD_MAX: i64 = 1_000_000;
/// Longest time over which people are compared, in days.
const LOOKBACK_MAX_DAYS: i64 = 365;

/// A policy on top of the one before.
pub(super) fn check(plan: &PlannedPolicy, before: &Policy) -> Result<Policy, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut number = |path: &[&str], value: Option<i64>, (least, most): (i64, i64), before: u32| match value {
        None => before,
        Some(value) if (least..=most).contains(&value) => u32::try_from(value).unwrap_or(before),
        Some(_) => {
            problems.push(problem(path, format!("between {least} and {most}")));
            before
        }
    };
    let mut policy = Policy {
        hold_at: number(&["holdAt"], plan.hold_at, (1, SCORE_MAX), before.hold_at),
        block_at: number(&["blockAt"], plan.block_at, (1, SCORE_MAX), before.block_at),
        lookback_days: number(&["lookbackDays"], plan.lookback_days, (1, LOOKBACK_MAX_DAYS), before.lookback_days),
        missing_evidence: plan.missing_evidence.unwrap_or(before.missing_evidence),
        signals: before.signals.clone(),
    };
    for (place, planned) in plan.signals.iter().enumerate() {
        let place = place.to_string();
        let SignalPolicy { weight, threshold, window_seconds, shadow } = policy.of(planned.signal);
        let mut of = |field, value, bounds, before| number(&["signals", &place, field], value, bounds, before);
        let least = if planned.signal == Signal::Ring { 2 } else { 1 };
        let signal = SignalPolicy {
            weight: of("weight", planned.weight, (0, SCORE_MAX), weight),
            threshold: of("threshold", planned.threshold, (least, THRESHOLD_MAX), threshold),
            window_seconds: of(
                "windowSeconds",
                planned.window_seconds,
                (1, i64::from(WINDOW_MAX_SECONDS)),
                window_seconds,
            ),
            shadow: planned.shadow.unwrap_or(shadow),
        };
        policy.signals.insert(planned.signal, signal);
    }
    if policy.hold_at > policy.block_at {
        problems.push(problem(&["holdAt"], "at most `blockAt`".to_owned()));
    }
    problems.extend(misplaced(&plan.signals));
    if problems.is_empty() { Ok(policy) } else { Err(problems) }
}

/// Signs that no policy weighs, and signs that come twice.
fn misplaced(signals: &[PlannedSignal]) -> impl Iterator<Item = Problem> {
    signals.iter().enumerate().filter_map(|(place, planned)| {
        let path = ["signals", &place.to_string(), "signal"].map(str::to_owned);
        let path = [vec!["fraud".to_owned()], path.to_vec()].concat();
        let twice = signals[..place].iter().any(|other| other.signal == planned.signal);
        match planned.signal.is_weighed() {
            false => Some("this sign has no weight of its own: it says what it leads to"),
            true if twice => Some("this sign is there already"),
            true => None,
        }
        .map(|message| Problem { path, message: message.to_owned() })
    })
}

fn problem(path: &[&str], bounds: String) -> Problem {
    let path = std::iter::once("fraud").chain(path.iter().copied()).map(str::to_owned).collect();
    Problem { path, message: format!("must be {bounds}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(signal: Signal) -> PlannedSignal {
        PlannedSignal { signal, weight: None, threshold: None, window_seconds: None, shadow: None }
    }

    #[test]
    fn what_is_left_out_stays() {
        let before =
            check(&PlannedPolicy { hold_at: Some(40), ..PlannedPolicy::default() }, &Policy::default()).unwrap();
        assert_eq!((before.hold_at, before.block_at), (40, 100));
        let ring = PlannedSignal { threshold: Some(5), ..signal(Signal::Ring) };
        let after = check(&PlannedPolicy { signals: vec![ring], ..PlannedPolicy::default() }, &before).unwrap();
        assert_eq!(after.hold_at, 40);
        assert_eq!(after.of(Signal::Ring), SignalPolicy { threshold: 5, ..SignalPolicy::usual(Signal::Ring) });
    }

    #[test]
    fn everything_wrong_is_named_by_its_path() {
        let signals = vec![
            PlannedSignal { weight: Some(-1), ..signal(Signal::SameIp) },
            PlannedSignal { threshold: Some(1), ..signal(Signal::Ring) },
            PlannedSignal { window_seconds: Some(0), ..signal(Signal::Velocity) },
            signal(Signal::SelfReferral),
            signal(Signal::SameIp),
        ];
        let plan = PlannedPolicy { hold_at: Some(101), lookback_days: Some(0), signals, ..PlannedPolicy::default() };
        let wrong: Vec<String> =
            check(&plan, &Policy::default()).unwrap_err().iter().map(|problem| problem.path.join(".")).collect();
        assert_eq!(
            wrong,
            [
                "fraud.lookbackDays",
                "fraud.signals.0.weight",
                "fraud.signals.1.threshold",
                "fraud.signals.2.windowSeconds",
                "fraud.holdAt",
                "fraud.signals.3.signal",
                "fraud.signals.4.signal"
            ]
        );
    }
}
