//! One file per thing the product can do: read through the store, decide through the domain, write in one transaction,
//! leave an outbox row.

pub mod api_keys;
pub mod attribution;
mod audit;
pub mod boards;
pub mod charge;
pub mod claim_rewards;
pub mod clicks;
mod context;
pub mod demo;
pub mod erase_user;
mod error;
mod evidence;
pub mod export_user;
mod floor;
pub mod fold;
pub mod import;
mod input;
mod keys_in_use;
pub mod leaderboard;
mod ledger;
pub mod ledger_check;
pub mod listings;
pub mod look_up_code;
pub mod move_user;
mod own_clicks;
pub mod pace;
mod pause;
pub mod program_links;
pub mod programs;
pub mod purge;
pub mod record_event;
pub mod record_refund;
mod recount;
pub mod referral_codes;
pub mod review_referral;
pub mod settle_claim;
pub mod setup;
pub mod sign_up;
pub mod simulate;
pub mod standing;
mod sweep;
pub mod update_user;
mod verify;

pub use self::{
    context::{Clock, Context, Randomness, SystemClock, SystemRandomness},
    error::{Error, Refusal, RefusalCode},
};
use crate::{live::Live, store::Store};

/// Everything the product can do, on one database.
#[derive(Clone)]
pub struct Engine {
    /// The database.
    pub store: Store,
    /// What is shared with other servers.
    pub live: Live,
    /// Clock, randomness and secrets.
    pub context: Context,
    /// Leaderboards of long ago, as they were last counted.
    pub past_boards: leaderboard::PastBoards,
    /// For how many days evidence of fraud is kept.
    pub evidence_days: u32,
    /// API keys that are used here.
    keys_in_use: keys_in_use::KeysInUse,
    /// From where to look for rows of the outbox.
    outbox: floor::Floor,
    /// From where to look for changes that boards have to take in.
    board_deltas: floor::Floor,
}

impl Engine {
    /// Puts an engine together.
    pub fn new(store: Store, live: Live, context: Context) -> Self {
        let (outbox, board_deltas) = (floor::Floor::default(), floor::Floor::default());
        Self {
            store,
            live,
            context,
            past_boards: leaderboard::PastBoards::default(),
            evidence_days: purge::EVIDENCE_DAYS,
            keys_in_use: keys_in_use::KeysInUse::default(),
            outbox,
            board_deltas,
        }
    }
}
