//! The crowd: many connections of which nothing is heard.

use std::{
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::sleep,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _},
};

use crate::{Arguments, slow, support::ADMIN_KEY};

/// Where it comes from: a third of it each. The callers come from the first address of this machine.
const ADDRESSES: [Ipv4Addr; 3] =
    [Ipv4Addr::new(127, 0, 0, 2), Ipv4Addr::new(127, 0, 0, 3), Ipv4Addr::new(127, 0, 0, 4)];
/// Before somebody who was let go, or not let in, comes again.
const PAUSE: Duration = Duration::from_millis(250);
/// Between two arrivals, so that it is a crowd and no flood.
const BETWEEN: Duration = Duration::from_micros(500);
/// How long it may take to gather.
const GATHERING: Duration = Duration::from_secs(30);
const COUNT: &str = "subscription($id: ID!) { referralCount(userId: $id) { direct version } }";

/// What somebody in the crowd does.
#[derive(Clone, Copy)]
enum Kind {
    Silent,
    Socket,
    Subscriber,
    SlowHead,
    SlowBody,
    NeverReads,
}

/// What is known of all of them.
#[derive(Default)]
pub struct Counts {
    here: AtomicUsize,
    arrivals: AtomicUsize,
}

/// Somebody who is connected, for as long as this lives.
pub struct Here(Arc<Counts>);

impl Here {
    /// Counts an arrival.
    pub fn new(counts: &Arc<Counts>) -> Self {
        counts.here.fetch_add(1, Ordering::SeqCst);
        counts.arrivals.fetch_add(1, Ordering::SeqCst);
        Self(counts.clone())
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.here.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A crowd; it is gone when it is dropped.
pub struct Crowd {
    members: JoinSet<()>,
    counts: Arc<Counts>,
}

impl Crowd {
    /// Lets it come, and waits until nearly all are there: the server lets some go all the time.
    pub async fn gather(address: &str, somebody: &str, arguments: &Arguments) -> Self {
        let (server, counts): (SocketAddr, _) = (address.parse().expect("an address"), Arc::<Counts>::default());
        let mut members = JoinSet::new();
        for (number, kind) in kinds(arguments).enumerate() {
            let from = ADDRESSES[number % ADDRESSES.len()];
            members.spawn(stay(kind, (from, server), somebody.to_owned(), counts.clone()));
            sleep(BETWEEN).await;
        }
        let (mut waited, most) = (Duration::ZERO, members.len());
        while counts.here.load(Ordering::SeqCst) < most * 19 / 20 && waited < GATHERING {
            sleep(PAUSE).await;
            waited += PAUSE;
        }
        let crowd = Self { members, counts };
        println!("{} of {most} are here", crowd.counts.here.load(Ordering::SeqCst));
        crowd
    }

    /// Sends it home, and says who came.
    pub fn disperse(mut self) -> String {
        let (here, arrivals) = (self.counts.here.load(Ordering::SeqCst), self.counts.arrivals.load(Ordering::SeqCst));
        self.members.abort_all();
        format!("{here} at the end, {arrivals} arrivals in all")
    }
}

/// What they do, mixed, so that each address has some of each kind.
fn kinds(arguments: &Arguments) -> impl Iterator<Item = Kind> {
    let quiet = [Kind::Silent, Kind::Socket, Kind::Subscriber, Kind::Silent, Kind::Socket];
    let slow = [Kind::SlowHead, Kind::SlowBody, Kind::NeverReads];
    let quiet = quiet.into_iter().cycle().take(arguments.connections);
    quiet.chain(slow.into_iter().cycle().take(3 * arguments.slow))
}

/// Comes, does nothing, and comes again whenever it is let go.
async fn stay(kind: Kind, (from, server): (Ipv4Addr, SocketAddr), somebody: String, counts: Arc<Counts>) {
    loop {
        if let Ok(stream) = connect(kind, from, server).await {
            match kind {
                Kind::Silent => silent(stream, &counts).await,
                Kind::Socket => watch(stream, server, None, &counts).await.unwrap_or_default(),
                Kind::Subscriber => watch(stream, server, Some(&somebody), &counts).await.unwrap_or_default(),
                Kind::SlowHead => slow::head(stream, &counts).await,
                Kind::SlowBody => slow::body(stream, &counts).await,
                Kind::NeverReads => slow::never_reads(stream, &counts).await,
            }
        }
        sleep(PAUSE).await;
    }
}

async fn connect(kind: Kind, from: Ipv4Addr, server: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    if let Kind::NeverReads = kind {
        socket.set_recv_buffer_size(slow::UNREAD_BYTES)?;
    }
    // Thousands that come again and again would soon have used up the ports.
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddrV4::new(from, 0).into())?;
    socket.connect(server).await
}

async fn silent(mut stream: TcpStream, counts: &Arc<Counts>) {
    let _here = Here::new(counts);
    let mut byte = [0];
    // An end and a reset are the same here.
    let _end = stream.read(&mut byte).await;
}

/// A WebSocket that says no more than it has to. Nothing but its end is of interest; it answers pings meanwhile.
async fn watch(
    stream: TcpStream,
    server: SocketAddr,
    somebody: Option<&str>,
    counts: &Arc<Counts>,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut request = format!("ws://{server}/graphql").into_client_request()?;
    request.headers_mut().insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    let (mut socket, _) = client_async(request, stream).await?;
    let init = json!({"authorization": format!("Bearer {ADMIN_KEY}")});
    say(&mut socket, json!({"type": "connection_init", "payload": init})).await?;
    if let Some(id) = somebody {
        let payload = json!({"query": COUNT, "variables": {"id": id}});
        say(&mut socket, json!({"type": "subscribe", "id": "1", "payload": payload})).await?;
    }
    let mut here = None;
    while let Some(message) = socket.next().await {
        let is_text = matches!(message?, Message::Text(_));
        // The first text is the acknowledgement.
        if is_text && here.is_none() {
            here = Some(Here::new(counts));
        }
    }
    Ok(())
}

async fn say(
    socket: &mut WebSocketStream<TcpStream>,
    message: Value,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    socket.send(Message::text(message.to_string())).await
}
