//! Signs of fraud on referrals, and what they come to (rules 20 to 22).
//!
//! Evidence is compared as keyed hashes, within the people of one referrer: what two strangers share says nothing. All
//! signs are found in a [`Snapshot`], in which the order of arrival plays no part, so that a ring whose members sign up at
//! one moment looks the same to whoever is weighed last. Each sign weighs what the [`Policy`] of the referral's own program
//! says; the sum is the score, and the score decides.
//!
//! | file | what it is |
//! | --- | --- |
//! | `signal` | the closed list of signs |
//! | `policy` | weights, thresholds and windows, versioned with the program |
//! | `email` | spellings of one mailbox, and throw-away domains |
//! | `snapshot` | what is known of a referrer's people |
//! | `finding` | the signs in a snapshot |
//! | `score` | what the signs of one referral come to |

pub mod email;
mod finding;
mod policy;
mod score;
mod signal;
mod snapshot;

pub use self::{
    finding::{Finding, Why, find},
    policy::{MissingEvidence, Policy, SignalPolicy, WINDOW_MAX_SECONDS},
    score::{Ruling, Sign, Weighed, rule, score},
    signal::Signal,
    snapshot::{Account, Listed, Snapshot, Traces, Translation},
};
