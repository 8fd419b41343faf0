//! Builds the parts from the settings and hands them to http and worker.

use std::{fs::File, io::Read as _, path::Path, sync::Arc, time::Duration};

use axum::Router;
use rand::{Rng, SeedableRng};
use tokio::{net::TcpListener, sync::watch};

use crate::{
    config::{Options, ProcessRole},
    domain::{keyed_hash::HashKey, words::KeyRole},
    engine::{
        Context, Engine, SystemClock, SystemRandomness, api_keys::CreateApiKey, clicks::Clicks, demo::Seeded, setup,
    },
    front::Front,
    graphql::{
        Api, ApiSettings,
        document::{DocumentGuard, Library, Trusted},
        sdl,
    },
    http::{
        self, DoorSettings, Gate, ServerLimits, Shutdown, Tls,
        auth::Verifier,
        links::{self, LinkDoor},
        pages,
    },
    live::{Live, LiveSettings},
    say::say,
    store::{PoolSettings, Store},
    worker,
};

/// People that `--demo` adds.
const DEMO_PEOPLE: u32 = 2_000;
/// Seed of the demo's people.
const DEMO_SEED: u64 = 7;
/// Largest file of trusted documents.
const MAX_TRUSTED_BYTES: u64 = 16 * 1024 * 1024;
/// How long the worker may take to finish its transactions when the server ends.
const WORKER_DRAIN: Duration = Duration::from_secs(10);

/// Why the program cannot go on; told to whoever started it.
pub type Fatal = Box<dyn std::error::Error + Send + Sync>;

/// Opens the database, brings it up to date and builds the engine.
pub async fn engine(options: &Options) -> Result<Engine, Fatal> {
    options.check()?;
    let settings = PoolSettings { connections: options.database_connections, ..PoolSettings::default() };
    let store = Store::open(&options.database_url, &settings)?;
    let clock = SystemClock;
    let migrated = setup::prepare(&store, &clock).await?;
    if migrated > 0 {
        tracing::info!(migrations = migrated, "the database is up to date");
    }
    let randomness = Arc::new(SystemRandomness::new()?);
    let secret = match &options.hash_key {
        Some(secret) => secret.clone(),
        None => setup::hash_secret(&store, &fresh_secret()?).await?,
    };
    let former = match &options.hash_key_previous {
        Some(former) => Some(former.clone()),
        None => setup::kept_hash_secret(&store).await?.filter(|kept| *kept != secret),
    };
    let hash_key = HashKey::from_secret(&secret);
    let hash_key = former.into_iter().fold(hash_key, |key, former| key.with_former(&former));
    let context = Context { clock: Arc::new(clock), randomness, hash_key };
    let live = live(options, &context).await?;
    let mut engine = Engine::new(store, live, context);
    engine.evidence_days = options.evidence_days;
    Ok(engine)
}

async fn live(options: &Options, context: &Context) -> Result<Live, Fatal> {
    let settings = LiveSettings {
        hash_key: context.hash_key.clone(),
        ..LiveSettings::new(options.redis_namespace.clone(), u64::from_be_bytes(context.random()))
    };
    match &options.redis_url {
        Some(url) => Ok(Live::redis(url, settings).await?),
        None => Ok(Live::in_process(settings)),
    }
}

