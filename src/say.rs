//! What the command line tells whoever started it, as opposed to what is logged.

use std::io::Write;

/// Writes one line to standard output. That nobody reads it is no reason to stop.
pub fn say(line: &str) {
    if let Err(error) = writeln!(std::io::stdout(), "{line}") {
        tracing::debug!(%error, "nobody reads standard output");
    }
}

/// Writes one line to standard error.
pub fn complain(line: &str) {
    if let Err(error) = writeln!(std::io::stderr(), "{line}") {
        tracing::debug!(%error, "nobody reads standard error");
    }
}
