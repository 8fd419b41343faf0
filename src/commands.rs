//! What the command line does.

use std::{
    fs::File,
    io::IsTerminal,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use indicatif::{ProgressBar, ProgressStyle};
use tokio::runtime::Runtime;

use crate::{
    app::{self, Fatal},
    config::{Cli, Command, Import, Keys, Options},
    domain::id::{self, Noun},
    engine::{
        Engine,
        demo::{CrowdSpec, Shape, UsersSpec, try_policy, write_users},
        import::{BadRow, Payment, Progress, Summary, Tally},
    },
    graphql,
    say::{complain, say},
    store::models::ApiKey,
};

/// Bad rows that are printed; further ones are only counted.
const SHOWN_BAD_ROWS: u64 = 1_000;

/// Does what the command line asks for, to its end.
///
/// Not async on purpose: whatever a binary awaits is compiled once more into that binary, and this is the whole house.
pub fn run(cli: Cli, runtime: &Runtime) -> Result<(), Fatal> {
    runtime.block_on(dispatch(cli))
}

async fn dispatch(cli: Cli) -> Result<(), Fatal> {
    let options = cli.options;
    match cli.command.unwrap_or(Command::Serve { demo: cli.demo }) {
        Command::Serve { demo } => app::serve(options, demo || cli.demo).await,
        Command::Migrate => migrate(&options).await,
        Command::Import { what } => import(&options, what).await,
        Command::Rebuild => rebuild(&options).await,
        Command::Verify => verify(&options).await,
        Command::Keys { what } => keys(&options, what).await,
        Command::Schema => schema(),
        Command::Generate { people, seed } => generate(people, seed),
        Command::FraudTrial { people } => fraud_trial(people).await,
    }
}

/// Brings the database up to date.
async fn migrate(options: &Options) -> Result<(), Fatal> {
    app::engine(options).await?;
    say("The database is up to date.");
    Ok(())
}

/// Imports a file; fails at the end when there were bad rows.
async fn import(options: &Options, what: Import) -> Result<(), Fatal> {
    let engine = app::engine(options).await?;
    let summary = match what {
        Import::Users { file } => {
            let (source, progress) = open(&file)?;
            let summary = engine.import_users(source, &progress).await?;
            progress.drawn.finish_and_clear();
            summary
        }
        Import::Events { file, no_rewards } => {
            let (source, progress) = open(&file)?;
            let payment = if no_rewards { Payment::Nothing } else { Payment::AsRecorded };
            let summary = engine.import_events(source, payment, &progress).await?;
            progress.drawn.finish_and_clear();
            summary
        }
    };
    report(&summary)
}

fn open(file: &Path) -> Result<(File, Bar), Fatal> {
    let source = File::open(file).map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let bytes = source.metadata()?.len();
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new(bytes) } else { ProgressBar::hidden() };
    let style = "{bar:40} {percent:>3} % {msg} ({elapsed}, {eta} left)";
    bar.set_style(ProgressStyle::with_template(style)?);
    Ok((source, Bar { drawn: bar, named: AtomicU64::new(0) }))
}

fn report(summary: &Summary) -> Result<(), Fatal> {
    say(&summary.to_string());
    match summary.tally.bad {
        0 => Ok(()),
        bad => Err(format!("{bad} bad rows were left out; correct them and import the file again").into()),
    }
}

/// Draws how far an import is; bad rows go to standard error.
struct Bar {
    drawn: ProgressBar,
    /// How many bad rows were named.
    named: AtomicU64,
}

impl Progress for Bar {
    fn advance(&self, so_far: &Tally) {
        self.drawn.set_position(so_far.bytes);
        self.drawn.set_message(format!("{} rows, {} counted, {} bad", so_far.rows, so_far.counted, so_far.bad));
    }

