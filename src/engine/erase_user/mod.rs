//! Forgetting a person (rule 6).
//!
//! What stays is the place in the tree, the counters, the ledger and what others earned: an anonymous node under the same
//! id. What goes is everything that says who it was: names, hashes of contacts and evidence, what the host kept with
//! events, what operators wrote about the person or about others because of them, entries of the lists that name nobody
//! else, and codes that the person had chosen. Codes stop working and are never
//! given out again; of a chosen one only a keyed hash remembers that. The host's id for the person is replaced, so whoever
//! signs up under it later is a new person, who shares nothing with the old one.
//!
//! Idempotency keys, payout references and claims stay, for the books: the host must not write people into them.
//!
//! What is written over is written over in the files of SQLite too, free pages included, and leaves the log at once, or
//! at a purge while nobody reads from it; PostgreSQL keeps old rows until its next vacuum.
//!
//! An erasure takes the fold gate alone and the person's row from everybody who is adding something about them: nothing
//! that was on its way stays behind.

mod lists;
mod words;

use super::{
    Engine, Error, Refusal, RefusalCode,
    attribution::Findings,
    audit::Deed,
    input,
    own_clicks::{findings_of, own_clicks},
    sign_up::signup_key,
};
use crate::{
    domain::{
        id::{Id, Noun},
        time::Timestamp,
        words::{CodeKind, UserStatus},
    },
    live::{Hint, Topic},
    store::{Tx, models, requests::ReplacedCode, run},
};

/// What is left of words about a person.
const ERASED: &str = "erased";
/// Hashes or subjects that one statement names.
const PER_STATEMENT: usize = 1_000;
/// Shortest name that a reason is searched for, in characters: shorter ones stand in ordinary words.
const NAME_MIN_CHARS: usize = 3;
/// What hashes of retired codes are for.
const RETIRED: &str = "code";

/// Whom to forget.
#[derive(Clone, Debug)]
pub struct EraseUser {
    /// Who.
    pub user: Id,
    /// Why, for the audit log. It outlives the person, so it must not name them.
    pub reason: String,
}

impl Engine {
    /// Erases a user for good; nothing changes when they are erased already.
    pub async fn erase_user(&self, request: EraseUser, actor: &str) -> Result<models::User, Error> {
        input::reason(&request.reason)?;
        self.pause_folding().await?;
        let erased = self.store.write_long(async |tx: &mut Tx| self.erase_in(tx, &request, actor).await).await;
        let (user, version) = self.resume_folding(erased).await?;
        self.empty_log().await;
        if let Some(version) = version {
            self.live.publish(vec![Hint::new(Topic::User(user.id.uuid()), version)]);
        }
        Ok(user)
    }

    async fn erase_in(
        &self,
        tx: &mut Tx,
        request: &EraseUser,
        actor: &str,
    ) -> Result<(models::User, Option<i64>), Error> {
        run!(tx, gate::take())?;
        let unknown = || Refusal::new(RefusalCode::UserNotFound, "userId", "there is no such user");
        let user = run!(tx, users::lock_alone(request.user))?.ok_or_else(unknown)?;
        if user.status == UserStatus::Erased {
            return Ok((user, None));
        }
        names_nobody(&request.reason, &user)?;
        let now = self.context.now();
        // Before anything is written over: what was noted at the signup says which clicks were theirs.
        let clicks = own_clicks(tx, user.id).await?;
        run!(tx, erasure::anonymise(user.id, &self.opaque(ERASED)))?;
        self.retire_codes(tx, user.id, now).await?;
        self.forget_listings(tx, (&user, &clicks), Deed { actor, action: "removeListing", at: now }).await?;
        lists::forget_names(tx, &user).await?;
        forget(tx, user.id, clicks).await?;
        let deed = Deed { actor, action: "eraseUser", at: now };
        run!(tx, audit::insert(deed.to_because(user.id.typed(Noun::User), &request.reason)))?;
        let version = run!(tx, totals::bump(user.id))?;
        let user = run!(tx, users::by_id(user.id))?.ok_or_else(unknown)?;
        Ok((user, Some(version)))
    }

    /// Codes stop working. One that was made by us says nothing; one that was chosen may be a name.
    async fn retire_codes(&self, tx: &mut Tx, user: Id, now: Timestamp) -> Result<(), Error> {
        run!(tx, erasure::disable_codes(user))?;
        for old in run!(tx, codes::of_users(&[user]))? {
            if old.kind == CodeKind::Vanity {
                let hash = self.context.hash_key.hash(RETIRED, &old.key);
                // Lower case: no code that is looked up is written so.
                let new = self.opaque("x");
                run!(tx, erasure::replace_code(ReplacedCode { old, new, hash, at: now }))?;
            }
        }
        Ok(())
    }

    /// Which of these codes, in their folded form, were chosen by people who are erased: nobody gets them again.
    pub(super) async fn retired_among(&self, tx: &mut Tx, keys: &[String]) -> Result<Vec<String>, Error> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        // Retired under the key before this one, a code is retired still.
        let hashes = |key: &String| {
            let hash_key = &self.context.hash_key;
            [Some(hash_key.hash(RETIRED, key)), hash_key.former_hash(RETIRED, key)].into_iter().flatten()
        };
        let retired = run!(tx, erasure::retired(keys.iter().flat_map(hashes).collect()))?;
        Ok(keys.iter().filter(|key| hashes(key).any(|hash| retired.contains(&hash))).cloned().collect())
    }

    /// A name that says nothing and that nobody else has.
    fn opaque(&self, prefix: &str) -> String {
        let bytes: [u8; 12] = self.context.random();
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{prefix}:{digits}")
    }
}

async fn forget(tx: &mut Tx, user: Id, clicks: Vec<Id>) -> Result<(), Error> {
    run!(tx, erasure::forget_evidence(user, clicks))?;
    let outcome = findings_of(tx, user).await?.map(|findings| findings.outcome);
    let left = outcome.map(|outcome| Findings::without_code(outcome, Vec::new()).to_json()).transpose()?;
    run!(tx, erasure::forget_metadata(user, &signup_key(user), left))?;
    words::forget(tx, user).await
}

/// A reason outlives whom it is about.
fn names_nobody(reason: &str, user: &models::User) -> Result<(), Refusal> {
    let reason = reason.to_lowercase();
    let mut names = user.display_name.iter().chain([&user.external_id]);
    match names.any(|name| name.chars().count() >= NAME_MIN_CHARS && reason.contains(&name.to_lowercase())) {
        true => Err(Refusal::new(RefusalCode::InvalidInput, "reason", "the reason stays: it must not name the person")),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::Id;

    #[test]
    fn a_reason_does_not_name_whom_it_is_about() {
        let user = models::User {
            id: Id::from_uuid(uuid::Uuid::nil()),
            external_id: "crm-4711".to_owned(),
            display_name: Some("Al".to_owned()),
            status: UserStatus::Active,
            email_hash: None,
            phone_hash: None,
            created_at: Timestamp::EPOCH,
        };
        assert!(names_nobody("asked for by CRM-4711", &user).is_err());
        assert!(names_nobody("asked for, also in general", &user).is_ok());
        let named = models::User { display_name: Some("Alma Orr".to_owned()), ..user };
        assert!(names_nobody("alma orr wrote to us", &named).is_err());
    }
}
