//! Making and changing programs (rules 7 to 10). A change of what a program promises is a new version; versions are
//! never changed, and an event is paid by the one that was in force when it was accepted.

use super::{
    Engine, Error, Refusal, RefusalCode,
    audit::Deed,
    input,
    program_links::{LinkChange, ProgramLinks},
};
use crate::{
    domain::{
        id::{Id, Noun},
        money::Currency,
        period::Calendar,
        plan::{Plan, Problem, Sound},
        program::Definition,
        time::Timestamp,
        words::ProgramStatus,
    },
    store::{StoreError, Tx, models, run},
};

/// Longest key of a program.
const KEY_MAX_CHARS: usize = 64;
/// Versions of a program that are shown.
const VERSIONS_SHOWN: i64 = 100;

/// A new program.
#[derive(Clone, Debug)]
pub struct CreateProgram {
    /// A short unique name for programs to use.
    pub key: String,
    /// A name for people.
    pub name: String,
    /// The currency of its amounts.
    pub currency: String,
    /// IANA name of the time zone in which its days begin.
    pub time_zone: String,
    /// When it begins.
    pub starts_at: Option<Timestamp>,
    /// When it ends.
    pub ends_at: Option<Timestamp>,
    /// What it promises.
    pub plan: Plan,
    /// Where its links lead.
    pub links: LinkChange,
    /// Whether it runs at once.
    pub activate: bool,
}

/// What to change of a program; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateProgram {
    /// A name for people.
    pub name: Option<String>,
    /// The currency; fixed once the program was active. Takes new rules, whose amounts it is the currency of.
    pub currency: Option<String>,
    /// The time zone; fixed once the program was active.
    pub time_zone: Option<String>,
    /// When it begins; the inner `None` lifts it.
    pub starts_at: Option<Option<Timestamp>>,
    /// When it ends; the inner `None` lifts it.
    pub ends_at: Option<Option<Timestamp>>,
    /// What it promises.
    pub plan: Plan,
    /// Where its links lead.
    pub links: LinkChange,
}

/// A program as it is now, and what its maker should know; or everything that is wrong, in the order of the input.
pub type Saved = Result<(models::Program, Vec<Refusal>), Vec<Refusal>>;

impl Engine {
    /// Makes a program.
    pub async fn create_program(&self, request: CreateProgram, actor: &str) -> Result<Saved, Error> {
        let mut wrong = Vec::new();
        check_key(&request.key).unwrap_or_else(|refusal| wrong.push(refusal));
        input::text("name", &request.name, input::NAME_MAX_CHARS).unwrap_or_else(|refusal| wrong.push(refusal));
        let zone = check_zone(&request.time_zone);
        zone.unwrap_or_else(|refusal| wrong.push(refusal));
        check_span(request.starts_at, request.ends_at).unwrap_or_else(|refusal| wrong.push(refusal));
        let (links, problems) = request.links.on(ProgramLinks::default());
        wrong.extend(problems);
        let currency = match Currency::parse(&request.currency) {
            Ok(currency) => currency,
            Err(error) => {
                wrong.push(Refusal::new(RefusalCode::InvalidInput, "currencyCode", error.to_string()));
                return Ok(Err(wrong));
            }
        };
        let sound = match request.plan.check(Definition::without_rules(), &currency) {
            Ok(sound) if wrong.is_empty() => sound,
            Ok(_) => return Ok(Err(wrong)),
            Err(problems) => {
                wrong.extend(problems.into_iter().map(refused));
                return Ok(Err(wrong));
            }
        };
        let now = self.context.now();
        let program = models::Program {
            id: self.context.new_id_at(now),
            key: request.key,
            name: request.name,
            currency: currency.code().to_owned(),
            time_zone: request.time_zone,
            status: if request.activate { ProgramStatus::Active } else { ProgramStatus::Draft },
            version: 1,
            starts_at: request.starts_at,
            ends_at: request.ends_at,
            was_active: request.activate,
            created_at: now,
            landing_url: links.landing_url,
            ref_parameter: links.ref_parameter,
            click_parameter: links.click_parameter,
        };
        let Sound { definition, warnings } = sound;
        let version = version_row(&program, &definition, (actor, now))?;
        let added = self.store.write(async |tx: &mut Tx| {
            if !run!(tx, programs::insert(program.clone()))? {
                return Ok::<_, StoreError>(false);
            }
            run!(tx, programs::insert_version(version.clone()))?;
            let deed = Deed { actor, action: "createProgram", at: now };
            run!(tx, audit::insert(deed.to(program.id.typed(Noun::Program))))?;
            Ok(true)
        });
        if added.await? {
            return Ok(Ok((program, warnings.into_iter().map(warned).collect())));
        }
        let message = format!("there is a program with the key `{}` already", program.key);
        Ok(Err(vec![Refusal::new(RefusalCode::ProgramKeyTaken, "key", message)]))
    }

