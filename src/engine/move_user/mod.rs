//! Moving a user to another referrer, with everybody below (rule 5).
//!
//! What was decided before stays as it was: rewards, debts, claims and ledger belong to whoever stood above then. What is
//! decided from now on goes by the tree as it is now, tiers included, which count the referrals that somebody has at that
//! moment. A referral that is moved keeps its program, its state and its dates; it is now an operator's doing (`MOVE`), and
//! how it had come about is kept with the move. A root gets a referral in the default program, and what they did before
//! still falls under no program. Whoever signs up later is compared with the one who was moved as with any of the new
//! referrer's people.
//!
//! Moves take the fold gate alone, so there is one at a time and the tree and its counters hold still meanwhile: two that
//! together would close a circle come one after the other, and the second one sees the first. The gate is held for a
//! number of statements that does not grow with what is moved: what lies below a user is in the user's own counters.

mod chains;
pub(super) mod newest;
mod shift;

use self::{chains::Chains, shift::Shift};
use super::{Engine, Error, Refusal, RefusalCode, audit::Deed, boards::board_topic, input};
use crate::{
    domain::{
        id::{Id, Noun},
        time::Timestamp,
        words::{Metric, ReferralStatus, UserStatus, Via},
    },
    live::{Hint, Topic},
    store::{StoreError, Tx, models, run},
};

/// Levels that one statement climbs when it looks for a circle.
const CLIMB_LEVELS: i32 = 10_000;
/// Statements after which a chain cannot be a chain.
const CLIMBS_MAX: usize = 10_000;

/// Whom to move, and where.
#[derive(Clone, Debug)]
pub struct MoveUser {
    /// Who is moved, with everybody below.
    pub user: Id,
    /// The new referrer.
    pub referrer: Id,
    /// Why, for the history and the audit log.
    pub reason: String,
}

/// A referral before and after its move.
struct Edges {
    /// None for a root.
    before: Option<models::Referral>,
    after: models::Referral,
    /// Whether counters and boards know it; an imported one may still wait for that.
    is_counted: bool,
}

impl Engine {
    /// Moves a user and everybody below to another referrer. Refused when the new referrer is the user, stands below them
    /// or is their referrer already, and when either is unknown or erased. Who is suspended can be moved and moved to: a
    /// move says how things are, not who takes part.
    pub async fn move_user(&self, request: MoveUser, actor: &str) -> Result<models::User, Error> {
        input::reason(&request.reason)?;
        if request.user == request.referrer {
            return Err(circle("nobody brings themselves in").into());
        }
        self.pause_folding().await?;
        let moved = self.store.write_long(async |tx: &mut Tx| self.move_in(tx, &request, actor).await).await;
        let (user, hints) = self.resume_folding(moved).await?;
        self.live.publish(hints);
        Ok(user)
    }

    async fn move_in(&self, tx: &mut Tx, request: &MoveUser, actor: &str) -> Result<(models::User, Vec<Hint>), Error> {
        run!(tx, gate::take())?;
        let user = check(tx, request).await?;
        let chains = Chains::load(tx, request).await?;
        run!(tx, totals::lock(chains.people().collect()))?;
        let mut hints = self.fold_before_move(tx, request.user).await?;
        let edges = self.write_edge(tx, request).await?;
        run!(tx, evidence::credit(request.user, request.referrer))?;
        hints.extend(shift_counters(tx, &chains, &edges).await?);
        note(tx, (request, actor), (edges.before, self.context.now())).await?;
        hints.extend([Hint::new(board_topic(edges.after.program_id, Metric::Network), Hint::UNKNOWN), Hint::workers()]);
        Ok((user, hints))
    }

    /// What a user did before the move is decided as things stood before it. The rows are claimed first: one that comes
    /// later stays, and may find that nothing is left to do.
    async fn fold_before_move(&self, tx: &mut Tx, user: Id) -> Result<Vec<Hint>, Error> {
        let waiting = run!(tx, outbox::claim_of(user))?;
        let hints = self.fold_users(tx, vec![user]).await?;
        run!(tx, outbox::delete(waiting.iter().map(|row| row.seq).collect()))?;
        Ok(hints)
    }

    async fn write_edge(&self, tx: &mut Tx, request: &MoveUser) -> Result<Edges, Error> {
        let MoveUser { user, referrer, .. } = *request;
        let Some(before) = run!(tx, referrals::of_referred(&[user]))?.pop() else {
            let after = self.first_referral(tx, request).await?;
            run!(tx, referrals::insert(after.clone()))?;
            return Ok(Edges { before: None, after, is_counted: true });
        };
        if !run!(tx, referrals::change_referrer(user, before.referrer_id, referrer))? {
            return Err(StoreError::Corrupt("a referral changed while it was moved".to_owned()).into());
        }
        let waits = run!(tx, referrals::move_mark(user, before.referrer_id, referrer))?;
        let is_counted = !waits && before.status != ReferralStatus::Rejected;
        let after =
            models::Referral { referrer_id: referrer, via: Via::Move, code: None, click_id: None, ..before.clone() };
        Ok(Edges { before: Some(before), after, is_counted })
    }

