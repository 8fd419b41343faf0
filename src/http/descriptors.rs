//! How many files the process may have open. A connection is one, and so is each connection to the database.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files besides connections of callers: databases, logs, the runtime's own.
const OTHERS: u64 = 1_500;

/// Takes as many as the system lets this process have, up to what so many connections need. Most systems give 1,024 to
/// whoever does not ask, for the sake of programs older than these numbers, and allow hundreds of thousands.
pub fn make_room(connections: usize) {
    let wanted = connections as u64 + OTHERS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|now| now >= wanted) {
        return;
    }
    let current = limit.maximum.map_or(wanted, |most| most.min(wanted));
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(current), ..limit }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    if current < wanted {
        tracing::info!(current, wanted, "the system allows fewer open files than connections; further ones will wait");
    }
}