/// 256 random bits in hexadecimal.
fn fresh_secret() -> Result<String, Fatal> {
    let mut bytes = [0_u8; 32];
    let mut rng = rand::rngs::StdRng::try_from_rng(&mut rand::rngs::SysRng)?;
    rng.fill_bytes(&mut bytes);
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Serves until the process is told to stop, then finishes what is going on.
pub async fn serve(options: Options, demo: bool) -> Result<(), Fatal> {
    http::make_room(ServerLimits::default().connections);
    let engine = engine(&options).await?;
    // Bound before anything is printed: an address that is taken is said at once.
    let listener = TcpListener::bind(options.bind)
        .await
        .map_err(|error| format!("cannot listen on {}: {error} (choose another with BIND)", options.bind))?;
    let tls = options.tls.files()?.map(Tls::open).transpose()?.map(Arc::new);
    let shutdown = Shutdown::new();
    // Built before anything is printed, too: settings that are not sound end the start here.
    let routes = routes(engine.clone(), &options, shutdown.clone())?;
    let admin_key = bootstrap_key(&engine, &options).await?;
    if demo {
        seed_demo(&engine).await?;
    }
    let (stop, stopped) = watch::channel(false);
    let mut background = tokio::task::JoinSet::new();
    if options.has_role(ProcessRole::Worker) {
        background.spawn(worker::run(engine.clone(), stopped.clone()));
    }
    if demo {
        let (engine, mut stopped) = (engine.clone(), stopped.clone());
        background.spawn(async move {
            let stop = async move { drop(stopped.wait_for(|stop| *stop).await) };
            engine.demo_activity(DEMO_PEOPLE, stop).await;
        });
    }
    greet(&options, admin_key.as_deref());
    tokio::spawn(begin_when_told(shutdown.clone()));
    tls.clone().map(|tls| tokio::spawn(tls.keep_renewed()));
    http::serve(Gate { listener, tls }, routes, options.server_limits()?, shutdown).await?;
    stop.send_replace(true);
    let drained = async { while background.join_next().await.is_some() {} };
    if tokio::time::timeout(WORKER_DRAIN, drained).await.is_err() {
        tracing::warn!("the worker did not finish in time; what it had not committed will be folded by the next one");
    }
    Ok(())
}

/// Every route of the server; of one that does not have the role of the API, its health alone. Needs a runtime, for the
/// task that records clicks.
///
/// # Errors
/// When the settings are not sound.
pub fn routes(engine: Engine, options: &Options, shutdown: Shutdown) -> Result<Router, Fatal> {
    let public_url = options.public_url();
    let settings = ApiSettings { public_url: public_url.clone(), open_introspection: options.bind.ip().is_loopback() };
    let guard = DocumentGuard::new(&sdl(), options.documents.limits()?)?;
    let library = Arc::new(library(options, &guard)?);
    let verifier = Verifier::new(&options.jwt())?;
    let front = Front::new(engine.clone(), Api::new(engine.clone(), settings), guard, verifier);
    let trusted_proxies = options.proxies()?;
    let allowed_origins = options.origins.listed()?;
    let doors = DoorSettings {
        allowed_origins,
        trusted_proxies: trusted_proxies.clone(),
        library,
        shutdown,
        ..DoorSettings::default()
    };
    if !options.has_role(ProcessRole::Api) {
        return Ok(http::health_router(front, doors));
    }
    let links = LinkDoor { clicks: Clicks::begin(engine, options.landing()?), public_url, trusted_proxies };
    let routes = http::router(front, doors).merge(pages::router()).merge(links::router(links));
    Ok(http::with_security_headers(routes))
}

/// The documents that may be run, read and checked if a file names them.
fn library(options: &Options, guard: &DocumentGuard) -> Result<Library, Fatal> {
    let Some(file) = &options.trusted_documents else { return Ok(Library::new()) };
    let trusted = trusted(file, guard).map_err(|cause| format!("TRUSTED_DOCUMENTS: {}: {cause}", file.display()))?;
    tracing::info!(?trusted, "only trusted documents are run, except for operators");
    Ok(Library::of(trusted))
}

fn trusted(file: &Path, guard: &DocumentGuard) -> Result<Trusted, Fatal> {
    let mut json = String::new();
    let bytes = File::open(file)?.take(MAX_TRUSTED_BYTES + 1).read_to_string(&mut json)?;
    if bytes as u64 > MAX_TRUSTED_BYTES {
        return Err(format!("it is larger than {MAX_TRUSTED_BYTES} bytes").into());
    }
    let trusted = Trusted::parse(&json)?;
    trusted.check(guard)?;
    Ok(trusted)
}

/// Who is named in the audit log for keys that come with a start.
const FIRST_START: &str = "start";

/// The admin key that was given; one that is made now when there is no key at all; otherwise nothing to print.
async fn bootstrap_key(engine: &Engine, options: &Options) -> Result<Option<String>, Fatal> {
    let request = CreateApiKey::new("bootstrap", KeyRole::Admin);
    if let Some(key) = &options.admin_api_key {
        engine.adopt_api_key(request, key, FIRST_START).await?;
        return Ok(None);
    }
    if !engine.api_keys().await?.is_empty() {
        return Ok(None);
    }
    Ok(Some(engine.create_api_key(request, FIRST_START).await?.1))
}

async fn seed_demo(engine: &Engine) -> Result<(), Fatal> {
    let begun = engine.context.clock.now();
    if engine.seed_demo(DEMO_PEOPLE, DEMO_SEED).await? == Seeded::Made {
        let millis = (engine.context.clock.now().micros() - begun.micros()) / 1_000;
        say(&format!("Added {DEMO_PEOPLE} sample people in {millis} ms."));
    }
    Ok(())
}

/// What whoever started the server wants to know: where it is, and how to get in.
fn greet(options: &Options, admin_key: Option<&str>) {
    let base = options.own_url();
    if !options.has_role(ProcessRole::Api) {
        say("Banyan folds; it answers no requests but those to /health (ROLES).");
        return;
    }
    say(&format!("Banyan listens on {base}/graphql"));
    match admin_key {
        Some(key) => {
            say(&format!("Admin key (shown this once): {key}"));
            say(&format!("GraphiQL: {base}{}#key={key}", pages::GRAPHIQL));
        }
        None => say(&format!("GraphiQL: {base}{}  (put your key behind #key=)", pages::GRAPHIQL)),
    }
    if !pages::built_in() {
        say("GraphiQL is not built in: install Node.js with npm and build again with BANYAN_WEB=require.");
    }
}

/// Waits for Ctrl-C or a SIGTERM.
async fn begin_when_told(shutdown: Shutdown) {
    let terminated = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(error) => {
                tracing::warn!(%error, "SIGTERM cannot be heard");
                std::future::pending::<()>().await;
            }
        }
    };
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => drop(interrupted),
        () = terminated => {}
    }
    tracing::info!("finishing what is going on");
    shutdown.begin();
}
