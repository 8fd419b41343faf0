//! Signing up: a user, their code, what brought them, and the event `signup` (rules 1 to 5).
//!
//! Only rows are inserted: no row of the referrer is touched, so one famous referrer never makes signups wait. The
//! referrer is only kept from being erased meanwhile, which any number of signups do side by side.

use super::{
    Engine, Error,
    attribution::{Attribution, Findings},
    evidence, input,
};
use crate::{
    domain::{
        id::{Id, Noun},
        keyed_hash::{self, KeyedHash},
        time::Timestamp,
        touches::Touches,
        words::{Outcome, ProgramStatus, ReferralStatus, UserStatus},
    },
    failpoint::{self, Point},
    live::Hint,
    store::{StoreError, Tx, models, run},
};

/// What a signup says about the new user.
#[derive(Clone, Debug, Default)]
pub struct SignUp {
    /// The host's own id.
    pub external_id: String,
    /// The name shown to others.
    pub display_name: Option<String>,
    /// The code that was typed or followed.
    pub code: Option<String>,
    /// The click that came before, as the host passed it on.
    pub click_id: Option<String>,
    /// The cookie of the user's own browser, with the clicks that it remembers. One that we did not sign is ignored.
    pub cookie: Option<String>,
    /// E-mail address; stored as a keyed hash only.
    pub email: Option<String>,
    /// Phone number; stored as a keyed hash only.
    pub phone: Option<String>,
    /// Address that the user signed up from; stored as keyed hashes only.
    pub ip_address: Option<String>,
    /// Device that the user signed up on; stored as a keyed hash only.
    pub device_id: Option<String>,
    /// Browser; stored as a keyed hash only.
    pub user_agent: Option<String>,
}

/// What came of a signup.
#[derive(Clone, Debug)]
pub struct SignedUp {
    /// The user, new or not.
    pub user: models::User,
    /// Whether the user is new.
    pub created: bool,
    /// What was found out about how the user came; of a known user, what was found then.
    pub findings: Findings,
    /// The referral that brought the user.
    pub referral: Option<models::Referral>,
}

/// A checked signup: everything that is stored of it.
pub(super) struct Newcomer {
    pub(super) user: models::User,
    pub(super) code: Option<String>,
    pub(super) click_id: Option<String>,
    pub(super) touches: Touches,
    /// Hashes of the contacts under the key before this one, which rows of known users may still hold.
    pub(super) former_email_hash: Option<KeyedHash>,
    pub(super) former_phone_hash: Option<KeyedHash>,
    evidence: models::Evidence,
}

impl Engine {
    /// Signs a user up, once per external id. The loser of a race gets the winner's result.
    pub async fn sign_up(&self, request: SignUp) -> Result<SignedUp, Error> {
        let newcomer = self.check_sign_up(&request)?;
        let signed_up = match self.store.write(async |tx: &mut Tx| self.sign_up_in(tx, &newcomer).await).await {
            Err(Error::Failed(failure)) if failure.is_duplicate_of("users.external_id") => {
                self.store.read(async |tx: &mut Tx| known_user(tx, &newcomer.user.external_id).await).await?
            }
            other => Some(other?),
        };
        let signed_up =
            signed_up.ok_or_else(|| StoreError::Corrupt("a signup neither won nor lost its race".to_owned()))?;
        if signed_up.created {
            failpoint::reach(Point::SignupCommitted);
            self.live.publish(vec![Hint::workers()]);
        }
        Ok(signed_up)
    }

    fn check_sign_up(&self, request: &SignUp) -> Result<Newcomer, Error> {
        let (key, now) = (&self.context.hash_key, self.context.now());
        input::text("externalId", &request.external_id, input::KEY_MAX_CHARS)?;
        let display_name = input::display_name(request.display_name.as_deref())?;
        let (email_hash, former_email_hash) = input::email(key, request.email.as_deref())?;
        let (phone_hash, former_phone_hash) = input::phone(key, request.phone.as_deref())?;
        let user = models::User {
            id: self.context.new_id_at(now),
            external_id: request.external_id.clone(),
            display_name,
            status: UserStatus::Active,
            email_hash,
            phone_hash,
            created_at: now,
        };
        let evidence = evidence::of_sign_up(key, request, &user)?;
        let touches = request.cookie.as_deref().and_then(|cookie| Touches::verified(cookie, key)).unwrap_or_default();
        let click_id = request.click_id.clone().filter(|click| !click.trim().is_empty());
        let code = request.code.clone();
        Ok(Newcomer { user, code, click_id, touches, former_email_hash, former_phone_hash, evidence })
    }