    /// Changes a program. Changes of what it promises make a new version; others do not.
    pub async fn update_program(&self, id: Id, request: UpdateProgram, actor: &str) -> Result<Saved, Error> {
        let now = self.context.now();
        self.store.write(async |tx: &mut Tx| update_in(tx, id, &request, (actor, now)).await).await
    }

    /// Starts, pauses or ends a program.
    pub async fn set_program_status(&self, id: Id, status: ProgramStatus, actor: &str) -> Result<Saved, Error> {
        let now = self.context.now();
        self.store.write(async |tx: &mut Tx| set_status_in(tx, id, status, (actor, now)).await).await
    }

    /// The newest versions of a program with what they promise, newest first.
    pub async fn program_versions(&self, id: Id) -> Result<Vec<(models::ProgramVersion, Definition)>, Error> {
        let rows = self.store.look(async |tx: &mut Tx| run!(tx, programs::newest_versions(id, VERSIONS_SHOWN))).await?;
        rows.into_iter().map(|row| definition_of(&row).map(|definition| (row, definition))).collect()
    }
}

async fn update_in(tx: &mut Tx, id: Id, request: &UpdateProgram, by: (&str, Timestamp)) -> Result<Saved, Error> {
    let Some(mut program) = run!(tx, programs::lock(id))? else { return Ok(Err(vec![unknown()])) };
    if program.status == ProgramStatus::Ended {
        let message = "this program has ended; make a new one";
        return Ok(Err(vec![Refusal::new(RefusalCode::InvalidTransition, "programId", message)]));
    }
    let was_in = program.currency.clone();
    let mut wrong = change_frame(&mut program, request);
    let stored = run!(tx, programs::versions(id, vec![program.version]))?.pop();
    let before = definition_of(&stored.ok_or_else(|| StoreError::Corrupt(format!("program {id} has no version")))?)?;
    if was_in != program.currency {
        wrong.extend(of_the_old_currency(&before, &request.plan));
    }
    let sound = match request.plan.check(before.clone(), &Currency::stored(&program.currency)) {
        Ok(sound) if wrong.is_empty() => sound,
        Ok(_) => return Ok(Err(wrong)),
        Err(problems) => {
            wrong.extend(problems.into_iter().map(refused));
            return Ok(Err(wrong));
        }
    };
    if sound.definition != before {
        program.version += 1;
        run!(tx, programs::insert_version(version_row(&program, &sound.definition, by)?))?;
    }
    run!(tx, programs::change(program.clone()))?;
    let deed = Deed { actor: by.0, action: "updateProgram", at: by.1 };
    run!(tx, audit::insert(deed.to(id.typed(Noun::Program))))?;
    Ok(Ok((program, sound.warnings.into_iter().map(warned).collect())))
}

/// Changes what is not versioned, and says what cannot be changed.
fn change_frame(program: &mut models::Program, request: &UpdateProgram) -> Vec<Refusal> {
    let mut wrong = Vec::new();
    if let Some(name) = &request.name {
        input::text("name", name, input::NAME_MAX_CHARS).unwrap_or_else(|refusal| wrong.push(refusal));
        program.name.clone_from(name);
    }
    let fixed = |field| {
        let message = format!("the {field} is fixed once a program was active");
        let field = if field == "currency" { "currencyCode" } else { "timeZone" };
        Refusal::new(RefusalCode::InvalidInput, field, message)
    };
    if let Some(zone) = request.time_zone.as_ref().filter(|zone| **zone != program.time_zone) {
        let checked = if program.was_active { Err(fixed("time zone")) } else { check_zone(zone) };
        checked.unwrap_or_else(|refusal| wrong.push(refusal));
        program.time_zone.clone_from(zone);
    }
    if let Some(code) = request.currency.as_ref().filter(|code| **code != program.currency) {
        match Currency::parse(code) {
            _ if program.was_active => wrong.push(fixed("currency")),
            Err(error) => wrong.push(Refusal::new(RefusalCode::InvalidInput, "currencyCode", error.to_string())),
            Ok(currency) => currency.code().clone_into(&mut program.currency),
        }
    }
    program.starts_at = request.starts_at.unwrap_or(program.starts_at);
    program.ends_at = request.ends_at.unwrap_or(program.ends_at);
    check_span(program.starts_at, program.ends_at).unwrap_or_else(|refusal| wrong.push(refusal));
    let (links, problems) = request.links.on(ProgramLinks::of(program));
    links.put_on(program);
    wrong.extend(problems);
    wrong
}