    /// The referral of a root, who had none.
    async fn first_referral(&self, tx: &mut Tx, request: &MoveUser) -> Result<models::Referral, Error> {
        Ok(models::Referral {
            referred_id: request.user,
            referrer_id: request.referrer,
            program_id: self.default_program(tx).await?.id,
            status: ReferralStatus::Pending,
            via: Via::Move,
            code: None,
            click_id: None,
            risk_score: 0,
            created_at: self.context.now(),
            completed_at: None,
            rejected_at: None,
        })
    }
}

/// Locks both users and says whether the move may be made.
async fn check(tx: &mut Tx, request: &MoveUser) -> Result<models::User, Error> {
    let locked = run!(tx, users::lock(vec![request.user, request.referrer]))?;
    let is_there = |id: Id| locked.iter().any(|(known, status)| *known == id && *status != UserStatus::Erased);
    let unknown = |field| Refusal::new(RefusalCode::UserNotFound, field, "there is no such user");
    for (id, field) in [(request.user, "userId"), (request.referrer, "referrerId")] {
        if !is_there(id) {
            return Err(unknown(field).into());
        }
    }
    let referral = run!(tx, referrals::of_referred(&[request.user]))?.pop();
    if referral.is_some_and(|referral| referral.referrer_id == request.referrer) {
        let message = "this is the user's referrer already";
        return Err(Refusal::new(RefusalCode::ReferrerUnchanged, "referrerId", message).into());
    }
    if stands_above(tx, request.user, request.referrer).await? {
        return Err(circle("the new referrer stands below the user").into());
    }
    run!(tx, users::by_id(request.user))?.ok_or_else(|| unknown("userId").into())
}

fn circle(message: &str) -> Refusal {
    Refusal::new(RefusalCode::WouldMakeCycle, "referrerId", message)
}

/// Whether one user is an ancestor of another, however far above.
async fn stands_above(tx: &mut Tx, above: Id, below: Id) -> Result<bool, Error> {
    let mut from = below;
    for _ in 0..CLIMBS_MAX {
        match run!(tx, tree::climb((from, above), CLIMB_LEVELS))? {
            Some((reached, _)) if reached == above => return Ok(true),
            Some((reached, CLIMB_LEVELS)) => from = reached,
            Some(_) | None => return Ok(false),
        }
    }
    Err(StoreError::Corrupt(format!("the chain above {} does not end", below.typed(Noun::User))).into())
}

/// Moves what is counted out of the old chain and into the new one.
async fn shift_counters(tx: &mut Tx, chains: &Chains, edges: &Edges) -> Result<Vec<Hint>, Error> {
    let stored = run!(tx, totals::of_users(&chains.people().collect::<Vec<_>>()))?;
    let Some(own) = stored.iter().find(|totals| totals.user_id == edges.after.referred_id) else {
        return Err(StoreError::Corrupt("a user has no totals".to_owned()).into());
    };
    let shift = Shift::of(own, edges);
    let changes = shift.totals_changes(chains);
    let version = |user: &Id| stored.iter().find(|totals| totals.user_id == *user).map_or(1, |row| row.version + 1);
    let hint = |user: &Id| Hint::new(Topic::User(user.uuid()), version(user));
    let hints = changes.iter().map(|change| hint(&change.user)).collect();
    let touched: Vec<Id> = changes.iter().map(|change| change.user).collect();
    run!(tx, bulk::add_totals(changes))?;
    run!(tx, boards::insert_deltas(shift.board_deltas()))?;
    let is_open = |user: &Id| {
        let before = stored.iter().find(|totals| totals.user_id == *user);
        touched.contains(user) && before.is_some_and(|totals| shift.may_hold_newest_of(totals))
    };
    newest::correct(tx, chains.upwards().filter(is_open)).await?;
    Ok(hints)
}

/// The history of the tree, and the audit log.
async fn note(
    tx: &mut Tx,
    (request, actor): (&MoveUser, &str),
    (before, now): (Option<models::Referral>, Timestamp),
) -> Result<(), Error> {
    let row = models::NewReferralMove {
        user_id: request.user,
        from_referrer_id: before.as_ref().map(|before| before.referrer_id),
        to_referrer_id: request.referrer,
        reason: request.reason.clone(),
        actor: actor.to_owned(),
        created_at: now,
        from_via: before.as_ref().map(|before| before.via),
        from_code: before.as_ref().and_then(|before| before.code.clone()),
        from_click_id: before.as_ref().and_then(|before| before.click_id),
    };
    run!(tx, moves::insert(row))?;
    let deed = Deed { actor, action: "moveUser", at: now };
    run!(tx, audit::insert(deed.to_because(request.user.typed(Noun::User), &request.reason))).map_err(Error::from)
}
