//! What a fresh database needs before it serves: the schema, the default program, the key of the hashes.

use super::{Clock, Engine, Error};
use crate::{
    domain::{
        id::Id,
        landing::{CLICK_PARAMETER, REF_PARAMETER},
        program::{DEFAULT_KEY, Definition},
        time::Timestamp,
        words::ProgramStatus,
    },
    store::{Store, StoreError, Tx, models, run},
};

/// The generation of the schema that this program writes. A database that names a later one as its oldest is refused.
const GENERATION: i64 = 1;
/// Setting: the oldest generation of programs that may use the schema.
const OLDEST: &str = "oldest_binary";
/// Setting: the secret that the key of the hashes is derived from.
const HASH_SECRET: &str = "hash_secret";
/// The id of the default program is made from nothing but this, so that replicas that start together agree.
const DEFAULT_PROGRAM_SEED: [u8; 10] = *b"banyan-tre";

/// Brings a database up to date; several replicas may do so at once.
pub async fn prepare(store: &Store, clock: &dyn Clock) -> Result<usize, Error> {
    let done = store.migrate().await?;
    store.write(async |tx: &mut Tx| check_generation(tx).await).await?;
    let now = clock.now();
    store.write(async |tx: &mut Tx| add_default_program(tx, now).await).await?;
    Ok(done)
}

async fn check_generation(tx: &mut Tx) -> Result<(), Error> {
    let oldest = run!(tx, settings::keep(OLDEST, &GENERATION.to_string()))?;
    match oldest.parse::<i64>() {
        Ok(oldest) if oldest <= GENERATION => Ok(()),
        _ => Err(StoreError::Unavailable(format!(
            "the database needs a newer banyan (generation {oldest}, this one is {GENERATION})"
        ))
        .into()),
    }
}

async fn add_default_program(tx: &mut Tx, now: Timestamp) -> Result<(), Error> {
    if run!(tx, programs::by_key(DEFAULT_KEY))?.is_some() {
        return Ok(());
    }
    let id = Id::new(Timestamp::EPOCH, DEFAULT_PROGRAM_SEED);
    let program = models::Program {
        id,
        key: DEFAULT_KEY.to_owned(),
        name: "Default program".to_owned(),
        currency: "USD".to_owned(),
        time_zone: "UTC".to_owned(),
        status: ProgramStatus::Active,
        version: 1,
        starts_at: None,
        ends_at: None,
        was_active: true,
        created_at: now,
        landing_url: None,
        ref_parameter: REF_PARAMETER.to_owned(),
        click_parameter: CLICK_PARAMETER.to_owned(),
    };
    if !run!(tx, programs::insert(program))? {
        return Ok(());
    }
    let definition = serde_json::to_string(&Definition::default_program());
    let definition = definition.map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let version =
        models::ProgramVersion { program_id: id, version: 1, definition, actor: "banyan".to_owned(), created_at: now };
    run!(tx, programs::insert_version(version)).map_err(Error::from)
}

/// The secret behind the hashes: the one that is kept, or this one from now on.
pub async fn hash_secret(store: &Store, fresh: &str) -> Result<String, StoreError> {
    store.write(async |tx: &mut Tx| run!(tx, settings::keep(HASH_SECRET, fresh))).await
}

/// The secret that is kept, if there is one: after HASH_KEY was set for the first time it is the key before.
pub async fn kept_hash_secret(store: &Store) -> Result<Option<String>, StoreError> {
    store.look(async |tx: &mut Tx| run!(tx, settings::get(HASH_SECRET))).await
}

impl Engine {
    /// Whether the database answers and has the default program.
    pub async fn ready(&self) -> Result<(), Error> {
        self.store.look(async |tx: &mut Tx| self.default_program(tx).await.map(drop)).await
    }
}
