//! What the engine is given instead of taking it from the machine: time, randomness and the key of hashes.

use std::sync::{Arc, Mutex, PoisonError};

use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::domain::{id::Id, keyed_hash::HashKey, time::Timestamp};

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Timestamp;
}

/// Where random numbers come from.
pub trait Randomness: Send + Sync {
    /// Fills a buffer.
    fn fill(&self, buffer: &mut [u8]);
}

/// The machine's clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    fn now(&self) -> Timestamp {
        Timestamp::from_jiff(jiff::Timestamp::now())
    }
}

/// A cryptographic generator, seeded by the operating system.
pub struct SystemRandomness(Mutex<StdRng>);

impl SystemRandomness {
    /// Seeds a generator; fails where the operating system has no randomness to give.
    pub fn new() -> Result<Self, String> {
        let rng = StdRng::try_from_rng(&mut rand::rngs::SysRng).map_err(|error| error.to_string())?;
        Ok(Self(Mutex::new(rng)))
    }
}

impl Randomness for SystemRandomness {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(buffer);
    }
}

/// Clock, randomness and secrets of one process.
#[derive(Clone)]
pub struct Context {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Random numbers.
    pub randomness: Arc<dyn Randomness>,
    /// The key of the hashes of personal data.
    pub hash_key: HashKey,
}

impl Context {
    /// The present instant.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A new id, made now.
    pub fn new_id(&self) -> Id {
        self.new_id_at(self.now())
    }

    /// A new id that sorts with what was made at `at`.
    pub fn new_id_at(&self, at: Timestamp) -> Id {
        Id::new(at, self.random())
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.randomness.fill(&mut bytes);
        bytes
    }
}
