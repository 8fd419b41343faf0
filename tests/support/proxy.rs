//! A line between the product and what it depends on, which can be cut, slowed down or made to fall silent.

use std::time::Duration;

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
    time::timeout,
};

use super::port::free_port;

/// Bytes that are passed on at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// How a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// Everything passes.
    Open,
    /// Everything passes, each way this much later.
    Slow(Duration),
    /// Whoever is connected stays so, and nothing passes: what half-open connections and lost cables look like.
    Silent,
    /// Connections are cut, and new ones at once.
    Cut,
    /// The same, with a reset each: what a machine does that is there and knows of no connection.
    Reset,
}

impl Line {
    /// Whether nobody is connected.
    fn is_broken(self) -> bool {
        matches!(self, Self::Cut | Self::Reset)
    }
}

/// A proxy on this machine. It ends when it is dropped.
pub struct Proxy {
    port: u16,
    line: watch::Sender<Line>,
    listening: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before a server at `host:port`.
    pub async fn before(target: &str) -> Self {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a port that was free");
        let (line, state) = watch::channel(Line::Open);
        let target = target.to_owned();
        let listening = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let line = *state.borrow();
                match line {
                    Line::Cut => {}
                    Line::Reset => reset(&client),
                    _ => drop(tokio::spawn(connect(client, target.clone(), state.clone()))),
                }
            }
        });
        Self { port, line, listening }
    }

    /// Where it listens: `host:port`.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Changes how the line is. Connections over which nothing passed are cut when something passes again, as a machine
    /// that comes back knows none of them.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.set(Line::Cut);
        self.listening.abort();
    }
}

/// Attends to one connection until either side ends it, or the line does.
async fn connect(mut client: TcpStream, target: String, mut state: watch::Receiver<Line>) {
    if *state.borrow() == Line::Silent {
        drop(state.wait_for(|line| *line != Line::Silent).await);
        return;
    }
    let Ok(mut server) = TcpStream::connect(&target).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    tokio::select! {
        () = pass(from_client, to_server, state.clone()) => {}
        () = pass(from_server, to_client, state.clone()) => {}
        _ = state.wait_for(|line| line.is_broken()) => {}
    }
    if *state.borrow() == Line::Reset {
        [&client, &server].into_iter().for_each(reset);
    }
}

/// Lets a connection end with a reset, which loses what is under way, when it is dropped.
fn reset(stream: &TcpStream) {
    stream.set_zero_linger().expect("sets an option of a socket");
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, mut state: watch::Receiver<Line>) {
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let Ok(bytes @ 1..) = from.read(&mut chunk).await else { return };
        let line = *state.borrow();
        match line {
            Line::Open => {}
            // What is under way when the line is well again arrives at once.
            Line::Slow(delay) => drop(timeout(delay, state.wait_for(|now| *now != line)).await),
            Line::Silent => {
                drop(state.wait_for(|line| *line != Line::Silent).await);
                return;
            }
            Line::Cut | Line::Reset => return,
        }
        if to.write_all(&chunk[..bytes]).await.is_err() {
            return;
        }
    }
}
