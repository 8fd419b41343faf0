//! How hints look on the wire.
//!
//! Text, so that `redis-cli subscribe` shows what goes on: the sender's number in hexadecimal, then a hint a line:
//! `user <id> <version>`, `board <program> <metric> <version>`, `activity <program or -> <version>`, `workers`.
//! Lines that are not understood are skipped: during a rolling restart the other side may be newer.

use std::fmt::Write;

use uuid::Uuid;

use crate::live::{BoardMetric, Hint, Topic};

/// Hints one message carries; about 16 KB.
pub(super) const HINTS_PER_FRAME: usize = 256;

/// The message for at most [`HINTS_PER_FRAME`] hints.
pub(super) fn encode(node: u64, hints: &[Hint]) -> String {
    let mut frame = format!("{node:x}");
    for Hint { topic, version } in hints {
        let written = match topic {
            Topic::User(user) => write!(frame, "\nuser {user} {version}"),
            Topic::Board { program, metric } => write!(frame, "\nboard {program} {} {version}", name(*metric)),
            Topic::Activity(Some(program)) => write!(frame, "\nactivity {program} {version}"),
            Topic::Activity(None) => write!(frame, "\nactivity - {version}"),
            Topic::Workers => write!(frame, "\nworkers"),
        };
        debug_assert!(written.is_ok(), "a String takes everything");
    }
    frame
}

/// The hints of a message; none when this process sent it itself, or when it is not a frame.
pub(super) fn decode(node: u64, frame: &[u8]) -> Vec<Hint> {
    let mut lines = std::str::from_utf8(frame).unwrap_or_default().lines();
    match lines.next().map(|sender| u64::from_str_radix(sender, 16)) {
        Some(Ok(sender)) if sender != node => lines.take(HINTS_PER_FRAME).filter_map(hint).collect(),
        _ => Vec::new(),
    }
}

fn hint(line: &str) -> Option<Hint> {
    let words: Vec<&str> = line.split(' ').take(5).collect();
    let (topic, version) = match words[..] {
        ["user", user, version] => (Topic::User(id(user)?), version),
        ["board", program, metric, version] => {
            (Topic::Board { program: id(program)?, metric: metric_named(metric)? }, version)
        }
        ["activity", "-", version] => (Topic::Activity(None), version),
        ["activity", program, version] => (Topic::Activity(Some(id(program)?)), version),
        ["workers"] => return Some(Hint::workers()),
        _ => return None,
    };
    Some(Hint { topic, version: version.parse().ok()? })
}

fn id(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

fn name(metric: BoardMetric) -> &'static str {
    match metric {
        BoardMetric::Signups => "signups",
        BoardMetric::Referrals => "referrals",
        BoardMetric::Rewards => "rewards",
        BoardMetric::Network => "network",
    }
}

fn metric_named(text: &str) -> Option<BoardMetric> {
    let all = [BoardMetric::Signups, BoardMetric::Referrals, BoardMetric::Rewards, BoardMetric::Network];
    all.into_iter().find(|metric| name(*metric) == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn any_topic() -> impl Strategy<Value = Topic> {
        let metrics = [BoardMetric::Signups, BoardMetric::Referrals, BoardMetric::Rewards, BoardMetric::Network];
        let id = || any::<u128>().prop_map(Uuid::from_u128);
        prop_oneof![
            id().prop_map(Topic::User),
            (id(), proptest::sample::select(metrics.to_vec()))
                .prop_map(|(program, metric)| Topic::Board { program, metric }),
            proptest::option::of(id()).prop_map(Topic::Activity),
        ]
    }

    proptest! {
        #[test]
        fn what_is_sent_is_heard(topics in proptest::collection::vec((any_topic(), any::<i64>()), 0..20)) {
            let mut hints: Vec<Hint> = topics.into_iter().map(|(topic, version)| Hint::new(topic, version)).collect();
            hints.push(Hint::workers());
            prop_assert_eq!(decode(1, encode(2, &hints).as_bytes()), hints);
        }

        #[test]
        fn anything_may_arrive(frame in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(decode(1, &frame).len() <= HINTS_PER_FRAME);
        }
    }

    #[test]
    fn an_echo_is_dropped() {
        let frame = encode(7, &[Hint::workers()]);
        assert_eq!(decode(7, frame.as_bytes()), []);
        assert_eq!(decode(8, frame.as_bytes()), [Hint::workers()]);
    }

    #[test]
    fn the_wire_is_readable_and_forgiving() {
        let user = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001);
        let frame = encode(255, &[Hint::new(Topic::User(user), 12), Hint::new(Topic::Activity(None), 3)]);
        assert_eq!(frame, "ff\nuser 01920000-0000-7000-8000-000000000001 12\nactivity - 3");
        let newer = b"fe\ngalaxy 1\nuser x 1\nuser\nactivity - many\nactivity - 4\n";
        assert_eq!(decode(1, newer), [Hint::new(Topic::Activity(None), 4)]);
        assert_eq!(decode(1, b"workers"), []);
        assert_eq!(decode(1, &[0xff, 0xfe]), []);
    }

    #[test]
    fn a_full_frame_stays_small() {
        let board = Topic::Board { program: Uuid::from_u128(u128::MAX), metric: BoardMetric::Referrals };
        let frame = encode(u64::MAX, &[Hint::new(board, i64::MIN); HINTS_PER_FRAME]);
        assert!(frame.len() <= 20_000, "{}", frame.len());
    }
}
