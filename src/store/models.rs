//! Rows as they are read and written, the same for both databases.

/// Declares a row that is read and written whole.
macro_rules! row {
    ($(#[$meta:meta])* $name:ident in $table:ident { $($(#[$field_meta:meta])* $field:ident: $type:ty),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Queryable, QueryableByName, Selectable, Insertable)]
        #[diesel(table_name = $table)]
        #[expect(missing_docs, reason = "a field is a column; the migration says what it holds")]
        pub struct $name { $($(#[$field_meta])* pub $field: $type),+ }
    };
}

mod boards;
mod clicks;
mod events;
mod money;
mod operators;
mod people;
mod programs;

pub use self::{
    boards::{Board, BoardDelta, BoardScore, NewBoardDelta},
    clicks::{Click, Link},
    events::{Event, NewOutbox, Outbox, Parked, Refund},
    money::{Account, Claim, ClaimRequest, NewRewardMove, NewTransfer, Reward, Transfer},
    operators::{ApiKey, Audit, NewAudit},
    people::{Code, Evidence, NewReferralMove, Referral, ReferralMove, RetiredCode, Totals, User},
    programs::{Cap, Program, ProgramVersion},
};
