//! Ports for servers of tests that come and go.

use std::{
    net::TcpListener,
    process,
    sync::atomic::{AtomicU32, Ordering},
};

/// Below the ports that the system gives to clients (from 32768 on): while a server is dead, a client that looks for it
/// would now and then get its port, and meet itself there.
const FIRST: u32 = 20_000;
const NUMBER: u32 = 12_000;

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = process::id().wrapping_mul(37);
    for _ in 0..NUMBER {
        let step = NEXT.fetch_add(1, Ordering::SeqCst);
        let port = u16::try_from(FIRST + begin.wrapping_add(step) % NUMBER).expect("a port");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free");
}