    fn bad_row(&self, row: &BadRow) {
        if self.drawn.is_hidden() {
            return complain(&row.to_string());
        }
        match self.named.fetch_add(1, Ordering::Relaxed) {
            named if named < SHOWN_BAD_ROWS => self.drawn.suspend(|| complain(&row.to_string())),
            SHOWN_BAD_ROWS => {
                self.drawn.suspend(|| complain("further bad rows are only counted; a file gets them all: 2>bad.txt"))
            }
            _ => {}
        }
    }
}

/// Computes counters and boards again.
async fn rebuild(options: &Options) -> Result<(), Fatal> {
    let engine = app::engine(options).await?;
    let corrected = engine.rebuild().await?;
    say(&format!("Counters and boards are computed again; {corrected} people's counters were corrected."));
    Ok(())
}

/// Compares what is derived with what it is derived from; fails when something differs.
async fn verify(options: &Options) -> Result<(), Fatal> {
    let engine = app::engine(options).await?;
    let differences = engine.verify().await?;
    for difference in &differences {
        say(difference);
    }
    match differences.len() {
        0 => {
            say("Counters, boards, rewards and balances are what the rows say.");
            Ok(())
        }
        found => Err(format!("{found} differences; `banyan rebuild` corrects counters and boards").into()),
    }
}

/// Who is named in the audit log for what is done from the command line.
const ACTOR: &str = "command line";

/// Makes, lists and revokes API keys.
async fn keys(options: &Options, what: Keys) -> Result<(), Fatal> {
    let engine = app::engine(options).await?;
    match what {
        Keys::Create(new) => {
            let (_, secret) = engine.create_api_key(new.into(), ACTOR).await?;
            say(&format!("Shown this once: {secret}"));
        }
        Keys::List => list_keys(&engine).await?,
        Keys::Revoke { id } => {
            let id = id::parse_as(Noun::ApiKey, &id)?;
            let key = engine.revoke_api_key(id, ACTOR).await?.ok_or("there is no such key")?;
            say(&format!("Revoked: {}", line(&key)));
        }
    }
    Ok(())
}

async fn list_keys(engine: &Engine) -> Result<(), Fatal> {
    for key in engine.api_keys().await? {
        say(&line(&key));
    }
    Ok(())
}

fn line(key: &ApiKey) -> String {
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) => format!("until {at}"),
        (None, None) => "in use".to_owned(),
    };
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at}"));
    let scopes = key.scopes.as_ref().map(|scopes| format!(" ({scopes})")).unwrap_or_default();
    let ApiKey { name, prefix, role, created_at, .. } = key;
    let (id, role) = (key.id.typed(Noun::ApiKey), role.word());
    format!("{id}  {role}{scopes}  {prefix}...  {state}  made {created_at}  {used}  {name}")
}

/// Prints the GraphQL schema.
fn schema() -> Result<(), Fatal> {
    say(graphql::sdl().trim_end());
    Ok(())
}

/// Prints made-up people as CSV.
fn generate(people: u32, seed: u64) -> Result<(), Fatal> {
    let day = |text: &str| crate::domain::time::Timestamp::parse(text).ok_or("a day that is none");
    let spec = UsersSpec {
        people,
        shape: Shape::Recruiters,
        seed,
        prefix: "user-".to_owned(),
        since: day("2020-01-01")?,
        until: day("2026-01-01")?,
    };
    Ok(write_users(std::io::stdout().lock(), &spec)?)
}

/// Prints how well the usual fraud policy does on made-up crowds.
pub async fn fraud_trial(people: usize) -> Result<(), Fatal> {
    for spec in CrowdSpec::all(people) {
        let begun = std::time::Instant::now();
        let detection = try_policy(&spec).await?;
        let rings = spec.ring_sizes().map_or_else(|| "mixed".to_owned(), |sizes| format!("rings of {sizes:?}"));
        say(&format!("Crowd {}, {rings}:", spec.seed));
        say(&format!("{detection} ({:.1} s)\n", begun.elapsed().as_secs_f64()));
    }
    Ok(())
}