/// Amounts that were said in a currency and would stay while it goes.
fn of_the_old_currency(before: &Definition, plan: &Plan) -> Vec<Refusal> {
    let qualifies_by_amount = before.qualifying.min_amount.is_some();
    [
        ("rules", plan.rules.is_none()),
        ("qualifying", plan.qualifying.is_none() && qualifies_by_amount),
        ("minimumClaim", plan.minimum_claim.is_none() && before.minimum_claim.is_some()),
    ]
    .into_iter()
    .filter(|(_, stays)| *stays)
    .map(|(field, _)| {
        let message = format!("with another currency its amounts mean something else: give `{field}` anew");
        Refusal::new(RefusalCode::InvalidInput, field, message)
    })
    .collect()
}

async fn set_status_in(tx: &mut Tx, id: Id, to: ProgramStatus, by: (&str, Timestamp)) -> Result<Saved, Error> {
    let Some(mut program) = run!(tx, programs::lock(id))? else { return Ok(Err(vec![unknown()])) };
    if program.status == to {
        return Ok(Ok((program, Vec::new())));
    }
    if !may_become(program.status, to) {
        let message = format!("a program that is {} cannot become {}", program.status.word(), to.word());
        return Ok(Err(vec![Refusal::new(RefusalCode::InvalidTransition, "status", message)]));
    }
    program.status = to;
    program.was_active |= to == ProgramStatus::Active;
    run!(tx, programs::change(program.clone()))?;
    let deed = Deed { actor: by.0, action: "setProgramStatus", at: by.1 };
    run!(tx, audit::insert(deed.to(id.typed(Noun::Program))))?;
    Ok(Ok((program, Vec::new())))
}

/// A draft begins once; a program that ended stays so.
const fn may_become(from: ProgramStatus, to: ProgramStatus) -> bool {
    match from {
        ProgramStatus::Draft => matches!(to, ProgramStatus::Active | ProgramStatus::Ended),
        ProgramStatus::Active => matches!(to, ProgramStatus::Paused | ProgramStatus::Ended),
        ProgramStatus::Paused => matches!(to, ProgramStatus::Active | ProgramStatus::Ended),
        ProgramStatus::Ended => false,
    }
}

fn check_key(key: &str) -> Result<(), Refusal> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_' || byte == b'-';
    if (1..=KEY_MAX_CHARS).contains(&key.len()) && key.bytes().all(plain) {
        return Ok(());
    }
    let message = format!("a key is 1 to {KEY_MAX_CHARS} of a-z, 0-9, _ and -");
    Err(Refusal::new(RefusalCode::InvalidInput, "key", message))
}

fn check_zone(name: &str) -> Result<(), Refusal> {
    let message = "a time zone is an IANA name such as `UTC` or `Europe/Berlin`";
    Calendar::named(name).map(drop).ok_or_else(|| Refusal::new(RefusalCode::InvalidInput, "timeZone", message))
}

fn check_span(starts_at: Option<Timestamp>, ends_at: Option<Timestamp>) -> Result<(), Refusal> {
    match starts_at.zip(ends_at) {
        Some((start, end)) if end <= start => {
            Err(Refusal::new(RefusalCode::InvalidInput, "endsAt", "a program ends after it starts"))
        }
        _ => Ok(()),
    }
}

fn unknown() -> Refusal {
    Refusal::new(RefusalCode::ProgramNotFound, "programId", "there is no such program")
}

pub(super) fn refused(problem: Problem) -> Refusal {
    Refusal { code: RefusalCode::InvalidInput, message: problem.message, field: problem.path }
}

fn warned(problem: Problem) -> Refusal {
    Refusal { code: RefusalCode::PaysForRecruiting, message: problem.message, field: problem.path }
}

fn version_row(
    program: &models::Program,
    definition: &Definition,
    (actor, now): (&str, Timestamp),
) -> Result<models::ProgramVersion, Error> {
    let definition = serde_json::to_string(definition).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    let (program_id, version) = (program.id, program.version);
    Ok(models::ProgramVersion { program_id, version, definition, actor: actor.to_owned(), created_at: now })
}

/// What a stored version promises.
pub(super) fn definition_of(row: &models::ProgramVersion) -> Result<Definition, Error> {
    let unreadable = |error| StoreError::Corrupt(format!("program {}: {error}", row.program_id));
    serde_json::from_str(&row.definition).map_err(unreadable).map_err(Error::from)
}
