//! Programs, their versions and what was used of their caps.

use diesel::prelude::*;

use crate::{
    domain::{id::Id, time::Timestamp, words::ProgramStatus},
    store::schema::{caps, program_versions, programs},
};

row! {
    /// A named set of rules.
    Program in programs {
        id: Id,
        key: String,
        name: String,
        currency: String,
        time_zone: String,
        status: ProgramStatus,
        version: i32,
        starts_at: Option<Timestamp>,
        ends_at: Option<Timestamp>,
        was_active: bool,
        created_at: Timestamp,
        landing_url: Option<String>,
        ref_parameter: String,
        click_parameter: String,
    }
}

row! {
    /// What one version of a program promises.
    ProgramVersion in program_versions {
        program_id: Id,
        version: i32,
        definition: String,
        actor: String,
        created_at: Timestamp,
    }
}

row! {
    /// What was used of a cap: one person's or everybody's, over one period.
    Cap in caps {
        program_id: Id,
        rule_key: String,
        scope: String,
        starts_at: Timestamp,
        used_count: i64,
        used_amount: i64,
    }
}
