//! Processor time of processes, as `/proc` of Linux tells it.

use std::fs;

/// Clock ticks of a second in `/proc`, which Linux fixes for user space (`USER_HZ` in proc(5)).
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time that a process has used, in seconds; nothing where there is no `/proc`.
pub fn processor_seconds(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name of the program, in parentheses, may hold anything; utime and stime are fields 14 and 15 of the line.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}
