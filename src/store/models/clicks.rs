//! Visits through links, and what is behind a link.

use diesel::prelude::*;

use super::{Code, Program, User};
use crate::{
    domain::{id::Id, keyed_hash::KeyedHash, time::Timestamp},
    store::schema::clicks,
};

row! {
    /// A visit through a link.
    Click in clicks {
        id: Id,
        code_key: String,
        program_id: Id,
        user_id: Id,
        ip_hash: Option<KeyedHash>,
        network_hash: Option<KeyedHash>,
        device_hash: Option<KeyedHash>,
        utm: Option<String>,
        created_at: Timestamp,
        visit_key: Option<KeyedHash>,
        user_agent_hash: Option<KeyedHash>,
        earlier: Option<String>,
    }
}

/// What is behind a link: the code, its owner, its program, and what the version in force promises.
pub type Link = (Code, User, Program, String);
