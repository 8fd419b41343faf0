//! Bringing data in from files: people with who brought them in, and what they did.
//!
//! Both imports stream their CSV file in chunks, each one transaction, report every bad row by line and go on, and can be
//! run again without doubling anything. They work beside a running server, from another process too.
//!
//! | file | what it is |
//! | --- | --- |
//! | `table` | CSV: columns by name, cells as text, rows that cannot eat the memory |
//! | `report` | what is told while an import runs and when it ends |
//! | `users`, `user_row`, `people`, `waiting` | people: the loop, one row, one chunk, rows whose referrer is still to come |
//! | `counting` | imported referrals enter counters and boards |
//! | `events`, `event_row` | what people did |

mod counting;
mod event_row;
mod events;
mod people;
mod report;
mod table;
mod user_row;
mod users;
mod waiting;

pub use self::{
    event_row::EVENT_COLUMNS,
    events::Payment,
    report::{BadRow, ImportError, Progress, Silent, Summary, Tally},
    table::Columns,
    user_row::USER_COLUMNS,
};
