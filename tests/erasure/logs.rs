//! Everything that is logged, at every level, by every part of the process.

use std::{
    io,
    sync::{Mutex, Once, PoisonError},
};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static BEGIN: Once = Once::new();

struct Ear;

impl io::Write for Ear {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Listens from now on.
pub fn listen() {
    BEGIN.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(|| Ear);
        subscriber.try_init().unwrap();
        tracing::info!("listening");
    });
}

/// What was heard so far.
pub fn heard() -> String {
    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner);
    String::from_utf8_lossy(&log).into_owned()
}
