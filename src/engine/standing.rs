//! Suspending users and taking them back: who is suspended earns nothing and brings nobody in, and keeps what is theirs.

use super::{Engine, Error, Refusal, RefusalCode, audit::Deed, input};
use crate::{
    domain::{
        id::{Id, Noun},
        words::UserStatus,
    },
    store::{Tx, models, run},
};

/// A change of a user's standing.
#[derive(Clone, Debug)]
pub struct ChangeStanding {
    /// Whose.
    pub user: Id,
    /// Whether they take part from now on.
    pub active: bool,
    /// Why, for the audit log.
    pub reason: String,
}

impl Engine {
    /// Suspends a user or takes them back; nothing changes when they are in that state already.
    pub async fn change_standing(&self, request: ChangeStanding, actor: &str) -> Result<models::User, Error> {
        input::reason(&request.reason)?;
        let now = self.context.now();
        let (to, action) =
            if request.active { (UserStatus::Active, "reinstateUser") } else { (UserStatus::Suspended, "suspendUser") };
        let changed = self.store.write(async |tx: &mut Tx| {
            // The lock that folds hold while they decide: what they decide before or after is all of one kind.
            run!(tx, users::lock(vec![request.user]))?;
            let known = run!(tx, users::by_id(request.user))?.filter(|user| user.status != UserStatus::Erased);
            let Some(user) = known else { return Ok::<_, Error>(None) };
            if user.status == to {
                return Ok(Some(user));
            }
            run!(tx, users::set_status(user.id, to))?;
            let deed = Deed { actor, action, at: now };
            run!(tx, audit::insert(deed.to_because(user.id.typed(Noun::User), &request.reason)))?;
            Ok(Some(models::User { status: to, ..user }))
        });
        let unknown = || Refusal::new(RefusalCode::UserNotFound, "userId", "there is no such user");
        changed.await?.ok_or_else(|| unknown().into())
    }
}
