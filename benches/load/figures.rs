//! What a measurement comes to.

use std::{
    fmt,
    time::{Duration, Instant},
};

use crate::processor::processor_seconds;

/// Begins a measurement.
pub struct Stopwatch {
    process: u32,
    processor: Option<f64>,
    begun: Instant,
}

impl Stopwatch {
    /// From now on, with the processor time of this process.
    pub fn start(process: u32) -> Self {
        Self { process, processor: processor_seconds(process), begun: Instant::now() }
    }

    /// The figures of what was done since, by the latency of each answer.
    pub fn stop(self, name: &'static str, mut latencies: Vec<Duration>) -> Figures {
        let took = self.begun.elapsed();
        let processor = processor_seconds(self.process).zip(self.processor).map(|(now, then)| now - then);
        latencies.sort_unstable();
        Figures { name, took, processor, latencies }
    }
}

/// Latencies of one kind of request, shortest first, and what they cost.
pub struct Figures {
    name: &'static str,
    took: Duration,
    processor: Option<f64>,
    latencies: Vec<Duration>,
}

impl Figures {
    /// What stands above the lines.
    pub const HEADINGS: &str =
        "                              answers      /s   p50 ms   p95 ms   p99 ms   max ms   CPU ms each";

    /// Within which time so many of a hundred were answered, in milliseconds.
    pub fn percentile(&self, percent: usize) -> f64 {
        let place = (self.latencies.len() * percent).div_ceil(100).max(1) - 1;
        self.latencies.get(place).map_or(0.0, |latency| latency.as_secs_f64() * 1e3)
    }
}

impl fmt::Display for Figures {
    #[expect(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.latencies.len() as f64;
        let [p50, p95, p99, max] = [50, 95, 99, 100].map(|percent| self.percentile(percent));
        let (name, per_second) = (self.name, number / self.took.as_secs_f64());
        write!(f, "{name:<28} {number:>8} {per_second:>7.0} {p50:>8.2} {p95:>8.2} {p99:>8.2} {max:>8.2} ")?;
        match self.processor {
            Some(seconds) => write!(f, "{:>13.3}", seconds * 1e3 / number),
            None => write!(f, "{:>13}", "?"),
        }
    }
}
