//! Points at which a test lets the process die, as `kill -9` would: nothing is undone, nothing is said goodbye to.
//!
//! They stand before and after everything that has to be all or nothing. A process that was started with
//! `BANYAN_FAILPOINT=fold.claimed:3` aborts when it reaches that point for the third time; `tests/failpoints.rs` starts
//! such processes, one after the other, and looks at what is left.
//!
//! Debug builds have them, and release builds with the feature `failpoints`. In any other build [`reach`] is empty, and
//! the compiler leaves nothing of it. A crate for this (`fail`) knows many things that may happen at a point, but not
//! this one: its panics end a task, not a process, and it counts nothing.

/// What arms a point: `NAME:N`, the name of a point and how often it has to be reached.
pub const VARIABLE: &str = "BANYAN_FAILPOINT";

/// Whether this build has them.
pub const COMPILED_IN: bool = cfg!(any(debug_assertions, feature = "failpoints"));

/// Declares the points with their names.
macro_rules! points {
    ($($(#[$about:meta])* $point:ident = $name:literal),+ $(,)?) => {
        /// One point.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Point { $($(#[$about])* $point),+ }

        impl Point {
            /// Every point.
            pub const ALL: &'static [Self] = &[$(Self::$point),+];

            /// What arms it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$point => $name),+ }
            }
        }
    };
}

points! {
    /// A signup is written, and not committed.
    SignupWritten = "signup.written",
    /// A signup is committed, and nobody knows yet.
    SignupCommitted = "signup.committed",
    /// An event is written, and not committed.
    EventWritten = "event.written",
    /// An event is committed, and nobody knows yet.
    EventCommitted = "event.committed",
    /// A refund is written, and not committed.
    RefundWritten = "refund.written",
    /// A refund is committed, and nobody knows yet.
    RefundCommitted = "refund.committed",
    /// A fold is about to claim outbox rows.
    FoldBegun = "fold.begun",
    /// A fold has claimed outbox rows.
    FoldClaimed = "fold.claimed",
    /// A fold has written rewards, caps, ledger and balances, and not yet counters.
    FoldBooked = "fold.booked",
    /// A fold has written everything and removed its outbox rows, and is not committed.
    FoldWritten = "fold.written",
    /// A fold is committed, and nobody knows yet.
    FoldCommitted = "fold.committed",
    /// A fold is committed and published.
    FoldPublished = "fold.published",
    /// Transfers are inserted, of whatever kind, and the balances are not.
    TransfersInserted = "ledger.inserted",
    /// A claim is about to keep its key.
    ClaimBegun = "claim.begun",
    /// A claim has kept its key and taken nothing.
    ClaimKeyed = "claim.keyed",
    /// A claim has written everything, and is not committed.
    ClaimBooked = "claim.booked",
    /// A claim is committed, and nobody knows yet.
    ClaimCommitted = "claim.committed",
    /// A claim is committed and published.
    ClaimPublished = "claim.published",
    /// A settlement holds its locks.
    SettleBegun = "settle.begun",
    /// A settlement has marked its claim and moved no reward.
    SettleMarked = "settle.marked",
    /// A settlement has written everything, and is not committed.
    SettleBooked = "settle.booked",
    /// A settlement is committed, and nobody knows yet.
    SettleCommitted = "settle.committed",
    /// A settlement is committed and published.
    SettlePublished = "settle.published",
    /// A sweep has found rewards that are due.
    SweepFound = "sweep.found",
    /// A sweep has moved a reward and booked nothing.
    SweepMoved = "sweep.moved",
    /// A sweep has written everything of one person, and is not committed.
    SweepBooked = "sweep.booked",
    /// A sweep of one person is committed, and nobody knows yet.
    SweepCommitted = "sweep.committed",
    /// A sweep of one person is committed and published.
    SweepPublished = "sweep.published",
    /// A board is claimed and has changes to take in.
    BoardClaimed = "board.claimed",
    /// Scores are written, and not yet the histogram.
    BoardScored = "board.scored",
    /// A slice of a board is written, its changes are removed, and it is not committed.
    BoardWritten = "board.written",
    /// A slice of a board is committed, and nobody knows yet.
    BoardCommitted = "board.committed",
    /// A slice of a board is committed and published.
    BoardPublished = "board.published",
}

/// Stands at a point: dies there if it is armed and this is the time.
#[cfg(any(debug_assertions, feature = "failpoints"))]
pub fn reach(point: Point) {
    armed::reach(point);
}

/// Nothing: this build has no points.
#[cfg(not(any(debug_assertions, feature = "failpoints")))]
#[inline(always)]
pub const fn reach(_point: Point) {}

#[cfg(any(debug_assertions, feature = "failpoints"))]
mod armed {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    use super::{Point, VARIABLE};

    static ARMED: OnceLock<Option<(Point, u32)>> = OnceLock::new();
    static REACHED: AtomicU32 = AtomicU32::new(0);

    pub(super) fn reach(point: Point) {
        let Some((armed, times)) = *ARMED.get_or_init(from_environment) else { return };
        if point == armed && REACHED.fetch_add(1, Ordering::SeqCst) + 1 == times {
            eprintln!("dies at {}, reached {times} times", point.name());
            std::process::abort();
        }
    }

    fn from_environment() -> Option<(Point, u32)> {
        let text = std::env::var(VARIABLE).ok()?;
        let armed = parse(&text);
        if armed.is_none() {
            eprintln!("{VARIABLE}={text} arms nothing: it is NAME:N");
        }
        armed
    }

    pub(super) fn parse(text: &str) -> Option<(Point, u32)> {
        let (name, times) = text.split_once(':')?;
        let point = Point::ALL.iter().copied().find(|point| point.name() == name)?;
        Some((point, times.parse().ok().filter(|times| *times > 0)?))
    }
}

#[cfg(test)]
mod tests {
    use super::{Point, armed::parse};

    #[test]
    fn a_point_is_armed_by_its_name() {
        for point in Point::ALL {
            assert_eq!(parse(&format!("{}:2", point.name())), Some((*point, 2)));
        }
        for nothing in ["fold.claimed", "fold.claimed:0", "fold.claimed:x", "nowhere:1", ""] {
            assert_eq!(parse(nothing), None, "{nothing}");
        }
    }
}