    async fn sign_up_in(&self, tx: &mut Tx, newcomer: &Newcomer) -> Result<SignedUp, Error> {
        let user = newcomer.user.clone();
        if let Some(known) = known_user(tx, &user.external_id).await? {
            return Ok(known);
        }
        let attribution = self.attribute(tx, newcomer).await?;
        run!(tx, users::insert(user.clone()))?;
        run!(tx, totals::insert_empty(vec![user.id]))?;
        self.insert_code(tx, &user).await?;
        let referral = attribution.edge.as_ref().map(|edge| models::Referral {
            referred_id: user.id,
            referrer_id: edge.referrer,
            program_id: edge.program.id,
            status: ReferralStatus::Pending,
            via: edge.via,
            code: Some(edge.shown_code.clone()),
            click_id: edge.click,
            risk_score: 0,
            created_at: user.created_at,
            completed_at: None,
            rejected_at: None,
        });
        if let Some(referral) = &referral {
            run!(tx, referrals::insert(referral.clone()))?;
        }
        let shown = evidence::of_edge(tx, &newcomer.evidence, referral.as_ref()).await?;
        if evidence::says_something(&shown) {
            run!(tx, evidence::insert(shown))?;
        }
        self.insert_signup_event(tx, &user, &attribution).await?;
        failpoint::reach(Point::SignupWritten);
        Ok(SignedUp { user, created: true, findings: attribution.findings, referral })
    }

    /// Gives a new user a code of the default program.
    async fn insert_code(&self, tx: &mut Tx, user: &models::User) -> Result<(), Error> {
        let program = self.default_program(tx).await?;
        self.insert_generated_code(tx, (user.id, program.id), (user.created_at, None)).await.map(drop)
    }

    /// Rule 4: a created user records one event `signup`. It is also what the worker counts the referral by.
    async fn insert_signup_event(
        &self,
        tx: &mut Tx,
        user: &models::User,
        attribution: &Attribution,
    ) -> Result<(), Error> {
        let key = signup_key(user.id);
        let row = models::NewOutbox { user_id: Some(user.id), event_key: None, created_at: user.created_at };
        let seq = run!(tx, outbox::insert(row))?;
        let program = attribution.edge.as_ref().map(|edge| &edge.program);
        let event = models::Event {
            id: self.context.new_id_at(user.created_at),
            user_id: user.id,
            seq,
            event_type: "signup".to_owned(),
            amount: None,
            currency: None,
            fingerprint: KeyedHash(keyed_hash::fingerprint(&[Some(&key)])),
            key,
            metadata: Some(attribution.findings.to_json()?),
            occurred_at: user.created_at,
            received_at: user.created_at,
            program_id: program.map(|program| program.id),
            program_version: program.map(|program| program.version),
            program_active: program.is_some_and(|program| is_active(program, user.created_at)),
            pays: true,
            remaining: None,
            decided_no: None,
            decisions: None,
        };
        run!(tx, events::insert(event)).map_err(Error::from)
    }
}

/// Idempotency key of the event that a signup records.
pub fn signup_key(user: Id) -> String {
    format!("{}{}", input::OWN_KEY_PREFIX, user.typed(Noun::User))
}

/// Whether a program attributes and pays at an instant.
pub fn is_active(program: &models::Program, at: Timestamp) -> bool {
    program.status == ProgramStatus::Active
        && program.starts_at.is_none_or(|starts_at| starts_at <= at)
        && program.ends_at.is_none_or(|ends_at| at < ends_at)
}

/// A user who signed up before, with the attribution of then; whoever was given a referrer since counts as attributed.
async fn known_user(tx: &mut Tx, external_id: &str) -> Result<Option<SignedUp>, Error> {
    let Some(user) = run!(tx, users::by_external_id(external_id))? else { return Ok(None) };
    let referral = run!(tx, referrals::of_referred(&[user.id]))?.pop();
    let event = run!(tx, events::by_key(&signup_key(user.id)))?;
    let kept = event.and_then(|event| Findings::from_json(&event.metadata?));
    let mut findings = kept.unwrap_or_else(|| {
        Findings::of_referral(Outcome::None, referral.as_ref().and_then(|referral| referral.code.clone()))
    });
    if referral.is_some() {
        findings.outcome = Outcome::Attributed;
    }
    Ok(Some(SignedUp { user, created: false, findings, referral }))
}
