//! Memory of processes, as `/proc` of Linux tells it.

use std::fs;

/// A number of `/proc/PID/status` (proc(5)), such as `VmRSS`, in kilobytes; nothing where there is no `/proc`.
pub fn kilobytes(process: u32, what: &str) -> Option<i64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok())
}
