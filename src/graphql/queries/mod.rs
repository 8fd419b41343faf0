//! The root of queries. Every field is nullable, so that one failure leaves its siblings alone.

mod earnings;
mod operations;
mod people;
mod programs;
mod records;
mod reviews;
mod simulation;

use async_graphql::MergedObject;

pub use earnings::EarningsQueries;
pub use operations::OperationQueries;
pub use people::PeopleQueries;
pub use programs::{ProgramQueries, board_argument};
pub use records::{AuditEntry, RecordQueries};
pub use reviews::ReviewQueries;
pub use simulation::SimulationQueries;

/// Everything that can be read.
#[derive(MergedObject, Default)]
pub struct Query(
    PeopleQueries,
    ProgramQueries,
    SimulationQueries,
    EarningsQueries,
    ReviewQueries,
    OperationQueries,
    RecordQueries,
);
